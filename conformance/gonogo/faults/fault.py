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

    `name` says what the server does; `imitates` names the servers that were seen to do so, or why it matters; `turns`
    are the ids of exactly the rules that find it. `good` is a behaviour that keeps the rule in the same place and that
    the clean run does not show: it breaks no rule, and the examples show it next to the fault.
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
    """A fault that one rule finds, or several."""
    return Fault(name, imitates, frozenset([turns] if isinstance(turns, str) else turns), change, good)


def under(group: str, *names: str) -> tuple[str, ...]:
    """Ids of one group."""
    return tuple(f"{group}.{name}" for name in names)
