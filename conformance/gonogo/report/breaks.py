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
REPORTED = BROKEN | {Verdict.WAIVED}  # clients break on waived rules too


def breaks(judgement: Judgement, report: Report) -> tuple[str, ...]:
    """The ways in which clients broke on exchanges of a broken rule, without duplicates, as "client version: how".

    Empty for the client rules themselves, which already report this. A failure that another cause explains in all
    exchanges is not attributed to a rule with only some of them.
    """
    if judgement.verdict not in BROKEN or judgement.rule.id.startswith(CLIENTS):
        return ()
    clients = [j for j in report.judgements if j.rule.id.startswith(CLIENTS) and j.verdict in REPORTED]
    return tuple(dict.fromkeys(how for client in clients for how in _ways(client, judgement, report)))


def _ways(client: Judgement, judgement: Judgement, report: Report) -> Iterator[str]:
    """The ways in which one client broke on the exchanges of a rule because of the rule's finding."""
    shown = _exchanges(judgement)
    for how in dict.fromkeys(piece.actual for piece in client.evidence if piece.exchange in shown):
        if how is None:
            continue
        places = {piece.exchange for piece in client.evidence if piece.actual == how}
        if places <= shown or judgement.cause == client.cause or not places <= _failing(client, report):
            yield how


def _failing(client: Judgement, report: Report) -> set[str]:
    """The exchanges of the must rules that share a cause with a client's rule."""
    rules = [j for j in report.judgements if j.cause == client.cause and j.verdict is Verdict.FAIL]
    return set().union(*map(_exchanges, rules))


def _exchanges(judgement: Judgement) -> set[str]:
    return {piece.exchange for piece in judgement.evidence}
