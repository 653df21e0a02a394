"""Servers that omit one thing everywhere: rules about that thing have nothing to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo.faults.editing import DONE, answer, body, both, changed, each, frames

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Change, JsonEdit

Json = Any
GENERATIONS = ("/chat/completions", "/completions")


def wholes(exchange: Exchange) -> bool:
    """Every accepted generation that is one JSON object."""
    return _accepted(exchange, *GENERATIONS) and exchange.media_type == "application/json"


def streams(exchange: Exchange) -> bool:
    """Every accepted generation that is a stream."""
    return _accepted(exchange, *GENERATIONS) and exchange.is_stream


def embeddings(exchange: Exchange) -> bool:
    """Every accepted request of embeddings."""
    return _accepted(exchange, "/embeddings")


def lists(exchange: Exchange) -> bool:
    """Every list of models."""
    return _accepted(exchange, "/models")


def refusals(exchange: Exchange) -> bool:
    """Every refusal, including preflights and other requests."""
    return exchange.status is not None and exchange.status >= 400


def _accepted(exchange: Exchange, *paths: str) -> bool:
    return exchange.status == 200 and exchange.request.path in paths


def _generations(edit: JsonEdit) -> Change:
    return both(changed(wholes, answer(edit)), changed(streams, each(edit)))


def _no_choices(value: Json) -> None:
    value["choices"] = []


def _no_text(value: Json) -> None:
    """Remove text and calls; the frame of an answer is left."""
    for choice in value["choices"]:
        if "text" in choice:
            choice["text"] = ""
        for said in (choice.get("message"), choice.get("delta")):
            if said is not None:
                said.pop("tool_calls", None)
                said.pop("content", None)
        if "message" in choice:
            choice["message"]["content"] = None


def _no_usage(value: Json) -> None:
    if value.get("usage") is not None:
        value["usage"] = {}


def _no_calls(value: Json) -> None:
    for choice in value["choices"]:
        for said in (choice.get("message"), choice.get("delta")):
            if said is not None and said.pop("tool_calls", None) is not None and said.get("content") is None:
                said["content"] = "Hello"
        if choice["finish_reason"] == "tool_calls":
            choice["finish_reason"] = "stop"


def _no_logprobs(value: Json) -> None:
    for choice in value["choices"]:
        choice["logprobs"] = None


def _no_data(value: Json) -> None:
    value["data"] = []


def _no_chunks(old: list[bytes]) -> list[bytes]:
    return [frame for frame in old if frame == DONE]


BLANKS: dict[str, Change] = {
    "no choices": _generations(_no_choices),
    "no text and no calls": _generations(_no_text),
    "no chunks": changed(streams, frames(_no_chunks)),
    "empty usage": _generations(_no_usage),
    "no calls of tools": _generations(_no_calls),
    "no log probabilities": _generations(_no_logprobs),
    "no embeddings": changed(embeddings, answer(_no_data)),
    "no models": changed(lists, answer(_no_data)),
    "refusals without a body": changed(refusals, body(b"")),
}
