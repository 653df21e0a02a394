"""Samples the next token of each sequence after prefill, in one operation if all are greedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx

from gonogo_server.engine.mlx.sampler import greedy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.mlx.packed.progress import Progress


def draw(sequences: Sequence[Progress], logits: mx.array) -> tuple[mx.array, list[mx.array | None]]:
    """A token for each sequence (shape [sequences]), and log probabilities (shape [vocabulary]) or None for each.

    `logits` have the shape [sequences, vocabulary].
    """
    if any(one.processors or one.grammar for one in sequences):
        if any(one.grammar for one in sequences):
            # The CPU computes the grammar masks while the device computes the logits.
            mx.async_eval(logits)  # type: ignore[no-untyped-call]  # mlx is typed in part
        logits = mx.concatenate([_processed(one, logits[i : i + 1]) for i, one in enumerate(sequences)])
    return _chosen(sequences, logits), [
        logits[i] - mx.logsumexp(logits[i]) if one.wants_logprobs else None for i, one in enumerate(sequences)
    ]


def _processed(one: Progress, logits: mx.array) -> mx.array:
    if one.processors:
        read = mx.array(one.tokens)
        for process in one.processors:
            logits = process(read, logits)
    return one.grammar.masked(logits) if one.grammar else logits


def _chosen(sequences: Sequence[Progress], logits: mx.array) -> mx.array:
    if all(one.sampler is greedy for one in sequences):
        return greedy(logits)
    return mx.concatenate([one.sampler(logits[i : i + 1]) for i, one in enumerate(sequences)])
