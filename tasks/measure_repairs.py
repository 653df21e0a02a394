# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Say what becomes of every fault behind the repairs that a gateway always makes: repaired, an error, or left.

Each fault is applied to the clean run of the ideal target, repaired, and judged again by the rules that it turns.
Writes tests/server/repair/faults.json, which a test holds the repairs to, and prints how many of which there are.
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
    """Write the file; the exit status."""
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
