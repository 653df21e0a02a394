"""The answers that one model generates at the same time (continuous batching).

mlx_lm's BatchGenerator computes; sequences join and leave it between steps. This module decides when a sequence joins,
which prefixes are cached, and how a failed step is handled.
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
"""Number of tokens that a prompt must share with one in prefill of another request, to wait for it."""

Cache = list[Any]
"""The caches of all layers of a model, of mlx_lm's types."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """A cache with the first `length` tokens of a prompt."""

    length: int
    cache: Cache


@dataclass(frozen=True, slots=True)
class SharedPrefill:
    """The cache of a prompt without its last token, read by the first choice of a request for its other choices."""

    prompt: Sequence[int]
    entry: Entry[Cache]


class Batch:
    """The answers of one model; `make_generator` returns a new BatchGenerator or a replacement for it."""

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
        """Whether the latest sequence to join was the first answer of its request."""
        self._sequences: dict[int, TokenSequence] = {}
        self._reading: set[int] = set()
        self._shared_prefills: list[SharedPrefill] = []

    def add(self, sequence: TokenSequence) -> None:
        """Queue a sequence; it joins the batch as soon as there is room."""
        self._waiting.append(sequence)

    @property
    def unfinished(self) -> int:
        """Number of answers that are running or waiting."""
        return len(self._sequences) + len(self._waiting)

    def step(self, deliveries: Deliveries) -> bool:
        """Generate a token for each sequence after prefill, and read part of a prompt; return False if all are done."""
        self._drop_cancelled()
        try:
            self._admit(deliveries)
            self._shared_prefills = [one for one in self._shared_prefills if self._awaited(one.prompt)]
            if not self._sequences:
                return False
            self._advance(deliveries)
        except Exception as error:  # noqa: BLE001 - reported to the affected answers
            # The caches of all sequences may be out of step with their tokens, so none of them can be used again.
            log_failure(log, error, "A step of the model %s failed.", self._name)
            self._reset(error, deliveries)
        return self.unfinished > 0

    def fail(self, error: Exception, deliveries: Deliveries) -> None:
        """Fail all answers, including waiting ones."""
        for sequence in (*self._sequences.values(), *self._waiting):
            deliveries.add(sequence.ticket, error)
        self._sequences, self._waiting, self._shared_prefills = {}, deque(), []

    def close(self) -> None:
        """Close the generator."""
        self._generator.close()

    def _advance(self, deliveries: Deliveries) -> None:
        read, answered = self._generator.next()
        for response in read:
            if response.end_of_segment:
                self._reading.discard(response.uid)
                if not response.end_of_prompt:
                    self._keep_prompt(response.uid)
        for response in answered:
            self._answer(response, deliveries)

    def _keep_prompt(self, uid: int) -> None:
        """Keep the cache of a prompt that was just read, before tokens of its answer follow, if it can be reused."""
        prompt = self._sequences[uid].prompt
        awaited = self._awaited(prompt)
        if self._trimmable and not awaited:
            return
        cache, tokens = self._generator.extract_cache([uid])[uid]
        if not self._trimmable:
            # It can only be reused as a whole, and the answer will change it.
            self._keep(cache, tokens)
        if awaited:
            # Kept here, because the prefix cache may be disabled, or evict it too early.
            self._evaluate(cache)
            self._shared_prefills.append(SharedPrefill(prompt, _entry(cache, tokens)))

    def _awaited(self, prompt: Sequence[int]) -> bool:
        """Whether choices of the same request wait; they share the prompt object, which is not merely equal."""
        return any(sequence.prompt is prompt for sequence in self._waiting)

    def _answer(self, response: Any, deliveries: Deliveries) -> None:  # noqa: ANN401 - mlx_lm's
        sequence = self._sequences.get(response.uid)
        if sequence is None:
            # The sequence failed at an earlier token.
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
        except Exception as error:  # noqa: BLE001 - the step succeeded; only this answer fails
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
                    # No sequence may overtake it, or it might wait forever.
                    return
                self._join(sequence)
            except Exception as error:  # noqa: BLE001 - it is not in the batch yet; only this answer fails
                log_failure(log, error, "An answer of the model %s could not be started.", self._name)
                self._waiting.remove(sequence)
                deliveries.add(sequence.ticket, error.with_traceback(None))

    def _in_turn(self) -> list[TokenSequence]:
        """The waiting sequences: first answers of requests alternate with other answers, each in order of arrival.

        A request for many answers thus delays the next request by one of them rather than by all, and a steady flow of
        requests for one answer does not delay its other answers forever.
        """
        first = [sequence for sequence in self._waiting if sequence.first]
        others = [sequence for sequence in self._waiting if not sequence.first]
        pairs = zip_longest(others, first) if self._first_joined else zip_longest(first, others)
        return [sequence for pair in pairs for sequence in pair if sequence is not None]

    def _has_room(self, sequence: TokenSequence) -> bool:
        """Whether the caches stay within `most_bytes` even if all answers reach their limits.

        A sequence that is alone always has room: it would wait forever, and its answer may be far shorter than
        `max_tokens`.
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
        running, shared = self._most_shared(prompt)
        if self._worth_waiting(sequence, prompt, max(length, shared)):
            return
        if shared > length:
            kept = self._of_row(running, prompt)
        self._insert(sequence, _prefix(*kept) if kept else None)
        # Removed last: a sequence that is neither waiting nor running would not be failed if the thread died.
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
        """Whether waiting for a prompt in prefill saves more tokens than the caches do now.

        The choices of a request thus share one prefill of any length, and requests with the same system prompt share it
        if it is long.
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
        """The kept cache with the longest prefix of the prompt, and the length of the prefix."""
        for one in self._shared_prefills:
            if one.prompt is sequence.prompt:
                return one.entry, len(prompt)
        return self._prefixes.longest(self._name, prompt)

    def _most_shared(self, prompt: NDArray[np.int64]) -> tuple[int, int]:
        """The sequence after prefill that shares the longest prefix with the prompt, and the length of the prefix."""
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
        """Add a cache to the prefix cache."""
        if not tokens:
            return
        entry = _entry(cache, tokens)
        self._evaluate(cache)
        self._prefixes.add(self._name, list(tokens), cache, entry.nbytes, trimmable=entry.trimmable)

    def _evaluate(self, cache: Cache) -> None:
        """Evaluate a cache, because it would otherwise keep the arrays of the whole batch alive."""
        with mx.stream(self._generator.stream):
            mx.eval([layer.state for layer in cache])

    def _reset(self, error: Exception, deliveries: Deliveries) -> None:
        for sequence in self._sequences.values():
            deliveries.add(sequence.ticket, error.with_traceback(None))
        self._sequences, self._reading, self._shared_prefills = {}, set(), []
        # Frees memory if it has run out, and drops a prefix that may have caused the failure.
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
    """The caches of all layers; those of a layer with several caches are listed separately."""
    return [one for layer in cache for one in getattr(layer, "caches", [layer])]


def _complete(layer: Any) -> bool:  # noqa: ANN401 - mlx_lm's
    """Whether a cache holds every token separately, so that it can be trimmed to any length.

    A sliding window drops tokens once it is full. Other kinds cannot be trimmed, or not to any length: mlx_lm reports a
    ChunkedKVCache as trimmable, but trims no more than its last chunk.
    """
    if isinstance(layer, RotatingKVCache):
        return bool(layer.is_trimmable())  # type: ignore[no-untyped-call]  # mlx_lm is typed in part
    return isinstance(layer, KVCache)


def _copy(cache: Cache) -> Cache:
    """A copy that can be trimmed without changing the original.

    Copies of plain caches share the arrays, because a batch copies them when a sequence joins it (`merge`).
    """
    return [copy.copy(layer) if type(layer) is KVCache else copy.deepcopy(layer) for layer in cache]
