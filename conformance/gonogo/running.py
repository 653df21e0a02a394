"""What one does with a target: check it, or judge again what was recorded of it. Nothing is printed."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

from gonogo.baseline import waive
from gonogo.clients.beside import Beside
from gonogo.clients.replaying import remember
from gonogo.collect.collector import Collector, ids_from
from gonogo.collect.greeting import greet
from gonogo.collect.plan import plan
from gonogo.collect.recorder import Recorder
from gonogo.collect.resuming import Held
from gonogo.errors import GonogoError, UsageError
from gonogo.evidence import EvidenceWriter, Record, Target, read
from gonogo.fuzz import fuzz
from gonogo.judge import bind, explain, judge
from gonogo.redaction import redact_fields
from gonogo.report.model import Report, build
from gonogo.stimuli.fuzzed import GROUP
from gonogo.stimuli.life import is_sign_of_life

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date
    from pathlib import Path

    from gonogo.baseline import Baseline, Problem
    from gonogo.collect.plan import Plan
    from gonogo.exchange import Exchange, Request
    from gonogo.fuzz import Fuzzing
    from gonogo.rules import Catalogue, Scenario
    from gonogo.verdict import Because, Judgement


@dataclass(frozen=True, slots=True)
class Approach:
    """How a target is asked.

    `base_url` ends before "/chat/completions". Models that are None are chosen from the target's list.
    `timeout` is the limit of one exchange in seconds, `concurrency` the requests under way at a time.
    `evidence` is the file that keeps what is recorded, while it is recorded. `fuzzing` is how generated requests
    follow those of the rules, if they do. `extra_body` holds fields that are added to the body of every generation.
    `resume` is whether the file of evidence is gone on with: what reached the target is not sent again.
    """

    base_url: str
    api_key: str | None = None
    model: str | None = None
    embedding_model: str | None = None
    concurrency: int = 8
    timeout: float = 60.0
    evidence: Path | None = None
    fuzzing: Fuzzing | None = None
    extra_body: Mapping[str, object] = field(default_factory=dict)
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rules are judged; whether warnings, and refusals in which groups, break the gate too.

    Rules about generated requests are among them where `fuzz` is true.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    strict: bool = False
    fuzz: bool = False

    def scenarios(self, catalogue: Catalogue) -> tuple[Scenario, ...]:
        """The rules, their checks known to exist.

        Raises UsageError for a selector that fits no rule, and for a required group that is left out.
        """
        chosen = tuple(
            scenario
            for scenario in catalogue.select(self.only, self.skip)
            if self.fuzz or scenario.rule.group != GROUP
        )
        if not self.fuzz and any(name.partition(".")[0] == GROUP for name in (*self.only, *self.require)):
            raise UsageError(
                f"The rules of {GROUP} are about generated requests: add --fuzz to gonogo check."
            )
        if not chosen:
            raise UsageError("--only and --skip leave no rule to judge.")
        ids = {scenario.rule.id for scenario in chosen}
        for group in self.require:
            if ids.isdisjoint(scenario.rule.id for scenario in catalogue.select([group])):
                raise UsageError(f'--require asks for "{group}", of which --only and --skip leave no rule.')
        for scenario in chosen:
            bind(scenario)
        return chosen


@dataclass(frozen=True, slots=True)
class Waivers:
    """A baseline, and the day on which its entries hold or do not."""

    baseline: Baseline
    today: date


def check(
    approach: Approach,
    selection: Selection,
    catalogue: Catalogue,
    on_done: Callable[[], None] = lambda: None,
    waivers: Waivers | None = None,
) -> Report:
    """Ask the target everything that the selected rules look at, and judge the answers.

    `on_done` is called once for each stimulus of the plan that is done with. Raises TargetError where there
    is nothing to judge, UsageError where an option cannot be obeyed, EvidenceError where the evidence file
    cannot be written, or read where it is gone on with.
    """
    scenarios = selection.scenarios(catalogue)
    if approach.fuzzing is not None and all(scenario.rule.group != GROUP for scenario in scenarios):
        raise UsageError(f"--fuzz is given, and --only and --skip leave no rule of {GROUP}.")
    began = perf_counter()
    with _replaying(scenarios) as replay:
        record = asyncio.run(collect(approach, plan(scenarios), on_done, replay))
        # The clients may still be reading; their rules are judged when they are done.
        found = judge(record, [s for s in scenarios if not _is_of_clients(s)], catalogue)
    found += judge(record, [s for s in scenarios if _is_of_clients(s)], catalogue)
    by_rule = {judgement.rule.id: judgement for judgement in found}
    report = _report([by_rule[s.rule.id] for s in scenarios], record, catalogue, selection, waivers)
    return replace(report, seconds=perf_counter() - began)


def judge_again(
    record: Record, selection: Selection, catalogue: Catalogue, waivers: Waivers | None = None
) -> Report:
    """Judge a record that was stored, by the rules of this version."""
    judgements = judge(record, selection.scenarios(catalogue), catalogue)
    return _report(judgements, record, catalogue, selection, waivers)


@contextmanager
def _replaying(scenarios: Iterable[Scenario]) -> Iterator[Callable[[Exchange], None]]:
    """What hands each exchange to the clients, in a process beside this one; at the end their outcomes are known.

    Where no rule of the clients was chosen, nothing is handed on and no process started.
    """
    if not any(map(_is_of_clients, scenarios)):
        yield lambda _: None
        return
    exchanges: dict[str, Exchange] = {}
    with Beside() as beside:

        def submit(exchange: Exchange) -> None:
            exchanges[exchange.id] = exchange
            beside.submit(exchange)

        yield submit
        outcomes = beside.results()
        for reader, exchange_id in outcomes:
            remember(exchanges[exchange_id], reader, outcomes[reader, exchange_id])


def _is_of_clients(scenario: Scenario) -> bool:
    return scenario.rule.id.startswith("clients.")


async def collect(
    approach: Approach,
    asked: Plan,
    on_done: Callable[[], None] = lambda: None,
    on_exchange: Callable[[Exchange], None] = lambda _: None,
) -> Record:
    """Record the answers to a plan; the two requests of the greeting are in the record too.

    `on_exchange` is called with each exchange once it is recorded. Raises as `check` does.
    """
    held = _held(approach)
    extra_body = redact_fields(approach.extra_body, approach.api_key)
    if held is not None:
        held.refuse_other(_named(approach, held.record.target), extra_body)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    async with Recorder(approach.base_url, api_key=approach.api_key, timeout=approach.timeout) as recorder:
        greeting = _Remembering(recorder, ids_from("g", 1) if held is None else held.ids("g"))
        subject = await greet(
            greeting,
            base_url=approach.base_url,
            model=approach.model,
            embedding_model=approach.embedding_model,
            has_key=approach.api_key is not None,
            extra=approach.extra_body,
        )
        target = Target(approach.base_url, subject.model, subject.embedding_model)
        if held is None:
            held = Held(Record(target, started, (), extra_body=extra_body))
        held.refuse_other(target, extra_body)
        with _writer(approach, held.record) as writer:
            kept = _Kept(
                writer, on_done, on_exchange, list(held.record.exchanges), done_with=set(held.exchanges)
            )
            for exchange in greeting.exchanges:
                kept.keep(exchange)
            try:
                collector = Collector(
                    recorder, subject, kept, approach.concurrency, known=held.exchanges, ids=held.ids("x")
                )
                _skip_known(asked, collector, on_done)
                await collector.run(asked)
                if approach.fuzzing is not None:
                    await fuzz(collector, approach.fuzzing)
            except ExceptionGroup as group:  # of the requests under way; one sentence is enough
                raise _told(group) from group
    return replace(held.record, exchanges=tuple(kept.exchanges), unsent=kept.reasons)


def _held(approach: Approach) -> Held | None:
    """What the evidence file holds already, where it is gone on with."""
    if not approach.resume:
        return None
    if approach.evidence is None:
        raise UsageError("--resume goes on with a file: name it with --evidence.")
    return Held.of(read(approach.evidence))


def _named(approach: Approach, known: Target) -> Target:
    """The target as the options name it; models that they leave open are those that are known."""
    return Target(
        approach.base_url, approach.model or known.model, approach.embedding_model or known.embedding_model
    )


def _skip_known(asked: Plan, collector: Collector, on_done: Callable[[], None]) -> None:
    for stimulus in asked.stimuli:
        if stimulus.key in collector.known:
            on_done()


def _told(group: ExceptionGroup) -> Exception:
    """The first error that has a sentence for the user, else the group itself, which is a mistake of ours."""
    known: Exception | None = group.subgroup(GonogoError)
    while isinstance(known, ExceptionGroup):
        known = known.exceptions[0]
    return group if known is None else known


@dataclass
class _Remembering:
    """A recorder that keeps what it recorded, under ids of its own."""

    recorder: Recorder
    ids: Iterator[str]
    exchanges: list[Exchange] = field(default_factory=list)

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002, ARG002 - its name
        exchange = await self.recorder.record(request, id=next(self.ids), stimulus=stimulus)
        self.exchanges.append(exchange)
        return exchange


@dataclass
class _Kept:
    """The sink of a run: keeps everything for the judge, and in the evidence file, if there is one.

    A stimulus that is asked for again is done with once.
    """

    writer: EvidenceWriter | None
    on_done: Callable[[], None]
    on_exchange: Callable[[Exchange], None]
    exchanges: list[Exchange] = field(default_factory=list)
    reasons: dict[str, Because] = field(default_factory=dict)
    done_with: set[str] = field(default_factory=set)

    def keep(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.on_exchange(exchange)
        if self.writer is not None:
            self.writer.exchange(exchange)

    def exchange(self, exchange: Exchange) -> None:
        self.keep(exchange)
        if exchange.stimulus not in self.done_with and not is_sign_of_life(exchange.stimulus):
            self.done_with.add(exchange.stimulus)
            self.on_done()

    def unsent(self, key: str, because: Because) -> None:
        self.reasons[key] = because
        if self.writer is not None:
            self.writer.unsent(key, because)
        self.on_done()


def _writer(approach: Approach, begun: Record) -> AbstractContextManager[EvidenceWriter | None]:
    if approach.evidence is None:
        return nullcontext()
    if approach.resume:
        return EvidenceWriter.go_on(approach.evidence, begun, key=approach.api_key)
    return EvidenceWriter(
        approach.evidence, begun.target, begun.started, key=approach.api_key, extra_body=begun.extra_body
    )


def _report(
    judged: Sequence[Judgement],
    record: Record,
    catalogue: Catalogue,
    selection: Selection,
    waivers: Waivers | None,
) -> Report:
    judgements, causes = explain(judged, record)
    problems: list[Problem] = []
    if waivers is not None:
        judgements, problems = waive(judgements, waivers.baseline, catalogue.ids, waivers.today)
    return build(
        judgements,
        record,
        strict=selection.strict,
        require=selection.require,
        problems=problems,
        causes=causes,
    )
