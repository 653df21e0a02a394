"""A fault: one defect of a broken server, and the rules that it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gonogo.evidence import Record


@dataclass(frozen=True, slots=True)
class Fault:
    """A change to the evidence of a clean run.

    `name` describes the behaviour of the server; `imitates` names the servers with this behaviour, or its consequence;
    `turns` are the ids of exactly the rules that it breaks. `good` is a correct behaviour in the same place that does
    not occur in the clean run: it breaks no rule, and the examples show it next to the fault.
    """

    name: str
    imitates: str
    turns: frozenset[str]
    change: Callable[[Record], Record]
    good: Callable[[Record], Record] | None = None


def fault(
    name: str,
    imitates: str,
    turns: str | Iterable[str],
    change: Callable[[Record], Record],
    *,
    good: Callable[[Record], Record] | None = None,
) -> Fault:
    """A fault that breaks one or several rules."""
    return Fault(name, imitates, frozenset([turns] if isinstance(turns, str) else turns), change, good)


def under(group: str, *names: str) -> tuple[str, ...]:
    """The ids of rules in one group."""
    return tuple(f"{group}.{name}" for name in names)
