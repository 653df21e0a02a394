"""Whether an answer is one of its operation: a status of 2xx alone accepts nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge import reading
from gonogo.judge.once import once
from gonogo.judge.outcome import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Object

FEW_TOKENS = 128  # a little above the largest limit of a valid request of the plan
SHORT_BODY = 8192  # bytes; longer ones are prompts and fields that are meant to be long

NAMES = {
    "/chat/completions": "a chat completion",
    "/completions": "a completion",
    "/embeddings": "a list of embeddings",
    "/models": "a list of models",
}

_LISTS = {"/chat/completions": "choices", "/completions": "choices", "/embeddings": "data"}

_OPENED = rb'"%b"\s*:\s*\[\s*\{'
_HEAD = 1024  # bytes in which the list of an answer begins


def name(exchange: Exchange) -> str:
    """What the operation of the request answers with, as a noun phrase."""
    path = exchange.request.path.partition("?")[0]
    return NAMES.get(path, "a model" if path.startswith("/models/") else "an answer")


@once
def of_its_kind(exchange: Exchange) -> bool:
    """Whether an answer with 2xx has what every answer of its operation has, be it whole or the beginning of a stream.

    A chat completion has a choice with a message (streamed: a chunk with a list of choices), a completion one with
    text, embeddings have an embedding, a list of models has a list, a model an id. Other paths have no kind.
    """
    path = exchange.request.path.partition("?")[0]
    if path in ("/chat/completions", "/completions") and exchange.is_stream:
        return _streams(exchange)
    has = _HAS.get(path, _is_model if path.startswith("/models/") else None)
    if has is None:
        return True
    try:
        return has(reading.answer(exchange))
    except Stop:
        return False


def has_list(exchange: Exchange) -> bool:
    """Whether an answer has the list of its operation, be it empty, as where no choice or no text was asked for."""
    try:
        return isinstance(reading.answer(exchange).get(_LISTS.get(exchange.request.path, "")), list)
    except Stop:
        return False


def begins_list(exchange: Exchange) -> bool:
    """Whether an answer of which the recorder kept the beginning has the list of its operation there."""
    name = _LISTS.get(exchange.request.path)
    cut = exchange.failure is not None and exchange.failure.kind is FailureKind.TOO_LARGE
    return cut and name is not None and re.search(_OPENED % name.encode(), exchange.body[:_HEAD]) is not None


def may_be_under_way(exchange: Exchange) -> bool:
    """Whether a server that takes the request for a right one may have that much work with it.

    It has something to be answered, and more than a short prompt and few tokens: what is as small as the valid
    requests of a run takes no longer than they do.
    """
    asked = exchange.request.fields
    return any(asked.get(name) for name in ("messages", "prompt", "input")) and not _is_small(exchange)


def _is_small(exchange: Exchange) -> bool:
    asked = {name: reading.count(value) for name, value in exchange.request.fields.items()}
    limit = asked.get("max_completion_tokens") or asked.get("max_tokens") or 0
    choices = max(asked.get("n") or 1, asked.get("best_of") or 1)
    return 0 < limit * choices <= FEW_TOKENS and len(exchange.request.body) <= SHORT_BODY


def _streams(exchange: Exchange) -> bool:
    try:
        return any(isinstance(chunk.value.get("choices"), list) for chunk in reading.chunks(exchange))
    except Stop:
        return False


def _is_chat(answer: Object) -> bool:
    return any(isinstance(choice.get("message"), dict) for choice in reading.objects(answer.get("choices")))


def _is_completion(answer: Object) -> bool:
    return any("text" in choice for choice in reading.objects(answer.get("choices")))


def _is_embeddings(answer: Object) -> bool:
    return any("embedding" in entry for entry in reading.objects(answer.get("data")))


def _is_list(answer: Object) -> bool:
    return isinstance(answer.get("data"), list)


def _is_model(answer: Object) -> bool:
    return isinstance(answer.get("id"), str)


_HAS: Mapping[str, Callable[[Object], bool]] = {
    "/chat/completions": _is_chat,
    "/completions": _is_completion,
    "/embeddings": _is_embeddings,
    "/models": _is_list,
}
