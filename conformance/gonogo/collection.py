"""Sends all requests of a plan to a target and records the answers. Nothing is judged or printed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from gonogo.addresses import shown
from gonogo.collect.collector import Collector
from gonogo.collect.greeting import greet_each
from gonogo.collect.model_runs import Kept, ModelRun, ModelRuns, sharing
from gonogo.collect.pace import Paced
from gonogo.collect.recorder import Recorder
from gonogo.collect.resuming import held, ids_after, known_of, refuse_other
from gonogo.collect.size_limit import SizeLimited
from gonogo.collect.stopping import Stopper
from gonogo.collect.trust import trust
from gonogo.errors import GonogoError, TargetError, UsageError
from gonogo.evidence import EvidenceWriter, Record, Target, read_each
from gonogo.fuzz import fuzz
from gonogo.reasons import Reason
from gonogo.redaction import looks_secret, redact_fields
from gonogo.stimuli.fuzzed import rest
from gonogo.upstream import standing

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Callable,
        Collection,
        Coroutine,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )
    from contextlib import AbstractContextManager
    from pathlib import Path

    from gonogo.collect.plan import Plan
    from gonogo.collect.roles import Recorder as Records
    from gonogo.exchange import Exchange, Request
    from gonogo.fuzz import Fuzzing
    from gonogo.redaction import OwnHeader
    from gonogo.stimuli.stimulus import Subject
    from gonogo.upstream import Behind, Standing
    from gonogo.verdict import Because


@dataclass(frozen=True, slots=True)
class Approach:
    """How to reach a target, and the limits of a run.

    `base_url` ends before "/chat/completions". `models` are requested in turn; models that are not given, including the
    embedding model, are chosen from the target's list. `timeout` is the limit of one exchange in seconds, `concurrency`
    the requests in flight at a time. `evidence` is the file that is written during the run. `fuzzing` describes the
    generated requests that follow those of the rules, if any. `extra_body` holds fields that are added to the body of
    every generation. `resume` is whether the file of evidence is resumed: requests that reached the target are not sent
    again. `headers` are added to every request; `ca_file` and `insecure` set the trusted certificates (see
    `collect.trust`). `interval` is the minimum time between the starts of two requests, `max_seconds` the time limit of
    all requests together, both in seconds; `max_bytes` limits the total size of all answer bodies. After `max_failures`
    broken must rules nothing more is sent. `context_length` is the model's context length in tokens, for targets that
    do not report it. `behind` configures the suite's own upstream behind a gateway, if there is one.
    """

    base_url: str
    api_key: str | None = None
    models: tuple[str, ...] = ()
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
    max_bytes: int | None = None
    max_failures: int | None = None
    context_length: int | None = None
    behind: Behind | None = None

    @property
    def has_key(self) -> bool:
        """Whether the requests carry anything that looks like a credential."""
        return self.api_key is not None or any(looks_secret(header.name) for header in self.headers)


async def collect(
    approach: Approach,
    asked: Plan,
    on_done: Callable[[str], None] = lambda _: None,
    on_exchange: Callable[[Exchange], None] = lambda _: None,
    *,
    enough: Callable[[Record], Because | None] | None = None,
    stopper: Stopper | None = None,
) -> tuple[Record, ...]:
    """Record the answers to a plan, a record for each model; they include the requests of the greeting.

    `on_exchange` is called with each exchange once it is recorded. `enough` returns for a model's record why the
    run ends now, or None to continue; `stopper` ends it from outside. The rest of the plan is then recorded as unsent.
    Raises as `check` does, and KeyboardInterrupt if the run is stopped during the greeting.
    """
    earlier = _earlier(approach)
    extra_body = redact_fields(approach.extra_body, approach.api_key)
    if earlier:
        refuse_other(earlier, _named(approach, [record.target for record in earlier]), extra_body)
    if len(earlier) > 1:
        approach = replace(approach, models=_models_of(earlier))
    started = datetime.now(UTC).isoformat(timespec="seconds")
    bounds = _Bounds(stopper or Stopper(), approach.max_seconds, asyncio.get_running_loop().time())
    async with _recorder(approach) as connected, _upstream(approach) as upstream:
        recorder = _limited(connected, approach, bounds.stopper)
        second = None
        if upstream is not None:
            approach, second = await _led_to(upstream, approach, recorder, bounds)
            recorder = upstream.watching(recorder)
        greeting = _Remembering(recorder, ids_after(earlier, "g"))
        subjects = [replace(one, second_model=second) for one in await _greeted(approach, greeting, bounds)]
        targets = [Target(shown(approach.base_url), s.model, s.embedding_model) for s in subjects]
        begun = earlier or tuple(Record(target, started, (), extra_body=extra_body) for target in targets)
        refuse_other(begun, targets, extra_body)
        with _writer(approach, begun) as writer:
            keep = partial(Kept, writer, on_done, on_exchange, is_shared=sharing(asked, subjects))
            runs = _model_runs(approach.concurrency, recorder, begun, subjects, keep, enough)
            if upstream is not None:
                for run in runs:
                    run.collector.sink = upstream.sink(run.kept, ids_after(begun, "u"))
            everything = ModelRuns(runs, greeting)
            everything.greeted(greeting.exchanges)
            try:
                broken_off = await bounds.keep(everything.run(partial(_send, asked, approach.fuzzing), asked))
            except ExceptionGroup as group:  # of the requests in flight; one error is enough
                raise _told(group) from group
            if broken_off is not None:
                _give_up(everything, asked, approach.fuzzing, broken_off)
    return tuple(run.kept.added_to(record) for run, record in zip(runs, begun, strict=True))


def _model_runs(
    concurrency: int,
    recorder: Records,
    begun: Sequence[Record],
    subjects: Sequence[Subject],
    keep: Callable[..., Kept],
    enough: Callable[[Record], Because | None] | None,
) -> list[ModelRun]:
    """A model run for each subject, which continues its record."""
    ids = ids_after(begun, "x")
    found = []
    for record, subject in zip(begun, subjects, strict=True):
        model = subject.model if len(subjects) > 1 else None
        kept = keep(model=model, exchanges=list(record.exchanges))
        collector = Collector(recorder, subject, kept, concurrency, known=known_of(record), ids=ids)
        if enough is not None:
            collector.enough = partial(_enough_in, enough, record, kept)
        found.append(ModelRun(collector, kept))
    return found


@asynccontextmanager
async def _upstream(approach: Approach) -> AsyncIterator[Standing | None]:
    if approach.behind is None:
        yield None
        return
    secrets = (approach.api_key, *(secret for header in approach.headers for secret in header.secrets))
    async with standing(approach.behind, tuple(filter(None, secrets))) as upstream:
        yield upstream


async def _led_to(
    upstream: Standing, approach: Approach, recorder: Records, bounds: _Bounds
) -> tuple[Approach, str | None]:
    """The approach with the model routed to the upstream, and the model of a second provider if there is one."""
    assert approach.behind is not None
    named = approach.models[0] if approach.models else None
    found: list[tuple[str, str | None]] = []

    async def work() -> None:
        url, wait = shown(approach.base_url), approach.behind.wait if approach.behind else 0.0
        found.append(await upstream.reached(recorder, url, named, wait))

    if await bounds.keep(work()) is not None:
        raise KeyboardInterrupt
    ((first, second),) = found
    return replace(approach, models=(first,), embedding_model=None), second


async def _send(asked: Plan, fuzzing: Fuzzing | None, run: ModelRun) -> None:
    await run.collector.run(asked)
    if fuzzing is not None:
        await fuzz(run.collector, fuzzing)


def _give_up(runs: ModelRuns, asked: Plan, fuzzing: Fuzzing | None, because: Because) -> None:
    runs.give_up(asked, because)
    if fuzzing is not None:
        for one in runs.runs:
            one.kept.unsent(rest(fuzzing.seed).key, because)


def _enough_in(
    enough: Callable[[Record], Because | None], begun: Record, kept: Kept, unsettled: Collection[str]
) -> Because | None:
    """Why the run ends with the exchanges recorded so far, except those that may be requested again."""
    record = kept.added_to(begun)
    return enough(
        replace(record, exchanges=tuple(e for e in record.exchanges if e.stimulus not in unsettled))
    )


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The limits of a run: `stopper`, and `max_seconds` after `began`, a time of the loop."""

    stopper: Stopper
    max_seconds: float | None
    began: float

    async def keep(self, work: Coroutine[None, None, None]) -> Because | None:
        """Run the work; returns why it was interrupted, or None."""
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


