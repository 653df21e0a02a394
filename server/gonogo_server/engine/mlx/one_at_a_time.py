"""Replaces mlx_lm's BatchGenerator if a model's caches cannot be batched: generates one answer after the other.

It has the methods of BatchGenerator that `batch` uses, with the same behaviour.
"""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import mlx.core as mx

from gonogo_server.engine.mlx.api import generation_stream, make_prompt_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(slots=True)
class Reading:
    """A part of a prompt was read; the fields of mlx_lm's PromptProcessingBatch.Response that `batch` uses."""

    uid: int
    end_of_segment: bool
    end_of_prompt: bool


@dataclass(slots=True)
class Answering:
    """A token was generated; the fields of mlx_lm's GenerationBatch.Response that `batch` uses."""

    uid: int
    token: int
    logprobs: mx.array | None
    """Of shape [vocabulary]; None if not requested."""
    finish_reason: str | None
    prompt_cache: list[Any] | None
    all_tokens: list[int] | None


@dataclass(slots=True)
class _Sequence:
    uid: int
    left: list[int]
    tokens: list[int]
    cache: list[Any]
    max_tokens: int
    sampler: Callable[[mx.array], mx.array]
    processors: Sequence[Callable[[mx.array, mx.array], mx.array]]
    generated: int = 0


class OneAtATime:
    """A step reads at most `step_size` prompt tokens; `end_tokens` end an answer."""

    def __init__(self, model: Any, *, end_tokens: frozenset[int], step_size: int) -> None:  # noqa: ANN401 - see above
        self._model = model
        self._end_tokens = end_tokens
        self._step_size = step_size
        self._queue: deque[_Sequence] = deque()
        self._count = 0
        self.stream = generation_stream

    def insert(
        self,
        prompts: list[list[int]],
        *,
        max_tokens: list[int],
        caches: list[list[Any]] | None,
        all_tokens: list[list[int]],
        samplers: list[Any],
        logits_processors: list[list[Any]],
    ) -> list[int]:
        """Queue one sequence and return its uid; every list has one element."""
        self._count += 1
        # Copied, because generation changes it, and other sequences may start from the same cache.
        cache = copy.deepcopy(caches[0]) if caches else make_prompt_cache(self._model)
        self._queue.append(
            _Sequence(
                self._count,
                prompts[0],
                all_tokens[0],
                cache,
                max_tokens[0],
                samplers[0],
                logits_processors[0],
            )
        )
        return [self._count]

    def next(self) -> tuple[list[Reading], list[Answering]]:
        """Run a step of the first sequence: a part of its prompt, or one token."""
        if not self._queue:
            return [], []
        first = self._queue[0]
        with mx.stream(self.stream):
            if len(first.left) > 1:
                return [self._read(first)], []
            return [], [self._answer(first)]

    def extract_cache(self, uids: Sequence[int]) -> dict[int, tuple[list[Any], list[int]]]:
        """Copies of the caches of these sequences, and the tokens in them."""
        return {
            one.uid: (copy.deepcopy(one.cache), list(one.tokens)) for one in self._queue if one.uid in uids
        }

    def remove(
        self, uids: Sequence[int], *, return_prompt_caches: bool = False
    ) -> dict[int, tuple[list[Any], list[int]]]:
        """Drop these sequences, and return their caches if asked to."""
        caches = self.extract_cache(uids) if return_prompt_caches else {}
        self._queue = deque(one for one in self._queue if one.uid not in uids)
        return caches

    def close(self) -> None:
        """Drop all sequences."""
        self._queue.clear()

    def _read(self, one: _Sequence) -> Reading:
        part = one.left[: min(self._step_size, len(one.left) - 1)]
        self._model(mx.array(part)[None], cache=one.cache)
        mx.eval([layer.state for layer in one.cache])
        one.tokens += part
        one.left = one.left[len(part) :]
        return Reading(one.uid, end_of_segment=len(one.left) == 1, end_of_prompt=False)

    def _answer(self, one: _Sequence) -> Answering:
        logits = self._model(mx.array(one.left)[None], cache=one.cache)[:, -1, :]
        one.tokens += one.left
        for process in one.processors:
            logits = process(mx.array(one.tokens), logits)
        logprobs = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
        token = cast("int", one.sampler(logprobs).item())
        one.left = [token]
        one.generated += 1
        reason = self._reason(one, token)
        if reason is None:
            return Answering(one.uid, token, logprobs[0], None, None, None)
        self._queue.popleft()
        return Answering(one.uid, token, logprobs[0], reason, one.cache, one.tokens)

    def _reason(self, one: _Sequence, token: int) -> str | None:
        if token in self._end_tokens:
            return "stop"
        return "length" if one.generated >= one.max_tokens else None
