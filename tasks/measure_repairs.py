# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Determine how the gateway's general repairs handle every fault: repaired, an error, or left.

Each fault is applied to the clean run of the ideal target, repaired, and judged again by the rules that it breaks.
Writes tests/server/repair/faults.json, which a test compares with the repairs, and prints the totals.
"""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from gonogo.faults.sections import FAULTS  # noqa: E402 - found through the line above
from gonogo.rules import load  # noqa: E402
from gonogo.verdict import Level  # noqa: E402
from ideal.running import record_run  # noqa: E402
from server.repair.judged import FILE, state  # noqa: E402


def main() -> int:
    """Write the file; returns the exit status."""
    catalogue = load()
    clean = asyncio.run(record_run(catalogue))
    states = {fault.name: state(fault, clean, catalogue) for fault in FAULTS}
    FILE.write_text(json.dumps(states, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    must = {scenario.rule.id for scenario in catalogue if scenario.rule.level is Level.MUST}
    print("all:", dict(Counter(states.values())))
    print("of must rules:", dict(Counter(states[fault.name] for fault in FAULTS if fault.turns & must)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
