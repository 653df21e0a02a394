"""Reading a Llama from a GGUF file."""

from __future__ import annotations

import json
import os
import tempfile
from errno import EACCES, EROFS
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.engine.locate import Location, locate
from gonogo_server.engine.mlx import gguf
from gonogo_server.engine.mlx.gguf import load_gguf, read_file
from gonogo_server.engine.mlx.load import Loaded, load
from gonogo_server.engine.mlx.rope import TableRoPE
from gonogo_server.errors import ModelUnavailable
from tokenizers import pre_tokenizers

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[..., Path]

HIDDEN = 64
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
TYPES = [NORMAL] * 256 + [CONTROL] * 3 + [USER_DEFINED, NORMAL, NORMAL]
TOKENS = len(TYPES)


def number(value: int) -> mx.array:
    return mx.array(value, dtype=mx.uint32)


def metadata() -> dict[str, Any]:
    """The metadata of a Llama with one layer, whose tokens are bytes, a few whole words, and one merge."""
    return {
        "general.architecture": "llama",
        "llama.embedding_length": number(HIDDEN),
        "llama.block_count": number(1),
        "llama.feed_forward_length": number(HIDDEN),
        "llama.attention.head_count": number(2),
        "llama.attention.layer_norm_rms_epsilon": mx.array(1e-5),
        "llama.context_length": number(64),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": [
            *ALPHABET,
            "<|begin|>",
            "<|im_end|>",
            "<|endoftext|>",
            "<think>",
            "12",
            "21",
        ],
        "tokenizer.ggml.token_type": mx.array(TYPES, dtype=mx.int32),
        "tokenizer.ggml.merges": ["1 2", "2 1"],
        "tokenizer.ggml.bos_token_id": number(256),
        "tokenizer.ggml.eos_token_id": number(257),
    }


