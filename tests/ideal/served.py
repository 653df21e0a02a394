"""The models of the ideal target."""

from __future__ import annotations

from typing import Any

from ideal.refusal import Refusal

CHAT = "ideal"
EMBEDDING = "org/ideal-embedder"
CONTEXT_LENGTH = 4096
"""The context length: tokens of prompt and answer together."""

_KINDS = {CHAT: "chat", EMBEDDING: "embedding"}


def listing() -> dict[str, Any]:
    """The body of GET /models."""
    return {"object": "list", "data": [_entry(name) for name in _KINDS]}


def retrieve(name: str) -> dict[str, Any]:
    """The entry of one model. Raises Refusal if there is none of that name."""
    if name not in _KINDS:
        raise Refusal(f"There is no model {name!r}.", status=404, param="model", code="model_not_found")
    return _entry(name)


def expect(name: str, kind: str) -> None:
    """Raise Refusal if the model does not exist or is of another kind."""
    if retrieve(name)["type"] != kind:
        raise Refusal(f"{name!r} is no model for this.", param="model", code="unsupported_value")


def _entry(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": 1_600_000_000,
        "owned_by": "gonogo",
        "type": _KINDS[name],
        "context_length": CONTEXT_LENGTH,
    }
