"""Send a plan and record what comes back.

Harmless stimuli go side by side, then those that must be alone, then hostile ones in batches with a sign of life
after each, then the ones known to stop servers: the first by itself, as most die of that one, and where the target
lives through it the rest in batches too. Once the target no longer answers, nothing more is sent: what is left is noted
with the batch that was the last before it. Any request of a batch may be the one that stopped the target; with one
request at a time a batch is one request, and the one is named.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Protocol

from gonogo.exchange import FailureKind
from gonogo.stimuli.life import baselines, sign_of_life
from gonogo.stimuli.stimulus import NotPossible, Risk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from gonogo.collect.plan import Plan
    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.stimulus import Stimulus, Subject

TRIES = 4
LONGEST_WAIT = 30.0
FIRST_WAIT = 0.5
"""Seconds after a 503 that says nothing of time, doubled each time, as openai-python does."""


class Recorder(Protocol):
    """Whatever turns a request into an exchange, and never raises for what the target does."""

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - the field's name
        """Send the request and record the answer."""


class Sink(Protocol):
    """Where a collector puts what it finds, as it finds it."""

    def exchange(self, exchange: Exchange) -> None:
        """Take a recorded exchange."""

    def unsent(self, key: str, reason: str) -> None:
        """Take the key of a stimulus that was not sent, with the reason as a sentence."""


@dataclass
class Collector:
    """Runs one plan against one subject; `concurrency` requests at a time, `sleep` obeys Retry-After.

    `known` holds exchanges of an earlier run, by the key of their stimulus: they are not sent again, and serve
    those that need them. `ids` names the new ones.
    """

    recorder: Recorder
    subject: Subject
    sink: Sink
    concurrency: int = 8
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    known: Mapping[str, Exchange] = field(default_factory=dict)
    ids: Iterator[str] = field(default_factory=lambda: ids_from("x", 1))
    throttled: int = 0
    _answers: dict[str, Exchange] = field(init=False)
    _lost: str | None = None

    def __post_init__(self) -> None:
        """Begin with what is known."""
        self._answers = dict(self.known)

    async def run(self, plan: Plan) -> None:
        """Send what is not known; returns when each such stimulus is in the sink as an exchange or as unsent."""
        plan = replace(plan, stimuli=self._unknown(plan.stimuli))
        numbered = {stimulus.key: next(self.ids) for stimulus in plan.stimuli}
        for risk in Risk:
            for batch in self._batches(risk, plan.stage(risk)):
                await self._batch(batch, numbered, watched=risk is not Risk.HARMLESS)
            for stimulus in plan.stage(risk, alone=True):
                await self._batch((stimulus,), numbered, watched=risk is not Risk.HARMLESS)

    async def volley(self, stimuli: Sequence[Stimulus]) -> list[Exchange]:
        """Send some more side by side, then ask for a sign of life; their exchanges, in the same order.

        Those that are known are not sent, and their exchanges among the rest.
        There are fewer than stimuli where the target no longer answers; the rest is in the sink as unsent.
        """
        new = self._unknown(stimuli)
        await self._batch(new, {stimulus.key: next(self.ids) for stimulus in new}, watched=True)
        found = (self._answers.get(stimulus.key) for stimulus in stimuli)
        return [exchange for exchange in found if exchange is not None]

    def _unknown(self, stimuli: Iterable[Stimulus]) -> tuple[Stimulus, ...]:
        return tuple(stimulus for stimulus in stimuli if stimulus.key not in self.known)

    def _batches(self, risk: Risk, stimuli: Sequence[Stimulus]) -> Iterator[Sequence[Stimulus]]:
        """What is sent before a sign of life is asked for, if it is; a batch waits for its slowest answer."""
        if risk is Risk.HARMLESS:
            yield stimuli
            return
        # A sign of life costs the time of one answer, in which nothing else is sent: so one for two rounds.
        size = 1 if self.concurrency == 1 else 2 * self.concurrency
        first = 1 if risk is Risk.DEADLY else size
        yield stimuli[:first]
        yield from (stimuli[start : start + size] for start in range(first, len(stimuli), size))

    async def _batch(self, stimuli: Sequence[Stimulus], numbered: dict[str, str], *, watched: bool) -> None:
        """Send a batch side by side, each stimulus after those of the batch that it needs."""
        limit = asyncio.Semaphore(self.concurrency)
        ready = {stimulus.key: asyncio.Event() for stimulus in stimuli}

        async def send(stimulus: Stimulus) -> None:
            for need in stimulus.needs:
                if need.key in ready:
                    await ready[need.key].wait()
            async with limit:
                await self._send(stimulus, numbered[stimulus.key])
            ready[stimulus.key].set()

        async with asyncio.TaskGroup() as group:
            for stimulus in stimuli:
                group.create_task(send(stimulus))
        if watched and self._lost is None:
            await self._watch(stimuli, numbered)

    async def _send(self, stimulus: Stimulus, exchange_id: str) -> None:
        if self._lost is not None:
            self.sink.unsent(stimulus.key, self._lost)
            return
        try:
            request = self._request(stimulus)
        except NotPossible as reason:
            self.sink.unsent(stimulus.key, str(reason))
            return
        exchange = await self._patiently(request, exchange_id, stimulus.key)
        self._answers[stimulus.key] = exchange
        self.sink.exchange(exchange)

    def _request(self, stimulus: Stimulus) -> Request:
        missing = next((need for need in stimulus.needs if need.key not in self._answers), None)
        if missing is not None:
            raise NotPossible(f"it needs the answer to {missing.key}, which is not there")
        return stimulus.build(self.subject, self._answers)

    async def _patiently(self, request: Request, exchange_id: str, key: str) -> Exchange:
        """Record, and again after the wait that a 429 or 503 asks for, or that the official SDKs would take."""
        exchange = await self.recorder.record(request, id=exchange_id, stimulus=key)
        for tried in range(TRIES - 1):
            wait = _asked_to_wait(exchange)
            if wait is None and exchange.status == 503:
                wait = FIRST_WAIT * 2**tried
            if wait is None:
                break
            self.throttled += 1
            await self.sleep(wait)
            exchange = await self.recorder.record(request, id=exchange_id, stimulus=key)
        return exchange

    async def _watch(self, batch: Sequence[Stimulus], numbered: dict[str, str]) -> None:
        """Ask for a sign of life; without one the target is lost, and the batch is why."""
        known = self._baseline()
        sent = [stimulus.key for stimulus in batch if stimulus.key in self._answers]
        sent = [key for key in sent if not found_nobody(self._answers[key])] or sent
        if known is None or not sent:
            return
        stimulus = sign_of_life(known, sent)
        await self._send(stimulus, next(self.ids))
        exchange = self._answers[stimulus.key]
        if exchange.failure is not None or not (_accepted(exchange) or _is_busy(exchange)):
            self._lost = (
                f"the target no longer answered after {self._suspects(sent, numbered)}, so this was not sent; "
                "restart it and add --resume"
            )

    def _suspects(self, sent: Sequence[str], numbered: dict[str, str]) -> str:
        """The ids of those that may be why; who was turned away with 503 did nothing, and is not."""
        read = [key for key in sent if self._answers[key].status != 503]
        doubt = "any of them may be why: --concurrency 1 names the one" if len(read) > 1 else ""
        if not read:
            doubt = "turned away with 503 too, so something before may be why"
        ids = ", ".join(numbered[key] for key in read or sent)
        return f"{ids} ({doubt})" if doubt else ids

    def _baseline(self) -> Stimulus | None:
        """The stimulus of a request that was answered well before: a chat completion, if it does those."""
        return next(
            (
                stimulus
                for stimulus in baselines()
                if stimulus.key in self._answers and _accepted(self._answers[stimulus.key])
            ),
            None,
        )


def ids_from(letter: str, first: int) -> Iterator[str]:
    """Ids of exchanges: "x1", "x2", and so on."""
    return (f"{letter}{number}" for number in count(first))


def found_nobody(exchange: Exchange) -> bool:
    """Whether the request never reached the target, so that it tells nothing and did nothing."""
    return exchange.failure is not None and exchange.failure.kind is FailureKind.CONNECT


def _accepted(exchange: Exchange) -> bool:
    return exchange.status is not None and 200 <= exchange.status < 300


def _is_busy(exchange: Exchange) -> bool:
    """Whether somebody is there who has no time: 429, or 503 that says for how long."""
    return exchange.status == 429 or (exchange.status == 503 and exchange.header("retry-after") is not None)


def _asked_to_wait(exchange: Exchange) -> float | None:
    """Seconds that a 429 or 503 asks to wait, at most 30; None where it asks for nothing."""
    if exchange.status not in {429, 503}:
        return None
    try:
        seconds = float(exchange.header("retry-after") or "")
    except ValueError:
        return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_WAIT)
