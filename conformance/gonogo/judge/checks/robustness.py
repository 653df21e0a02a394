"""Checks on all generated requests together: failures by cause, and no verdict if too few were accepted."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gonogo.judge import fuzz_defects
from gonogo.judge.checks import acceptance
from gonogo.judge.checks.life import still_answers
from gonogo.judge.fuzz_causes import Defect, smallest
from gonogo.judge.outcome import Deviation, Kept, Stop, Undecided, saw, undecided
from gonogo.judge.steps import Of, compare
from gonogo.reasons import Reason
from gonogo.stimuli.fuzzed import Meant, case
from gonogo.stimuli.life import is_sign_of_life, suspects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

ENOUGH = 20
"""The minimum number of accepted generations; with fewer, the target may not have handled any request."""

SHOWN = 3


@compare("no case is answered with a server error", Of.ANY)
def no_server_error(*exchanges: Exchange) -> Outcome:
    """5xx for any request, except 501 and 503."""
    cases = attributable(exchanges)
    kept = saw("answer without a server error", *fuzz_defects.right(fuzz_defects.statuses(cases)))
    return judged(exchanges, fuzz_defects.server_errors(cases), kept)


@compare("every case is answered", Of.ANY)
def answered(*exchanges: Exchange) -> Outcome:
    """No connection is closed early, and the target survives every request; another rule checks time-outs."""
    kept = saw("complete answer", *fuzz_defects.right(fuzz_defects.endings(exchanges)))
    return _died(exchanges) or judged(exchanges, fuzz_defects.dropped(exchanges), kept)


@compare("every refusal of a case is an error with message and type", Of.ANY)
def refused_well(*exchanges: Exchange) -> Outcome:
    """4xx with the envelope, except for unsupported methods."""
    cases = attributable(exchanges)
    kept = saw("refusal with a message and a type", *fuzz_defects.right(fuzz_defects.envelopes(cases)))
    return judged(exchanges, fuzz_defects.bad_refusals(cases), kept)


@compare("every accepted case is answered as its operation describes", Of.ANY)
def answers_fit(*exchanges: Exchange) -> Outcome:
    """One JSON object that matches the schema, if the request does not stream."""
    cases = attributable(exchanges)
    kept = saw("answer that fits its schema", *fuzz_defects.right(fuzz_defects.answers(cases)))
    return judged(exchanges, fuzz_defects.bad_answers(cases), kept)


@compare("every accepted case that requests a stream is answered with a complete one", Of.ANY)
def streams_fit(*exchanges: Exchange) -> Outcome:
    """Any number of chunk events that match the schema, and [DONE]."""
    cases = attributable(exchanges)
    accepted = any(
        fuzz_defects.is_streamed(exchange) and fuzz_defects.accepted(exchange) for exchange in cases
    )
    kept = (
        saw("whole stream", *fuzz_defects.right(fuzz_defects.streams(cases)))
        if accepted
        else Undecided(Reason.NO_STREAMED_CASE)
    )
    return judged(exchanges, fuzz_defects.bad_streams(cases), kept)


@compare("every invalid case is refused", Of.ANY)
def invalid_refused(*exchanges: Exchange) -> Outcome:
    """A request that breaks the contract is not answered with 2xx."""
    cases = attributable(exchanges)
    refused = [e for e in cases if fuzz_defects.meant(e) is Meant.INVALID and fuzz_defects.refused(e)]
    kept = saw("invalid case that is refused", *refused)
    return judged(exchanges, fuzz_defects.wrongly_accepted(cases), kept)


@compare("every valid case is accepted, or refused for a feature that is never accepted", Of.ANY)
def valid_accepted(*exchanges: Exchange) -> Outcome:
    """A valid request is not refused if each of its features is accepted in other requests."""
    cases = attributable(exchanges)
    accepted = [e for e in cases if fuzz_defects.meant(e) is Meant.VALID and fuzz_defects.answered_well(e)]
    kept = saw("valid case that is accepted", *accepted)
    return judged(exchanges, fuzz_defects.wrongly_refused(cases), kept)


@compare("every method that a path does not have is answered with 405 and Allow", Of.ANY)
def method_refused(*exchanges: Exchange) -> Outcome:
    """405 with the allowed methods, or 501 for a method that the server implements nowhere."""
    cases = attributable(exchanges)
    kept = saw("refused method", *fuzz_defects.right(fuzz_defects.methods(cases)))
    return judged(exchanges, fuzz_defects.methods_taken(cases), kept)


def accepted_cases(exchanges: Iterable[Exchange]) -> int:
    """The number of valid requests with a valid answer, except model lists."""
    return sum(
        fuzz_defects.answered_well(exchange)
        and fuzz_defects.body_component(fuzz_defects.operation(exchange)) is not None
        and fuzz_defects.meant(exchange) in (Meant.VALID, Meant.ODD)
        for exchange in exchanges
    )


def _died(exchanges: Iterable[Exchange]) -> Deviation | None:
    """A deviation if the target did not survive the last cases that were sent together."""
    known = {exchange.stimulus: exchange for exchange in exchanges}
    for key, exchange in known.items():
        if not is_sign_of_life(key) or _lives(exchange):
            continue
        sent = [known[other] for other in suspects(key) if other in known and case(other)]
        sent.sort(key=_innocence)
        if sent:
            which = "one case"
            if len(sent) > 1:
                which = f"one of {len(sent)} cases; --concurrency 1 sends fewer together"
            return Deviation(
                "a target that answers on",
                f"a plain request was no longer answered ({acceptance.ending(exchange)}) after {which}",
                also=tuple((one.id, acceptance.ending(one)) for one in [*sent, exchange]),
            )
    return None


def _innocence(sent: Exchange) -> int:
    """A sort key: how unlikely a case is to have stopped the target; lowest if its answer was cut off."""
    if not fuzz_defects.whole(sent):
        return 0
    if (sent.status or 500) >= 500:
        return 1
    return 3 if acceptance.accepted(sent) else 2


def attributable(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """The cases whose answers count.

    Cases that were sent together with the one that stopped the target, and those of missing surfaces, do not.
    """
    known = list(exchanges)
    dead = [e.stimulus for e in known if is_sign_of_life(e.stimulus) and not _lives(e)]
    tainted = {key for sign in dead for key in suspects(sign)}
    return fuzz_defects.served([e for e in known if case(e.stimulus) and e.stimulus not in tainted])


def _lives(sign: Exchange) -> bool:
    """Whether a sign of life was answered, "busy" included."""
    with suppress(Stop):
        return not isinstance(still_answers(sign), Deviation)
    return True


def judged(exchanges: tuple[Exchange, ...], defects: Iterable[Defect], kept: Kept | Undecided) -> Outcome:
    """A deviation that shows each cause of the defects; if there are none, `kept` if enough was accepted."""
    found = list(defects)
    cases = attributable(exchanges)
    exchanges = tuple(exchange for exchange in exchanges if case(exchange.stimulus))
    if not found:
        count = accepted_cases(cases)
        if count < ENOUGH:
            raise undecided(Reason.TOO_FEW_CASES, found=count, number=len(cases), needed=ENOUGH)
        return kept
    causes = smallest(found)
    first = causes[0]
    return Deviation(
        first.deviation.expected,
        f"{first.deviation.found} ({_counted(causes, found, exchanges)})",
        first.deviation.at,
        tuple((defect.exchange.id, defect.deviation.found) for defect in causes),
    )


def _counted(causes: list[Defect], found: list[Defect], exchanges: tuple[Exchange, ...]) -> str:
    """How often, how many causes, and the seed that reproduces it."""
    rest = [f"{fuzz_defects.operation(d.exchange)}: {_in_short(d)}" for d in causes[1:]]
    plural = "s" if len(rest) > 1 else ""
    more = f"; {len(rest)} more cause{plural}: {'; '.join(rest[:SHOWN])}" if rest else ""
    ellipsis = "; …" if len(rest) > SHOWN else ""
    what = case(causes[0].exchange.stimulus)
    seed = f"--fuzz-seed {what.seed}" if what is not None else "no seed"
    return f"in {len(found)} of {len(exchanges)} cases of {seed}{more}{ellipsis}"


def _in_short(defect: Defect) -> str:
    """The message of a server error, without the JSON around it, which would hide what distinguishes two causes."""
    told = fuzz_defects.told_by_server(defect.exchange)
    return (f"status {told}" if told else defect.deviation.found)[:80].rstrip()
