"""The names, types and positions of the tensors in a GGUF file, read from its header.

mlx silently stops reading at the first tensor of an unknown type, and converts BF16 to float16. The header shows which
tensors it missed. Metadata values that mlx does not read are refused before it opens the file. Source: the GGUF
specification (ggml, docs/gguf.md), versions 2 and 3, little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from gonogo_server.errors import UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BF16: Final = 30
TYPES: Final = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64",
    29: "IQ1_M", BF16: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip
"""The names of tensor types by their numbers (ggml.h, ggml_type)."""

READ: Final = frozenset({0, 1, 2, 3, 8, 10, 14, 24, 25, 26, BF16})
"""Types that mlx 0.32 reads; at others it stops reading, or ends the process."""
MISREAD: Final = frozenset({12})
"""Types of which mlx 0.32 reads half of the values wrong, without an error
(findings/gguf-mlx-q4-k-wrong-values.sh)."""

SIZES: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Size in bytes of a metadata value by the number of its type."""
MAGIC, VERSIONS = b"GGUF", (2, 3)
UINT32, STRING, ARRAY, FLOAT64 = 4, 8, 9, 12
ALIGNMENT_KEY: Final = b"general.alignment"
USUAL_ALIGNMENT: Final = 32


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor: its shape in the order of mlx (rows first), and the offset of its values in the file, in bytes."""

    name: str
    shape: tuple[int, ...]
    number: int
    offset: int

    @property
    def type(self) -> str:
        """The name of its type."""
        return TYPES.get(self.number, f"type {self.number}")


LENGTH = struct.Struct("<Q")
"""The length of a text in bytes, which comes before it. Compiled, because a vocabulary has a hundred thousand texts."""


def tensor_infos(path: Path) -> Sequence[TensorInfo]:
    """The tensors of a file, in their order; none if it is not a valid GGUF file, which mlx then reports.

    Raises `UnsupportedModel` for a value of the metadata that mlx does not read.
    """
    try:
        return _read(path)
    except (struct.error, KeyError):  # the header is truncated or damaged
        return ()


def _read(path: Path) -> Sequence[TensorInfo]:
    with path.open("rb") as file:
        if file.read(4) != MAGIC or _unpack(file, "<I")[0] not in VERSIONS:
            return ()
        tensors, keys = _unpack(file, "<QQ")
        alignment = USUAL_ALIGNMENT
        for _ in range(keys):
            name, (kind,) = _string(file), _unpack(file, "<I")
            if name == ALIGNMENT_KEY and kind == UINT32:
                (alignment,) = _unpack(file, "<I")
            else:
                _skip_value(file, name, kind)
        found = [_info(file) for _ in range(tensors)]
        begin = -(-file.tell() // alignment) * alignment
    return [TensorInfo(name, shape, number, begin + offset) for name, shape, number, offset in found]


def _info(file: BinaryIO) -> tuple[str, tuple[int, ...], int, int]:
    name = _string(file).decode("utf-8", "replace")
    (dimensions,) = _unpack(file, "<I")
    shape = _unpack(file, f"<{dimensions}Q")
    number, offset = _unpack(file, "<IQ")
    return name, tuple(reversed(shape)), number, offset


def _skip_value(file: BinaryIO, name: bytes, kind: int) -> None:
    """Skip a metadata value or array. Raises `UnsupportedModel` if mlx 0.32 does not read its type."""
    if kind == FLOAT64:
        raise _unread(name, "the type FLOAT64")
    if kind != ARRAY:
        _skip(file, kind, 1)
        return
    of, length = _unpack(file, "<IQ")
    if of == FLOAT64:
        raise _unread(name, "the type ARRAY of FLOAT64")
    if of == ARRAY:
        raise _unread(name, "the type ARRAY of ARRAY")
    _skip(file, of, length)


def _unread(name: bytes, what: str) -> UnsupportedModel:
    key = name.decode("utf-8", "replace")
    return UnsupportedModel(f"its metadata value {key} is of {what}, which mlx does not support")


def _skip(file: BinaryIO, kind: int, number: int) -> None:
    """Skip `number` values of a type."""
    if kind == STRING:
        for _ in range(number):
            _string(file)
    else:
        file.seek(SIZES[kind] * number, 1)


def _string(file: BinaryIO) -> bytes:
    (length,) = LENGTH.unpack(file.read(LENGTH.size))
    return file.read(length)


def _unpack(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))
