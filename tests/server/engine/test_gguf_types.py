"""Types of tensors in GGUF files: kept without loss, or refused by name, and never ignored."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGUFWriter, quants
from gguf import GGMLQuantizationType as Type
from gonogo_server.engine.locate import Location
from gonogo_server.engine.mlx.gguf import BLOCKS, read_file
from gonogo_server.engine.mlx.gguf_header import READ, TYPES, tensor_infos
from gonogo_server.engine.mlx.gguf_words import WORDS
from gonogo_server.engine.mlx.load import load
from gonogo_server.errors import ModelUnavailable, UnsupportedModel
from gonogo_server.options import parser

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = np.linspace(-3, 3, 4 * 256, dtype=np.float32).reshape(4, 256)
LARGE = np.array([[1e30, -7e4, 2.0**-120, 3.0]] * 8, dtype=np.float32)
"""Values beyond float16, whose range is from 2^-24 to 65504."""


def written(tmp_path: Path, name: str, rows: np.ndarray, kind: Type, alignment: int | None = None) -> Path:
    """A file with a tensor before and after the one of this type, and some metadata of every kind.

    Rows of bytes are already blocks of the type.
    """
    file = tmp_path / "made.gguf"
    writer = GGUFWriter(file, "llama")
    if alignment is not None:
        writer.add_custom_alignment(alignment)
    writer.add_array("words", ["a", "bc", ""])
    writer.add_array("numbers", [1, 2, 3])
    writer.add_bool("yes", val=True)
    writer.add_tensor("first.weight", ROWS)
    packed = rows if rows.dtype == np.uint8 else quants.quantize(rows, kind)
    writer.add_tensor(name, packed, raw_dtype=kind)
    writer.add_tensor("output.weight", ROWS[:2])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@pytest.mark.parametrize("kind", [Type.F16, Type.F32, Type.Q4_0, Type.Q4_1, Type.Q8_0, Type.BF16])
@pytest.mark.parametrize("alignment", [None, 64])
def test_a_type_that_is_read_keeps_the_tensors_behind_it(
    tmp_path: Path, kind: Type, alignment: int | None
) -> None:
    file = written(tmp_path, "middle.weight", ROWS, kind, alignment)
    tensors, metadata = read_file(file)
    assert [(info.name, info.type) for info in tensor_infos(file)] == [
        ("first.weight", "F32"),
        ("middle.weight", kind.name),
        ("output.weight", "F32"),
    ]
    assert mx.array_equal(tensors["output.weight"], mx.array(ROWS[:2]))
    assert metadata["general.architecture"] == "llama"


def test_values_of_bf16_beyond_half_precision_are_kept(tmp_path: Path) -> None:
    tensors, _ = read_file(written(tmp_path, "middle.weight", LARGE, Type.BF16))
    kept = tensors["middle.weight"]
    assert (kept.dtype, kept.shape) == (mx.bfloat16, LARGE.shape)
    assert np.allclose(np.array(kept.astype(mx.float32)), LARGE, rtol=2**-8)


SCALES = {Type.Q2_K: (80, 82), Type.Q4_K: (0, 2), Type.Q6_K: (208,)}
"""The offset of the scales in a block of 256 values (ggml-common.h, block_q2_K and others)."""


def blocks(kind: Type) -> np.ndarray:
    """Four random blocks, with scales that keep every value below 50; `gguf` writes none of these types itself."""
    _, size = GGML_QUANT_SIZES[kind]
    data = np.random.default_rng(0).integers(0, 256, (4, size), dtype=np.uint8)
    for begin in SCALES[kind]:
        data[:, begin : begin + 2] = np.array([0.01], np.float16).view(np.uint8)
    return data


@pytest.mark.parametrize("kind", [Type.Q2_K, Type.Q6_K])
def test_values_of_larger_blocks_are_those_that_the_format_has(tmp_path: Path, kind: Type) -> None:
    data = blocks(kind)
    tensors, _ = read_file(written(tmp_path, "middle.weight", data, kind))
    kept = np.array(tensors["middle.weight"].astype(mx.float32))
    assert np.allclose(kept, quants.dequantize(data, kind), rtol=2**-10, atol=2**-12)


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        (Type.MXFP4, "which mlx does not support"),
        (Type.TQ1_0, "which mlx does not support"),
        (Type.Q4_K, "half of whose values mlx reads incorrectly"),
    ],
)
def test_a_type_that_mlx_does_not_read_or_not_right_is_named(tmp_path: Path, kind: Type, how: str) -> None:
    file = written(tmp_path, "middle.weight", blocks(kind) if kind in SCALES else ROWS, kind)
    with pytest.raises(UnsupportedModel) as refused:
        read_file(file)
    assert str(refused.value) == f"its tensor middle.weight is of the type {kind.name}, {how}"


STRING, ARRAY, DOUBLE = 8, 9, 12


def head(kind: bytes) -> bytes:
    """The beginning of a file up to the type of its second value; the value itself is missing."""
    first = _text(b"general.architecture") + struct.pack("<I", STRING) + _text(b"llama")
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + first + _text(b"llama.rope.theta") + kind


def _text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (struct.pack("<I", DOUBLE), "FLOAT64"),
        (struct.pack("<IIQ", ARRAY, DOUBLE, 2), "ARRAY of FLOAT64"),
        (struct.pack("<IIQ", ARRAY, ARRAY, 2), "ARRAY of ARRAY"),
    ],
)
def test_metadata_that_mlx_does_not_read_is_refused_by_its_key_and_type_and_mlx_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: bytes, name: str
) -> None:
    def asked(*_: object, **_named: object) -> None:
        pytest.fail("mlx was asked")

    monkeypatch.setattr(mx, "load", asked)
    file = tmp_path / "made.gguf"
    file.write_bytes(head(kind))
    with pytest.raises(ModelUnavailable) as refused:
        load(Location("made", "gguf", file))
    assert str(refused.value) == (
        f"The model made cannot be served: its metadata value llama.rope.theta is of the type {name}, which mlx does"
        " not support."
    )


INTEGERS = {"I8", "I16", "I32"}


ROOT = Path(__file__).parents[3]


def readme() -> str:
    text = " ".join((ROOT / "README.md").read_text().split())
    return text[text.index("GGUF files of the architectures") : text.index("[docs/server.md]")]


def paper() -> str:
    text = (ROOT / "docs/server.md").read_text()
    return text[text.index("The server reads a GGUF file if") : text.index("Q4_K is refused")]


def help_text() -> str:
    text = " ".join(parser().format_help().split())
    return text[text.index("a .gguf file (") : text.index("or a Hugging Face id")]


@pytest.mark.parametrize("told", [readme, paper, help_text])
def test_readme_docs_and_help_say_which_files_are_read(told: Callable[[], str]) -> None:
    text = told()
    named = set(re.findall(r"\b(?:B?F|Q)\d\w*", text))
    assert named == {TYPES[number] for number in READ} - INTEGERS
    assert all(name in text for name in (*BLOCKS, "gpt-2", "smollm", "llama-bpe", "qwen2"))


def test_the_docs_name_every_way_to_split() -> None:
    assert all(f"`{name}`" in paper() for name in WORDS)
