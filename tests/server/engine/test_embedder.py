"""Vectors, compared with those of sentence-transformers (tests/server/engine/embeddings/make.py made them)."""

from __future__ import annotations

import json
import shutil
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx import device, embedder
from gonogo_server.engine.mlx.embedder import BATCH_CPU, batches, load_embedder
from gonogo_server.engine.mlx.embedding_folder import read_embedding_folder
from gonogo_server.engine.mlx.pooling import pool
from gonogo_server.errors import BadRequest, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.engine.mlx.embedder import Embedder

    Change = Callable[..., Path]

HERE = Path(__file__).parent / "embeddings"
VECTORS: dict[str, list[dict[str, Any]]] = json.loads((HERE / "vectors.json").read_text())["vectors"]
EVERY = [
    pytest.param(name, entry, id=f"{name}: {entry['name']}") for name in VECTORS for entry in VECTORS[name]
]

on_cpu = pytest.mark.skipif(not device.on_cpu(), reason="a GPU computes in another order")


@pytest.fixture(scope="module")
def models() -> dict[str, Embedder]:
    """MiniLM from its package, and tiny models of other kinds."""
    device.set_up()
    return {name: load_embedder(locate(name if name == "minilm" else str(HERE / name))) for name in VECTORS}


@pytest.fixture
def change(tmp_path: Path) -> Change:
    """A copy of a tiny model with changes to a JSON file; None: without the file."""

    def changed(model: str, file: str, changes: dict[str, object] | list[object] | None) -> Path:
        folder = tmp_path / model
        if not folder.exists():
            shutil.copytree(HERE / model, folder)
        path = folder / file
        if changes is None:
            path.unlink()
        elif isinstance(changes, list):
            path.write_text(json.dumps(changes))
        else:
            before = json.loads(path.read_text()) if path.exists() else {}
            path.write_text(json.dumps(before | changes))
        return folder

    return changed


def as_trained(model: Embedder, text: str) -> tuple[int, ...]:
    """The ids of a text, truncated as the reference truncates long texts."""
    ids = model.text.encode(text)
    longest = model.text.context_length
    return ids if len(ids) <= longest else (*ids[: longest - 1], ids[-1])


# ---- vectors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "entry"), EVERY)
def test_a_vector_is_that_of_the_reference(
    models: dict[str, Embedder], name: str, entry: dict[str, Any]
) -> None:
    [vector] = models[name].embed([as_trained(models[name], entry["text"])])
    assert vector == pytest.approx(entry["vector"], abs=1e-4 if device.on_cpu() else 1e-2)
    assert hypot(*vector) == pytest.approx(1, abs=1e-5)


@on_cpu
@pytest.mark.parametrize("name", VECTORS)
def test_padding_changes_nothing(models: dict[str, Embedder], name: str) -> None:
    model, entries = models[name], VECTORS[name]
    inputs = [as_trained(model, entry["text"]) for entry in entries]
    assert len(set(map(len, inputs))) > 2
    for vector, entry in zip(model.embed_batch(inputs), entries, strict=True):
        assert vector == pytest.approx(entry["vector"], abs=1e-5)


@on_cpu
def test_vectors_keep_the_order_of_their_inputs(
    models: dict[str, Embedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedder, "BATCH_CPU", 16)
    model, entries = models["tiny-bert"], VECTORS["tiny-bert"]
    inputs = [model.text.encode(entry["text"]) for entry in entries]
    vectors = model.embed([*inputs, *reversed(inputs)])
    for vector, entry in zip(vectors, [*entries, *reversed(entries)], strict=True):
        assert vector == pytest.approx(entry["vector"], abs=1e-5)


def test_no_inputs_have_no_vectors(models: dict[str, Embedder]) -> None:
    assert models["tiny-bert"].embed([]) == []


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        ([], "invalid_value", "has 0 tokens"),
        ([4] * 25, "context_length_exceeded", "has 25 tokens, but this model accepts 1 to 24"),
        ([4, 20], "invalid_value", "ids of this model are 0 to 19"),
        ([-1, 4], "invalid_value", "ids of this model are 0 to 19"),
    ],
)
def test_inputs_longer_than_the_model_allows_are_refused_before_computing(
    models: dict[str, Embedder], given: list[int], code: str, says: str
) -> None:
    with pytest.raises(BadRequest, match=says) as refused:
        models["tiny-bert"].embed([[4], given])
    assert (refused.value.param, refused.value.code) == ("input", code)
    assert str(refused.value).startswith("Input 1 ")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("cls", [3.0, 4.0]),
        ("lasttoken", [0.0, 2.0]),
        ("max", [3.0, 4.0]),
        ("mean", [1.5, 3.0]),
        ("mean_sqrt_len_tokens", [1.5, 3.0]),
    ],
)
def test_pooling_ignores_padding(mode: str, expected: list[float]) -> None:
    states = mx.array([[[3.0, 4.0], [0.0, 2.0], [9.0, -9.0]]])
    [vector] = pool(mode, states, mx.array([2])).tolist()
    assert vector == pytest.approx([number / hypot(*expected) for number in expected])


