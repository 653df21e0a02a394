"""The report as GitHub Markdown: short, for a step summary or a comment.

Failures come first, one cause at a time; the command that repeats the request and the rules that found it are folded.

Data from the target appears only in code spans and fenced blocks, whose delimiters are longer than any in the text: an
answer cannot format the page, mention a person or break the table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gonogo.report.curl import curl
from gonogo.report.finding import clients
from gonogo.report.profile_results import unmet
from gonogo.report.terminal import COUNTED, GATES
from gonogo.report.wording import message, of_models, visible, whose
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gonogo.report.model import Report
    from gonogo.verdict import Cause

MOST_SHOWN = 300  # characters of one table cell
LONGEST_COMMAND = 2000  # characters; a step summary is limited to 1 MiB, and other tools may write to it too
MOST_COMMANDS = 50
MOST_IDS = 8
PIPE = r"\|"  # pipes in tables must be escaped, even in a code span

TITLES = {Verdict.FAIL: "Failures", Verdict.WARN: "Warnings"}


def render(report: Report) -> str:
    """The Markdown text, with a trailing line break."""
    return "\n".join(_lines(report)) + "\n"


def code(text: str) -> str:
    """The text, truncated if it is long, as a code span on one line; "" for an empty text."""
    shown = visible(text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…")
    mark = "`" * (_longest_run(shown) + 1)
    pad = " " if "`" in (shown[:1], shown[-1:]) or shown[:1] == shown[-1:] == " " else ""
    return f"{mark}{pad}{shown}{pad}{mark}" if shown.strip() else ""


def fenced(text: str, language: str = "") -> str:
    """The text as a fenced block, with a fence longer than any run of backticks in it."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table between blank lines; cells are Markdown, and pipes are escaped here."""
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', PIPE) for cell in row)} |"
    yield ""


def _longest_run(text: str) -> int:
    """The length of the longest run of backticks."""
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _lines(report: Report) -> Iterator[str]:
    target = report.target
    asked = f", model {code(target.model)}" if target.model else ""
    asked += f", models {', '.join(map(code, report.models))}" if report.parts else ""
    yield f"## gonogo: {GATES[report.gate][0]}"
    yield ""
    yield f"{code(target.base_url)}{asked}: {', '.join(_counts(report))}"
    if report.truncated:
        yield ""
        yield "The evidence file is incomplete; rules without evidence are inconclusive."
    yield from _profiles(report)
    yield from _models(report)
    yield from _gate(report)
    yield from _errors(report)
    for verdict, title in TITLES.items():
        yield from _causes(report, verdict, title)
    yield from _waived(report)


def _profiles(report: Report) -> Iterator[str]:
    """A line with the profiles whose rules were all judged."""
    shown = [held for held in report.profiles if held.required or not held.left_out]
    if shown:
        yield ""
        yield f"Profiles: {', '.join(f'{held.name} **{held.gate.value}**' for held in shown)}"


def _models(report: Report) -> Iterator[str]:
    """A row for each model, if there are several."""
    if report.parts:
        rows = [
            [code(model), GATES[part.gate][0], ", ".join(_counts(part))]
            for model, part in zip(report.models, report.parts, strict=True)
        ]
        yield from table(["model", "verdict", "rules"], rows)


def _counts(report: Report) -> Iterator[str]:
    for verdict, word in COUNTED.items():
        number = report.totals[verdict]
        if number or verdict in (Verdict.FAIL, Verdict.PASS):
            yield f"**{number} {word}**" if number and verdict is Verdict.FAIL else f"{number} {word}"


def _gate(report: Report) -> Iterator[str]:
    """The reasons for no-go other than broken rules."""
    reasons = [f"Required but not fully supported: {code(group)}" for group in report.unmet]
    reasons += [code(sentence) for _, sentence in unmet(report)]
    reasons += [code(problem.message) for problem in report.problems]
    if report.strict and report.totals[Verdict.WARN]:
        reasons.append("The run is strict: warnings are no-go.")
    if reasons:
        yield ""
        yield from (f"- {line}" for line in reasons)


def _errors(report: Report) -> Iterator[str]:
    found = [judgement for judgement in report.judgements if judgement.verdict is Verdict.ERROR]
    if found:
        yield ""
        yield "### Internal errors of gonogo"
        yield from table(["rule", "found"], [[code(j.rule.id), code(of_models(report, j))] for j in found])


def _causes(report: Report, verdict: Verdict, title: str) -> Iterator[str]:
    """The causes whose worst rule has this verdict; only the first ones have a command."""
    found = [cause for cause in report.causes if report.verdict_of(cause) is verdict]
    if found:
        yield ""
        yield f"### {title}"
    for number, cause in enumerate(found):
        yield ""
        yield f"#### {prose(cause.title)}"
        yield ""
        yield from _facts(cause, report)
        if number < MOST_COMMANDS:
            yield from _command(cause, report)
        yield from _rules(cause, report)


def _facts(cause: Cause, report: Report) -> Iterator[str]:
    """The observation, the expected value, the clients that break, and the rules that found it."""
    judgements = report.of(cause)
    expected = judgements[0].expected
    breaking = [prose(cause.breaks.removesuffix(".")), *map(code, clients(judgements, report))]
    more = f" and {len(cause.rules) - MOST_IDS} more" if len(cause.rules) > MOST_IDS else ""
    yield f"- Seen: {code(cause.seen)}"
    if expected:
        yield f"- Expected: {code(expected)}"
    yield f"- Breaks: {'; '.join(breaking)}"
    if report.parts:
        yield f"- Models: {code(whose(report, report.models_of(cause)))}"
    yield f"- Rules: {', '.join(map(code, cause.rules[:MOST_IDS]))}{more}"


def _command(cause: Cause, report: Report) -> Iterator[str]:
    """The command that repeats the request, folded."""
    exchange = None if cause.evidence is None else report.exchanges.get(cause.evidence.exchange)
    if exchange is None:
        return
    command = curl(exchange.request, report.target.base_url)
    if len(command) > LONGEST_COMMAND:
        command = "# too long to show; the JSON report contains it"
    yield ""
    yield "<details><summary>Repeat it</summary>"
    yield ""
    yield fenced(command, "sh")
    yield ""
    yield "</details>"


def _rules(cause: Cause, report: Report) -> Iterator[str]:
    """The expected and the actual value of each rule, folded; nothing if they repeat the cause."""
    judgements = report.of(cause)
    if [judgement.actual for judgement in judgements] == [cause.seen]:
        return
    rows = [
        [code(j.rule.id), prose(j.rule.title), code(j.expected or ""), code(message(j))] for j in judgements
    ]
    yield ""
    yield f"<details><summary>Broken rules: {len(rows)}</summary>"
    yield from table(["rule", "requirement", "expected", "found"], rows)
    yield "</details>"


def _waived(report: Report) -> Iterator[str]:
    found = [judgement for judgement in report.judgements if judgement.verdict is Verdict.WAIVED]
    if not found:
        return
    yield ""
    yield f"<details><summary>{len(found)} waived by the baseline</summary>"
    yield from table(
        ["rule", "found"],
        [[code(judgement.rule.id), code(of_models(report, judgement))] for judgement in found],
    )
    yield "</details>"


def prose(text: str) -> str:
    """Our own text in Markdown: links to issues stay links, Markdown and HTML characters are escaped."""
    return re.sub(r"[\\`*_<>]", lambda sign: f"&#{ord(sign[0])};", text)
