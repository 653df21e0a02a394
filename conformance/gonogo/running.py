"""Checks a target, or judges recorded evidence again. Nothing is printed."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from gonogo.baseline import waive
from gonogo.clients.beside import Beside
from gonogo.clients.node_readers import NODE_READERS
from gonogo.clients.nodejs import NodeLane
from gonogo.clients.replaying import remember
from gonogo.collect.plan import plan
from gonogo.collection import collect
from gonogo.errors import UsageError
from gonogo.fuzz.consulting import consult
from gonogo.judge import bind, explain, judge
from gonogo.reasons import Reason
from gonogo.report.model import Report, build
from gonogo.report.profile_results import profile_result
from gonogo.report.together import merged, together
from gonogo.rules import profiles, sets
from gonogo.rules.profiles import named
from gonogo.stimuli.fuzzed import GROUPS, OF_SCHEMATHESIS
from gonogo.stimuli.played import GROUP as GATEWAY
from gonogo.verdict import Because, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import date

    from gonogo.baseline import Baseline, Problem
    from gonogo.clients.nodejs import Node
    from gonogo.clients.replaying import Replays
    from gonogo.collect.stopping import Stopper
    from gonogo.collection import Approach
    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.rules import Catalogue, Scenario
    from gonogo.verdict import Judgement


@dataclass(frozen=True, slots=True)
class Selection:
    """The judged rules, and which other verdicts close the gate: warnings if `strict`, refusals in `require` groups.

    Only rules of the `rule_set` are judged; None is the newest. Rules about generated requests are judged only if
    `fuzz` is true, rules about Node clients only if `node` has the folder of their packages. If `gateway` is true, only
    the rules about a gateway in front of the suite's own upstream are judged.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    strict: bool = False
    fuzz: bool = False
    rule_set: str | None = None
    node: Node | None = None
    profiles: tuple[str, ...] = ()
    gateway: bool = False

    def scenarios(self, catalogue: Catalogue) -> tuple[Scenario, ...]:
        """The selected rules; each has its steps bound.

        Raises UsageError for a selector that matches no rule, for an unknown set, and for a required group that is
        omitted.
        """
        rule_set = sets.SETS.named(self.rule_set)
        if self.only and self.profiles:
            raise UsageError("--profile and --only exclude each other; remove one of them.")
        wanted = named(self.profiles)
        chosen = tuple(
            scenario
            for scenario in catalogue.select(self.only, self.skip)
            if self._can_judge(scenario, rule_set)
            and (not wanted or any(profile.covers(scenario.rule.id) for profile in wanted))
        )
        self._refuse_switched_off(catalogue)
        for selector in self.only:
            _refuse_absent(catalogue.select([selector]), selector, rule_set)
        if not chosen:
            raise UsageError(
                ("--upstream-faults judges the group gateway, but --only and --skip leave none of its rules.")
                if self.gateway
                else "--only and --skip leave no rule to judge."
            )
        ids = {scenario.rule.id for scenario in chosen}
        for group in self.require:
            if ids.isdisjoint(scenario.rule.id for scenario in catalogue.select([group])):
                raise UsageError(f'--require names "{group}", but --only and --skip leave none of its rules.')
        for scenario in chosen:
            bind(scenario)
        return chosen

    def _refuse_switched_off(self, catalogue: Catalogue) -> None:
        """Raise UsageError if rules are named that need another option."""
        if not self.gateway and _names_gateway(catalogue, (*self.only, *self.require)):
            raise UsageError("The rules of the group gateway need --upstream-faults.")
        if not self.fuzz and any(name.partition(".")[0] in GROUPS for name in (*self.only, *self.require)):
            raise UsageError(
                f"The rules of the groups {' and '.join(GROUPS)} need generated requests: add --fuzz "
                "to gonogo check."
            )
        if self.node is None and _is_about_node_alone(catalogue, (*self.only, *self.require)):
            raise UsageError(
                "The rules of clients.openai_node, clients.anthropic_node and clients.ai_sdk need --node-modules DIR, "
                "the folder in which these clients are installed."
            )

    def _can_judge(self, scenario: Scenario, rule_set: str) -> bool:
        """Whether the set has the rule, and the options that it needs are set."""
        return (
            sets.SETS.holds(rule_set, scenario.rule)
            and (self.fuzz or scenario.rule.group not in GROUPS)
            and (self.node is not None or not _is_of_node(scenario))
            and self.gateway is _is_of_gateway(scenario)
        )

    def held(self, report: Report, catalogue: Catalogue) -> Report:
        """The report with the result of each profile, for all models together and for each."""
        rule_set = sets.SETS.named(self.rule_set)
        known = {scenario.rule.id for scenario in catalogue if self._can_judge(scenario, rule_set)}
        return _held(report, frozenset(self.profiles), known)


