"""The command line of the comparison; the package's docstring describes its output and exit status."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gonogo_contract.drift.compare import Comparison, Difference, shown
from gonogo_contract.drift.intended import FILE, Intention, UnusableReasonsError, judge, read
from gonogo_contract.drift.shape import UnresolvedReferenceError
from gonogo_contract.source import document, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class UnusableDocumentError(Exception):
    """The file cannot be compared; the message is the reason in one sentence."""


def load(file: Path) -> dict[str, Any]:
    """Read an OpenAPI document, JSON or YAML. Raises UnusableDocumentError."""
    try:
        source = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UnusableDocumentError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UnusableDocumentError(f"{file} is not UTF-8 text: give an OpenAPI document.") from error
    loaded = _parsed(file, source)
    if not isinstance(loaded, dict) or "openapi" not in loaded or not isinstance(loaded.get("paths"), dict):
        raise UnusableDocumentError(
            f"{file} is not an OpenAPI document: it has no openapi version or no paths."
        )
    return loaded


def _parsed(file: Path, source: str) -> object:
    try:
        # JSON first: it is faster, and YAML rejects JSON that is indented with tabs.
        return json.loads(source)
    except ValueError:
        pass
    try:
        return parse(source)
    except yaml.YAMLError as error:
        raise UnusableDocumentError(f"{file} is neither JSON nor YAML: give an OpenAPI document.") from error


def report(
    judged: Sequence[tuple[Difference, Intention | None]], stale: Sequence[Intention]
) -> Iterator[str]:
    """Yield the lines to print: intended differences by reason, the others, stale entries, the totals."""
    for reason in dict.fromkeys(intention.reason for _, intention in judged if intention):
        yield f"intended: {reason}"
        yield from (_line(each) for each, intention in judged if intention and intention.reason == reason)
    unintended = [difference for difference, intention in judged if intention is None]
    if unintended:
        yield "NOT INTENDED: change the contract, or give a reason in intended.yaml."
        yield from map(_line, unintended)
    if stale:
        yield "STALE: these entries of intended.yaml match no difference; take them out."
        yield from (f"  {intention.pattern}" for intention in stale)
    yield (
        f"{len(judged)} differences: {len(judged) - len(unintended)} intended, {len(unintended)} not. "
        f"Stale entries: {len(stale)}."
    )


def _line(difference: Difference) -> str:
    return f"  {difference} (ours {shown(difference.ours)}, theirs {shown(difference.theirs)})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the contract with a file, print the report, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m gonogo_contract.drift")
    parser.add_argument("file", type=Path, help="an OpenAPI document, JSON or YAML")
    parser.add_argument("--intended", type=Path, default=FILE, help="reasons; intended.yaml by default")
    options = parser.parse_args(arguments)
    try:
        intentions = read(options.intended)
        differences = list(Comparison(document(), load(options.file)).differences())
    except (UnusableReasonsError, UnusableDocumentError, UnresolvedReferenceError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    judged, stale = judge(differences, intentions)
    sys.stdout.writelines(f"{line}\n" for line in report(judged, stale))
    return 0 if not stale and all(intention for _, intention in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
