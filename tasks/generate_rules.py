# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Compile the feature files to data that loads fast; with --check compare it, and exit 1 if it differs."""

import sys
from pathlib import Path

from gonogo.rules.compiled import FILE, text_of_all

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "conformance" / "gonogo" / "rules" / FILE
COMMAND = "uv run python tasks/generate_rules.py"


def main(arguments: list[str]) -> int:
    """Write the file, or compare it with --check; returns the exit status."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {COMMAND} [--check]", file=sys.stderr)
        return 2
    text = text_of_all()
    if not arguments:
        TARGET.write_text(text, encoding="utf-8", newline="\n")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        place = TARGET.relative_to(ROOT)
        print(f"{place} is out of date; run {COMMAND}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