def _limited(recorder: Records, approach: Approach, stopper: Stopper) -> Records:
    """The recorder with the rate and size limits of the approach."""
    if approach.max_bytes is not None:
        recorder = SizeLimited(recorder, approach.max_bytes, stopper.end)
    return recorder if approach.interval is None else Paced(recorder, approach.interval)


async def _greeted(approach: Approach, recorder: _Remembering, bounds: _Bounds) -> list[Subject]:
    """The subjects; raises KeyboardInterrupt or TargetError if the greeting did not finish."""
    found: list[Subject] = []

    async def work() -> None:
        subjects = await greet_each(
            recorder,
            base_url=shown(approach.base_url),
            models=approach.models,
            embedding_model=approach.embedding_model,
            has_key=approach.has_key,
            extra=approach.extra_body,
        )
        found.extend(replace(subject, context_length=approach.context_length) for subject in subjects)

    broken_off = await bounds.keep(work())
    if broken_off is None:
        return found
    if broken_off.reason is Reason.INTERRUPTED:
        raise KeyboardInterrupt
    url = shown(approach.base_url)
    if broken_off.reason is Reason.OUT_OF_ROOM:
        raise TargetError(
            f"{url} answered the first requests with more than --max-bytes {approach.max_bytes}."
        )
    limit = f"--max-seconds {approach.max_seconds:g}"
    raise TargetError(f"{url} did not answer the first requests within {limit}.")


