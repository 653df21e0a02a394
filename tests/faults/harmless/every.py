"""All harmless changes: those of this folder, and those in sections of the faults."""

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
"""Harmless behaviour by name; not every section of the faults has some."""
