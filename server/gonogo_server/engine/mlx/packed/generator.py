"""Continuous batching in packed passes, with those methods of mlx_lm's BatchGenerator that `batch` uses."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import mlx.core as mx

from gonogo_server.engine.mlx.api import generation_stream
from gonogo_server.engine.mlx.grammar import GrammarMask
from gonogo_server.engine.mlx.one_at_a_time import Answering, Reading
from gonogo_server.engine.mlx.packed.batch_invariance import is_batch_invariant
from gonogo_server.engine.mlx.packed.caches import Caches
from gonogo_server.engine.mlx.packed.drafts import MOST, Drafts
from gonogo_server.engine.mlx.packed.draw import draw
from gonogo_server.engine.mlx.packed.forward import Forward
from gonogo_server.engine.mlx.packed.layout import Layout, Share
from gonogo_server.engine.mlx.packed.pace import Pace
from gonogo_server.engine.mlx.packed.progress import Progress
from gonogo_server.engine.mlx.packed.sharing import has_room, shares
from gonogo_server.engine.mlx.sampler import greedy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.mlx.packed.weights import Weights

CLEAR = 512
"""Passes between two calls of `mx.clear_cache`, as in mlx_lm."""


class PackedGenerator:
    """Answers at most `rows` sequences at a time; a pass reads about `step_size` prompt tokens.

    `end_tokens` end an answer. With `batch_invariant`, an answer does not depend on the others in the batch; see
    `forward`.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        end_tokens: frozenset[int],
        rows: int,
        step_size: int,
        batch_invariant: bool = False,
    ) -> None:
        self._forward = Forward(weights, batch_invariant=batch_invariant)
        self._caches = Caches(weights)
        self._end_tokens = end_tokens
        self._weights, self._batch_invariant = weights, batch_invariant
        self._max_rows = rows
        self._step_size = step_size
        self._waiting: deque[Progress] = deque()
        self._rows: list[Progress] = []
        self._drawing: list[Progress] = []
        """The sequences for which the current pass samples a token, ..."""
        self._drawn: mx.array | None = None
        """... the tokens, ..."""
        self._logprobs: list[mx.array | None] = []
        """... and their log probabilities."""
        self._pace = Pace()
        self._count = 0
        self._passes = 0
        self.stream = generation_stream

    @property
    def prompt_cache_nbytes(self) -> int:
        """Size in bytes of the caches of all sequences."""
        waiting: int = sum(layer.nbytes for one in self._waiting for layer in one.cache)
        return self._caches.nbytes + waiting

    def insert(
        self,
        prompts: list[list[int]],
        *,
        max_tokens: list[int],
        caches: list[list[Any]] | None,
        all_tokens: list[list[int]],
        samplers: list[Any],
        logits_processors: list[list[Any]],
        wants_logprobs: list[bool],
    ) -> list[int]:
        """Queue one sequence and return its uid; every list has one element."""
        self._count += 1
        processors = logits_processors[0]
        plain = not processors and not wants_logprobs[0] and samplers[0] is greedy
        self._waiting.append(
            Progress(
                self._count,
                list(prompts[0]),
                list(all_tokens[0]),
                caches[0] if caches else [],
                max_tokens[0],
                samplers[0],
                [one for one in processors if not isinstance(one, GrammarMask)],
                next((one for one in processors if isinstance(one, GrammarMask)), None),
                wants_logprobs[0],
                self._end_tokens,
                Drafts([*all_tokens[0], *prompts[0]]) if plain else None,
            )
        )
        return [self._count]

    def next(self) -> tuple[list[Reading], list[Answering]]:
        """Return the results of the current pass, and start the next one."""
        with mx.stream(self.stream):
            answered = self._finish_pass()
            read = self._join(answered)
            if self._rows:
                read += self._begin_pass()
        return read, answered

    def extract_cache(self, uids: Sequence[int]) -> dict[int, tuple[list[Any], list[int]]]:
        """Copies of the caches of these sequences, and the tokens in them."""
        with mx.stream(self.stream):
            found = {
                one.uid: (self._caches.copy(row, len(one.tokens)), list(one.tokens))
                for row, one in enumerate(self._rows)
                if one.uid in uids
            }
        return found | {one.uid: (one.cache, list(one.tokens)) for one in self._waiting if one.uid in uids}

    def remove(
        self, uids: Sequence[int], *, return_prompt_caches: bool = False
    ) -> dict[int, tuple[list[Any], list[int]]]:
        """Drop these sequences, and return their caches if asked to."""
        caches = self.extract_cache(uids) if return_prompt_caches else {}
        self._waiting = deque(one for one in self._waiting if one.uid not in uids)
        with mx.stream(self.stream):
            mx.eval([layer.state for cache, _ in caches.values() for layer in cache])
            for one in [one for one in self._rows if one.uid in uids]:
                self._free_row(one)
        return caches

    def close(self) -> None:
        """Drop all sequences."""
        self._waiting.clear()
        self._rows, self._drawing, self._drawn, self._logprobs = [], [], None, []
        self._caches.clear()

    @cached_property
    def _drafts_are_exact(self) -> bool:
        """Whether drafts change no text: a pass with a draft gives the same result as a pass without."""
        return self._batch_invariant or is_batch_invariant(self._weights, range(1, MOST + 2))

    def _finish_pass(self) -> list[Answering]:
        if self._drawn is None:
            return []
        tokens = cast("list[int]", self._drawn.tolist())
        self._pace.end()
        drawing, logprobs = self._drawing, self._logprobs
        self._drawing, self._drawn, self._logprobs = [], None, []
        if drawing[0].draft:
            (one,) = drawing
            return self._answers(one, one.verify(tokens)) if one in self._rows else []
        return [
            answer
            for one, token, values in zip(drawing, tokens, logprobs, strict=True)
            if one in self._rows
            for answer in self._answers(one, one.take(token), values)
        ]

    def _answers(
        self, one: Progress, taken: list[tuple[int, str | None]], logprobs: mx.array | None = None
    ) -> list[Answering]:
        answers = [Answering(one.uid, token, logprobs, reason, None, None) for token, reason in taken]
        if answers and (last := answers[-1]).finish_reason is not None:
            (kept,) = self.remove([one.uid], return_prompt_caches=True).values()
            last.prompt_cache, last.all_tokens = kept
        return answers

    def _join(self, answered: list[Answering]) -> list[Reading]:
        """Give rows to waiting sequences while passes have room for their prompts."""
        ended = []
        while (
            self._waiting and len(self._rows) < self._max_rows and has_room(self._unread(), self._step_size)
        ):
            one = self._waiting[0]
            answers = self._answers(one, one.begin())
            answered += answers
            if answers and answers[-1].finish_reason is not None:
                # The grammar forced the whole answer: the prompt need not be read.
                ended.append(Reading(one.uid, end_of_segment=True, end_of_prompt=True))
                continue
            self._waiting.popleft()
            self._rows.append(one)
        return ended

    def _by_age(self) -> list[Progress]:
        return sorted(self._rows, key=lambda one: one.uid)

    def _unread(self) -> list[int]:
        return [len(one.left) for one in self._by_age()]

    def _free_row(self, one: Progress) -> None:
        row, last = self._rows.index(one), len(self._rows) - 1
        if row != last:
            self._caches.move(last, row, len(self._rows[last].tokens))
            self._rows[row] = self._rows[last]
        self._rows.pop()
        if not self._rows:
            self._caches.clear()

    def _begin_pass(self) -> list[Reading]:
        if len(self._rows) == 1 and self._rows[0].decoding:
            (one,) = self._rows
            if one.has_draft(self._pace.required_acceptance) and self._drafts_are_exact:
                one.add_draft()
            self._pace.begin(drafted=bool(one.draft))
        layout = Layout([Share(part, len(one.tokens)) for one, part in self._parts()])
        self._caches.make_room(layout.rows, layout.longest)
        for row, one in enumerate(self._rows):
            if one.cache:
                self._caches.put(row, one.cache)
                one.cache = []
        states = self._forward(layout, self._caches)
        for one, share in zip(self._rows, layout.shares, strict=True):
            one.tokens += share.tokens
            one.left = one.left[len(share.tokens) :]
        self._draw(states)
        self._passes += 1
        if self._passes % CLEAR == 0:
            mx.clear_cache()
        return self._end_prefills()

    def _parts(self) -> list[tuple[Progress, list[int]]]:
        """The tokens that each sequence reads in the next pass, in the order of the rows."""
        counts = zip(self._by_age(), shares(self._unread(), self._step_size), strict=True)
        parts = {one.uid: one.left[:count] for one, count in counts}
        return [(one, parts[one.uid]) for one in self._rows]

    def _draw(self, states: mx.array) -> None:
        places = [row for row, one in enumerate(self._rows) if not one.left]
        self._drawing = [self._rows[row] for row in places]
        if not places:
            mx.async_eval(self._caches.layers)  # type: ignore[no-untyped-call]  # mlx is typed in part
            return
        if self._drawing[0].draft:
            # The layout puts the last token of a sequence first.
            last = states[mx.array([*range(1, len(states)), 0])]
            self._drawn = greedy(self._forward.logits(last))
            mx.async_eval(self._drawn, self._caches.layers)  # type: ignore[no-untyped-call]  # mlx is typed in part
            return
        all_rows = len(places) == len(self._rows)
        last = states[: len(places)] if all_rows else states[mx.array(places)]
        self._drawn, self._logprobs = draw(self._drawing, self._forward.logits(last))
        mx.async_eval(self._drawn, [one for one in self._logprobs if one is not None], self._caches.layers)  # type: ignore[no-untyped-call]  # mlx is typed in part

    def _end_prefills(self) -> list[Reading]:
        done = [one for one in self._rows if one.reading and not one.left]
        for one in done:
            one.reading = False
        return [Reading(one.uid, end_of_segment=True, end_of_prompt=False) for one in done]
