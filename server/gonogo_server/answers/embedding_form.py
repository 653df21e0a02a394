"""Vectors on the wire. No I/O.

Source: OpenAI API reference, "The embedding object"; the official clients read base64 as little-endian 32-bit floats.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from math import hypot
from typing import TYPE_CHECKING, Literal

from gonogo_wire import Embedding, EmbeddingList, EmbeddingUsage

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    Vector = Sequence[float]


def embedding_list(
    model: str, vectors: Sequence[Vector], tokens: int, encoding_format: Literal["float", "base64"]
) -> EmbeddingList:
    """All vectors, numbered in order; `tokens` is the total of all inputs."""
    written = _numbers if encoding_format == "float" else _base64
    return EmbeddingList(
        object="list",
        data=[
            Embedding(object="embedding", index=index, embedding=written(vector))
            for index, vector in enumerate(vectors)
        ],
        model=model,
        usage=EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens),
    )


def shortened(vectors: Sequence[Vector], dimensions: int) -> list[Vector]:
    """The first `dimensions` numbers of each vector, normalised to length 1.

    This is meant for models that were trained for it; vectors of other models lose more the shorter they get. Raises
    `BadRequest` if the vectors have fewer numbers.
    """
    length = min(len(vector) for vector in vectors)
    if dimensions > length:
        raise BadRequest(
            (
                f"The vectors of this model have {length} dimensions, so {dimensions} are not possible: "
                "request fewer."
            ),
            param="dimensions",
            code="invalid_value",
        )
    return [_normalised(vector[:dimensions]) for vector in vectors]


def _normalised(vector: Vector) -> Vector:
    # All numbers that are kept may be zero; zeros cannot be normalised.
    length = hypot(*vector) or 1.0
    return [number / length for number in vector]


def _numbers(vector: Vector) -> list[float]:
    return list(vector)


def _base64(vector: Vector) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
