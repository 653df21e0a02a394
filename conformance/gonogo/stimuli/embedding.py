"""Embedding requests that are too long for a scenario, and the phrases for embedding answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli.bodies import list_models, post
from gonogo.stimuli.observed import context_length
from gonogo.stimuli.phrases import Ask, Watch, when
from gonogo.stimuli.stimulus import Endpoint, NotPossible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.stimulus import Stimulus, Subject

PLAIN = post(Endpoint.EMBEDDINGS, {})


def of_texts(number: int) -> Stimulus:
    """The same short text `number` times; the key contains the number."""
    stimulus = post(Endpoint.EMBEDDINGS, {"input": ["a"] * number}, valid=False)
    return replace(stimulus, key=f"{Endpoint.EMBEDDINGS} of {number} texts")


SHARED_WORDS = 600
"""More than the context of small models; other models read it quickly."""
LONGEST_CONTEXT = 2048
"""Tokens. A longer context is not filled, because two texts of that length take a minute on a small machine."""


@when.phrase("embeddings of two long texts that differ at their end are requested")
def _same_start() -> Ask:
    return Ask(same_start())


def same_start() -> Stimulus:
    """Two texts that share a beginning of more words than the context has tokens, at least SHARED_WORDS."""
    plain = post(Endpoint.EMBEDDINGS, {}, valid=False)
    models = list_models()

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        request = plain.build(subject, answers)
        start = "word " * _words(answers[models.key], subject.embedding_model)
        texts = [start + end for end in ("The cat sleeps.", "Revenue fell again.")]
        return replace(request, body=json.dumps(request.fields | {"input": texts}).encode())

    key = f"{Endpoint.EMBEDDINGS} of two texts that differ behind {SHARED_WORDS} words"
    return replace(plain, key=key, build=build, needs=(models,))


def _words(listing: Exchange, model: str | None) -> int:
    """A quarter more words than the model's context has tokens, if that is listed and not too long."""
    try:
        length = context_length(listing, model or "")
    except NotPossible:
        return SHARED_WORDS
    return max(SHARED_WORDS, length + length // 4) if length <= LONGEST_CONTEXT else SHARED_WORDS


@when.phrase("any embeddings are requested")
def _any() -> Watch:
    return Watch(lambda s: s.valid and s.endpoint is Endpoint.EMBEDDINGS, (PLAIN,))


@when.phrase("embeddings of {number:d} texts are wrongly requested")
def _many(number: int) -> Ask:
    return Ask(of_texts(number))
