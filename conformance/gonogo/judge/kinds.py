"""Whether an answer is one of its operation: a status of 2xx alone accepts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.once import once
from gonogo.judge.outcome import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Object

NAMES = {
    "/chat/completions": "a chat completion",
    "/completions": "a completion",
    "/embeddings": "a list of embeddings",
    "/models": "a list of models",
}


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


def may_be_under_way(exchange: Exchange) -> bool:
    """Whether a server may be at work on a request that it takes for a right one: it has something to be answered."""
    asked = exchange.request.fields
    return any(asked.get(name) for name in ("messages", "prompt", "input"))


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
