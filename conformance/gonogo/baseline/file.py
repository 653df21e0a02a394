"""The baseline file: TOML with one entry per line, so that an entry is deleted, blamed and merged as a line.

    "chat.stream.done" = { reason = "fixed in 1.3, our issue 12", expires = 2027-01-31 }
    "chat.stop.string" = { reason = "depends on the batch", flaky = true }  # a comment may follow

The key is a rule id in quotes. `reason` is required and not empty. `expires` is the last day on which the entry
holds. `flaky` is for a rule that passes in one run and breaks in the next.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gonogo.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

EXAMPLE = '"chat.stream.done" = { reason = "fixed in 1.3" }'
FIELDS = ("reason", "expires", "flaky")

HEAD = """\
# Accepted broken rules, one per line: "rule.id" = { reason = "…", expires = 2027-01-31, flaky = true }
# The reason is required; expires (the last valid day) and flaky (may pass or fail) are optional.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted deviation; `line` counts from 1."""

    rule: str
    line: int
    reason: str
    expires: date | None = None
    flaky: bool = False


@dataclass(frozen=True, slots=True)
class Baseline:
    """The entries by rule id, and the lines of the file. `path` is the file as the user named it."""

    path: Path
    lines: tuple[str, ...]
    entries: Mapping[str, Entry]

    def without(self, rules: Iterable[str]) -> list[str]:
        """The lines of the file without the entries of these rules; comments and blank lines stay."""
        gone = {self.entries[rule].line for rule in rules}
        return [line for number, line in enumerate(self.lines, 1) if number not in gone]


def read(path: Path, *, unfinished: bool = False) -> Baseline:
    """The baseline in a file.

    With `unfinished` the file may not exist yet, and entries may still lack their reason. Raises UsageError, naming
    file and line, if the file is not in the form of this module's docstring.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        if unfinished:
            return Baseline(path, (), {})
        raise UsageError(f"{path} does not exist; --update-baseline creates it.") from error
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: it must be UTF-8.") from error
    lines = tuple(text.removesuffix("\n").split("\n")) if text else ()
    entries = _entries(lines, path)
    if not unfinished:
        _refuse_without_reason(entries.values(), path)
    return Baseline(path, lines, entries)


def _entries(lines: Iterable[str], path: Path) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        for rule, value in _parse(line, where).items():
            if rule in found:
                raise UsageError(
                    f"{where}: {rule} is already in line {found[rule].line}; delete one of them."
                )
            found[rule] = _entry(rule, value, number, where)
    return found


def _parse(line: str, where: str) -> dict[str, Any]:
    try:
        parsed = tomllib.loads(line.rstrip("\r"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{where} is not an entry ({error}); an entry is one line, such as {EXAMPLE}."
        ) from error
    if line.lstrip().startswith("["):
        raise UsageError(f"{where} begins a table; an entry is one line, such as {EXAMPLE}.")
    return parsed


def _entry(rule: str, value: object, line: int, where: str) -> Entry:
    if isinstance(value, dict) and any(isinstance(field, dict) for field in value.values()):  # a.b.c = {…}
        raise UsageError(f"{where}: a rule id must be in quotes, as in {EXAMPLE}.")
    if not isinstance(value, dict):
        raise UsageError(f"{where}: {rule} has no fields; an entry looks like {EXAMPLE}.")
    for name in value:
        if name not in FIELDS:
            raise UsageError(f'{where} has the unknown field "{name}"; the fields are {", ".join(FIELDS)}.')
    reason, expires, flaky = value.get("reason", ""), value.get("expires"), value.get("flaky", False)
    if not isinstance(reason, str):
        raise UsageError(f"{where}: the reason must be a string, as in {EXAMPLE}.")
    if isinstance(expires, datetime) or not isinstance(expires, date | None):
        raise UsageError(
            f"{where}: expires must be a date without quotes and without a time, such as 2027-01-31."
        )
    if not isinstance(flaky, bool):
        raise UsageError(f"{where}: flaky must be true or false, without quotes.")
    return Entry(rule, line, reason.strip(), expires, flaky)


def _refuse_without_reason(entries: Iterable[Entry], path: Path) -> None:
    bare = [str(entry.line) for entry in entries if not entry.reason]
    if bare:
        where = f"line{'s' if len(bare) > 1 else ''} {', '.join(bare)}"
        raise UsageError(
            f"{path}, {where}: the reason is empty; write why the deviation is accepted, or delete the line."
        )
