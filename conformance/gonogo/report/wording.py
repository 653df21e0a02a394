"""The wording of results, which are data until a report is written."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gonogo.reasons import Reason
    from gonogo.report.model import Report
    from gonogo.verdict import Because, Judgement, Witness

VARIES = "…"
"""Replaces a value that differs between the rules with one reason."""
MOST_WITNESSES = 3


def message(judgement: Judgement) -> str:
    """One clause for the verdict: the finding, the witnesses of a pass, or the reason why the rule is undecided."""
    if judgement.actual is not None:
        text = judgement.actual + share(judgement)
    elif judgement.because is not None:
        text = clause(judgement.because)
    else:
        text = f"observed: {witnessed(judgement.witnesses)}"
    if judgement.waived is None:
        return text
    until = "" if judgement.waived.until is None else f" until {judgement.waived.until}"
    return f"{text} (waived{until}: {judgement.waived.reason})"


def share(judgement: Judgement) -> str:
    """The share of exchanges that break the rule, in brackets; "" if there was only one exchange."""
    if judgement.looked_at < 2:
        return ""
    return f" (in {judgement.broken} of {judgement.looked_at} exchanges)"


def clause(because: Because) -> str:
    """The reason with its values filled in, in lower case unless it begins with a value."""
    return filled(because.reason, because.values)


def shared_clause(because: Iterable[Because]) -> str:
    """One clause for several rules with the same reason; values that differ become "…"."""
    known = list(because)
    first = known[0]
    values = {
        name: value if all(other.values.get(name) == value for other in known) else VARIES
        for name, value in first.values.items()
    }
    return filled(first.reason, values)


def whose(report: Report, models: Sequence[str]) -> str:
    """Some of several models, as a noun phrase; "" if the report covers one."""
    if not report.parts:
        return ""
    if len(models) == len(report.parts):
        return f"all {len(models)} models"
    return f"{', '.join(models)} of {len(report.parts)} models"


def some(report: Report, models: Sequence[str]) -> str:
    """Some of several models, in brackets for the end of a line; "" if it is all of them."""
    return f"  ({visible(', '.join(models))})" if len(models) < len(report.parts) else ""


def of_models(report: Report, judgement: Judgement) -> str:
    """The message of a rule, preceded by the models concerned unless it is all of them."""
    models = report.models_with(judgement)
    led = f"{', '.join(models)}: " if len(models) < len(report.parts) else ""
    return f"{led}{message(judgement)}"


def filled(reason: Reason, values: Mapping[str, object]) -> str:
    """The template with these values. Braces in a value are not interpreted."""
    return reason.template.format_map({name: str(value) for name, value in values.items()})


def witnessed(witnesses: Iterable[Witness]) -> str:
    """What was checked and how often, the most frequent first."""
    counts: Counter[str] = Counter()
    for witness in witnesses:
        counts[witness.what] += witness.count
    shown = [f"{what} (x{number})" for what, number in counts.most_common(MOST_WITNESSES)]
    return ", ".join(shown) + (", …" if len(counts) > MOST_WITNESSES else "")


def around_difference(expected: str, actual: str, most: int) -> tuple[str, str]:
    """Both texts, each cut to `most` characters around the first difference."""
    if len(expected) <= most and len(actual) <= most:
        return expected, actual
    same = next(
        (n for n, (one, other) in enumerate(zip(expected, actual, strict=False)) if one != other),
        min(len(expected), len(actual)),
    )
    start = max(0, same - most // 3)
    return _window(expected, start, most), _window(actual, start, most)


def _window(text: str, start: int, most: int) -> str:
    if start + most >= len(text):
        start = max(0, len(text) - most)
    before, after = ("…" if start else ""), ("…" if start + most < len(text) else "")
    return before + text[start : start + most] + after


COMMAND = re.compile(r"(?<!\S)::(?=\w)|##(?=\w*\[)")
"""Text that CI runners interpret as a command: GitHub at the start of a line, Azure Pipelines and TeamCity anywhere."""


def visible(text: str) -> str:
    r"""The text with unprintable characters escaped (\x1b, \n), so that no answer can control a terminal.

    Text that a CI runner would interpret as a command (`::error`, `##vso[`) is broken by an escape (`:\x3aerror`).
    """
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
    return COMMAND.sub(lambda match: f"{match[0][0]}\\x{ord(match[0][1]):x}", shown)
