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


@when.phrase("any embeddings are requested")
def _any() -> Watch:
    return Watch(lambda s: s.valid and s.endpoint is Endpoint.EMBEDDINGS, (PLAIN,))


@when.phrase("embeddings of {number:d} texts are wrongly requested")
def _many(number: int) -> Ask:
    return Ask(of_texts(number))
