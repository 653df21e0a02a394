"""Whether an answer belongs to its operation: a 2xx status alone is not enough."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge import reading
from gonogo.judge.once import once
from gonogo.judge.outcome import Stop
from gonogo.stimuli.bodies import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Object

FEW_TOKENS = 128  # slightly above the largest limit of a valid request of the plan
SHORT_BODY = 8192  # bytes; longer bodies are long prompts and fields

NAMES = {
    "/chat/completions": "a chat completion",
    "/completions": "a completion",
    "/embeddings": "a list of embeddings",
    "/models": "a list of models",
    "/responses": "a response",
    "/responses/input_tokens": "a count of tokens",
    "/messages": "a message",
    "/messages/count_tokens": "a count of tokens",
}

_LISTS = {
    "/chat/completions": "choices",
    "/completions": "choices",
    "/embeddings": "data",
    "/responses": "output",
    "/messages": "content",
}

_OPENED = rb'"%b"\s*:\s*\[\s*\{'
_HEAD = 1024  # bytes within which the list of an answer begins


def name(exchange: Exchange) -> str:
    """The kind of answer of the request's operation, as a noun phrase."""
    path = exchange.request.operation
    return NAMES.get(path, "a model" if path.startswith("/models/") else "an answer")


@once
def of_its_kind(exchange: Exchange) -> bool:
    """Whether a 2xx answer has the fields of every answer of its operation, whole or at the beginning of a stream.

    A chat completion has a choice with a message (streamed: a chunk with a list of choices), a completion one with
    text, embeddings have an embedding, a list of models has a list, a model an id. A response has a list of output, a
    message one of content, or either has its type (streamed: an event that begins it). A token count has a number.
    Other paths have no kind.
    """
    path = exchange.request.operation
    if path in _STREAMS and exchange.is_stream:
        return _streams(exchange, _STREAMS[path])
    has = _HAS.get(path, _is_model if path.startswith("/models/") else None)
    if has is None:
        return True
    try:
        return has(reading.answer(exchange))
    except Stop:
        return False


def has_list(exchange: Exchange) -> bool:
    """Whether an answer has the list of its operation, possibly empty, as for a request of 0 choices or texts."""
    try:
        return isinstance(reading.answer(exchange).get(_LISTS.get(exchange.request.operation, "")), list)
    except Stop:
        return False


def begins_list(exchange: Exchange) -> bool:
    """Whether the recorded beginning of an incomplete answer has the list of its operation."""
    name = _LISTS.get(exchange.request.operation)
    cut = exchange.failure is not None and exchange.failure.kind is FailureKind.TOO_LARGE
    return cut and name is not None and re.search(_OPENED % name.encode(), exchange.body[:_HEAD]) is not None


def may_be_under_way(exchange: Exchange) -> bool:
    """Whether a server that accepts the request may still be working on it.

    True if the prompt is long or the token limit high; smaller requests take no longer than a run's valid ones.
    """
    asked = exchange.request.fields
    return any(asked.get(name) for name in ("messages", "prompt", "input")) and not _is_small(exchange)


def _is_small(exchange: Exchange) -> bool:
    asked = {name: reading.count(value) for name, value in exchange.request.fields.items()}
    limit = next((limit for name in LIMITS if (limit := asked.get(name))), 0)
    choices = max(asked.get("n") or 1, asked.get("best_of") or 1)
    return 0 < limit * choices <= FEW_TOKENS and len(exchange.request.body) <= SHORT_BODY


def _streams(exchange: Exchange, is_one: Callable[[Object], bool]) -> bool:
    try:
        return any(is_one(chunk.value) for chunk in reading.chunks(exchange))
    except Stop:
        return False


def _has_choices(chunk: Object) -> bool:
    return isinstance(chunk.get("choices"), list)


def _begins_response(event: Object) -> bool:
    return str(event.get("type")).startswith("response.")


def _begins_message(event: Object) -> bool:
    return event.get("type") == "message_start"


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


def _is_response(answer: Object) -> bool:
    return isinstance(answer.get("output"), list) or answer.get("object") == "response"


def _is_message(answer: Object) -> bool:
    return isinstance(answer.get("content"), list) or answer.get("type") == "message"


def _is_count(answer: Object) -> bool:
    return reading.count(answer.get("input_tokens")) is not None


_HAS: Mapping[str, Callable[[Object], bool]] = {
    "/chat/completions": _is_chat,
    "/completions": _is_completion,
    "/embeddings": _is_embeddings,
    "/models": _is_list,
    "/responses": _is_response,
    "/responses/input_tokens": _is_count,
    "/messages": _is_message,
    "/messages/count_tokens": _is_count,
}

_STREAMS: Mapping[str, Callable[[Object], bool]] = {
    "/chat/completions": _has_choices,
    "/completions": _has_choices,
    "/responses": _begins_response,
    "/messages": _begins_message,
}
"""The members that identify an event of each operation's stream."""
