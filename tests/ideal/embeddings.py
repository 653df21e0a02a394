"""Embeddings: vectors of unit length that depend only on the text."""

from __future__ import annotations

import random
import struct
from base64 import b64encode
from math import hypot
from typing import Any

from ideal import served
from ideal.language import decoded, tokens
from ideal.refusal import Refusal

DIMENSIONS = 32


def embed(body: dict[str, Any]) -> dict[str, Any]:
    """The body of the answer to a request that matches the schema. Raises Refusal for unsupported requests."""
    served.expect(body["model"], "embedding")
    length = body.get("dimensions", DIMENSIONS)
    if length > DIMENSIONS:
        raise Refusal(f"The model has {DIMENSIONS} dimensions.", param="dimensions", code="invalid_value")
    texts = _texts(body["input"])
    count = sum(len(tokens(text)) for text in texts)
    vectors = [_vector(text, length) for text in texts]
    packed = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": number, "embedding": _base64(vector) if packed else vector}
        for number, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": count, "total_tokens": count}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}


def _texts(given: Any) -> list[str]:  # noqa: ANN401 - JSON
    if isinstance(given, str):
        return [given]
    if isinstance(given[0], int):
        return [decoded(given, "input")]
    return [item if isinstance(item, str) else decoded(item, "input") for item in given]


def _vector(text: str, length: int) -> list[float]:
    """Numbers that 32-bit floats represent exactly, so that both encodings of a vector are equal."""
    draws = random.Random(text)
    raw = [draws.uniform(-1, 1) for _ in range(DIMENSIONS)][:length]
    norm = hypot(*raw)
    return list(struct.unpack(f"<{length}f", struct.pack(f"<{length}f", *(value / norm for value in raw))))


def _base64(vector: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
