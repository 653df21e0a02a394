"""A diagnosis: a known kind of defect, how it is recognised, and the rules that it breaks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gonogo.exchange import Exchange
    from gonogo.judge.causes.observations import Observations
    from gonogo.verdict import Judgement, Position

    Look = Callable[[Observations], "Sighting | None"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """The observation of a fault: a clause that describes it, and the ids of the exchanges, the best first.

    `lead` is the id of the broken rule that shows it best, if there is one.
    """

    seen: str
    exchanges: tuple[str, ...]
    at: Position | None = None
    lead: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One kind of fault.

    `id` is its name, `title` a sentence without full stop, `breaks` which clients break and how. `look` returns the
    sighting, or None. A broken rule whose id matches `explains` follows from it if one of its exchanges shows the
    fault; so does an undecided rule.
    """

    id: str
    title: str
    breaks: str
    explains: tuple[str, ...]
    look: Look


def among(
    exchanges: Iterable[Exchange], seen: Callable[[Exchange], str | None], *, least: int = 1
) -> Sighting | None:
    """A sighting in the exchanges for which `seen` returns a clause, if there are at least `least`."""
    found = [(exchange.id, said) for exchange in exchanges if (said := seen(exchange)) is not None]
    if len(found) < least:
        return None
    return Sighting(found[0][1], tuple(name for name, _ in found))


def broken(
    *patterns: str,
    least: int = 1,
    found: Callable[[Observations, Judgement], bool] = lambda _observed, _judgement: True,
    unless: tuple[str, ...] = (),
) -> Look:
    """Recognise a fault by the rules that it breaks: at least `least` that match and for which `found` is true.

    If a rule that matches `unless` is broken too, it is another fault.
    """

    def look(observed: Observations) -> Sighting | None:
        if observed.broken(*unless):
            return None
        judgements = [judgement for judgement in observed.broken(*patterns) if found(observed, judgement)]
        if len(judgements) < least:
            return None
        return of_judgements(judgements)

    return look


def of_judgements(judgements: Iterable[Judgement]) -> Sighting:
    """The findings of broken rules, with their exchanges; the first one is shown."""
    known = list(judgements)
    pieces = [piece for judgement in known for piece in judgement.evidence]
    exchanges = tuple(dict.fromkeys(piece.exchange for piece in pieces))
    lead = known[0]
    at = next((piece.position for piece in lead.evidence if piece.position is not None), None)
    return Sighting(lead.actual or "", exchanges, at, lead.rule.id)


def ignoring(look: Look, *names: str) -> Look:
    """The same sighting for an ignored parameter: in every accepted request that has it, including invalid ones."""

    def widened(observed: Observations) -> Sighting | None:
        seen = look(observed)
        if seen is None:
            return None
        more = [e.id for e in observed.accepted if not e.request.fields.keys().isdisjoint(names)]
        return replace(seen, exchanges=tuple(dict.fromkeys([*seen.exchanges, *more])))

    return widened
