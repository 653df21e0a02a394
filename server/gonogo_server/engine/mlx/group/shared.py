"""Shares new and cancelled requests of process 0 with every process before each step."""

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
"""Seconds between two exchanges while nothing is generated: who waits in one keeps a core busy (ring, mlx 0.32.4)."""


class OutOfStepError(BaseException):
    """Not all processes have done the same, or not all are there: nothing can be computed together any more.

    No `Exception`, as that would be the failure of some answers, after which the others continue.
    """


class AllOrNone:
    """A generator (mlx_lm's, or what stands in for it) whose step, where it fails in one process, is lost for all."""

    def __init__(self, generator: Any) -> None:  # noqa: ANN401 - see above
        self._generator = generator

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - see above
        return getattr(self._generator, name)

    def next(self) -> Any:  # noqa: ANN401 - see above
        """A step. Raises `OutOfStepError`."""
        try:
            return self._generator.next()
        except Exception as error:
            raise OutOfStepError(f"A step of the group failed: {error}") from error


class SharedTicket(Ticket):
    """A ticket that all processes know by a number; only process 0 has somebody who waits for it.

    `cancelled` is what all of them have heard of. Choices of one request have the very same prompt, and not just an
    equal one, as they are read once; so `same` tells prompts apart.
    """

    def __init__(self, number: int, same: int, waiting: Ticket | None = None) -> None:
        self.number = number
        self.same = same
        self.waiting = waiting
        self.cancelled = False


