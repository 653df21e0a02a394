"""Asking a target everything in a plan, and recording what it answers. Nothing is judged or printed."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from gonogo.addresses import shown
from gonogo.collect.collector import Collector, ids_from
from gonogo.collect.greeting import greet
from gonogo.collect.pace import Paced
from gonogo.collect.recorder import Recorder
from gonogo.collect.resuming import Held
from gonogo.collect.stopping import Stopper
from gonogo.collect.trust import trust
from gonogo.errors import GonogoError, TargetError, UsageError
from gonogo.evidence import EvidenceWriter, Record, Target, read
from gonogo.fuzz import fuzz
from gonogo.reasons import Reason
from gonogo.redaction import looks_secret, redact_fields
from gonogo.stimuli.fuzzed import rest
from gonogo.stimuli.life import is_sign_of_life

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from gonogo.collect.collector import Recorder as Records
    from gonogo.collect.plan import Plan
    from gonogo.exchange import Exchange, Request
    from gonogo.fuzz import Fuzzing
    from gonogo.redaction import OwnHeader
    from gonogo.stimuli.stimulus import Subject
    from gonogo.verdict import Because


@dataclass(frozen=True, slots=True)
class Approach:
    """How a target is asked.

    `base_url` ends before "/chat/completions". Models that are None are chosen from the target's list.
    `timeout` is the limit of one exchange in seconds, `concurrency` the requests under way at a time.
    `evidence` is the file that keeps what is recorded, while it is recorded. `fuzzing` is how generated requests
    follow those of the rules, if they do. `extra_body` holds fields that are added to the body of every generation.
    `resume` is whether the file of evidence is gone on with: what reached the target is not sent again.
    `headers` are added to every request; `ca_file` and `insecure` say whom TLS trusts (see `collect.trust`).
    `interval` is the least time between the beginnings of two requests, `max_seconds` the longest that the requests
    may take together, both in seconds. After `max_failures` broken must rules no more is sent. `context_length` is
    that of the model in tokens, for targets that do not tell it.
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
    headers: tuple[OwnHeader, ...] = ()
    ca_file: Path | None = None
    insecure: bool = False
    interval: float | None = None
    max_seconds: float | None = None
    max_failures: int | None = None
    context_length: int | None = None

    @property
    def has_key(self) -> bool:
        """Whether anything that looks like a credential goes with the requests."""
        return self.api_key is not None or any(looks_secret(header.name) for header in self.headers)


async def collect(
    approach: Approach,
    asked: Plan,
    on_done: Callable[[], None] = lambda: None,
    on_exchange: Callable[[Exchange], None] = lambda _: None,
    *,
    enough: Callable[[Record], Because | None] | None = None,
    stopper: Stopper | None = None,
) -> Record:
    """Record the answers to a plan; the two requests of the greeting are in the record too.

    `on_exchange` is called with each exchange once it is recorded. `enough` says of a record why the run ends with it,
    None where it does not, and `stopper` ends it from outside; then the rest of the plan is unsent. Raises as `check`
    does, and KeyboardInterrupt where it is ended before the greeting is over.
    """
    held = _held(approach)
    extra_body = redact_fields(approach.extra_body, approach.api_key)
    if held is not None:
        held.refuse_other(_named(approach, held.record.target), extra_body)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    bounds = _Bounds(stopper or Stopper(), approach.max_seconds, asyncio.get_running_loop().time())
    async with _recorder(approach) as connected:
        recorder = connected if approach.interval is None else Paced(connected, approach.interval)
        greeting = _Remembering(recorder, ids_from("g", 1) if held is None else held.ids("g"))
        subject = await _greeted(approach, greeting, bounds)
        target = Target(shown(approach.base_url), subject.model, subject.embedding_model)
        if held is None:
            held = Held(Record(target, started, (), extra_body=extra_body))
        held.refuse_other(target, extra_body)
        with _writer(approach, held.record) as writer:
            kept = _Kept(
                writer, on_done, on_exchange, list(held.record.exchanges), done_with=set(held.exchanges)
            )
            for exchange in greeting.exchanges:
                kept.keep(exchange)
            collector = Collector(
                recorder, subject, kept, approach.concurrency, known=held.exchanges, ids=held.ids("x")
            )
            if enough is not None:
                collector.enough = partial(_enough_in, enough, held.record, kept)
            _skip_known(asked, collector, on_done)
            try:
                broken_off = await bounds.keep(_send(collector, asked, approach.fuzzing))
            except ExceptionGroup as group:  # of the requests under way; one sentence is enough
                raise _told(group) from group
            if broken_off is not None:
                collector.give_up(asked.stimuli, broken_off)
                if approach.fuzzing is not None:
                    kept.unsent(rest(approach.fuzzing.seed).key, broken_off)
    return kept.added_to(held.record)


async def _send(collector: Collector, asked: Plan, fuzzing: Fuzzing | None) -> None:
    await collector.run(asked)
    if fuzzing is not None:
        await fuzz(collector, fuzzing)


def _enough_in(
    enough: Callable[[Record], Because | None], begun: Record, kept: _Kept, unsettled: Collection[str]
) -> Because | None:
    """Why the run ends with what was kept, answers left out that may be asked for once more."""
    record = kept.added_to(begun)
    return enough(
        replace(record, exchanges=tuple(e for e in record.exchanges if e.stimulus not in unsettled))
    )


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What may end a run: somebody outside, or `max_seconds` after `began`, a time of the loop."""

    stopper: Stopper
    max_seconds: float | None
    began: float

    async def keep(self, work: Coroutine[None, None, None]) -> Because | None:
        """Do the work; why it was broken off, None where it was not."""
        deadline = None if self.max_seconds is None else self.began + self.max_seconds
        return await self.stopper.bound(work, deadline)


def _recorder(approach: Approach) -> Recorder:
    return Recorder(
        approach.base_url,
        api_key=approach.api_key,
        timeout=approach.timeout,
        headers=approach.headers,
        trust=trust(approach.ca_file, insecure=approach.insecure),
    )


async def _greeted(approach: Approach, recorder: _Remembering, bounds: _Bounds) -> Subject:
    """Who is asked; KeyboardInterrupt or TargetError where the greeting did not come to its end."""
    found: list[Subject] = []

    async def work() -> None:
        subject = await greet(
            recorder,
            base_url=shown(approach.base_url),
            model=approach.model,
            embedding_model=approach.embedding_model,
            has_key=approach.has_key,
            extra=approach.extra_body,
        )
        found.append(replace(subject, context_length=approach.context_length))

    broken_off = await bounds.keep(work())
    if broken_off is None:
        return found[0]
    if broken_off.reason is Reason.INTERRUPTED:
        raise KeyboardInterrupt
    limit = f"--max-seconds {approach.max_seconds:g}"
    raise TargetError(f"{shown(approach.base_url)} did not answer the first two requests within {limit}.")


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
        shown(approach.base_url),
        approach.model or known.model,
        approach.embedding_model or known.embedding_model,
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

    recorder: Records
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

    def added_to(self, record: Record) -> Record:
        return replace(record, exchanges=tuple(self.exchanges), unsent=self.reasons)

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
        if key not in self.done_with:
            self.done_with.add(key)
            self.on_done()


def _writer(approach: Approach, begun: Record) -> AbstractContextManager[EvidenceWriter | None]:
    if approach.evidence is None:
        return nullcontext()
    if approach.resume:
        return EvidenceWriter.go_on(approach.evidence, begun, key=approach.api_key)
    return EvidenceWriter(
        approach.evidence, begun.target, begun.started, key=approach.api_key, extra_body=begun.extra_body
    )
