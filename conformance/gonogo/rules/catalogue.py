"""The catalogue: every rule, read from the feature files that ship with the package.

A scenario is one rule (`written` describes its form). Its When steps are bound to requests here, its Then steps to
checks in `gonogo.judge`.
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
"""Rules about generated requests, which only some runs send."""
GATEWAY_FEATURES = frozenset({f"{played.GROUP}.feature"})
"""Rules about a gateway in front of the suite's own upstream, which only some runs have."""
NODE_FEATURES = frozenset({"clients_node.feature"})
"""Rules about Node clients, which only some machines have."""


@dataclass(frozen=True, eq=False, slots=True)
class Scenario:
    """A rule, the exchanges that it reads, and the text of its checks; compared and cached by identity.

    `where` is file:line, for errors in feature files.
    """

    rule: Rule
    looks: tuple[Ask | Watch, ...]
    thens: tuple[str, ...]
    where: str

    @property
    def stimuli(self) -> tuple[Stimulus, ...]:
        """Every stimulus to send for this rule, dependencies first."""
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
        """The ids of all rules, in the order of the feature files."""
        return tuple(scenario.rule.id for scenario in self)

    def stimulus(self, key: str) -> Stimulus | None:
        """The stimulus of a recorded exchange; None if this version does not know its key."""
        if life.is_sign_of_life(key):
            return life.trace(key)
        if beside.is_beside(key):
            return beside.trace(key)
        if played.sight_of(key) is not None:
            return played.trace(key)
        return fuzzed.trace(key) if fuzzed.is_fuzzed(key) else self.stimuli.get(key)

    def select(self, only: Iterable[str] = (), skip: Iterable[str] = ()) -> tuple[Scenario, ...]:
        """The scenarios whose id is, or lies under, one of `only` (all, if it is empty) and none of `skip`.

        Raises UsageError for a selector that matches no rule, so that a typing error cannot shrink a run.
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
    """The catalogue of this version. `fuzz` adds the rules about generated requests, `node` those about Node clients,
    `gateway` those about a gateway and its upstream.

    Raises FeatureError, naming file and line, if a feature is malformed.
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
    """The scenarios of one feature file. Raises FeatureError if one does not have the form of a rule."""
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
    """Raise FeatureError if a rule needs an unknown rule, or itself, directly or indirectly."""
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
        circle = error.args[1][::-1]  # graphlib puts the needed rule first
        raise FeatureError(f"{by_id[circle[0]].where}: {' needs '.join(circle)}") from error


def _groups(ids: Iterable[str]) -> Iterator[str]:
    """All groups of these rules."""
    for rule_id in ids:
        parts = rule_id.split(".")
        yield from (".".join(parts[:length]) for length in range(1, len(parts)))
