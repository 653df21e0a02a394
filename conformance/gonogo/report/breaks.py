"""The clients that break: findings of the rules `clients.*` in the exchanges of another broken rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.report.model import Report
    from gonogo.verdict import Judgement

CLIENTS = "clients."
BROKEN = frozenset({Verdict.FAIL, Verdict.WARN})
SAID = BROKEN | {Verdict.WAIVED}  # a client breaks whether or not the baseline accepts it


def breaks(judgement: Judgement, report: Report) -> tuple[str, ...]:
    """Each way once in which a client broke on an exchange of a broken rule, as "client version: how".

    Nothing for the rules of the clients themselves, which say it already. What the failure that a client's rule follows
    from explains everywhere is not said of a rule that has some of those exchanges for another reason.
    """
    if judgement.verdict not in BROKEN or judgement.rule.id.startswith(CLIENTS):
        return ()
    clients = [j for j in report.judgements if j.rule.id.startswith(CLIENTS) and j.verdict in SAID]
    return tuple(dict.fromkeys(how for client in clients for how in _ways(client, judgement, report)))


def _ways(client: Judgement, judgement: Judgement, report: Report) -> Iterator[str]:
    """The ways in which one client broke on the exchanges of a rule, and because of what that rule found."""
    shown = _exchanges(judgement)
    for how in dict.fromkeys(piece.actual for piece in client.evidence if piece.exchange in shown):
        if how is None:
            continue
        places = {piece.exchange for piece in client.evidence if piece.actual == how}
        if places <= shown or judgement.cause == client.cause or not places <= _failing(client, report):
            yield how


def _failing(client: Judgement, report: Report) -> set[str]:
    """The exchanges of the must rules with which a client's rule has one cause."""
    rules = [j for j in report.judgements if j.cause == client.cause and j.verdict is Verdict.FAIL]
    return set().union(*map(_exchanges, rules))


def _exchanges(judgement: Judgement) -> set[str]:
    return {piece.exchange for piece in judgement.evidence}
