"""Requests for embeddings that a scenario cannot write down, and those that are watched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli.bodies import post
from gonogo.stimuli.phrases import Ask, Watch, when
from gonogo.stimuli.stimulus import Endpoint

if TYPE_CHECKING:
    from gonogo.stimuli.stimulus import Stimulus

PLAIN = post(Endpoint.EMBEDDINGS, {})


def of_texts(number: int) -> Stimulus:
    """One short text so many times; the key says how many."""
    stimulus = post(Endpoint.EMBEDDINGS, {"input": ["a"] * number}, valid=False)
    return replace(stimulus, key=f"{Endpoint.EMBEDDINGS} of {number} texts")


SHARED_WORDS = 600
"""More than the context of small models holds; others read it in no time."""


@when.phrase("embeddings of two long texts that differ at their end are requested")
def _same_start() -> Ask:
    texts = ["word " * SHARED_WORDS + end for end in ("The cat sleeps.", "Revenue fell again.")]
    plain = post(Endpoint.EMBEDDINGS, {"input": texts}, valid=False)
    return Ask(
        replace(plain, key=f"{Endpoint.EMBEDDINGS} of two texts that differ behind {SHARED_WORDS} words")
    )


@when.phrase("any embeddings are requested")
def _any() -> Watch:
    return Watch(lambda s: s.valid and s.endpoint is Endpoint.EMBEDDINGS, (PLAIN,))


@when.phrase("embeddings of {number:d} texts are wrongly requested")
def _many(number: int) -> Ask:
    return Ask(of_texts(number))
