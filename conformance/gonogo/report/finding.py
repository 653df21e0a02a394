"""A cause, or a single rule, as lines of text: requirement, finding, clients that break, and the command.

Paragraphs are wrapped at a width if there is one. Ids, excerpts and commands are never broken, so that they can be
copied. Control characters in the target's data are escaped.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.text import Text

from gonogo.clients import measured
from gonogo.report.breaks import breaks
from gonogo.report.curl import curl
from gonogo.report.model import position_of, shown_exchange
from gonogo.report.wording import around_difference, message, share, some, visible, whose
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gonogo.exchange import Exchange
    from gonogo.report.model import Report
    from gonogo.verdict import Cause, Judgement, Position

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WARN: "yellow",
    Verdict.UNSUPPORTED: "cyan",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.WAIVED: "blue",
    Verdict.ERROR: "bold white on red",
}
LABEL = 12  # columns: two of indentation, the longest label, two of space
MOST_IDS = 8
MOST_BREAKS = 3
MOST_SHOWN = 160  # characters of a body
MOST_COMPARED = 200  # characters of expected and actual
MOST_BRIEF = 72  # characters of the observation on one line of 80
MOST_ROWS = 6  # terminal rows of a command; longer ones are shown only with -v


def brief(cause: Cause, report: Report, width: int | None, *, seen: bool = True) -> Iterator[Text]:
    """A cause on two lines: its title with the rules that follow from it, then, if `seen`, the observation.

    Each line is cut at the width, if there is one.
    """
    head = Text.assemble(
        verdict_word(report.verdict_of(cause)),
        "  ",
        (cause.title, "bold"),
        (f"  {rules_of(cause)}{some(report, report.models_of(cause))}", "dim"),
    )
    yield cut(head, width)
    if seen:
        yield cut(Text(f"      {visible(_seen(cause, report))}"), width)


def cut(line: Text, width: int | None) -> Text:
    """The line, truncated with "…" if it is wider than the terminal."""
    if width is not None:
        line.truncate(width, overflow="ellipsis")
    return line


def _seen(cause: Cause, report: Report) -> str:
    """The observation, as an excerpt around the first difference from the expected value."""
    lead = report.of(cause)[0]
    if lead.expected is None or cause.seen != lead.actual:
        return _window(cause.seen)
    return around_difference(lead.expected, cause.seen, MOST_BRIEF)[1]


def whole(cause: Cause, report: Report, width: int | None, *, every: bool = False) -> Iterator[Text]:
    """A cause with all details."""
    judgements = report.of(cause)
    lead = judgements[0]
    yield Text.assemble(
        verdict_word(report.verdict_of(cause)), "  ", (cause.title, "bold"), (f"  [{cause.id}]", "dim")
    )
    if report.parts:
        yield from field("models", visible(whose(report, report.models_of(cause))), width)
    if cause.seen != lead.actual:
        yield from field("seen", visible(_window(cause.seen)), width)
    evidence = cause.evidence
    exchange = None if evidence is None else report.exchanges.get(evidence.exchange)
    yield from _requirement(lead, width, titled=cause.title == lead.rule.title)
    if exchange is not None and evidence is not None:
        seen_there = Text("").join(field("evidence", _evidence(exchange, evidence.position), None))
        yield seen_there if every or width is None else cut(seen_there, 2 * width)
    yield from field("breaks", visible(_breaks(cause.breaks, judgements, report)), width)
    yield from field("rules", rules_of(cause, every=every), width)
    if exchange is not None:
        command = curl(exchange.request, report.target.base_url)
        if width is not None and not every and len(command) > MOST_ROWS * width:
            command = f"a command of {len(command):,} characters; -v prints it, --json contains it"
        yield from field("repeat it", command, None)


def _requirement(judgement: Judgement, width: int | None, *, titled: bool = False) -> Iterator[Text]:
    """The rule's requirement, unless it is the title, then the expected and the actual value."""
    rule = judgement.rule
    source = f"{rule.level.value}; {rule.source}"
    yield from (
        field("source", source, width) if titled else field("requires", f"{rule.title} ({source})", width)
    )
    if judgement.expected is not None and judgement.actual is not None:
        expected, actual = around_difference(judgement.expected, judgement.actual, MOST_COMPARED)
        yield from field("expected", visible(expected), width)
        yield from field("actual", visible(actual + share(judgement)), width)


