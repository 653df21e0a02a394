"""A recorder that answers from a script, in this process, and a sink that keeps what a collector records."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonogo.collect.collector import Collector
from gonogo.collect.plan import Plan
from gonogo.exchange import Chunk, Exchange, Failure, FailureKind, Request
from gonogo.stimuli.stimulus import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gonogo.stimuli.stimulus import Stimulus
    from gonogo.verdict import Because

GONE = Failure(FailureKind.CONNECT, 0.0, "Connection refused")


@dataclass(frozen=True)
class Says:
    """A scripted answer: a status and a body, or a failure."""

    status: int | None = 200
    body: Any = None
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    failure: Failure | None = None


@dataclass
class ScriptedRecorder:
    """Answers by calling `script` with the stimulus key; counts the parallel requests."""

    script: Callable[[str], Says] = lambda _: Says()
    keys: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    @property
    def sent(self) -> list[tuple[str, Request]]:
        """The requests so far, each with its key."""
        return list(zip(self.keys, self.requests, strict=True))

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
        self.keys.append(stimulus)
        self.requests.append(request)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)  # let the others begin
        self.under_way -= 1
        says = self.script(stimulus)
        data = says.body if isinstance(says.body, bytes) else json.dumps(says.body or {}).encode()
        chunks = (Chunk(0.0, data),) if says.failure is None else ()
        headers = says.headers if says.status is not None else ()
        return Exchange(id, stimulus, request, says.status, headers, chunks, says.failure, 0.0)


@dataclass
class Kept:
    """A sink that keeps everything."""

    exchanges: list[Exchange] = field(default_factory=list)
    reasons: dict[str, Because] = field(default_factory=dict)

    def exchange(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def unsent(self, key: str, because: Because) -> None:
        self.reasons[key] = because

    def stimuli(self) -> list[str]:
        return [exchange.stimulus for exchange in self.exchanges]


def in_turn(answers: Iterable[Says], then: Says = Says()) -> Callable[[str], Says]:
    """One answer after the other, whatever is requested, and `then` for the rest."""
    left = iter(answers)
    return lambda _: next(left, then)


def collect(
    recorder: ScriptedRecorder, *stimuli: Stimulus, concurrency: int = 8
) -> tuple[Kept, Collector, list[float]]:
    """Collect the answers to requests: the sink, the collector, and the seconds that it waited."""
    kept, waits = Kept(), []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    collector = Collector(recorder, Subject("m"), kept, concurrency, sleep)
    asyncio.run(asyncio.wait_for(collector.run(Plan(stimuli)), 30))
    return kept, collector, waits