def _earlier(approach: Approach) -> tuple[Record, ...]:
    """The records in the evidence file, one for each model, if it is resumed; else none."""
    if not approach.resume:
        return ()
    if approach.evidence is None:
        raise UsageError("--resume goes on with a file: name it with --evidence.")
    return tuple(map(held, read_each(approach.evidence)))


def _named(approach: Approach, known: Sequence[Target]) -> list[Target]:
    """The targets by the options; models that were not given come from the known record."""
    models = approach.models or [target.model for target in known]
    embedder = approach.embedding_model or known[0].embedding_model
    return [Target(shown(approach.base_url), model, embedder) for model in models]


def _told(group: ExceptionGroup) -> Exception:
    """The first error with a message for the user, else the group itself, which is a bug."""
    known: Exception | None = group.subgroup(GonogoError)
    while isinstance(known, ExceptionGroup):
        known = known.exceptions[0]
    return group if known is None else known


@dataclass
class _Remembering:
    """A recorder that keeps its exchanges, with its own ids."""

    recorder: Records
    ids: Iterator[str]
    exchanges: list[Exchange] = field(default_factory=list)

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002, ARG002 - its name
        exchange = await self.recorder.record(request, id=next(self.ids), stimulus=stimulus)
        self.exchanges.append(exchange)
        return exchange


def _writer(approach: Approach, begun: Sequence[Record]) -> AbstractContextManager[EvidenceWriter | None]:
    if approach.evidence is None:
        return nullcontext()
    if approach.resume:
        return EvidenceWriter.go_on(approach.evidence, *begun, key=approach.api_key)
    first = begun[0]
    return EvidenceWriter(
        approach.evidence,
        first.target,
        first.started,
        key=approach.api_key,
        extra_body=first.extra_body,
        models=_models_of(begun) if len(begun) > 1 else (),
    )


def _models_of(records: Iterable[Record]) -> tuple[str, ...]:
    return tuple(str(record.target.model) for record in records)