def test_a_vector_of_zeros_stays_one() -> None:
    assert pool("mean", mx.zeros((1, 2, 3)), mx.array([2])).tolist() == [[0.0, 0.0, 0.0]]


# ---- batches ---------------------------------------------------------------------------------------------


@on_cpu
def test_a_batch_holds_neighbours_in_length() -> None:
    assert batches([7, 3, BATCH_CPU, 5]) == [[1, 3, 0], [2]]


@on_cpu
def test_no_batch_is_larger_with_its_padding_than_the_limit_but_one_of_a_single_input() -> None:
    lengths = [*range(1, 400), 2 * BATCH_CPU, 3 * BATCH_CPU]
    made = batches(lengths)
    assert sorted(index for batch in made for index in batch) == list(range(len(lengths)))
    for batch in made:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= BATCH_CPU
    assert [len(batch) for batch in made[-2:]] == [1, 1]


def test_a_gpu_takes_more_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = [100] * 100
    monkeypatch.setattr(embedder, "on_cpu", lambda: True)
    few = len(batches(lengths))
    monkeypatch.setattr(embedder, "on_cpu", lambda: False)
    assert len(batches(lengths)) < few


# ---- text ------------------------------------------------------------------------------------------------


def test_a_text_stands_between_special_tokens_and_is_never_cut(models: dict[str, Embedder]) -> None:
    text = models["minilm"].text
    assert text.encode("Hello, world!") == (101, 7592, 1010, 2088, 999, 102)
    assert len(text.encode("word " * 1000)) == 1002
    assert text.encode("") == (101, 102)


def test_the_limit_of_a_model_is_what_it_was_trained_on(models: dict[str, Embedder]) -> None:
    assert (models["minilm"].text.context_length, models["minilm"].text.vocabulary) == (256, 30522)
    assert (models["tiny-bert"].text.context_length, models["tiny-bert"].text.vocabulary) == (24, 20)


def test_a_default_prompt_is_read_before_every_text(models: dict[str, Embedder], change: Change) -> None:
    said = {"default_prompt_name": "query", "prompts": {"query": "count to ten : "}}
    text = load_embedder(locate(str(change("tiny-bert", "config_sentence_transformers.json", said)))).text
    assert text.encode("house") == models["tiny-bert"].text.encode("count to ten : house")


def test_capitals_are_lowered_where_the_folder_says_so(models: dict[str, Embedder], change: Change) -> None:
    assert models["tiny-bert"].text.encode("HOUSE") != models["tiny-bert"].text.encode("house")
    text = load_embedder(
        locate(str(change("tiny-bert", "sentence_bert_config.json", {"do_lower_case": True})))
    ).text
    assert text.encode("HOUSE") == models["tiny-bert"].text.encode("house")


# ---- folders ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pooling", "mode"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_cls_token": True}, "cls"),
        ({"pooling_mode_lasttoken": True}, "lasttoken"),
        ({"pooling_mode": ["max"]}, "max"),
        ({}, "mean"),
    ],
)
def test_the_way_of_pooling_is_read_in_its_older_and_newer_forms(
    change: Change, pooling: dict[str, object], mode: str
) -> None:
    folder = change("tiny-bert", "1_Pooling/config.json", None)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    assert read_embedding_folder(folder).pooling == mode


def test_without_a_list_of_modules_the_usual_folder_says_how_to_pool(change: Change) -> None:
    assert read_embedding_folder(change("tiny-bert", "modules.json", None)).pooling == "cls"