class SharedDeliveries(Deliveries):
    """Results, which all processes come to; process 0 sends them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[int, TokenSequence] = {}
        """Sequences that are not finished, by the numbers of their tickets."""
        self.fingerprint = 0
        """Of all results so far."""

    def add(self, ticket: Ticket, result: Piece | Exception) -> None:
        """As with one process, where anybody waits."""
        assert isinstance(ticket, SharedTicket), "others are not in the batches"
        said = "failure" if isinstance(result, Exception) else f"{result.text} {result.finish_reason}"
        self.fingerprint = crc32(f"{ticket.number} {said}".encode(), self.fingerprint)
        if isinstance(result, Exception) or result.finish_reason is not None:
            self.open.pop(ticket.number, None)
        if ticket.waiting is not None:
            super().add(ticket.waiting, result)


class SharedResidents(Residents):
    """As `Residents`, with one model; process 0 is asked, and each process steps and releases its own."""

    def __init__(self, limits: Limits, group: Group) -> None:
        super().__init__(limits, lambda location: load_shard(location, limits, group))
        self._deliveries: SharedDeliveries = SharedDeliveries()
        self._group = group
        self._numbers = count(1)
        self._untold: list[Event] = []
        self._sequences: dict[int, TokenSequence] = {}
        """Of process 0: those that the other processes have not heard of."""
        self._scores: dict[int, Future[list[Token | None]]] = {}
        self._busy = self._stopped = self._failed = False
        self.beat = time.monotonic()
        """When all processes were last heard of."""

    def add(self, name: str, sequence: TokenSequence) -> None:
        """At process 0: have it answered, from the next step on."""
        number = next(self._numbers)
        generation = _seeded(sequence.generation)
        sequence.sampler = sampler(generation.sampling)
        same = id(sequence.prompt)
        sequence.ticket = SharedTicket(number, same, sequence.ticket)
        self._sequences[number] = sequence
        self._untold.append(
            {"do": "add", "number": number, "same": same, "model": name, "generation": asdict(generation)}
        )

    def score(self, name: str, tokens: Sequence[int], count: int) -> Future[list[Token | None]]:
        """At process 0: as with one process, from the next step on; whoever leaves does not stop it."""
        number = next(self._numbers)
        self._scores[number] = Future()
        self._untold.append(
            {"do": "score", "number": number, "model": name, "tokens": list(tokens), "count": count}
        )
        return self._scores[number]

    def step(self) -> bool:
        """Hear of what was asked, and do a step; False once process 0 has stopped, or nothing is loaded."""
        if not self._group.agreed:
            return False
        if not self._busy:
            time.sleep(PACE)
        try:
            # All on one stream, so that sums come in the same order in every process.
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
        """Tell all who wait, those as well that the other processes have not heard of."""
        for sequence in self._sequences.values():
            self._deliveries.add(sequence.ticket, error)
        super().fail(error)
        for future in self._scores.values():
            _settle(future, error)

    def release(self) -> None:
        """Let go of everything; from process 0 the others hear that there is no more."""
        if self._group.rank == 0 and self._group.agreed and not self._failed:
            self._untold = [{"do": "stop"}]
            with mx.stream(generation_stream):
                self._exchange()
        super().release()

    def _generator(self, loaded: Loaded) -> AllOrNone:
        return AllOrNone(super()._generator(loaded))

    def _exchange(self) -> list[Event]:
        """What process 0 has to tell. Raises `OutOfStepError`, in all processes, where results differ."""
        news = self._news()
        said = json.dumps(news).encode() if news else b""
        head = [0] * (1 + self._group.size)
        head[0], head[1 + self._group.rank] = len(said), self._deliveries.fingerprint
        length, *fingerprints = self._group.sum(mx.array(head, mx.uint32))
        if len(set(fingerprints)) > 1:
            raise OutOfStepError(
                "The processes sampled different tokens: all machines must be of the same kind."
            )
        events: list[Event] = self._group.share(said, length) if length else []
        self._untold = []
        self.beat = time.monotonic()
        return events

    def _news(self) -> list[Event]:
        tickets = [cast("SharedTicket", one.ticket) for one in self._deliveries.open.values()]
        gone = [ticket.number for ticket in tickets if ticket.waiting and ticket.waiting.cancelled]
        return self._untold + [{"do": "cancel", "number": number} for number in gone]

    def _do(self, event: Event) -> None:
        match event["do"]:
            case "add":
                self._join(event)
            case "cancel":
                self._deliveries.open.pop(event["number"]).ticket.cancelled = True
            case "score":
                done = super().score(event["model"], event["tokens"], event["count"])
                if (waiting := self._scores.pop(event["number"], None)) is not None:
                    done.add_done_callback(lambda done: _settle(waiting, done.exception() or done.result()))
            case "stop":
                self._stopped = True

    def _join(self, event: Event) -> None:
        number = event["number"]
        sequence = self._sequences.pop(number, None) or self._told(event)
        self._deliveries.open[number] = sequence
        super().add(event["model"], sequence)

    def _told(self, event: Event) -> TokenSequence:
        """The sequence that process 0 has, in another process."""
        ticket, told = SharedTicket(event["number"], event["same"]), event["generation"]
        alike = (one.prompt for one in self._deliveries.open.values() if _is_same(one, ticket))
        sampling = told["sampling"]
        bias = tuple((token, added) for token, added in sampling["logit_bias"])
        generation = Generation(
            **told
            | {
                "prompt": next(alike, tuple(told["prompt"])),
                "sampling": Sampling(**sampling | {"logit_bias": bias}),
            }
        )
        text = self._loaded[event["model"]].text
        matcher = None if generation.grammar is None else text.matcher(generation.grammar)
        return TokenSequence(ticket, generation, text, matcher)


def _is_same(sequence: TokenSequence, ticket: SharedTicket) -> bool:
    return cast("SharedTicket", sequence.ticket).same == ticket.same


def _seeded(generation: Generation) -> Generation:
    """The same with a seed, so that every process draws the same tokens."""
    sampling = generation.sampling
    return replace(
        generation,
        sampling=sampling if sampling.seed is not None else replace(sampling, seed=secrets.randbits(63)),
    )


def _settle(future: Future[Any], outcome: object) -> None:
    """Whoever waited may have left."""
    if not future.set_running_or_notify_cancel():
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