def tensors() -> dict[str, mx.array]:
    square = mx.random.normal((HIDDEN, HIDDEN), key=mx.random.key(3))
    parts = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    return {
        "token_embd.weight": mx.random.normal((TOKENS, HIDDEN), key=mx.random.key(4)).astype(mx.float16),
        "output_norm.weight": mx.ones(HIDDEN),
        "blk.0.attn_norm.weight": mx.ones(HIDDEN),
        "blk.0.ffn_norm.weight": mx.ones(HIDDEN),
        **{f"blk.0.{part}.weight": square for part in parts},
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a GGUF file: the usual metadata with changes; None removes a key."""

    def save(changes: dict[str, Any] | None = None, more: dict[str, mx.array] | None = None) -> Path:
        file = tmp_path / "made.gguf"
        values = metadata() | (changes or {})
        mx.save_gguf(
            str(file),
            tensors() | (more or {}),
            {key: value for key, value in values.items() if value is not None},
        )
        return file

    return save


def served(file: Path) -> Loaded:
    return load(Location(file.stem, "gguf", file))


def test_weights_take_the_asked_precision(write: Write) -> None:
    for asked, kept in ((mx.float32, mx.float32), (None, mx.float16)):
        model, _, context_length = load_gguf(write(), asked)
        assert model.model.embed_tokens.weight.dtype == kept
        assert context_length == 64


def test_an_output_of_its_own_is_not_tied_to_the_embedding(write: Write) -> None:
    own = {"output.weight": mx.zeros((TOKENS, HIDDEN))}
    model, _, _ = load_gguf(write(None, own), mx.float32)
    assert not mx.any(model.lm_head.weight)


def test_the_real_models_quantised_weights_become_what_their_scales_say() -> None:
    file = locate("smollm2").path
    packed = mx.load(str(file))
    model, _, _ = load_gguf(file, mx.float32)
    weight = model.model.layers[3].mlp.down_proj.weight
    # By hand: 4 bits each, lowest first, eight to a word; times the scale, plus the bias, of their group of 32.
    word = int(packed["blk.3.ffn_down.weight"][5, 8].item())
    nibbles = mx.array([(word >> (4 * place)) & 15 for place in range(8)])
    scale, bias = (packed[f"blk.3.ffn_down.{part}"][5, 2].astype(mx.float32) for part in ("scales", "biases"))
    assert mx.allclose(weight[5, 64:72], nibbles * scale + bias)


def test_an_adapter_that_was_made_for_the_original_fits_the_file(write: Write, tmp_path: Path) -> None:
    # llama.cpp's converter interleaves the two halves of a head's rows of q and k.
    heads = {"attn_q": 2, "attn_k": 1}
    rows = {"attn_q": HIDDEN, "attn_k": HIDDEN // 2, "attn_v": HIDDEN // 2}
    original = {
        part: mx.random.normal((count, HIDDEN), key=mx.random.key(count + len(part)))
        for part, count in rows.items()
    }
    written = {
        f"blk.0.{part}.weight": weight.reshape(heads[part], 2, -1, HIDDEN).swapaxes(1, 2).reshape(-1, HIDDEN)
        if part in heads
        else weight
        for part, weight in original.items()
    }
    file = write({"llama.attention.head_count_kv": number(1)}, written)
    down, up = (mx.random.normal(shape, key=mx.random.key(5)) for shape in ((HIDDEN, 2), (2, HIDDEN)))
    layer = "model.layers.0.self_attn.q_proj"
    mx.save_safetensors(
        str(tmp_path / "adapters.safetensors"), {f"{layer}.lora_a": down, f"{layer}.lora_b": up}
    )
    trained = {"rank": 2, "scale": 0.5, "dropout": 0.0, "keys": ["self_attn.q_proj"]}
    (tmp_path / "adapter_config.json").write_text(json.dumps({"num_layers": 1, "lora_parameters": trained}))
    (attention,) = (
        layer.self_attn
        for layer in load(Location("adapted", "gguf", file, adapter=tmp_path)).model.model.layers
    )
    assert mx.allclose(attention.q_proj.weight, original["attn_q"] + 0.5 * (down @ up).T, atol=1e-4)
    assert mx.allclose(attention.k_proj.weight, original["attn_k"])
    assert mx.allclose(attention.v_proj.weight, original["attn_v"])
    assert isinstance(attention.rope, TableRoPE) or not attention.rope.traditional


def test_answers_end_at_the_named_end_token_and_at_those_that_say_so_themselves(write: Write) -> None:
    assert served(write()).text.end_tokens == {257, 258}


def test_a_begin_token_is_put_first_where_the_model_wants_one(write: Write) -> None:
    wanted = {"tokenizer.ggml.add_bos_token": mx.array(True)}  # noqa: FBT003 - it is the value
    assert served(write(wanted)).text.encode("A")[0] == 256
    assert served(write()).text.encode("A") == (ALPHABET.index("A"),)


def test_whole_tokens_are_found_in_text(write: Write) -> None:
    assert served(write()).text.encode("<think>") == (259,)


def test_smollms_digits_are_single_tokens(write: Write) -> None:
    assert served(write()).text.encode("12") == (260,)
    alone = served(write({"tokenizer.ggml.pre": "smollm"})).text.encode("12")
    assert alone == (ALPHABET.index("1"), ALPHABET.index("2"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"general.architecture": "gemma3"}, "'gemma3', but only llama, qwen2 and qwen3 are supported"),
        ({"general.architecture": "qwen2"}, "no qwen2.embedding_length"),
        ({"llama.context_length": None}, "no llama.context_length"),
        ({"llama.rope.scaling.type": "yarn"}, "rope.scaling.type is 'yarn'"),
        ({"llama.expert_count": number(8)}, "expert_count is 8"),
        ({"tokenizer.ggml.merges": None}, "no tokenizer.ggml.merges"),
        ({"tokenizer.ggml.model": "llama"}, "use the model in MLX format"),
        (
            {"tokenizer.ggml.pre": "tekken"},
            r"its tokenizer \(gpt2, tekken\) is not supported.*use the model in MLX format",
        ),
    ],
)
def test_unsupported_files_are_refused(write: Write, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelUnavailable, match=sentence):
        served(write(changes))


@pytest.mark.parametrize(
    "name", ["rope_factors_long.weight", "blk.0.attn_sinks.weight", "blk.0.attn_q_norm.weight"]
)
def test_a_tensor_without_a_place_is_refused(write: Write, name: str) -> None:
    with pytest.raises(ModelUnavailable, match=f"its tensor {name.removesuffix('.weight')} does not belong"):
        served(write(None, {name: mx.ones(4)}))


def test_a_file_that_is_not_gguf_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "broken.gguf"
    file.write_text("a letter to a friend")
    with pytest.raises(ModelUnavailable, match="broken cannot be served: "):
        served(file)


def test_a_file_that_was_not_wholly_downloaded_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "part.gguf"
    with locate("smollm2").path.open("rb") as whole:
        file.write_bytes(whole.read(2_000_000))
    with pytest.raises(ModelUnavailable, match=r"part cannot be served: .*incomplete download"):
        served(file)


READ_ONLY = "Read-only file system"


def test_a_file_that_may_be_read_only_is_read_from_a_copy(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, temporary = write(), tmp_path / "temporary"
    expected, _ = read_file(file)
    temporary.mkdir()
    read: list[Path] = []
    reader = mx.load

    def noted(name: str, **named: Any) -> object:  # noqa: ANN401 - passed on
        read.append(Path(name))
        return reader(name, **named)

    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    # File modes do not bind every user that tests run as.
    monkeypatch.setattr(gguf, "unwritable_because", lambda _: READ_ONLY)
    monkeypatch.setattr(mx, "load", noted)
    tensors, said = read_file(file)
    assert [one.parent for one in read] == [temporary]
    assert not list(temporary.iterdir())
    assert said["general.architecture"] == "llama"
    assert tensors.keys() == expected.keys()
    assert all(mx.array_equal(tensors[name], expected[name]) for name in tensors)


def test_without_room_for_a_copy_the_cause_is_named(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf, "unwritable_because", lambda _: READ_ONLY)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(ModelUnavailable) as refused:
        served(write())
    assert str(refused.value) == (
        "The model made cannot be served: mlx opens GGUF files for writing, but this one is read-only (Read-only file"
        " system), and its 0 MiB cannot be copied (No such file or directory): set TMPDIR to a folder with enough"
        " space."
    )


@pytest.mark.parametrize(("number", "why"), [(EACCES, "Permission denied"), (EROFS, READ_ONLY)])
def test_why_a_file_cannot_be_written_is_the_systems_word(
    write: Write, monkeypatch: pytest.MonkeyPatch, number: int, why: str
) -> None:
    file = write()
    before = file.read_bytes()
    assert gguf.unwritable_because(file) is None
    assert file.read_bytes() == before

    def refuse(*_: object) -> object:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    assert gguf.unwritable_because(file) == why


def test_a_deleted_file_is_not_reported_as_read_only(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="No such file or directory"):
        served(tmp_path / "gone.gguf")