def _is_about_node_alone(catalogue: Catalogue, selectors: Iterable[str]) -> bool:
    """Whether one of the selectors names only rules about Node clients."""
    return any(all(map(_is_of_node, catalogue.select([selector]))) for selector in selectors)


def _names_gateway(catalogue: Catalogue, selectors: Iterable[str]) -> bool:
    return any(all(map(_is_of_gateway, catalogue.select([selector]))) for selector in selectors)


def _refuse_absent(scenarios: Iterable[Scenario], selector: str, rule_set: str) -> None:
    """Raise UsageError if none of the rules that a selector names is in the set."""
    rules = [scenario.rule for scenario in scenarios]
    if not any(sets.SETS.holds(rule_set, rule) for rule in rules):
        when = ", ".join(
            dict.fromkeys(f"until {rule.until}" if rule.until else f"since {rule.since}" for rule in rules)
        )
        raise UsageError(f'"{selector}" matches no rule of the set {rule_set}: it exists {when}.')


@dataclass(frozen=True, slots=True)
class Waivers:
    """A baseline, and the date against which its entries expire."""

    baseline: Baseline
    today: date


def check(
    approach: Approach,
    selection: Selection,
    catalogue: Catalogue,
    on_done: Callable[[str], None] = lambda _: None,
    waivers: Waivers | None = None,
    stopper: Stopper | None = None,
) -> Report:
    """Send the requests of the selected rules to the target, and judge the answers.

    `on_done` is called with the key of each completed stimulus of the plan, once. With a `stopper` the run can be ended
    from outside; the exchanges collected until then are judged. Raises TargetError if there is nothing to judge,
    UsageError if an option cannot be used, EvidenceError if the evidence file cannot be written, or cannot be read to
    resume it.
    """
    scenarios = selection.scenarios(catalogue)
    if approach.fuzzing is not None and all(scenario.rule.group not in GROUPS for scenario in scenarios):
        raise UsageError(
            f"--fuzz judges the groups {' and '.join(GROUPS)}, but --only and --skip leave none of their "
            "rules."
        )
    began = perf_counter()
    with _replaying(scenarios, selection.node) as replay:
        enough = _enough(approach, scenarios, catalogue, waivers)
        records = asyncio.run(
            collect(approach, plan(scenarios), on_done, replay, enough=enough, stopper=stopper)
        )
        _consult(records, scenarios)
        _hand_on(records, replay)  # including the exchanges that a resumed run had recorded before
        # The replays may still be running; client rules are judged when they have ended.
        others = [s for s in scenarios if not _is_of_clients(s)]
        found = [judge(record, others, catalogue) for record in records]
    of_clients = [s for s in scenarios if _is_of_clients(s)]
    judged = []
    for record, known in zip(records, found, strict=True):
        by_rule = {j.rule.id: j for j in (*known, *judge(record, of_clients, catalogue))}
        judged.append([by_rule[s.rule.id] for s in scenarios])
    report = _report(judged, records, catalogue, selection, waivers)
    return replace(report, seconds=perf_counter() - began)


def judge_again(
    records: Sequence[Record], selection: Selection, catalogue: Catalogue, waivers: Waivers | None = None
) -> Report:
    """Judge stored records, one for each model, by the rules of this version."""
    scenarios = selection.scenarios(catalogue)
    _consult(records, scenarios)
    # Python clients are replayed in this process, when a rule requests an outcome.
    with _replaying([s for s in scenarios if _is_of_node(s)], selection.node) as replay:
        _hand_on(records, replay)
    judged = [judge(record, scenarios, catalogue) for record in records]
    return _report(judged, records, catalogue, selection, waivers)


def _consult(records: Sequence[Record], scenarios: Iterable[Scenario]) -> None:
    """Run Schemathesis' checks on the cases if their rules are selected."""
    if any(scenario.rule.group == OF_SCHEMATHESIS for scenario in scenarios):
        consult(records)


