# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Generate the examples that `gonogo explain` prints; with --check compare them, and exit 1 if they differ.

They are made from the faults of gonogo.faults and from a run against the ideal target under tests/. Also exits 1, with
the ids, if a rule has no fault.
"""

import asyncio
import difflib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faults.examples import COMMAND, examples, text_of  # noqa: E402 - found through the line above
from gonogo.faults.sections import FAULTS  # noqa: E402
from gonogo.rules import load  # noqa: E402
from gonogo.rules.examples import FILE  # noqa: E402
from ideal.running import record_run  # noqa: E402

TARGET = ROOT / "conformance" / "gonogo" / "rules" / FILE
MOST_LINES = 40  # of a difference; the command shows the rest


def main(arguments: list[str]) -> int:
    """Write the file, or compare it with --check; returns the exit status."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {COMMAND} [--check]", file=sys.stderr)
        return 2
    catalogue = load(fuzz=True, node=True, gateway=True)
    found = examples(asyncio.run(record_run(load())), catalogue, FAULTS)
    without = [rule_id for rule_id in catalogue.ids if rule_id not in found]
    for rule_id in without:
        print(f"No fault in gonogo.faults shows {rule_id}, so it has no example.", file=sys.stderr)
    if not arguments:
        TARGET.write_text(text_of(found), encoding="utf-8")
    return 1 if without or _is_stale(text_of(found)) else 0


def _is_stale(text: str) -> bool:
    """Whether the file is out of date; prints the difference and the command that writes it."""
    old = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if old == text:
        return False
    difference = difflib.unified_diff(
        old.splitlines(), text.splitlines(), FILE, "generated", lineterm="", n=1
    )
    for line in list(difference)[:MOST_LINES]:
        print(line)
    print(f"{TARGET.relative_to(ROOT)} is out of date; run {COMMAND}", file=sys.stderr)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