def test_a_limit_of_sentence_transformers_goes_before_that_of_the_tokenizer(change: Change) -> None:
    folder = change("tiny-bert", "sentence_bert_config.json", {"max_seq_length": 12})
    assert read_embedding_folder(folder).context_length == 12


def test_no_model_reads_more_than_it_has_positions(change: Change) -> None:
    lengths = {
        model: read_embedding_folder(
            change(model, "tokenizer_config.json", {"model_max_length": 10**30})
        ).context_length
        for model in ("tiny-bert", "tiny-roberta")
    }
    # RoBERTa's positions begin after its padding token, which is the second of its vocabulary.
    assert lengths == {"tiny-bert": 32, "tiny-roberta": 30}
    folder = change("tiny-bert", "tokenizer_config.json", None)
    assert read_embedding_folder(folder).context_length == 32


TYPES = [{"type": f"x.{kind}", "path": kind} for kind in ("Transformer", "Pooling", "Dense")]


@pytest.mark.parametrize(
    ("model", "file", "changes", "why"),
    [
        ("tiny-bert", "modules.json", TYPES, "its module Dense is not supported"),
        ("tiny-bert", "modules.json", TYPES[:1], "has no Pooling"),
        (
            "tiny-bert",
            "1_Pooling/config.json",
            {"pooling_mode": ["cls", "max"]},
            "several pooling modes .* cls, max",
        ),
        (
            "tiny-bert",
            "1_Pooling/config.json",
            {"pooling_mode": "weightedmean"},
            "pooling mode is not supported",
        ),
        ("tiny-bert", "config.json", {"position_embedding_type": "relative_key"}, "'relative_key' are not"),
        ("tiny-bert", "config.json", {"hidden_act": "mish"}, "activation 'mish' is not supported"),
        ("tiny-bert", "config.json", {"model_type": "deberta"}, "deberta not supported"),
        ("tiny-qwen3", "config.json", {"use_bidirectional_attention": True}, "bidirectional qwen3"),
        ("tiny-bert", "tokenizer.json", None, "tiny-bert cannot be served: "),
        ("tiny-bert", "config.json", {"num_hidden_layers": 3}, "tiny-bert cannot be served: "),
    ],
)
def test_a_model_that_is_not_computed_here_is_refused_with_the_reason(
    change: Change, model: str, file: str, changes: dict[str, object] | list[object] | None, why: str
) -> None:
    folder = change(model, file, changes)
    with pytest.raises(ModelUnavailable, match=why):
        load_embedder(locate(str(folder)))


def test_a_prompt_that_is_not_pooled_is_refused(change: Change) -> None:
    change("tiny-bert", "1_Pooling/config.json", {"include_prompt": False})
    said = {"default_prompt_name": "query", "prompts": {"query": "to "}}
    folder = change("tiny-bert", "config_sentence_transformers.json", said)
    with pytest.raises(ModelUnavailable, match="excludes its prompt"):
        load_embedder(locate(str(folder)))


@on_cpu
def test_weights_in_half_precision_become_float32_on_a_cpu(change: Change) -> None:
    folder = change("tiny-bert", "config.json", {"dtype": "bfloat16"})
    file = str(folder / "model.safetensors")
    halves = {f"bert.{name}": one.astype(mx.bfloat16) for name, one in mx.load(file).items()}
    mx.save_safetensors(file, halves)
    model = load_embedder(locate(str(folder)))
    weights = sum(one.size for name, one in halves.items() if "pooler" not in name)
    assert model.nbytes == 4 * weights
    entry = VECTORS["tiny-bert"][0]
    [vector] = model.embed([model.text.encode(entry["text"])])
    assert vector == pytest.approx(entry["vector"], abs=2e-2)


@on_cpu
def test_a_decoder_is_read_under_the_names_of_a_whole_language_model_too(change: Change) -> None:
    folder = change("tiny-qwen3", "config.json", {})
    file = str(folder / "model.safetensors")
    named = {f"model.{name}": one for name, one in mx.load(file).items()}
    mx.save_safetensors(file, named | {"lm_head.weight": mx.zeros((20, 16))})
    model = load_embedder(locate(str(folder)))
    entry = VECTORS["tiny-qwen3"][0]
    [vector] = model.embed([model.text.encode(entry["text"])])
    assert vector == pytest.approx(entry["vector"], abs=1e-5)
