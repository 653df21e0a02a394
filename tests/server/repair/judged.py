"""The results of faults after the general repairs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from faults.fault import turned
from gonogo.judge import judge
from server.repair.gateway import repaired

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.faults.fault import Fault
    from gonogo.rules import Catalogue

FILE: Final = Path(__file__).parent / "faults.json"
"""The result of each fault when tasks/measure_repairs.py was run."""


@cache
def behind(exchange: Exchange) -> Exchange:
    """The repaired exchange, cached."""
    return repaired(exchange, lambda _: None)


def through(record: Record) -> Record:
    """The repaired record."""
    return replace(record, exchanges=tuple(map(behind, record.exchanges)))


def broken(record: Record, rules: set[str] | frozenset[str], catalogue: Catalogue) -> set[str]:
    """Those of these rules that the record breaks."""
    asked = [scenario for scenario in catalogue if scenario.rule.id in rules]
    return turned({found.rule.id: found for found in judge(record, asked, catalogue)})


def state(fault: Fault, clean: Record, catalogue: Catalogue) -> str:
    """The result of a fault: "error" if a client gets one, otherwise "repaired", or "left" as it was."""
    record = fault.change(clean)
    known = frozenset(clean.exchanges)
    if any(_is_error(behind(exchange)) for exchange in record.exchanges if exchange not in known):
        return "error"
    return "left" if broken(through(record), fault.turns, catalogue) else "repaired"


def _is_error(exchange: Exchange) -> bool:
    return exchange.status is None or exchange.status >= 500 or b'data: {"error":' in exchange.body
