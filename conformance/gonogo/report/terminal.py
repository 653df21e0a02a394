"""The report as text for the person who has to act on it.

Paragraphs are wrapped in a terminal and left whole in a pipe; ids, excerpts and commands are never broken, so
that they can be copied. What came from the target is shown with its control characters escaped.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from gonogo import __version__
from gonogo.report.breaks import breaks
from gonogo.report.curl import curl
from gonogo.report.model import Gate, position_of, shown_exchange
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console

    from gonogo.exchange import Exchange
    from gonogo.report.model import Report
    from gonogo.verdict import Judgement

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WARN: "yellow",
    Verdict.UNSUPPORTED: "cyan",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.WAIVED: "blue",
    Verdict.ERROR: "bold white on red",
}
GATES = {
    Gate.GO: ("GO", "bold green"),
    Gate.NO_GO: ("NO-GO", "bold red"),
    Gate.NOT_JUDGED: ("NOT JUDGED", "bold white on red"),
}
COUNTED = {
    Verdict.FAIL: "failed",
    Verdict.WARN: "warned",
    Verdict.PASS: "passed",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.WAIVED: "waived",
    Verdict.ERROR: "not judged",
}
ALWAYS_COUNTED = tuple(Verdict)[:5]

LABEL = 15  # columns: two of indentation, the longest label, two of space
NARROWEST = 40
MOST_IDS = 12
MOST_BREAKS = 4
_EXCHANGE_ID = re.compile(r"\bx[0-9]+\b")
_BESIDE = re.compile(r" \(x[0-9]+\)")
MOST_SHOWN = 200  # characters of a body


def print_report(report: Report, console: Console) -> None:
    """Print everything: heading, table by group, what was found rule by rule, the answer last."""
    show = _printer(console)
    for line in _heading(report):
        show(line)
    console.print(_table(report))
    width = max(console.width, NARROWEST) if console.is_terminal else None
    for line in _findings(report, width):
        show(line)
    for line in _answer(report):
        show(line)


def visible(text: str) -> str:
    r"""The text with everything unprintable escaped (\x1b, \n), so that no answer can steer a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _printer(console: Console) -> Callable[[Text | str], None]:
    def show(line: Text | str) -> None:
        console.print(line, soft_wrap=True, markup=False, highlight=False)

    return show


def _heading(report: Report) -> Iterator[Text | str]:
    target = report.target
    models = {"model": target.model, "embedding model": target.embedding_model}
    asked = "".join(f", {kind} {visible(model)}" for kind, model in models.items() if model)
    yield Text.assemble((f"gonogo {__version__}", "bold"), f"  {visible(target.base_url)}{asked}")
    if report.truncated:
        yield "The evidence file was cut short; what is missing there is inconclusive here."
    yield ""


def _table(report: Report) -> Table:
    verdicts = [v for v in Verdict if v in ALWAYS_COUNTED or report.totals[v]]
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("group", no_wrap=True)
    for verdict in verdicts:
        table.add_column(verdict.value, justify="right", no_wrap=True)
    for group, judgements in report.groups().items():
        numbers = [sum(judgement.verdict is verdict for judgement in judgements) for verdict in verdicts]
        cells = [
            Text(str(n), STYLES[v]) if n else Text("·", "dim") for n, v in zip(numbers, verdicts, strict=True)
        ]
        table.add_row(group, *cells)
    return table


def _findings(report: Report, width: int | None) -> Iterator[Text | str]:
    for verdict in (Verdict.ERROR, Verdict.FAIL, Verdict.WARN):
        for same in _with_one_cause(report, verdict):
            yield ""
            yield from _broken(same, report, width)
    for verdict in (Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE, Verdict.WAIVED):
        yield from _by_reason(report, verdict)


def _with_one_cause(report: Report, verdict: Verdict) -> list[list[Judgement]]:
    """The judgements of this verdict; those that found the same thing in the same exchanges lie together."""
    found: dict[object, list[Judgement]] = {}
    for judgement in report.judgements:
        if judgement.verdict is verdict:
            cause = (
                (judgement.actual or judgement.message, judgement.evidence)
                if judgement.evidence
                else judgement
            )
            found.setdefault(cause, []).append(judgement)
    return list(found.values())


def _broken(same: list[Judgement], report: Report, width: int | None) -> Iterator[Text]:
    first = same[0]
    for judgement in same:
        rule = judgement.rule
        yield Text.assemble(
            (judgement.verdict.value.upper(), STYLES[judgement.verdict]),
            "  ",
            (rule.id, "bold"),
            f"  ({rule.level.value})",
        )
        yield from _field("requirement", rule.title, width)
        yield from _field("source", rule.source, width)
        if judgement.expected:
            yield from _field("expected", visible(judgement.expected), width)
        if judgement is not same[-1]:
            yield from _field("why", rule.why, width)
    yield from _field("actual", visible(first.message), width)
    yield from _places(first, report)
    yield from _breaks(same, report)
    yield from _field("why", same[-1].rule.why, width)
    exchange = shown_exchange(first, report.exchanges)
    if exchange is not None:
        yield from _field("repeat it", curl(exchange.request, report.target.base_url), None)


