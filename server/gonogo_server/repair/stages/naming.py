"""Ids of rules that chats and completions share, by operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo_server.repair.base import Operation, Requested

STREAM: Final[Mapping[Operation, str]] = {"chat": "chat.stream", "completion": "completions.stream"}
RESPONSE: Final[Mapping[Operation, str]] = {
    "chat": "chat.response",
    "completion": "completions.response",
    "embedding": "embeddings.response",
}

# Rules for chats that have another name for completions, or are part of another rule there.
_OF_COMPLETIONS: Final[Mapping[str, str]] = {
    "delta": "text",
    "finish_empty": "finish_once",
    "has_choices": "choices",
    "id_not_empty": "id",
    "model_not_empty": "model",
    "same_created": "created",
    "same_model": "model",
    "seconds": "created",
    "usage_details": "usage_schema",
    "usage_last": "usage",
    "usage_once": "usage",
}


def of_stream(requested: Requested, name: str) -> str:
    """The id of a rule about the requested stream."""
    if requested.operation == "completion":
        name = _OF_COMPLETIONS.get(name, name)
    return f"{STREAM[requested.operation]}.{name}"


def both(*names: str) -> tuple[str, ...]:
    """The ids of these rules for streamed chats and streamed completions."""
    chats = tuple(f"{STREAM['chat']}.{name}" for name in names)
    return chats + tuple(
        dict.fromkeys(f"{STREAM['completion']}.{_OF_COMPLETIONS.get(name, name)}" for name in names)
    )
