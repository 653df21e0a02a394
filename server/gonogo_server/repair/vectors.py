"""Repairs embeddings. The numbers are never changed."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.errors import UpstreamError
from gonogo_server.repair.errors import error_in
from gonogo_server.repair.fields import Fields
from gonogo_server.repair.indexes import indexes
from gonogo_server.repair.stages.naming import RESPONSE

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document, Noted, Requested

RULES: Final = (
    *(
        f"embeddings.response.{name}"
        for name in ("object", "entry_object", "index", "indexes", "model", "model_not_empty", "usage_total")
    ),
    *(f"embeddings.format.{name}" for name in ("default", "float", "base64")),
)
_FLOAT: Final = 4
"""Bytes of a number in base64-encoded vectors."""


def embeddings(requested: Requested, document: Document, noted: Noted) -> Document:
    """The answer; the same object if it is right. Raises UpstreamError if it is an error or has no vectors."""
    failure = error_in(document)
    if failure is not None:
        raise failure
    fields = Fields(document, noted, RESPONSE["embedding"])
    fields.put("object", "list", "object")
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        fields.put("model", requested.model, "model_not_empty" if model == "" else "model")
    found = document.get("data")
    if not isinstance(found, list) or not found:
        raise UpstreamError("The upstream's answer has no vectors: try again.", code="upstream_empty")
    if requested.inputs is not None and len(found) != requested.inputs:
        # The vectors can then not be assigned to the inputs.
        raise UpstreamError(
            f"The upstream sent {len(found)} vectors for {requested.inputs} inputs: try again.",
            code="upstream_unreadable",
        )
    data = [_entry(requested, entry, noted) for entry in found]
    if len({(type(entry["embedding"]), len(entry["embedding"])) for entry in data}) > 1:
        raise UpstreamError("The upstream's vectors have different lengths.", code="upstream_unreadable")
    numbers, rule = indexes([entry.get("index") for entry in data])
    if rule:
        data = [{**entry, "index": number} for entry, number in zip(data, numbers, strict=True)]
        fields.put("data", data, rule)
    elif any(new is not old for new, old in zip(data, found, strict=True)):
        fields.document = {**fields.document, "data": data}  # noted by the edits themselves
    _count(fields)
    return fields.document


def _count(fields: Fields) -> None:
    usage = fields.get("usage")
    if not isinstance(usage, dict):
        return
    tokens = usage.get("prompt_tokens", usage.get("total_tokens"))
    if type(tokens) is int and tokens >= 0:
        right = {"prompt_tokens": tokens, "total_tokens": tokens}
        if any(usage.get(name) != tokens for name in right):
            fields.put(
                "usage", {**usage, **right}, "usage_total" if usage.keys() >= right.keys() else "usage"
            )


def _entry(requested: Requested, entry: Any, noted: Noted) -> Document:  # noqa: ANN401 - JSON
    if isinstance(entry, list | str):
        noted("embeddings.response.entry_object")
        entry = {"object": "embedding", "embedding": entry}
    if not isinstance(entry, dict):
        raise _unclear()
    fields = Fields(entry, noted, RESPONSE["embedding"])
    fields.put("object", "embedding", "entry_object")
    vector = fields.get("embedding")
    if isinstance(vector, list) and len(vector) == 1 and isinstance(vector[0], list):
        vector = vector[0]
        fields.put("embedding", vector, "vector")
    if not isinstance(vector, list | str) or not vector:
        raise _unclear()
    if requested.base64 and isinstance(vector, list):
        fields.put("embedding", _packed(vector), "embeddings.format.base64")
    elif not requested.base64 and isinstance(vector, str):
        fields.put("embedding", _unpacked(vector), "embeddings.format.default")
    return fields.document


def _packed(vector: list[Any]) -> str:
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except (struct.error, OverflowError):
        raise _unclear() from None


def _unpacked(vector: str) -> list[float]:
    try:
        data = base64.b64decode(vector, validate=True)
        return list(struct.unpack(f"<{len(data) // _FLOAT}f", data))
    except (struct.error, binascii.Error, ValueError):
        raise _unclear() from None


def _unclear() -> UpstreamError:
    return UpstreamError("The upstream sent an unreadable vector.", code="upstream_unreadable")
