"""A run with several models: each has its turn, and requests about the endpoint are sent in the first one.

A run for one model is one turn.
"""

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
    """The sink of a turn: keeps everything for the judge, and in the evidence file, if there is one.

    `model` is whose turn it is where there are several, and `is_shared` tells of the key of a stimulus, with the
    exchanges so far, whether it is sent for all of them. A stimulus that is asked for again is done with once.
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
        """The record with all that was kept."""
        return replace(record, exchanges=tuple(self.exchanges), unsent=self.reasons)

    def keep(self, exchange: Exchange) -> None:
        """Keep an exchange as it is."""
        self.exchanges.append(exchange)
        self.on_exchange(exchange)
        if self.writer is not None:
            self.writer.exchange(exchange)

    def exchange(self, exchange: Exchange) -> None:
        """Keep an exchange, as that of the model unless it speaks for all."""
        answers = {kept.stimulus: kept for kept in self.exchanges}
        own = self.model is not None and not self.is_shared(exchange.stimulus, answers)
        self.keep(replace(exchange, model=self.model) if own else exchange)
        if not is_sign_of_life(exchange.stimulus):
            self.done(exchange.stimulus)

    def unsent(self, key: str, because: Because) -> None:
        """Keep that a stimulus was not sent, and why."""
        self.reasons[key] = because
        if self.writer is not None:
            self.writer.unsent(key, because, self.model)
        self.done(key)

    def done(self, key: str) -> None:
        """Tell once that a stimulus is done with."""
        if key not in self.done_with:
            self.done_with.add(key)
            self.on_done(key)


@dataclass(frozen=True, slots=True)
class Turn:
    """One model's part of a run: what sends, and what keeps."""

    collector: Collector
    kept: Kept

    @property
    def subject(self) -> Subject:
        """Who is asked."""
        return self.collector.subject

    def take_over(self, exchanges: Iterable[Exchange]) -> None:
        """Take what other turns asked and speaks of the endpoint; it is in the file of evidence already."""
        known = {exchange.id for exchange in self.kept.exchanges}
        new = [exchange for exchange in exchanges if exchange.model is None and exchange.id not in known]
        self.kept.exchanges += new
        self.collector.learn(new)

    async def is_there(self, greeting: Recorder) -> bool:
        """Whether the target still answers for this model after another turn lost it."""
        chat = await first_chat(greeting, self.subject)
        self.kept.keep(replace(chat, model=self.kept.model))
        return lives(chat)

    def give_up(self, asked: Plan, because: Because) -> None:
        """Note all of the plan that nothing was heard of as unsent."""
        self.collector.give_up(asked.stimuli, because)


@dataclass(frozen=True)
class Turns:
    """The turns of a run, in their order; `greeting` is what records first chats."""

    turns: Sequence[Turn]
    greeting: Recorder

    def greeted(self, exchanges: Iterable[Exchange]) -> None:
        """Keep the exchanges of the greeting: each first chat for the turn of its model, the rest for all."""
        for exchange in exchanges:
            of_one = exchange.stimulus == GREETED and len(self.turns) > 1
            model = exchange.request.fields.get("model") if of_one else None
            first, *others = [turn for turn in self.turns if model in (None, turn.subject.model)]
            first.kept.keep(replace(exchange, model=model))
            for turn in others:
                turn.take_over([exchange])

    async def run(self, send: Callable[[Turn], Awaitable[None]], asked: Plan) -> None:
        """Run each turn as long as the target answers and no turn ended the run."""
        ended: Because | None = None
        for turn in self._begun(asked):
            back = {*LOST, Reason.TARGET_GONE}
            if ended is not None and not (ended.reason in back and await turn.is_there(self.greeting)):
                turn.give_up(asked, ended)
                continue
            await send(turn)
            ended = turn.collector.ended

    def give_up(self, asked: Plan, because: Because) -> None:
        """End all turns, begun or not, for this reason."""
        for turn in self._begun(asked):
            turn.give_up(asked, because)

    def _begun(self, asked: Plan) -> Iterator[Turn]:
        """Each turn with what the one before it asked for all, which is done with."""
        before: Turn | None = None
        for turn in self.turns:
            if before is not None:
                turn.take_over(before.kept.exchanges)
            for stimulus in asked.stimuli:
                if stimulus.key in turn.collector.known:
                    turn.kept.done(stimulus.key)
            yield turn
            before = turn


def sharing(asked: Plan, subjects: Sequence[Subject]) -> Shared:
    """What tells of the key of a stimulus whether it is sent once for all these subjects."""
    stimuli = {stimulus.key: stimulus for stimulus in asked.stimuli}

    def shared(key: str, answers: Mapping[str, Exchange]) -> bool:
        return key in stimuli and is_shared(stimuli[key], subjects, answers)

    return shared
