"""The report as text for a terminal.

The most important part comes last: the totals, the undecided rules, one line per reason, the causes of warnings, the
causes of failures, and the verdict. Paragraphs are wrapped in a terminal and left whole in a pipe. Ids, excerpts and
commands are never broken, so that they can be copied. Control characters in the target's data are escaped.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from gonogo import __version__
from gonogo.report.finding import MOST_IDS, STYLES, brief, cut, field, rules_of, verdict_word, whole
from gonogo.report.model import DECIDED, Gate
from gonogo.report.profile_results import unmet
from gonogo.report.wording import message, shared_clause, some, visible
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console

    from gonogo.report.model import Report
    from gonogo.verdict import Cause, Judgement

GATES = {
    Gate.GO: ("GO", "bold green"),
    Gate.NO_GO: ("NO-GO", "bold red"),
    Gate.NOT_JUDGED: ("NOT JUDGED", "bold white on red"),
}
PROFILE_STYLES = {Gate.GO: "green", Gate.NO_GO: "red", Gate.NOT_JUDGED: "magenta"}
COUNTED = {
    Verdict.FAIL: "failed",
    Verdict.WARN: "warned",
    Verdict.PASS: "passed",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.WAIVED: "waived",
    Verdict.ERROR: "not judged",
}
"""The verdicts counted in the last line; rules that are not applicable are not counted."""

NARROWEST = 40
MOST_WHOLE = 4  # failing causes that are all shown in full
FIRST_WHOLE = 2  # the number shown in full if there are more
MOST_SEEN = 16  # failing causes that are shown with the observation; further ones get one line each
MOST_WARNINGS = 12  # warning causes that are shown, one line each
MOST_REASONS = 10  # reasons for undecided rules, one line each


class Detail(IntEnum):
    """How much is printed: the last line, a screen, or everything."""

    QUIET = 0
    SCREEN = 1
    ALL = 2


def print_report(report: Report, console: Console, detail: Detail = Detail.SCREEN) -> None:
    """Print heading, table, undecided rules, causes, and the verdict; only the verdict if `detail` is QUIET."""
    show = _printer(console)
    if detail is not Detail.QUIET:
        for line in _heading(report):
            show(line)
        table = _groups(report) if detail is Detail.ALL else _sections(report)
        if table.row_count:
            console.print(table)
            show("")
        width = max(console.width, NARROWEST) if console.is_terminal else None
        lines = [*_left_open(report, detail, width), *_broken(report, detail, width), ""]
        for before, line in pairwise(["", *lines]):
            if before or line:  # at most one empty line at a time
                show(line)
    for line in _answer(report, detail):
        show(line)


def _printer(console: Console) -> Callable[[Text | str], None]:
    def show(line: Text | str) -> None:
        console.print(line, soft_wrap=True, markup=False, highlight=False)

    return show


def _heading(report: Report) -> Iterator[Text | str]:
    target = report.target
    models = {"model": target.model, "embedding model": target.embedding_model}
    named = {"models": ", ".join(report.models), **models} if report.parts else models
    asked = "".join(f", {kind} {visible(model)}" for kind, model in named.items() if model)
    whose = f", rules {report.rule_set}"
    yield Text.assemble((f"gonogo {__version__}", "bold"), f"{whose}  {visible(target.base_url)}{asked}")
    if report.truncated:
        yield "The evidence file is incomplete; rules without evidence are inconclusive."
    yield ""


# ---- numbers -------------------------------------------------------------------------------------------------


def _sections(report: Report) -> Table:
    """A row for each section with a rule that is broken or was not judged."""
    sections: dict[str, list[Judgement]] = {}
    for judgement in report.judgements:
        sections.setdefault(judgement.rule.id.partition(".")[0], []).append(judgement)
    shown = {Verdict.FAIL, Verdict.WARN, Verdict.ERROR}
    broken = {name: found for name, found in sections.items() if any(j.verdict in shown for j in found)}
    return _table("section", broken, report)


def _groups(report: Report) -> Table:
    return _table("group", report.groups(), report)


def _table(title: str, rows: dict[str, list[Judgement]], report: Report) -> Table:
    verdicts = [verdict for verdict in COUNTED if report.totals[verdict]]
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(title, no_wrap=True)
    for verdict in verdicts:
        table.add_column(verdict.value, justify="right", no_wrap=True)
    for name, judgements in rows.items():
        numbers = [sum(judgement.verdict is verdict for judgement in judgements) for verdict in verdicts]
        cells = [
            Text(str(n), STYLES[v]) if n else Text("·", "dim") for n, v in zip(numbers, verdicts, strict=True)
        ]
        table.add_row(name, *cells)
    return table


# ---- undecided rules -----------------------------------------------------------------------------------------


def _left_open(report: Report, detail: Detail, width: int | None) -> Iterator[Text | str]:
    """One line for each reason, with the number of rules; with all details, also the rules."""
    lines = list(_reasons(report, detail))
    if detail is Detail.ALL:
        yield from (line for _, found in lines for line in found)
        yield from _waived(report, detail)
        return
    shown = lines if len(lines) <= MOST_REASONS else lines[: MOST_REASONS - 1]
    for _, found in shown:
        yield from (cut(line, width) for line in found)
    rest = lines[len(shown) :]
    if rest:
        number = sum(number for number, _ in rest)
        yield f"and {number} more rules for {len(rest)} other reasons; -v lists them"
    yield from _waived(report, detail)


def _reasons(report: Report, detail: Detail) -> Iterator[tuple[int, list[Text]]]:
    """The number of rules that were left undecided for each reason, with the lines about them."""
    verdicts = [Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE]
    if detail is Detail.ALL:
        verdicts.append(Verdict.NOT_APPLICABLE)
    for verdict in verdicts:
        for clause, judgements in sorted(_by_reason(report, verdict), key=lambda found: -len(found[1])):
            number = f"{len(judgements):>3}"
            where = (
                "" if detail is Detail.ALL else _shared_ids(judgements) + _shared_models(judgements, report)
            )
            head = Text.assemble(
                (f"{verdict.value.upper():<12}", STYLES[verdict]), f" {number}  {visible(clause + where)}"
            )
            rules = (
                [_of_reason(judgement, report) for judgement in judgements] if detail is Detail.ALL else []
            )
            yield len(judgements), [head, *rules]


def _by_reason(report: Report, verdict: Verdict) -> list[tuple[str, list[Judgement]]]:
    found: dict[tuple[str, object], list[Judgement]] = {}
    for judgement in report.judgements:
        if judgement.verdict is verdict:
            found.setdefault(_reason_of(judgement), []).append(judgement)
    return [(_clause(judgements), judgements) for judgements in found.values()]


def _reason_of(judgement: Judgement) -> tuple[str, object]:
    """The code of the reason; for a missing operation also its name, so that each has its own line."""
    because = judgement.because
    if because is None:
        return "", None
    return because.reason.value, because.values.get("operation")


def _clause(judgements: list[Judgement]) -> str:
    reasons = [judgement.because for judgement in judgements if judgement.because is not None]
    return shared_clause(reasons) if reasons else "an optional feature is missing"


def _shared_ids(judgements: list[Judgement]) -> str:
    """The exchanges to which the reasons of all these rules refer, if they are the same and few."""
    abouts = [() if judgement.because is None else judgement.because.about for judgement in judgements]
    first = dict.fromkeys(abouts[0])
    same = all(set(about) == set(first) for about in abouts)
    return f" ({', '.join(first)})" if same and 0 < len(first) <= MOST_IDS else ""


def _shared_models(judgements: list[Judgement], report: Report) -> str:
    """The models of all these rules, if they are the same and not all models."""
    models = {report.models_with(judgement) for judgement in judgements}
    return some(report, models.pop()) if len(models) == 1 else ""


def _of_reason(judgement: Judgement, report: Report) -> Text:
    where = "" if judgement.because is None else ", ".join(judgement.because.about[:MOST_IDS])
    because = f"  because of {judgement.cause}" if judgement.cause else ""
    exchanges = f" ({where})" if where else ""
    because += some(report, report.models_with(judgement))
    return Text.assemble(f"  {judgement.rule.id}", (f"  {judgement.rule.title}{exchanges}{because}", "dim"))


def _waived(report: Report, detail: Detail) -> Iterator[Text]:
    waived = [judgement for judgement in report.judgements if judgement.verdict is Verdict.WAIVED]
    if not waived:
        return
    yield Text.assemble(
        (f"{'WAIVED':<12}", STYLES[Verdict.WAIVED]), f" {len(waived):>3}  broken and waived by the baseline"
    )
    if detail is Detail.ALL:
        yield from (
            Text.assemble(f"  {judgement.rule.id}", (f"  {visible(message(judgement))}", "dim"))
            for judgement in waived
        )


# ---- causes --------------------------------------------------------------------------------------------------


def _broken(report: Report, detail: Detail, width: int | None) -> Iterator[Text | str]:
    """Internal errors, then warnings, then failures."""
    for judgement in report.judgements:
        if judgement.verdict is Verdict.ERROR:
            yield ""
            yield Text.assemble(("ERROR", STYLES[Verdict.ERROR]), f"  {judgement.rule.id}")
            yield from field("actual", visible(message(judgement)), width)
    causes = _waived_last(report)
    found = {verdict: [c for c in causes if report.verdict_of(c) is verdict] for verdict in Verdict}
    warned, failed = found[Verdict.WARN], found[Verdict.FAIL]
    if detail is Detail.ALL:
        for cause in (*warned, *failed):
            yield ""
            yield from whole(cause, report, width, every=True)
        return
    yield from _warnings(warned, report, width)
    shown = len(failed) if len(failed) <= MOST_WHOLE else FIRST_WHOLE
    for number, cause in reversed(list(enumerate(failed[shown:], shown))):
        yield from brief(cause, report, width, seen=number < MOST_SEEN)
    if failed[shown:]:
        yield f"      the next {shown} causes are shown in full; -v shows all {len(failed)} in full"
    for cause in reversed(failed[:shown]):
        yield ""
        yield from whole(cause, report, width)


def _waived_last(report: Report) -> list[Cause]:
    """The causes, with the rules that still count first, so that no warning is shown by a rule that is waived."""
    waived = {judgement.rule.id for judgement in report.judgements if judgement.verdict is Verdict.WAIVED}
    return [
        replace(cause, rules=tuple(sorted(cause.rules, key=waived.__contains__))) for cause in report.causes
    ]


def _warnings(causes: list[Cause], report: Report, width: int | None) -> Iterator[Text | str]:
    if causes:
        yield ""
    for cause in causes[:MOST_WARNINGS]:
        clause = f"  {rules_of(cause)}{some(report, report.models_of(cause))}"
        yield cut(Text.assemble(verdict_word(Verdict.WARN), f"  {cause.title}", (clause, "dim")), width)
    if len(causes) > MOST_WARNINGS:
        yield f"      and {len(causes) - MOST_WARNINGS} more causes of warnings; -v lists them"


# ---- the verdict ---------------------------------------------------------------------------------------------


def _answer(report: Report, detail: Detail) -> Iterator[Text | str]:
    for group in report.unmet:
        yield f'The group "{group}" is required, but the target does not support all of its rules.'
    for _, sentence in unmet(report):
        yield visible(sentence)
    for problem in report.problems:
        yield visible(problem.message)
    if report.strict and report.totals[Verdict.WARN]:
        yield "The run is strict: warnings are no-go."
    if report.gate is Gate.NOT_JUDGED:
        yield _why_not_judged(report, detail)
    if detail is not Detail.QUIET:
        yield from _of_each(report)
        yield from _profiles(report)
    word, style = GATES[report.gate]
    yield Text.assemble((word, style), f"  {', '.join(_counts(report))}; {', '.join(_costs(report))}")


def _of_each(report: Report) -> Iterator[Text]:
    """A line for each model, if there are several."""
    for model, part in zip(report.models, report.parts, strict=True):
        word, style = GATES[part.gate]
        yield Text.assemble((f"{word:<10}", style), f"  {visible(model)}: {', '.join(_counts(part))}")


def _profiles(report: Report) -> Iterator[Text]:
    """One line with the profiles whose rules were all judged, and with the required ones."""
    shown = [held for held in report.profiles if held.required or not held.left_out]
    if shown:
        words = [(f"{held.name} {held.gate.value}", PROFILE_STYLES[held.gate]) for held in shown]
        separated = [part for word in words for part in (", ", word)][1:]
        yield Text.assemble(("profiles  ", "dim"), *separated)


def _why_not_judged(report: Report, detail: Detail) -> str:
    quiet = detail is Detail.QUIET
    if report.totals[Verdict.ERROR]:
        where = "run without --quiet to see it" if quiet else "ERROR above"
        return f"Internal error in a check of gonogo ({where}), not caused by the target. Please report it."
    if report.cut_short and any(report.totals[verdict] for verdict in DECIDED):
        return "No must rule is broken so far, but the run ended early."
    where = "run without --quiet to see the reasons" if quiet else "the reasons are above"
    return f"No rule could be decided; {where}."


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
