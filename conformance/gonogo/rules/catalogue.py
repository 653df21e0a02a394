"""The catalogue: every rule there is, read from the feature files that ship with the package.

A scenario is one rule (`written` says how it is written). Its When steps are bound here to the requests they ask for,
its Then steps in `gonogo.judge`, which knows the checks.
"""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from gonogo.errors import FeatureError, UsageError
from gonogo.rules.compiled import feature_files
from gonogo.rules.profiles import lies_under
from gonogo.rules.written import read_feature
from gonogo.stimuli import beside, fuzzed, life, played
from gonogo.stimuli.phrases import Again, Ask, Watch, When, when
from gonogo.verdict import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gonogo.rules.written import Written
    from gonogo.stimuli.stimulus import Stimulus

FUZZ_FEATURES = frozenset(f"{group}.feature" for group in fuzzed.GROUPS)
"""The rules about generated requests, which only some runs send."""
GATEWAY_FEATURES = frozenset({f"{played.GROUP}.feature"})
"""The rules about a gateway whose upstream is the suite's own, which only some runs have."""
NODE_FEATURES = frozenset({"clients_node.feature"})
"""The rules about clients for Node, which only some machines have."""


@dataclass(frozen=True, eq=False, slots=True)
class Scenario:
    """A rule, what it looks at, and the text of its checks; compared and cached by identity.

    `where` is file:line, for bugs in feature files.
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
        _refuse_bad_needs(self.scenarios)

    def __iter__(self) -> Iterator[Scenario]:
        return iter(self.scenarios)

    def __len__(self) -> int:
        return len(self.scenarios)

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of every rule, in the same order."""
        return tuple(scenario.rule.id for scenario in self)

    def stimulus(self, key: str) -> Stimulus | None:
        """The stimulus of a recorded exchange; None if this version knows none of that key."""
        if life.is_sign_of_life(key):
            return life.trace(key)
        if beside.is_beside(key):
            return beside.trace(key)
        if played.sight_of(key) is not None:
            return played.trace(key)
        return fuzzed.trace(key) if fuzzed.is_fuzzed(key) else self.stimuli.get(key)

    def select(self, only: Iterable[str] = (), skip: Iterable[str] = ()) -> tuple[Scenario, ...]:
        """The scenarios whose id is, or lies under, one of `only` (all, where it is empty) and none of `skip`.

        Raises UsageError for a selector that fits no rule: a typing mistake must not make a run smaller.
        """
        wanted, unwanted = tuple(only), tuple(skip)
        for selector in (*wanted, *unwanted):
            if not any(lies_under(s.rule.id, selector) for s in self):
                raise UsageError(f'There is no rule or group "{selector}"; {self._hint(selector)}')
        return tuple(
            s
            for s in self
            if (not wanted or any(lies_under(s.rule.id, selector) for selector in wanted))
            and not any(lies_under(s.rule.id, selector) for selector in unwanted)
        )

    def _hint(self, selector: str) -> str:
        close = difflib.get_close_matches(selector, dict.fromkeys((*self.ids, *_groups(self.ids))))
        near = f"did you mean {' or '.join(close)}? " if close else ""
        return f'{near}"gonogo rules" lists all rules.'


@functools.cache
def load(*, fuzz: bool = False, node: bool = False, gateway: bool = False) -> Catalogue:
    """The catalogue of this version; with `fuzz` the rules about generated requests are in it too, with `node` those
    about clients for Node, with `gateway` those about a gateway and the upstream behind it.

    Raises FeatureError, naming file and line, where a feature is malformed.
    """
    return Catalogue(
        _scenario(entry, name)
        for name, entries in feature_files()
        if (fuzz or name not in FUZZ_FEATURES)
        and (node or name not in NODE_FEATURES)
        and (gateway or name not in GATEWAY_FEATURES)
        for entry in entries
    )


def parse_feature(text: str, name: str) -> list[Scenario]:
    """The scenarios of one feature file; raises FeatureError if it breaks the form of a rule."""
    return [_scenario(entry, name) for entry in read_feature(text, name)]


def _scenario(entry: Written, name: str) -> Scenario:
    where = f"{name}:{entry.line}"
    rule = Rule(
        id=entry.id,
        title=entry.title,
        level=entry.level,
        source=entry.source,
        why=entry.why,
        steps=entry.steps,
        needs=entry.needs,
        since=entry.since,
        until=entry.until,
    )
    whens, thens = entry.halves
    return Scenario(rule, _looks(whens, where), thens, where)


def _looks(texts: Iterable[str], where: str) -> tuple[Ask | Watch, ...]:
    looks: list[Ask | Watch] = []
    times = 1
    for text in texts:
        look = _find(text, where)
        if isinstance(look, Again):
            times += 1
            first = looks[0] if looks else None
            if not isinstance(first, Ask):
                raise FeatureError(f'{where}: no request comes before "{text}"')
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
                    f"{scenario.where}: {stimulus.key} is declared valid in one place and wrong in another"
                )
    return found


def _refuse_duplicates(scenarios: Iterable[Scenario]) -> None:
    seen: dict[str, str] = {}
    for scenario in scenarios:
        for name in (scenario.rule.id, scenario.rule.title):
            if name in seen:
                raise FeatureError(f"{scenario.where}: {name!r} is already used at {seen[name]}")
            seen[name] = scenario.where


def _refuse_bad_needs(scenarios: Iterable[Scenario]) -> None:
    """A rule needs rules that exist, and none needs itself, directly or indirectly."""
    by_id = {scenario.rule.id: scenario for scenario in scenarios}
    for scenario in by_id.values():
        for need in scenario.rule.needs:
            if need not in by_id:
                raise FeatureError(
                    f'{scenario.where}: {scenario.rule.id} needs "{need}", which is not a rule'
                )
    try:
        TopologicalSorter({name: scenario.rule.needs for name, scenario in by_id.items()}).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]  # graphlib names who is needed first
        raise FeatureError(f"{by_id[circle[0]].where}: {' needs '.join(circle)}") from error


def _groups(ids: Iterable[str]) -> Iterator[str]:
    """Every id that rules lie under."""
    for rule_id in ids:
        parts = rule_id.split(".")
        yield from (".".join(parts[:length]) for length in range(1, len(parts)))
