"""A run with several models: one model run each; requests about the endpoint are sent in the first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gonogo.collect.answers import lives
from gonogo.collect.greeting import GREETED, first_chat
from gonogo.collect.sharing import is_shared
from gonogo.reasons import LOST, Reason
from gonogo.stimuli.life import is_sign_of_life

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from gonogo.collect.collector import Collector
    from gonogo.collect.plan import Plan
    from gonogo.collect.roles import Recorder
    from gonogo.evidence import EvidenceWriter, Record
    from gonogo.exchange import Exchange
    from gonogo.stimuli.stimulus import Subject
    from gonogo.verdict import Because

    Shared = Callable[[str, Mapping[str, Exchange]], bool]


@dataclass
class Kept:
    """The sink of a run: keeps everything for the judge, and in the evidence file, if there is one.

    `model` is the model of this run if there are several. `is_shared` takes the key of a stimulus and the exchanges so
    far, and returns whether it is sent once for all models. A stimulus that is requested again is reported as done
    once.
    """

    writer: EvidenceWriter | None
    on_done: Callable[[str], None]
    on_exchange: Callable[[Exchange], None]
    model: str | None = None
    is_shared: Shared = lambda *_: True
    exchanges: list[Exchange] = field(default_factory=list)
    reasons: dict[str, Because] = field(default_factory=dict)
    done_with: set[str] = field(default_factory=set)

    def added_to(self, record: Record) -> Record:
        """The record with everything that was kept."""
        return replace(record, exchanges=tuple(self.exchanges), unsent=self.reasons)

    def keep(self, exchange: Exchange) -> None:
        """Keep an exchange unchanged."""
        self.exchanges.append(exchange)
        self.on_exchange(exchange)
        if self.writer is not None:
            self.writer.exchange(exchange)

    def exchange(self, exchange: Exchange) -> None:
        """Keep an exchange, as one of this model unless it applies to all."""
        answers = {kept.stimulus: kept for kept in self.exchanges}
        own = self.model is not None and not self.is_shared(exchange.stimulus, answers)
        self.keep(replace(exchange, model=self.model) if own else exchange)
        if not is_sign_of_life(exchange.stimulus):
            self.done(exchange.stimulus)

    def unsent(self, key: str, because: Because) -> None:
        """Record that a stimulus was not sent, and why."""
        self.reasons[key] = because
        if self.writer is not None:
            self.writer.unsent(key, because, self.model)
        self.done(key)

    def done(self, key: str) -> None:
        """Report once that a stimulus is done."""
        if key not in self.done_with:
            self.done_with.add(key)
            self.on_done(key)


@dataclass(frozen=True, slots=True)
class ModelRun:
    """The run of one model: its collector and its sink."""

    collector: Collector
    kept: Kept

    @property
    def subject(self) -> Subject:
        """The subject that is requested."""
        return self.collector.subject

    def take_over(self, exchanges: Iterable[Exchange]) -> None:
        """Reuse the endpoint exchanges of other model runs; they are in the evidence file already."""
        known = {exchange.id for exchange in self.kept.exchanges}
        new = [exchange for exchange in exchanges if exchange.model is None and exchange.id not in known]
        self.kept.exchanges += new
        self.collector.learn(new)

    async def is_there(self, greeting: Recorder) -> bool:
        """Whether the target still answers for this model after another model run lost it."""
        chat = await first_chat(greeting, self.subject)
        self.kept.keep(replace(chat, model=self.kept.model))
        return lives(chat)

    def give_up(self, asked: Plan, because: Because) -> None:
        """Record every stimulus of the plan without an exchange as unsent."""
        self.collector.give_up(asked.stimuli, because)


@dataclass(frozen=True)
class ModelRuns:
    """The model runs of a run, in their order; `greeting` records first chats."""

    runs: Sequence[ModelRun]
    greeting: Recorder

    def greeted(self, exchanges: Iterable[Exchange]) -> None:
        """Keep the exchanges of the greeting: each first chat for its model, the rest for all models."""
        for exchange in exchanges:
            of_one = exchange.stimulus == GREETED and len(self.runs) > 1
            model = exchange.request.fields.get("model") if of_one else None
            first, *others = [run for run in self.runs if model in (None, run.subject.model)]
            first.kept.keep(replace(exchange, model=model))
            for run in others:
                run.take_over([exchange])

    async def run(self, send: Callable[[ModelRun], Awaitable[None]], asked: Plan) -> None:
        """Run each model while the target answers and the run has not ended."""
        ended: Because | None = None
        for run in self._begun(asked):
            back = {*LOST, Reason.TARGET_GONE}
            if ended is not None and not (ended.reason in back and await run.is_there(self.greeting)):
                run.give_up(asked, ended)
                continue
            await send(run)
            ended = run.collector.ended

    def give_up(self, asked: Plan, because: Because) -> None:
        """End all model runs, started or not, for this reason."""
        for run in self._begun(asked):
            run.give_up(asked, because)

    def _begun(self, asked: Plan) -> Iterator[ModelRun]:
        """Each model run, with the shared exchanges of the runs before it."""
        before: ModelRun | None = None
        for run in self.runs:
            if before is not None:
                run.take_over(before.kept.exchanges)
            for stimulus in asked.stimuli:
                if stimulus.key in run.collector.known:
                    run.kept.done(stimulus.key)
            yield run
            before = run


def sharing(asked: Plan, subjects: Sequence[Subject]) -> Shared:
    """A function that returns whether the stimulus with a key is sent once for all these subjects."""
    stimuli = {stimulus.key: stimulus for stimulus in asked.stimuli}

    def shared(key: str, answers: Mapping[str, Exchange]) -> bool:
        return key in stimuli and is_shared(stimuli[key], subjects, answers)

    return shared
