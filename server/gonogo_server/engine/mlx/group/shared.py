"""Shares the new and cancelled requests of process 0 with all processes before each step."""

from __future__ import annotations

import json
import secrets
import time
from concurrent.futures import Future
from dataclasses import asdict, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final, cast
from zlib import crc32

import mlx.core as mx

from gonogo_server.engine.base import Generation, Sampling
from gonogo_server.engine.mlx.api import generation_stream
from gonogo_server.engine.mlx.group.shard import load_shard
from gonogo_server.engine.mlx.residents import Residents
from gonogo_server.engine.mlx.sampler import sampler
from gonogo_server.engine.mlx.sequence import TokenSequence
from gonogo_server.engine.mlx.ticket import Deliveries, Ticket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.base import Piece, Token
    from gonogo_server.engine.mlx.group.join import Group
    from gonogo_server.engine.mlx.load import Loaded
    from gonogo_server.engine.mlx.residents import Limits

    Event = dict[str, Any]

PACE: Final = 0.05
"""Seconds between two exchanges while idle: a process that waits in one keeps a core busy (ring, mlx 0.32.4)."""


class OutOfStepError(BaseException):
    """The processes have diverged, or one is gone: the group cannot compute any more.

    It is not an `Exception`, because the engine treats that as the failure of some answers and continues.
    """


class AllOrNone:
    """Wraps a generator (mlx_lm's or a replacement): if a step fails in one process, it fails the whole group."""

    def __init__(self, generator: Any) -> None:  # noqa: ANN401 - see above
        self._generator = generator

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - see above
        return getattr(self._generator, name)

    def next(self) -> Any:  # noqa: ANN401 - see above
        """Run a step. Raises `OutOfStepError` if it fails."""
        try:
            return self._generator.next()
        except Exception as error:
            raise OutOfStepError(f"A step of the group failed: {error}") from error


class SharedTicket(Ticket):
    """A ticket with a number that all processes share; only process 0 has the ticket of a waiting request.

    `cancelled` becomes true in all processes before the same step. `prompt_id` identifies the prompt object: the
    choices of one request share one object, so that it is read once; equal prompts of other requests do not.
    """

    def __init__(self, number: int, prompt_id: int, waiting: Ticket | None = None) -> None:
        self.number = number
        self.prompt_id = prompt_id
        self.waiting = waiting
        self.cancelled = False


class SharedDeliveries(Deliveries):
    """The results, which all processes compute and process 0 delivers."""

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[int, TokenSequence] = {}
        """Unfinished sequences by ticket number."""
        self.fingerprint = 0
        """CRC-32 of all results so far."""

    def add(self, ticket: Ticket, result: Piece | Exception) -> None:
        """Add the result to the fingerprint, and deliver it if a request waits for it."""
        assert isinstance(ticket, SharedTicket), "the batches hold no other tickets"
        outcome = "failure" if isinstance(result, Exception) else f"{result.text} {result.finish_reason}"
        self.fingerprint = crc32(f"{ticket.number} {outcome}".encode(), self.fingerprint)
        if isinstance(result, Exception) or result.finish_reason is not None:
            self.open.pop(ticket.number, None)
        if ticket.waiting is not None:
            super().add(ticket.waiting, result)