def rule_lines(report: Report, judgement: Judgement) -> list[str]:
    """A single rule as lines of text, for runners that show one rule at a time."""
    lines = [Text(f"{judgement.verdict.value.upper()}  {judgement.rule.id}")]
    if report.parts:
        lines += field("models", visible(whose(report, report.models_with(judgement))), None)
    lines += _requirement(judgement, None)
    if judgement.expected is None:
        lines += field("actual", visible(message(judgement)), None)
    exchange = shown_exchange(judgement, report.exchanges)
    if exchange is not None:
        lines += field("evidence", _evidence(exchange, position_of(judgement)), None)
    known = "; ".join(
        filter(None, [judgement.rule.why.removesuffix("."), measured.told([judgement.rule.id])])
    )
    lines += field("breaks", visible(_breaks(known, [judgement], report)), None)
    cause = report.another_cause(judgement)
    if cause is not None:
        lines += field("cause", f"{cause.title} [{cause.id}]", None)
    if exchange is not None:
        lines += field("repeat it", curl(exchange.request, report.target.base_url), None)
    return [line.plain for line in lines]


def verdict_word(verdict: Verdict) -> tuple[str, str]:
    """The verdict as the first word of a line, with its style."""
    return (verdict.value.upper(), STYLES[verdict])


def rules_of(cause: Cause, *, every: bool = False) -> str:
    """The ids of the rules that follow from a cause, and the number of rules that it leaves undecided."""
    shown = cause.rules if every else cause.rules[:MOST_IDS]
    more = f" and {len(cause.rules) - len(shown)} more" if len(cause.rules) > len(shown) else ""
    undecided = f"; {len(cause.undecided)} more not applicable" if cause.undecided else ""
    return f"{', '.join(shown)}{more}{undecided}"


def _breaks(known: str, judgements: Iterable[Judgement], report: Report) -> str:
    """The clients that break, as one clause: known reports first, then observations in this run."""
    return "; ".join([known.removesuffix("."), *clients(judgements, report)])


def clients(judgements: Iterable[Judgement], report: Report) -> list[str]:
    """The client failures on these exchanges, without duplicates."""
    found = list(dict.fromkeys(line for judgement in judgements for line in breaks(judgement, report)))
    more = [f"and in {len(found) - MOST_BREAKS} more ways"] if len(found) > MOST_BREAKS else []
    return [*found[:MOST_BREAKS], *more]


def _evidence(exchange: Exchange, position: Position | None) -> str:
    """The exchange, and the position in its body or else the beginning of the body."""
    request, failure = exchange.request, exchange.failure
    status = "no answer" if exchange.status is None else str(exchange.status)
    ended = "" if failure is None else f", {failure.message}"
    head = f"{exchange.id}: {request.method} {request.path} -> {status}{ended} in {exchange.seconds:.3f} s"
    if position is not None:
        when = "" if position.seconds is None else f" after {position.seconds:.3f} s"
        return visible(f"{head}; byte {position.offset}{when}: {position.excerpt}")
    if not exchange.body:
        return visible(head)
    return visible(head) + f"; {_beginning(exchange.body)}"


def _beginning(body: bytes) -> str:
    text = visible(body[: MOST_SHOWN + 1].decode("utf-8", "backslashreplace"))
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def _window(text: str) -> str:
    return text if len(text) <= MOST_COMPARED else text[:MOST_COMPARED] + "…"


def field(label: str, text: str, width: int | None) -> Iterator[Text]:
    """The label and its text; wrapped at `width` columns with a hanging indent, or left on one line."""
    lines = [text]
    if width is not None:
        lines = textwrap.wrap(text, width - LABEL, break_long_words=False, break_on_hyphens=False) or [""]
    for index, line in enumerate(lines):
        head = label if index == 0 else ""
        yield Text.assemble((f"  {head:<{LABEL - 2}}", "dim"), line)
