"""The catalogue: every rule there is, read from the feature files that ship with the package.

A scenario is one rule. Its tags carry the level and the id, its description the source and the reason, its When
steps the requests, its Then steps the checks (bound in `gonogo.judge`, which knows them).
"""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from gherkin.errors import CompositeParserException
from gherkin.parser import Parser

from gonogo.errors import FeatureError, UsageError
from gonogo.stimuli import fuzzed, life
from gonogo.stimuli.phrases import Again, Ask, Watch, When, when
from gonogo.verdict import Level, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gonogo.stimuli.stimulus import Stimulus

LEVELS = {f"@{level}": level for level in Level}
FUZZ_FEATURE = f"{fuzzed.GROUP}.feature"
"""The rules about generated requests, which only some runs send."""


@dataclass(frozen=True, eq=False, slots=True)
class Scenario:
    """A rule, what it looks at, and the text of its checks; compared and cached by identity.

    `where` is file:line, for our own mistakes.
    """

    rule: Rule
    looks: tuple[Ask | Watch, ...]
    thens: tuple[str, ...]
    where: str

    @property
    def stimuli(self) -> tuple[Stimulus, ...]:
        """Every stimulus that must be sent for this rule, those it depends on first."""
        return tuple(_closure(_asked(self.looks)))


class Catalogue:
    """All scenarios, in the order of the feature files."""

    def __init__(self, scenarios: Iterable[Scenario]) -> None:
        self.scenarios = tuple(scenarios)
        self.stimuli: Mapping[str, Stimulus] = _by_key(self.scenarios)
        _refuse_duplicates(self.scenarios)

    def __iter__(self) -> Iterator[Scenario]:
        return iter(self.scenarios)

    def __len__(self) -> int:
        return len(self.scenarios)

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of every rule, in the same order."""
        return tuple(scenario.rule.id for scenario in self)

    def stimulus(self, key: str) -> Stimulus | None:
        """The stimulus of a recorded exchange; None where this version knows none of that key."""
        if life.is_sign_of_life(key):
            return life.trace(key)
        return fuzzed.trace(key) if fuzzed.is_fuzzed(key) else self.stimuli.get(key)

    def select(self, only: Iterable[str] = (), skip: Iterable[str] = ()) -> tuple[Scenario, ...]:
        """The scenarios whose id is, or lies under, one of `only` (all, where it is empty) and none of `skip`.

        Raises UsageError for a selector that fits no rule: a typing mistake must not make a run smaller.
        """
        wanted, unwanted = tuple(only), tuple(skip)
        for selector in (*wanted, *unwanted):
            if not any(_lies_under(s.rule.id, selector) for s in self):
                raise UsageError(f'No rule is called "{selector}"; {self._hint(selector)}')
        return tuple(
            s
            for s in self
            if (not wanted or any(_lies_under(s.rule.id, selector) for selector in wanted))
            and not any(_lies_under(s.rule.id, selector) for selector in unwanted)
        )

    def _hint(self, selector: str) -> str:
        close = difflib.get_close_matches(selector, dict.fromkeys((*self.ids, *_groups(self.ids))))
        near = f"did you mean {' or '.join(close)}? " if close else ""
        return f'{near}"gonogo rules" lists them all.'


@functools.cache
def load(*, fuzz: bool = False) -> Catalogue:
    """The catalogue of this version; with `fuzz` the rules about generated requests are in it too.

    Raises FeatureError, naming file and line, where a feature is malformed.
    """
    folder = resources.files("gonogo") / "features"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return Catalogue(
        scenario
        for file in files
        if file.name.endswith(".feature") and (fuzz or file.name != FUZZ_FEATURE)
        for scenario in parse_feature(file.read_text(encoding="utf-8"), file.name)
    )


def parse_feature(text: str, name: str) -> list[Scenario]:
    """The scenarios of one feature file; raises FeatureError where it breaks the form of a rule."""
    try:
        document: Any = Parser().parse(text)
    except CompositeParserException as error:
        raise FeatureError(f"{name} is not Gherkin: {error}") from error
    if "feature" not in document:
        raise FeatureError(f"{name} holds no feature")
    return [_scenario(child, name) for child in document["feature"]["children"]]


def _scenario(child: Any, name: str) -> Scenario:  # noqa: ANN401 - the parser's nested dictionaries
    ((kind, node),) = child.items()
    where = f"{name}:{node['location']['line']}"
    if kind != "scenario" or node["examples"]:
        raise FeatureError(f"{where}: a feature holds only scenarios, without examples")
    level, rule_id = _tags([tag["name"] for tag in node["tags"]], where)
    notes = _notes(node["description"], where)
    whens, thens = _steps(node["steps"], where)
    rule = Rule(
        id=rule_id,
        title=node["name"],
        level=level,
        source=notes["Source"],
        why=notes["Why"],
        steps=tuple(f"{step['keyword'].strip()} {step['text']}" for step in node["steps"]),
    )
    return Scenario(rule, _looks(whens, where), tuple(thens), where)


def _tags(tags: list[str], where: str) -> tuple[Level, str]:
    levels = [LEVELS[tag] for tag in tags if tag in LEVELS]
    ids = [tag[1:] for tag in tags if "." in tag]
    if len(levels) != 1 or len(ids) != 1 or len(tags) != 2:
        raise FeatureError(f"{where}: a rule has two tags, its level and its id; found {' '.join(tags)}")
    return levels[0], ids[0]


def _notes(description: str, where: str) -> dict[str, str]:
    """`Source:` and `Why:`, each running on over the lines that follow it."""
    notes: dict[str, str] = {}
    label = None
    for line in map(str.strip, description.splitlines()):
        head, colon, rest = line.partition(":")
        if colon and head in ("Source", "Why"):
            label, line = head, rest.strip()  # noqa: PLW2901 - the label is taken off the line
        if label is not None:
            notes[label] = f"{notes.get(label, '')} {line}".strip()
    for label in ("Source", "Why"):
        if not notes.get(label):
            raise FeatureError(f'{where}: the description has no "{label}:"')
    return notes


def _steps(steps: list[Any], where: str) -> tuple[list[str], list[str]]:
    """The texts of the When steps and of the Then steps; "And" belongs to the step before it."""
    texts: dict[str, list[str]] = {"Action": [], "Outcome": []}
    kind = "Action"
    for step in steps:
        kind = kind if step["keywordType"] == "Conjunction" else step["keywordType"]
        if kind not in texts:
            raise FeatureError(
                f'{where}: "{step["keyword"].strip()}" is no step of a rule; use When and Then'
            )
        texts[kind].append(step["text"])
    if not texts["Action"] or not texts["Outcome"]:
        raise FeatureError(f"{where}: a rule has at least one When and one Then")
    return texts["Action"], texts["Outcome"]


def _looks(texts: list[str], where: str) -> tuple[Ask | Watch, ...]:
    looks: list[Ask | Watch] = []
    times = 1
    for text in texts:
        look = _find(text, where)
        if isinstance(look, Again):
            times += 1
            first = looks[0] if looks else None
            if not isinstance(first, Ask):
                raise FeatureError(f'{where}: "{text}" follows no request')
            look = Ask(first.stimulus.repeated(times))
        looks.append(look)
    return tuple(looks)


def _find(text: str, where: str) -> When:
    try:
        make, values = when.find(text)
        return make(**values)
    except (LookupError, ValueError) as error:
        raise FeatureError(f"{where}: {error}") from error


def _asked(looks: Iterable[Ask | Watch]) -> Iterator[Stimulus]:
    for look in looks:
        yield from (look.stimulus,) if isinstance(look, Ask) else look.needs


def _closure(stimuli: Iterable[Stimulus]) -> Iterator[Stimulus]:
    for stimulus in stimuli:
        yield from _closure(stimulus.needs)
        yield stimulus


def _by_key(scenarios: Iterable[Scenario]) -> dict[str, Stimulus]:
    found: dict[str, Stimulus] = {}
    for scenario in scenarios:
        for stimulus in scenario.stimuli:
            known = found.setdefault(stimulus.key, stimulus)
            if known.valid is not stimulus.valid:
                raise FeatureError(
                    f"{scenario.where}: {stimulus.key} is called valid here and wrong elsewhere, or the reverse"
                )
    return found


def _refuse_duplicates(scenarios: Iterable[Scenario]) -> None:
    seen: dict[str, str] = {}
    for scenario in scenarios:
        for name in (scenario.rule.id, scenario.rule.title):
            if name in seen:
                raise FeatureError(f"{scenario.where}: {name!r} is taken already, at {seen[name]}")
            seen[name] = scenario.where


def _groups(ids: Iterable[str]) -> Iterator[str]:
    """Every id that rules lie under."""
    for rule_id in ids:
        parts = rule_id.split(".")
        yield from (".".join(parts[:length]) for length in range(1, len(parts)))


def _lies_under(rule_id: str, selector: str) -> bool:
    return rule_id == selector or rule_id.startswith(selector + ".")
