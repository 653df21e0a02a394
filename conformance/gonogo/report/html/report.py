"""The report as a page: the data for the templates, in their order. Nothing is judged here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.clients import measured
from gonogo.report.curl import curl
from gonogo.report.finding import clients
from gonogo.report.html.bars import ORDER, Part, bar
from gonogo.report.html.body import Line, lines
from gonogo.report.html.marking import Piece, difference
from gonogo.report.html.page import SCRIPTS, STYLES, page
from gonogo.report.html.picture import Picture, picture
from gonogo.report.model import DECIDED, Gate, position_of, shown_exchange
from gonogo.report.profile_results import unmet
from gonogo.report.terminal import COUNTED, GATES
from gonogo.report.wording import around_difference, message, share
from gonogo.rules.examples import Example, examples
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonogo.clients.measured import Deviation
    from gonogo.exchange import Exchange
    from gonogo.report.model import Report
    from gonogo.verdict import Cause, Evidence, Judgement, Position

MOST_TEXT = 600  # characters of expected and actual
LONGEST_COMMAND = 3000  # characters; the JSON report has longer ones
MOST_CAUSES = 120  # causes that show bytes, so that a page is smaller than 2 MB
MOST_BODIES = 80  # rules that show bytes, in addition to those of the causes
MOST_STREAMS = 150
OPEN = 3  # causes that are initially open
BROKEN = (Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.WAIVED)


@dataclass(frozen=True, slots=True)
class Shown:
    """An exchange: its request, result and bytes, its timeline if it is a stream, and the command to repeat it."""

    id: str
    asked: str
    ended: str
    place: str
    lines: tuple[Line, ...]
    picture: Picture | None
    curl: str


@dataclass(frozen=True, slots=True)
class Compared:
    """The expected and the actual value, in pieces."""

    expected: Sequence[Piece]
    actual: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class CauseView:
    """A cause with all details."""

    cause: Cause
    verdict: Verdict
    lead: Judgement
    compared: Compared | None
    share: str
    shown: Shown | None
    clients: Sequence[str]
    measured: Deviation | None
    example: Example | None
    models: Sequence[str]


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule and its finding."""

    judgement: Judgement
    message: str
    compared: Compared | None
    share: str
    shown: Shown | None
    clients: Sequence[str]
    cause: Cause | None
    models: Sequence[str]


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of rules with its totals."""

    name: str
    totals: Sequence[tuple[Verdict, int]]
    bar: Sequence[Part]
    rules: Sequence[RuleView]


@dataclass(frozen=True, slots=True)
class StreamView:
    """A stream: its request and its picture."""

    id: str
    asked: str
    status: str
    picture: Picture


def render(report: Report) -> str:
    """The page as text, with a trailing line break."""
    causes = [_cause(cause, report, whole=n < MOST_CAUSES) for n, cause in enumerate(report.causes)]
    groups = _groups(report, {view.shown.id for view in causes if view.shown is not None})
    streams = [exchange for exchange in report.exchanges.values() if exchange.is_stream]
    return page(
        "report.html",
        styles=(*STYLES, "report.css"),
        scripts=(*SCRIPTS, "report.js"),
        report=report,
        gate=GATES[report.gate][0],
        summary=_summary(report),
        notes=tuple(_notes(report)),
        totals=_totals(report.totals),
        profiles=[held for held in report.profiles if held.required or not held.left_out],
        counted=COUNTED,
        bar=bar(report.totals),
        opened=OPEN,
        failures=[view for view in causes if view.verdict is Verdict.FAIL],
        warnings=[view for view in causes if view.verdict is not Verdict.FAIL],
        errors=[found for found in report.judgements if found.verdict is Verdict.ERROR],
        groups=groups,
        parts=[(name, part, _totals(part.totals), bar(part.totals)) for name, part in _parts(report)],
        streams=[_stream(exchange) for exchange in streams[:MOST_STREAMS]],
        more_streams=max(0, len(streams) - MOST_STREAMS),
        message=message,
    )


def _parts(report: Report) -> Iterator[tuple[str, Report]]:
    return zip(report.models, report.parts, strict=True)


def _totals(totals: dict[Verdict, int]) -> list[tuple[Verdict, int]]:
    """The verdicts with at least one rule; those that need attention come first."""
    return [(verdict, totals[verdict]) for verdict in ORDER if totals.get(verdict)]


# ---- the verdict ---------------------------------------------------------------------------------------------


def _summary(report: Report) -> str:
    """The verdict in one sentence."""
    totals = report.totals
    if report.gate is Gate.NOT_JUDGED:
        return _why_not_judged(report)
    failed, warned = totals[Verdict.FAIL], totals[Verdict.WARN]
    if not failed:
        told = "No must rule is broken" if not warned else f"No must rule is broken; {warned} warned"
        return f"{told}, {totals[Verdict.PASS]} passed."
    number = sum(report.verdict_of(cause) is Verdict.FAIL for cause in report.causes)
    causes = "one cause" if number == 1 else f"{number} causes"
    return f"{failed} must {'rule is' if failed == 1 else 'rules are'} broken, with {causes}."


def _why_not_judged(report: Report) -> str:
    if report.totals[Verdict.ERROR]:
        return "Internal error in a check of gonogo, not caused by the target. Please report it."
    if report.cut_short and any(report.totals[verdict] for verdict in DECIDED):
        return "No must rule is broken so far, but the run ended early."
    return "No rule could be decided; the rules below give the reasons."


def _notes(report: Report) -> Iterator[str]:
    """Further notes about the run."""
    if report.truncated:
        yield "The evidence file is incomplete; rules without evidence are inconclusive."
    if report.cut_short and report.gate is not Gate.NOT_JUDGED:
        yield "The run ended early."
    for group in report.unmet:
        yield f'The group "{group}" is required, but the target does not support all of its rules.'
    yield from (sentence for _, sentence in unmet(report))
    yield from (problem.message for problem in report.problems)
    if report.strict and report.totals[Verdict.WARN]:
        yield "The run is strict: warnings are no-go."


# ---- causes and rules ----------------------------------------------------------------------------------------


def _cause(cause: Cause, report: Report, *, whole: bool) -> CauseView:
    judgements = report.of(cause)
    lead = judgements[0]
    example = examples().get(lead.rule.id)
    return CauseView(
        cause,
        report.verdict_of(cause),
        lead,
        _compared(lead),
        share(lead),
        _shown_of(cause.evidence, lead, report) if whole else None,
        clients(judgements, report),
        measured.fitting(cause.rules),
        example if isinstance(example, Example) else None,
        report.models_of(cause),
    )


def _shown_of(evidence: Evidence | None, lead: Judgement, report: Report) -> Shown | None:
    exchange = None if evidence is None else report.exchanges.get(evidence.exchange)
    if exchange is None or evidence is None:
        return None
    return _shown(exchange, evidence.position, evidence.actual or lead.actual, report)


def _groups(report: Report, shown: set[str]) -> list[GroupView]:
    """Each group with its rules; `shown` are the exchanges whose bytes the causes show."""
    left = [MOST_BODIES]
    found = []
    for name, judgements in report.groups().items():
        totals = Counter(judgement.verdict for judgement in judgements)
        rules = [_rule(judgement, report, shown, left) for judgement in judgements]
        found.append(GroupView(name, _totals(totals), bar(totals), rules))
    return found


def _rule(judgement: Judgement, report: Report, shown: set[str], left: list[int]) -> RuleView:
    """A rule, with its own bytes if it is broken, no cause shows them, and `left` allows more."""
    cause = report.cause_of(judgement)
    exchange = shown_exchange(judgement, report.exchanges) if judgement.verdict in BROKEN else None
    view = None
    if exchange is not None and exchange.id not in shown and left[0] > 0:
        left[0] -= 1
        view = _shown(exchange, position_of(judgement), judgement.actual, report, drawn=False)
    return RuleView(
        judgement,
        message(judgement),
        _compared(judgement),
        share(judgement),
        view,
        clients([judgement], report),
        cause,
        report.models_with(judgement),
    )


def _compared(judgement: Judgement) -> Compared | None:
    if judgement.expected is None or judgement.actual is None:
        return None
    return Compared(*difference(*around_difference(judgement.expected, judgement.actual, MOST_TEXT)))


# ---- exchanges -----------------------------------------------------------------------------------------------


def _shown(
    exchange: Exchange, position: Position | None, actual: str | None, report: Report, *, drawn: bool = True
) -> Shown:
    command = curl(exchange.request, report.target.base_url)
    offending = None if position is None else position.seconds
    return Shown(
        exchange.id,
        f"{exchange.request.method} {exchange.request.path}",
        f"{_status(exchange)} in {exchange.seconds:.3f} s",
        _place(position),
        lines(exchange, position, actual),
        picture(exchange, offending) if drawn and exchange.is_stream else None,
        command if len(command) <= LONGEST_COMMAND else "",
    )


def _place(position: Position | None) -> str:
    if position is None:
        return ""
    return f"byte {position.offset}" + (
        "" if position.seconds is None else f" after {position.seconds:.3f} s"
    )


def _status(exchange: Exchange) -> str:
    status = "no answer" if exchange.status is None else str(exchange.status)
    return status if exchange.failure is None else f"{status}, {exchange.failure.message}"


def _stream(exchange: Exchange) -> StreamView:
    model = "" if exchange.model is None else f" ({exchange.model})"
    return StreamView(exchange.id, exchange.stimulus + model, _status(exchange), picture(exchange))
