"""Everything that no rule may mind: the changes of this folder, and those that sections of the faults hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from faults.harmless import answers, refusing, wire
from gonogo.faults.sections import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.evidence import Record

HARMLESS: Final[tuple[tuple[str, Callable[[Record], Record]], ...]] = tuple(
    change
    for section in (answers, wire, refusing, *SECTIONS)
    for change in getattr(section, "HARMLESS", {}).items()
)
"""What a server may do that keeps the contract, by name; not every section of faults has some."""
