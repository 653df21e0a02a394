"""Who breaks: what the rules `clients.*` found in the exchanges in which another rule is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from gonogo.report.model import Report
    from gonogo.verdict import Judgement

CLIENTS = "clients."
BROKEN = frozenset({Verdict.FAIL, Verdict.WARN})
SAID = BROKEN | {Verdict.WAIVED}  # a client breaks whether or not somebody put up with it


def breaks(judgement: Judgement, report: Report) -> tuple[str, ...]:
    """Each way once in which a client broke on an exchange of a broken rule, as "client version: how".

    Nothing for the rules of the clients themselves, which say it already.
    """
    if judgement.verdict not in BROKEN or judgement.rule.id.startswith(CLIENTS):
        return ()
    shown = {evidence.exchange for evidence in judgement.evidence}
    return tuple(
        dict.fromkeys(
            evidence.actual
            for client in report.judgements
            if client.rule.id.startswith(CLIENTS) and client.verdict in SAID
            for evidence in client.evidence
            if evidence.exchange in shown and evidence.actual is not None
        )
    )
