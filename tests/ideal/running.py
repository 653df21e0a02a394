"""A run against the ideal target: all requests of the rules, answered in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonogo.collect.collector import Collector
from gonogo.collect.greeting import greet
from gonogo.collect.plan import plan
from gonogo.evidence import Record, Target
from ideal.target import IdealTarget

if TYPE_CHECKING:
    from gonogo.collect.roles import Recorder
    from gonogo.exchange import Exchange
    from gonogo.rules import Catalogue
    from gonogo.verdict import Because

BASE_URL = "http://ideal.invalid/v1"


@dataclass
class _Memory:
    """A sink that keeps everything."""

    exchanges: list[Exchange] = field(default_factory=list)
    reasons: dict[str, Because] = field(default_factory=dict)

    def exchange(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def unsent(self, key: str, because: Because) -> None:
        self.reasons[key] = because


async def record_run(
    catalogue: Catalogue,
    recorder: Recorder | None = None,
    *,
    model: str | None = None,
    embedding_model: str | None = None,
) -> Record:
    """The record of a whole run against the recorder, a new ideal target if none is given."""
    target = recorder or IdealTarget()
    subject = await greet(target, base_url=BASE_URL, model=model, embedding_model=embedding_model)
    memory = _Memory()
    await Collector(target, subject, memory).run(plan(catalogue))
    return Record(
        Target(BASE_URL, subject.model, subject.embedding_model),
        "2026-01-01T00:00:00+00:00",
        tuple(memory.exchanges),
        memory.reasons,
    )
