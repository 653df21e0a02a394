"""A fault: what one broken server does, and the rules that find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.judge import judge
from gonogo.verdict import Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gonogo.evidence import Record
    from gonogo.rules import Catalogue
    from gonogo.verdict import Judgement

BROKEN = {Verdict.FAIL, Verdict.WARN}


@dataclass(frozen=True, slots=True)
class Fault:
    """A change to the evidence of a clean run.

    `name` says what the server does; `imitates` who was seen to do so, or why it matters; `turns` are the ids of
    the rules that find it: all of them, and no others.
    """

    name: str
    imitates: str
    turns: frozenset[str]
    change: Callable[[Record], Record]


def fault(name: str, imitates: str, turns: str | Iterable[str], change: Callable[[Record], Record]) -> Fault:
    """A fault that one rule finds, or several."""
    return Fault(name, imitates, frozenset([turns] if isinstance(turns, str) else turns), change)


def under(group: str, *names: str) -> tuple[str, ...]:
    """Ids of one group."""
    return tuple(f"{group}.{name}" for name in names)


def verdicts(record: Record, catalogue: Catalogue) -> dict[str, Judgement]:
    """What every rule says of a record, by id."""
    return {found.rule.id: found for found in judge(record, tuple(catalogue), catalogue)}


def turned(judgements: dict[str, Judgement]) -> set[str]:
    """The rules that found something: a deviation, or for what is optional, that it is not there."""
    return {rule_id for rule_id, found in judgements.items() if _is_turned(found)}


def _is_turned(found: Judgement) -> bool:
    optional = found.verdict is Verdict.UNSUPPORTED and found.rule.level is Level.MAY
    missing = optional and bool(found.expected)  # a plain refusal expects nothing
    return found.verdict in BROKEN or missing