class SharedResidents(Residents):
    """`Residents` with one model; process 0 receives the requests, and each process steps and releases its shard."""

    def __init__(self, limits: Limits, group: Group) -> None:
        super().__init__(limits, lambda location: load_shard(location, limits, group))
        self._deliveries: SharedDeliveries = SharedDeliveries()
        self._group = group
        self._numbers = count(1)
        self._unshared: list[Event] = []
        self._sequences: dict[int, TokenSequence] = {}
        """In process 0: the sequences that were not yet shared with the other processes."""
        self._scores: dict[int, Future[list[Token | None]]] = {}
        self._busy = self._stopped = self._failed = False
        self.beat = time.monotonic()
        """Time of the latest exchange with all processes."""

    def add(self, name: str, sequence: TokenSequence) -> None:
        """In process 0: queue the sequence; it joins the batch in the next step."""
        number = next(self._numbers)
        generation = _seeded(sequence.generation)
        sequence.sampler = sampler(generation.sampling)
        prompt_id = id(sequence.prompt)
        sequence.ticket = SharedTicket(number, prompt_id, sequence.ticket)
        self._sequences[number] = sequence
        self._unshared.append(
            {
                "do": "add",
                "number": number,
                "prompt_id": prompt_id,
                "model": name,
                "generation": asdict(generation),
            }
        )

    def score(self, name: str, tokens: Sequence[int], count: int) -> Future[list[Token | None]]:
        """In process 0: see `Residents.score`; it starts in the next step, and a cancelled future does not stop it."""
        number = next(self._numbers)
        self._scores[number] = Future()
        self._unshared.append(
            {"do": "score", "number": number, "model": name, "tokens": list(tokens), "count": count}
        )
        return self._scores[number]

    def step(self) -> bool:
        """Receive the events of process 0 and run a step; return False once it has stopped, or if nothing is loaded."""
        if not self._group.agreed:
            return False
        if not self._busy:
            time.sleep(PACE)
        try:
            # One stream for everything, so that sums run in the same order in every process.
            with mx.stream(generation_stream):
                for event in self._exchange():
                    self._do(event)
                if not self._stopped:
                    self._busy = super().step()
        except BaseException:
            self._failed = True
            raise
        return not self._stopped

    def fail(self, error: Exception) -> None:
        """Fail all waiting requests, including those that were not yet shared."""
        for sequence in self._sequences.values():
            self._deliveries.add(sequence.ticket, error)
        super().fail(error)
        for future in self._scores.values():
            _resolve(future, error)

    def release(self) -> None:
        """Release the model; in process 0, stop the other processes first."""
        if self._group.rank == 0 and self._group.agreed and not self._failed:
            self._unshared = [{"do": "stop"}]
            with mx.stream(generation_stream):
                self._exchange()
        super().release()

    def _generator(self, loaded: Loaded) -> AllOrNone:
        return AllOrNone(super()._generator(loaded))

    def _exchange(self) -> list[Event]:
        """Receive the events of process 0. Raises `OutOfStepError`, in all processes, if their results differ."""
        unshared = self._new_events()
        message = json.dumps(unshared).encode() if unshared else b""
        head = [0] * (1 + self._group.size)
        head[0], head[1 + self._group.rank] = len(message), self._deliveries.fingerprint
        length, *fingerprints = self._group.sum(mx.array(head, mx.uint32))
        if len(set(fingerprints)) > 1:
            raise OutOfStepError(
                "The processes sampled different tokens: all machines must be of the same kind."
            )
        events: list[Event] = self._group.share(message, length) if length else []
        self._unshared = []
        self.beat = time.monotonic()
        return events

    def _new_events(self) -> list[Event]:
        tickets = [cast("SharedTicket", one.ticket) for one in self._deliveries.open.values()]
        gone = [ticket.number for ticket in tickets if ticket.waiting and ticket.waiting.cancelled]
        return self._unshared + [{"do": "cancel", "number": number} for number in gone]

    def _do(self, event: Event) -> None:
        match event["do"]:
            case "add":
                self._join(event)
            case "cancel":
                self._deliveries.open.pop(event["number"]).ticket.cancelled = True
            case "score":
                done = super().score(event["model"], event["tokens"], event["count"])
                if (waiting := self._scores.pop(event["number"], None)) is not None:
                    done.add_done_callback(lambda done: _resolve(waiting, done.exception() or done.result()))
            case "stop":
                self._stopped = True

    def _join(self, event: Event) -> None:
        number = event["number"]
        sequence = self._sequences.pop(number, None) or self._received(event)
        self._deliveries.open[number] = sequence
        super().add(event["model"], sequence)

    def _received(self, event: Event) -> TokenSequence:
        """In a worker: rebuild the sequence from the event of process 0."""
        ticket, fields = SharedTicket(event["number"], event["prompt_id"]), event["generation"]
        open_prompts = (one.prompt for one in self._deliveries.open.values() if _has_same_prompt(one, ticket))
        sampling = fields["sampling"]
        bias = tuple((token, added) for token, added in sampling["logit_bias"])
        generation = Generation(
            **fields
            | {
                "prompt": next(open_prompts, tuple(fields["prompt"])),
                "sampling": Sampling(**sampling | {"logit_bias": bias}),
            }
        )
        text = self._loaded[event["model"]].text
        matcher = None if generation.grammar is None else text.matcher(generation.grammar)
        return TokenSequence(ticket, generation, text, matcher)


def _has_same_prompt(sequence: TokenSequence, ticket: SharedTicket) -> bool:
    return cast("SharedTicket", sequence.ticket).prompt_id == ticket.prompt_id


def _seeded(generation: Generation) -> Generation:
    """The generation with a random seed if it has none, so that every process samples the same tokens."""
    sampling = generation.sampling
    return replace(
        generation,
        sampling=sampling if sampling.seed is not None else replace(sampling, seed=secrets.randbits(63)),
    )


def _resolve(future: Future[Any], outcome: object) -> None:
    """Set the result or exception of the future, unless it was cancelled."""
    if not future.set_running_or_notify_cancel():
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
