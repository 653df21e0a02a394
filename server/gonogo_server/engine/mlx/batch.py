"""One model and all answers that are generated with it at the same time (continuous batching).

mlx_lm's BatchGenerator does the work: sequences join it and leave it between any two steps. What is decided here is
who joins when, which prefix is cached, and how a failed step is handled.
"""

from __future__ import annotations

import copy
import logging
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import numpy as np

from gonogo_server.engine.mlx.api import (
    KVCache,
    RotatingKVCache,
    make_prompt_cache,
    trim_prompt_cache,
)
from gonogo_server.engine.mlx.footprint import Footprint, measure
from gonogo_server.engine.mlx.packed.generator import PackedGenerator
from gonogo_server.engine.mlx.prefix_cache import Entry, common_prefix
from gonogo_server.engine.mlx.safe_log import log_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from gonogo_server.engine.base import Piece
    from gonogo_server.engine.mlx.prefix_cache import PrefixCache
    from gonogo_server.engine.mlx.sequence import TokenSequence
    from gonogo_server.engine.mlx.ticket import Deliveries

log = logging.getLogger(__name__)

WORTH_WAITING = 32
"""Tokens that must be shared with a prompt of another request that is just being read, to wait for it."""

Cache = list[Any]
"""A cache for each layer of a model, as mlx_lm makes them."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """The first `length` tokens of a prompt, read already."""

    length: int
    cache: Cache


@dataclass(frozen=True, slots=True)
class ReadForAll:
    """A prompt but for its last token, read by the first choice of a request, for its other choices that wait."""

    prompt: Sequence[int]
    entry: Entry[Cache]


class Batch:
    """The answers of one model; `make_generator` gives a fresh BatchGenerator, or what stands in for one."""

    def __init__(
        self,
        name: str,
        model: Any,  # noqa: ANN401 - mlx_lm's models have no common type
        make_generator: Callable[[], Any],
        prefixes: PrefixCache[Cache],
        *,
        most_sequences: int,
        most_bytes: int | None,
    ) -> None:
        self._name = name
        self._model = model
        self._make_generator = make_generator
        self._generator = make_generator()
        self._prefixes = prefixes
        self._most_sequences = most_sequences
        self._most_bytes = most_bytes
        self._trimmable = all(isinstance(layer, KVCache) for layer in _layers(make_prompt_cache(model)))
        self._waiting: deque[TokenSequence] = deque()
        self._first_joined = False
        """Whether the latest to join was the first answer of its request."""
        self._sequences: dict[int, TokenSequence] = {}
        self._reading: set[int] = set()
        self._read_for_all: list[ReadForAll] = []

    def add(self, sequence: TokenSequence) -> None:
        """Have it answered, as soon as there is room."""
        self._waiting.append(sequence)

    @property
    def unfinished(self) -> int:
        """Answers that are being generated or wait to be."""
        return len(self._sequences) + len(self._waiting)

    def step(self, deliveries: Deliveries) -> bool:
        """Go on by a token of each sequence past its prompt, and by a part of a prompt; False: nothing to do."""
        self._drop_cancelled()
        try:
            self._admit(deliveries)
            self._read_for_all = [one for one in self._read_for_all if self._awaited(one.prompt)]
            if not self._sequences:
                return False
            self._go_on(deliveries)
        except Exception as error:  # noqa: BLE001 - reported to the affected answers
            # The caches of all sequences may be out of step with their tokens now: none of them can be used again.
            log_failure(log, error, "A step of the model %s failed.", self._name)
            self._break(error, deliveries)
        return self.unfinished > 0

    def fail(self, error: Exception, deliveries: Deliveries) -> None:
        """Tell everyone, those who wait as well."""
        for sequence in (*self._sequences.values(), *self._waiting):
            deliveries.add(sequence.ticket, error)
        self._sequences, self._waiting, self._read_for_all = {}, deque(), []

    def close(self) -> None:
        """Let go of the device."""
        self._generator.close()

    def _go_on(self, deliveries: Deliveries) -> None:
        read, answered = self._generator.next()
        for response in read:
            if response.end_of_segment:
                self._reading.discard(response.uid)
                if not response.end_of_prompt:
                    self._hand_over(response.uid)
        for response in answered:
            self._answer(response, deliveries)

    def _hand_over(self, uid: int) -> None:
        """Of a prompt that was just read: give it to those who can use it, now that no answer is behind it."""
        prompt = self._sequences[uid].prompt
        awaited = self._awaited(prompt)
        if self._trimmable and not awaited:
            return
        cache, tokens = self._generator.extract_cache([uid])[uid]
        if not self._trimmable:
            # It can be used again as a whole only, and with an answer behind it, it is another one.
            self._keep(cache, tokens)
        if awaited:
            # Not left to the prefix cache, which may keep nothing, or not for as long.
            self._settle(cache)
            self._read_for_all.append(ReadForAll(prompt, _entry(cache, tokens)))

    def _awaited(self, prompt: Sequence[int]) -> bool:
        """Whether choices of the same request wait: theirs is the very same prompt, not just an equal one."""
        return any(sequence.prompt is prompt for sequence in self._waiting)

    def _answer(self, response: Any, deliveries: Deliveries) -> None:  # noqa: ANN401 - mlx_lm's
        sequence = self._sequences.get(response.uid)
        if sequence is None:
            # An earlier one of its tokens failed it.
            return
        result = self._result(sequence, response)
        deliveries.add(sequence.ticket, result)
        if isinstance(result, Exception):
            del self._sequences[response.uid]
            self._generator.remove([response.uid])
        elif response.finish_reason:
            del self._sequences[response.uid]
            self._keep(response.prompt_cache, response.all_tokens)

    def _result(self, sequence: TokenSequence, response: Any) -> Piece | Exception:  # noqa: ANN401 - mlx_lm's
        try:
            return sequence.failure or sequence.piece(
                response.token, response.logprobs, response.finish_reason
            )
        except Exception as error:  # noqa: BLE001 - the step was a good one: it is this answer's alone
            log_failure(log, error, "An answer of the model %s could not be delivered.", self._name)
            return error.with_traceback(None)

    def _drop_cancelled(self) -> None:
        gone = [uid for uid, sequence in self._sequences.items() if sequence.ticket.cancelled]
        if gone:
            caches = self._generator.remove(gone, return_prompt_caches=True)
            for uid in gone:
                self._keep(*caches[uid])
                self._reading.discard(uid)
                del self._sequences[uid]
        if any(sequence.ticket.cancelled for sequence in self._waiting):
            self._waiting = deque(sequence for sequence in self._waiting if not sequence.ticket.cancelled)

    def _admit(self, deliveries: Deliveries) -> None:
        if len(self._sequences) >= self._most_sequences:
            return
        for sequence in self._in_turn():
            if len(self._sequences) >= self._most_sequences:
                return
            try:
                if not self._has_room(sequence):
                    # Nobody overtakes it, or it might wait for ever.
                    return
                self._join(sequence)
            except Exception as error:  # noqa: BLE001 - nothing of it is in the batch yet: it is this answer's alone
                log_failure(log, error, "An answer of the model %s could not be started.", self._name)
                self._waiting.remove(sequence)
                deliveries.add(sequence.ticket, error.with_traceback(None))

    def _in_turn(self) -> list[TokenSequence]:
        """Those who wait: the first answers of requests and the other ones take turns, each in the order they came.

        So a request for many keeps the next one waiting for one of them rather than for all, and who asks for one
        answer after the other does not keep its others waiting for ever.
        """
        first = [sequence for sequence in self._waiting if sequence.first]
        others = [sequence for sequence in self._waiting if not sequence.first]
        pairs = zip_longest(others, first) if self._first_joined else zip_longest(first, others)
        return [sequence for pair in pairs for sequence in pair if sequence is not None]

    def _has_room(self, sequence: TokenSequence) -> bool:
        """Whether the caches stay within `most_bytes`, however long the answers get.

        Alone it is let in whatever it takes: it would wait for ever, and its `max_tokens` may be far more than its
        answer has.
        """
        if self._most_bytes is None or not self._sequences:
            return True
        longest = max(one.length for one in (*self._sequences.values(), sequence))
        return self._footprint.nbytes(len(self._sequences) + 1, longest) <= self._most_bytes

    @cached_property
    def _footprint(self) -> Footprint:
        return measure(self._model)

    def _join(self, sequence: TokenSequence) -> None:
        prompt = np.asarray(sequence.prompt[:-1], dtype=np.int64)
        kept = self._kept(sequence, prompt)
        length = kept[1] if kept else 0
        answering, shared = self._answering(prompt)
        if self._worth_waiting(sequence, prompt, max(length, shared)):
            return
        if shared > length:
            kept = self._of_row(answering, prompt)
        self._insert(sequence, _prefix(*kept) if kept else None)
        # Not before: whoever is in neither is forgotten when the thread dies.
        self._waiting.remove(sequence)
        self._first_joined = sequence.first

    def _insert(self, sequence: TokenSequence, prefix: Prefix | None) -> None:
        sequence.cached = prefix.length if prefix else 0
        (uid,) = self._generator.insert(
            [list(sequence.prompt[sequence.cached :])],
            max_tokens=[sequence.max_tokens],
            caches=[prefix.cache] if prefix else None,
            all_tokens=[list(sequence.prompt[: sequence.cached])],
            samplers=[sequence.sampler],
            logits_processors=[sequence.processors],
            **(
                {"wants_logprobs": [sequence.wants_logprobs]}
                if isinstance(self._generator, PackedGenerator)
                else {}
            ),
        )
        self._sequences[uid] = sequence
        if len(sequence.prompt) - sequence.cached > 1:
            self._reading.add(uid)

    def _worth_waiting(self, sequence: TokenSequence, prompt: NDArray[np.int64], cached: int) -> bool:
        """Whether a prompt that is just being read saves more of this one than is saved already.

        So the choices of a request share one prefill however short it is, and requests behind one system prompt
        where that is long.
        """
        return any(
            self._shared(other.prompt[:-1], prompt) - cached
            >= (1 if other.prompt is sequence.prompt else WORTH_WAITING)
            for other in (self._sequences[uid] for uid in self._reading)
        )

    def _shared(self, read: Sequence[int], prompt: NDArray[np.int64]) -> int:
        shared = common_prefix(np.asarray(read, dtype=np.int64), prompt)
        return shared if self._trimmable or shared == len(read) else 0

    def _kept(self, sequence: TokenSequence, prompt: NDArray[np.int64]) -> tuple[Entry[Cache], int] | None:
        """The longest beginning of the prompt that is in a kept cache, and its length."""
        for one in self._read_for_all:
            if one.prompt is sequence.prompt:
                return one.entry, len(prompt)
        return self._prefixes.longest(self._name, prompt)

    def _answering(self, prompt: NDArray[np.int64]) -> tuple[int, int]:
        """Of the sequences past their prompts the one that shares most of it with this, and how many tokens."""
        shared = {
            uid: self._shared(sequence.prompt[:-1], prompt)
            for uid, sequence in self._sequences.items()
            if self._trimmable and uid not in self._reading
        }
        return max(shared.items(), key=lambda one: one[1], default=(0, 0))

    def _of_row(self, uid: int, prompt: NDArray[np.int64]) -> tuple[Entry[Cache], int]:
        entry = _entry(*self._generator.extract_cache([uid])[uid])
        return entry, common_prefix(entry.tokens, prompt)

    def _keep(self, cache: Cache, tokens: Sequence[int]) -> None:
        """Keep what was read for later prompts."""
        if not tokens:
            return
        entry = _entry(cache, tokens)
        self._settle(cache)
        self._prefixes.add(self._name, list(tokens), cache, entry.nbytes, trimmable=entry.trimmable)

    def _settle(self, cache: Cache) -> None:
        """Have it evaluated, as it would hold on to the whole batch otherwise."""
        with mx.stream(self._generator.stream):
            mx.eval([layer.state for layer in cache])

    def _break(self, error: Exception, deliveries: Deliveries) -> None:
        for sequence in self._sequences.values():
            deliveries.add(sequence.ticket, error.with_traceback(None))
        self._sequences, self._reading, self._read_for_all = {}, set(), []
        # Where memory has run out this gives some back, and where one of them is broken it breaks no more.
        self._prefixes.forget(self._name)
        self._generator.close()
        self._generator = self._make_generator()


def _prefix(entry: Entry[Cache], length: int) -> Prefix:
    cache = _copy(entry.value)
    if length < len(entry.tokens):
        trim_prompt_cache(cache, len(entry.tokens) - length)
    return Prefix(length, cache)


def _entry(cache: Cache, tokens: Sequence[int]) -> Entry[Cache]:
    nbytes = sum(layer.nbytes for layer in cache)
    return Entry(np.asarray(tokens, dtype=np.int64), cache, nbytes, all(map(_complete, _layers(cache))))


def _layers(cache: Cache) -> Cache:
    """The caches of all layers, with those that a layer has several of one by one."""
    return [one for layer in cache for one in getattr(layer, "caches", [layer])]


def _complete(layer: Any) -> bool:  # noqa: ANN401 - mlx_lm's
    """Whether it has each token by itself, so that it can be cut after any of them.

    A sliding window has dropped some once it was full. Of other kinds none can be cut, or not to any length:
    mlx_lm says that a ChunkedKVCache can, but cuts off no more than is left of its last chunk.
    """
    if isinstance(layer, RotatingKVCache):
        return bool(layer.is_trimmable())  # type: ignore[no-untyped-call]  # mlx_lm is typed in part
    return isinstance(layer, KVCache)


def _copy(cache: Cache) -> Cache:
    """A cache that can be trimmed without the original's noticing.

    The arrays of the plain kind are shared: a batch copies them when a sequence joins it (`merge`).
    """
    return [copy.copy(layer) if type(layer) is KVCache else copy.deepcopy(layer) for layer in cache]
