"""The written form of a rule: one Gherkin scenario, parsed into plain data.

Its tags are the level and the id; its description has the source, the reason, and the rules that it needs; its When
steps are the requests, its Then steps the checks. The Gherkin parser is imported only to parse text: the features that
ship with the package are compiled beforehand, see `compiled`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gonogo.errors import FeatureError
from gonogo.rules import sets
from gonogo.verdict import FIRST_SET, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

LEVELS = {f"@{level}": level for level in Level}
REQUIRED = ("Source", "Why")
LABELS = (*REQUIRED, "Needs", "Since", "Until")


@dataclass(frozen=True, slots=True)
class Written:
    """One scenario: `line` is its line in the file, `steps` its steps, as "When …", "Then …" and "And …"."""

    id: str
    level: Level
    title: str
    source: str
    why: str
    needs: tuple[str, ...]
    steps: tuple[str, ...]
    line: int
    since: str = FIRST_SET
    until: str | None = None

    @property
    def halves(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The texts of the When steps and of the Then steps; an "And" belongs to the step before it."""
        halves: dict[str, list[str]] = {"When": [], "Then": []}
        half = halves["When"]
        for keyword, _, text in (step.partition(" ") for step in self.steps):
            half = halves.get(keyword, half)
            half.append(text)
        return tuple(halves["When"]), tuple(halves["Then"])


def read_feature(text: str, name: str) -> list[Written]:
    """The scenarios of one feature file. Raises FeatureError, naming file and line, for an invalid rule."""
    try:
        from gherkin.errors import CompositeParserException  # noqa: PLC0415 - an extra, and slow to load
        from gherkin.parser import Parser  # noqa: PLC0415 - as above
    except ImportError:
        raise FeatureError(
            f'{name} was changed after this gonogo was built; to read it, install "gonogo[pytest]"'
        ) from None
    try:
        document: Any = Parser().parse(text)
    except CompositeParserException as error:
        raise FeatureError(f"{name} is not Gherkin: {error}") from error
    if "feature" not in document:
        raise FeatureError(f"{name} contains no feature")
    return [_written(child, name) for child in document["feature"]["children"]]


def _sets(notes: Mapping[str, str], where: str) -> tuple[str, str | None]:
    """The rule set that introduced a rule, and the last that has it; None if that is the newest."""
    since, until = _set("Since", notes, where) or FIRST_SET, _set("Until", notes, where)
    if until is not None and sets.SETS.names.index(until) < sets.SETS.names.index(since):
        raise FeatureError(f'{where}: the rule set in "Until:" is older than the one in "Since:"')
    return since, until


def _written(child: Any, name: str) -> Written:  # noqa: ANN401 - the parser's nested dictionaries
    ((kind, node),) = child.items()
    where = f"{name}:{node['location']['line']}"
    if kind != "scenario" or node["examples"]:
        raise FeatureError(f"{where}: a feature may contain only scenarios without examples")
    level, rule_id = _tags([tag["name"] for tag in node["tags"]], where)
    notes = _notes(node["description"], where)
    since, until = _sets(notes, where)
    return Written(
        id=rule_id,
        level=level,
        title=node["name"],
        source=notes["Source"],
        why=notes["Why"],
        needs=_needs(notes.get("Needs"), where),
        steps=_steps(node["steps"], where),
        line=node["location"]["line"],
        since=since,
        until=until,
    )


def _tags(tags: list[str], where: str) -> tuple[Level, str]:
    levels = [LEVELS[tag] for tag in tags if tag in LEVELS]
    ids = [tag[1:] for tag in tags if "." in tag]
    if len(levels) != 1 or len(ids) != 1 or len(tags) != 2:
        raise FeatureError(
            f"{where}: a rule must have two tags, its level and its id; found {' '.join(tags)}"
        )
    return levels[0], ids[0]


def _notes(description: str, where: str) -> dict[str, str]:
    """The labels of a description and their texts, which may continue on the following lines."""
    notes: dict[str, str] = {}
    label = None
    for line in map(str.strip, description.splitlines()):
        head, colon, rest = line.partition(":")
        if colon and head in LABELS:
            label, line = head, rest.strip()  # noqa: PLW2901 - the label is removed from the line
        if label is not None:
            notes[label] = f"{notes.get(label, '')} {line}".strip()
    for label in REQUIRED:
        if not notes.get(label):
            raise FeatureError(f'{where}: the description lacks "{label}:"')
    return notes


def _set(label: str, notes: Mapping[str, str], where: str) -> str | None:
    """The rule set in a note; None without the note."""
    name = notes.get(label)
    if name is not None and name not in sets.SETS.names:
        raise FeatureError(f'{where}: "{label}:" must be a rule set, one of {", ".join(sets.SETS.names)}')
    return name


def _needs(note: str | None, where: str) -> tuple[str, ...]:
    """The ids in a note, separated by commas; empty without the note."""
    if note is None:
        return ()
    ids = tuple(map(str.strip, note.split(",")))
    if not all(ids) or len(set(ids)) < len(ids) or any(" " in name for name in ids):
        raise FeatureError(f'{where}: "Needs:" must list rule ids, each once, separated by commas')
    return ids


def _steps(steps: list[Any], where: str) -> tuple[str, ...]:
    """The steps as lines; When steps come before Then steps."""
    seen: set[str] = set()
    kind = "Action"
    for step in steps:
        kind = kind if step["keywordType"] == "Conjunction" else step["keywordType"]
        if kind not in {"Action", "Outcome"}:
            raise FeatureError(
                f'{where}: "{step["keyword"].strip()}" is not allowed in a rule; use When and Then'
            )
        seen.add(kind)
    if len(seen) < 2:
        raise FeatureError(f"{where}: a rule needs at least one When and one Then")
    return tuple(f"{step['keyword'].strip()} {step['text']}" for step in steps)