@contextmanager
def _replaying(scenarios: Sequence[Scenario], node: Node | None) -> Iterator[Callable[[Exchange], None]]:
    """Yield a function that submits an exchange to the clients in other processes; at the end all outcomes are known.

    If no client rule is selected, no process is started.
    """
    with ExitStack() as stack:
        lanes = []
        if any(_is_of_clients(scenario) and not _is_of_node(scenario) for scenario in scenarios):
            lanes.append(stack.enter_context(_remembering(stack.enter_context(Beside()))))
        if node is not None and any(map(_is_of_node, scenarios)):
            lanes.append(stack.enter_context(_remembering(stack.enter_context(NodeLane(node)))))

        def submit(exchange: Exchange) -> None:
            for lane in lanes:
                lane(exchange)

        yield submit


def _hand_on(records: Iterable[Record], replay: Callable[[Exchange], None]) -> None:
    for record in records:
        for exchange in record.exchanges:
            replay(exchange)


@contextmanager
def _remembering(replays: Replays) -> Iterator[Callable[[Exchange], None]]:
    """Yield a function that submits an exchange; at the end, wait for the outcomes and keep them."""
    exchanges: dict[str, Exchange] = {}

    def submit(exchange: Exchange) -> None:
        if exchange.id not in exchanges:
            exchanges[exchange.id] = exchange
            replays.submit(exchange)

    yield submit
    outcomes = replays.results()
    for reader, exchange_id in outcomes:
        remember(exchanges[exchange_id], reader, outcomes[reader, exchange_id])


def _is_of_node(scenario: Scenario) -> bool:
    return scenario.rule.id.removeprefix("clients.") in NODE_READERS


def _is_of_gateway(scenario: Scenario) -> bool:
    return scenario.rule.id.startswith(f"{GATEWAY}.")


def _is_of_clients(scenario: Scenario) -> bool:
    return scenario.rule.id.startswith("clients.")


@dataclass(frozen=True, slots=True)
class _Enough:
    """Ends a run once `most` must rules are broken; a rule that several models break counts once."""

    most: int
    scenarios: Sequence[Scenario]
    catalogue: Catalogue
    waivers: Waivers | None
    broken: dict[str | None, set[str]] = field(default_factory=dict)

    def __call__(self, record: Record) -> Because | None:
        """Why the run ends with the record so far; None if it continues."""
        judged = judge(record, self.scenarios, self.catalogue)
        if self.waivers is not None:
            judged, _ = waive(judged, self.waivers.baseline, self.catalogue.ids, self.waivers.today)
        self.broken[record.target.model] = {j.rule.id for j in judged if j.verdict is Verdict.FAIL}
        number = len(set().union(*self.broken.values()))
        return Because(Reason.ENOUGH_BROKEN, {"number": number}) if number >= self.most else None


def _enough(
    approach: Approach, scenarios: Iterable[Scenario], catalogue: Catalogue, waivers: Waivers | None
) -> Callable[[Record], Because | None] | None:
    """None if only the end of the plan ends a run. Client rules are judged at the end, because replays end then."""
    if approach.max_failures is None:
        return None
    return _Enough(approach.max_failures, [s for s in scenarios if not _is_of_clients(s)], catalogue, waivers)


def _report(
    judged: Sequence[Sequence[Judgement]],
    records: Sequence[Record],
    catalogue: Catalogue,
    selection: Selection,
    waivers: Waivers | None,
) -> Report:
    """The report on the judgements of each record; the baseline applies to all of them together."""
    known = [explain(judgements, record) for judgements, record in zip(judged, records, strict=True)]
    problems: list[Problem] = []
    if waivers is not None:
        accept = partial(waive, baseline=waivers.baseline, rules=catalogue.ids, today=waivers.today)
        _, problems = accept(merged([judgements for judgements, _ in known]))
        known = [(accept(judgements)[0], causes) for judgements, causes in known]
    parts = [
        build(
            judgements,
            record,
            strict=selection.strict,
            require=selection.require,
            causes=causes,
            rule_set=sets.SETS.named(selection.rule_set),
        )
        for (judgements, causes), record in zip(known, records, strict=True)
    ]
    return selection.held(together(parts, problems), catalogue)


def _held(report: Report, required: Collection[str], known: Collection[str]) -> Report:
    verdicts = {judgement.rule.id: judgement.verdict for judgement in report.judgements}
    found = tuple(
        profile_result(profile, verdicts, known, required=profile.name in required) for profile in profiles()
    )
    return replace(report, profiles=found, parts=tuple(_held(part, required, known) for part in report.parts))
