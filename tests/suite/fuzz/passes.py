"""A fuzz pass over a target in memory: the ideal one, or a broken variant of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from gonogo.collect.collector import Collector
from gonogo.collect.plan import plan
from gonogo.evidence import Record, Target
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.fuzz import Fuzzing, fuzz
from gonogo.fuzz.consulting import consult
from gonogo.judge import judge
from gonogo.rules import load
from gonogo.stimuli.fuzzed import GROUPS, case
from gonogo.stimuli.stimulus import Subject
from gonogo.verdict import Verdict
from ideal.target import IdealTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.fuzz import Budget
    from gonogo.fuzz.campaign import Source
    from gonogo.verdict import Because, Judgement

Change = Callable[[Request, Exchange], Exchange]
SUBJECT = Subject("ideal", "org/ideal-embedder")
RULES = {
    "no_server_error", "answered", "envelope", "response", "stream", "invalid_refused", "valid_accepted", "method",
}  # fmt: skip
"""The rules about generated requests, by the last part of their ids."""


@dataclass
class Memory:
    """A sink that keeps everything."""

    exchanges: list[Exchange] = field(default_factory=list)
    reasons: dict[str, Because] = field(default_factory=dict)

    def exchange(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def unsent(self, key: str, because: Because) -> None:
        self.reasons[key] = because


@dataclass
class Broken:
    """The ideal target with changed answers."""

    change: Change
    ideal: IdealTarget = field(default_factory=IdealTarget)

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
        return self.change(request, await self.ideal.record(request, id=id, stimulus=stimulus))


def answer(exchange: Exchange, status: int, body: str, content_type: str = "application/json") -> Exchange:
    """The exchange with another answer."""
    headers = (("content-type", content_type),)
    return replace(exchange, status=status, headers=headers, chunks=(Chunk(0.1, body.encode()),))


def fields(request: Request) -> dict[str, object]:
    """The fields of a request's body; empty if it is not an object."""
    body = request.json
    return body if isinstance(body, dict) else {}


@dataclass(frozen=True)
class Pass:
    """A judged fuzz pass."""

    record: Record
    group: str = "robustness"

    def of_schemathesis(self) -> Pass:
        """The same pass, judged by the rules `fuzz.*` with Schemathesis."""
        consult([self.record])
        return replace(self, group="fuzz")

    @cached_property
    def judgements(self) -> dict[str, Judgement]:
        """The judgements by the last part of their ids."""
        catalogue = load(fuzz=True)
        found = judge(self.record, catalogue.select([self.group]), catalogue)
        return {judgement.rule.id.rpartition(".")[2]: judgement for judgement in found}

    @property
    def turned(self) -> dict[str, Verdict]:
        """The rules that did not pass."""
        return {
            name: found.verdict for name, found in self.judgements.items() if found.verdict != Verdict.PASS
        }

    @property
    def cases(self) -> list[Exchange]:
        """The exchanges of generated requests."""
        return [exchange for exchange in self.record.exchanges if case(exchange.stimulus)]

    def shown(self, name: str) -> list[Exchange]:
        """The exchanges that a judgement shows, in its order."""
        by_id = {exchange.id: exchange for exchange in self.record.exchanges}
        return [by_id[piece.exchange] for piece in self.judgements[name].evidence]


def all_of_schemathesis(passes: Mapping[str, Pass]) -> dict[str, Pass]:
    """The same passes, judged by the rules `fuzz.*` in one process, which takes longer to start than to check."""
    told_apart = {
        name: replace(found, record=_told_apart(found.record, name)) for name, found in passes.items()
    }
    consult(found.record for found in told_apart.values())
    return {name: replace(found, group="fuzz") for name, found in told_apart.items()}


def _told_apart(record: Record, name: str) -> Record:
    """The record with unique ids."""
    named = (replace(exchange, id=f"{exchange.id} {name}") for exchange in record.exchanges)
    return replace(record, exchanges=tuple(named))


def run_pass(change: Change, budget: Budget, source: Source) -> Pass:
    """Fuzz the ideal target, with this change, with the cases of the source."""
    return Pass(asyncio.run(_record(Broken(change), Fuzzing(0, budget), source)))


async def _record(target: Broken, what: Fuzzing, source: Source) -> Record:
    memory = Memory()
    collector = Collector(target, SUBJECT, memory)
    await collector.run(plan(load(fuzz=True).select(GROUPS)))
    await fuzz(collector, what, source)
    named = Target("http://target.invalid/v1", SUBJECT.model, SUBJECT.embedding_model)
    return Record(named, "2026-01-01T00:00:00+00:00", tuple(memory.exchanges), memory.reasons)


def accepted(exchange: Exchange) -> bool:
    """Whether it was answered with 200."""
    return exchange.status == 200


def beyond_bmp(request: Request, exchange: Exchange) -> Exchange:
    """A server that fails on characters that need two UTF-16 units."""
    fails = accepted(exchange) and any(character > "\uffff" for character in request.body.decode())
    return answer(exchange, 500, "Internal Server Error", "text/plain") if fails else exchange