def _places(judgement: Judgement, report: Report) -> Iterator[Text]:
    """The exchange that shows it, the place in its body or else its beginning, and the ids of the others."""
    exchange = shown_exchange(judgement, report.exchanges)
    if exchange is None:
        return
    yield from _field("evidence", _told(exchange), None)
    position = position_of(judgement)
    if position is not None:
        when = "" if position.seconds is None else f" after {position.seconds:.3f} s"
        yield from _field("", f"byte {position.offset}{when}: {visible(position.excerpt)}", None)
    elif exchange.body:
        yield from _field("", f"body: {_beginning(exchange.body)}", None)
    others = list(dict.fromkeys(e.exchange for e in judgement.evidence if e.exchange != exchange.id))
    if others:
        more = f" and {len(others) - MOST_IDS} more" if len(others) > MOST_IDS else ""
        yield from _field("", f"also in {', '.join(others[:MOST_IDS])}{more}", None)


def _breaks(same: list[Judgement], report: Report) -> Iterator[Text]:
    """What clients made of these exchanges, a line for each way in which one broke."""
    found = list(dict.fromkeys(line for judgement in same for line in breaks(judgement, report)))
    for index, line in enumerate(found[:MOST_BREAKS]):
        yield from _field("breaks" if index == 0 else "", visible(line), None)
    if len(found) > MOST_BREAKS:
        yield from _field("", f"and in {len(found) - MOST_BREAKS} more ways", None)


def _beginning(body: bytes) -> str:
    text = visible(body[: MOST_SHOWN + 1].decode("utf-8", "backslashreplace"))
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def _told(exchange: Exchange) -> str:
    request, failure = exchange.request, exchange.failure
    status = "no answer" if exchange.status is None else str(exchange.status)
    ended = "" if failure is None else f", {failure.message}"
    size = f"{len(exchange.body)} bytes in {exchange.seconds:.3f} s"
    return f"{exchange.id}: {request.method} {visible(request.path)} -> {status}, {size}{visible(ended)}"


def _by_reason(report: Report, verdict: Verdict) -> Iterator[Text | str]:
    """The rules under each reason; exchanges that it names stand beside the rule, so that reasons are few."""
    reasons: dict[str, list[Judgement]] = {}
    for judgement in report.judgements:
        if judgement.verdict is verdict:
            reasons.setdefault(_without_ids(judgement.message), []).append(judgement)
    for reason, judgements in reasons.items():
        yield ""
        yield Text.assemble((verdict.value.upper(), STYLES[verdict]), f"  {visible(reason)}")
        for judgement in judgements:
            named = ", ".join(_EXCHANGE_ID.findall(judgement.message))
            where = f" ({named})" if named else ""
            yield Text.assemble(f"  {judgement.rule.id}", (f"  {judgement.rule.title}{where}", "dim"))


def _without_ids(reason: str) -> str:
    general = _EXCHANGE_ID.sub("the exchange", _BESIDE.sub("", reason))
    return general[:1].upper() + general[1:]


def _field(label: str, text: str, width: int | None) -> Iterator[Text]:
    """The label and its text; wrapped at `width` columns with a hanging indent, or left on one line."""
    lines = [text]
    if width is not None:
        lines = textwrap.wrap(text, width - LABEL, break_long_words=False, break_on_hyphens=False) or [""]
    for index, line in enumerate(lines):
        head = label if index == 0 else ""
        yield Text.assemble((f"  {head:<{LABEL - 2}}", "dim"), line)


def _answer(report: Report) -> Iterator[Text | str]:
    yield ""
    for group in report.unmet:
        yield f'The group "{group}" is required, and the target does not support all of it.'
    for problem in report.problems:
        yield visible(problem.message)
    if report.strict and report.totals[Verdict.WARN]:
        yield "The run is strict: warnings break it."
    if report.gate is Gate.NOT_JUDGED:
        yield _why_not_judged(report)
    word, style = GATES[report.gate]
    yield Text.assemble((word, style), f"  {', '.join(_counts(report))}; {', '.join(_costs(report))}")


def _why_not_judged(report: Report) -> str:
    if report.totals[Verdict.ERROR]:
        return (
            "A check of gonogo's own broke (ERROR above); that is no fault of the target. Please report it."
        )
    return "Not one rule could be decided; the reasons are above."


def _counts(report: Report) -> Iterable[str]:
    for verdict, word in COUNTED.items():
        number = report.totals[verdict]
        if number or verdict in (Verdict.FAIL, Verdict.PASS):
            yield f"{number} {word}"


def _costs(report: Report) -> Iterable[str]:
    cost = report.cost
    yield f"{cost.requests} requests"
    yield f"{cost.prompt_tokens} prompt and {cost.completion_tokens} completion tokens"
    if report.seconds is not None:
        yield f"{report.seconds:.1f} s"
