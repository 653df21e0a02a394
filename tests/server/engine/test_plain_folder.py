"""A plain Llama in a folder is loaded as by mlx_lm and transformers, without importing either."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx.api import whole
from gonogo_server.engine.mlx.folder_tokenizer import CALL_MARKS, CALL_TOKENS
from gonogo_server.engine.mlx.load import load
from gonogo_server.engine.mlx.plain_folder import load_plain
from gonogo_server.errors import ModelUnavailable
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm import tokenizer_utils
from mlx_lm.models.llama import Model, ModelArgs
from server.engine.test_plain_tokenizer import MEMBERS, TEXTS, told
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Change = Callable[[dict[str, Any]], object]

CHAT = [{"role": "user", "content": "Hi"}]
TOKENS = "{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ unk_token }}{{ messages[0].content }}"
MARKED = {"content": "<|mark|>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}


def change(file: Path, edit: Change) -> None:
    """Edit a JSON file in place."""
    content = json.loads(file.read_text())
    edit(content)
    file.write_text(json.dumps(content))


def quantise(folder: Path, mode: str = "affine", **by_layer: int) -> None:
    """Quantise the weights of a folder; `by_layer` gives other numbers of bits than 8, by the ends of names."""
    config = json.loads((folder / "config.json").read_text())
    model = Model(ModelArgs.from_dict(config))
    model.load_weights(list(mx.load(str(folder / "model.safetensors")).items()))

    def settings(name: str, module: nn.Module) -> Any:  # noqa: ANN401 - mlx's
        if not hasattr(module, "to_quantized"):
            return False
        bits = next((bits for end, bits in by_layer.items() if name.endswith(end)), 8)
        return {"group_size": 32, "bits": bits, "mode": mode}

    nn.quantize(model, class_predicate=settings)
    mx.save_safetensors(str(folder / "model.safetensors"), dict(tree_flatten(model.parameters())))
    stated = {"group_size": 32, "bits": 8, "mode": mode}
    change(
        folder / "config.json", lambda config: config.update(quantization=stated, quantization_config=stated)
    )


def of_the_libraries(folder: Path) -> tuple[Any, Any]:
    """The model with float32 weights, and the tokenizer."""
    model, config = whole().load_model(folder, lazy=True)
    model = whole().dequantize_model(model)
    model.set_dtype(mx.float32)
    ends = config.get("eos_token_id")
    return model, whole().load_tokenizer(folder, {"trust_remote_code": False}, eos_token_ids=ends)


def check_same_model(folder: Path) -> None:
    """Check that all weights have the same bits."""
    plain = load_plain(folder, mx.float32)
    assert plain is not None
    ours = dict(tree_flatten(plain.model.parameters()))
    theirs = dict(tree_flatten(of_the_libraries(folder)[0].parameters()))
    assert ours.keys() == theirs.keys()
    assert all(mx.array_equal(ours[name], theirs[name]) for name in ours)
    assert {weight.dtype for weight in ours.values()} == {mx.float32}


def check_same_tokenizer(folder: Path) -> None:
    """Check that all members, token ids and prompts are the same."""
    plain = load_plain(folder, mx.float32)
    assert plain is not None
    ours, theirs = plain.tokenizer, of_the_libraries(folder)[1]
    assert {name: told(ours, name) for name in MEMBERS} == {name: told(theirs, name) for name in MEMBERS}
    for text in TEXTS:
        assert ours.encode(text) == theirs.encode(text)
        assert ours.decode(ours.encode(text)) == theirs.decode(theirs.encode(text))
    if ours.has_chat_template:
        given: Any = {"tokenize": False, "add_generation_prompt": True}
        assert ours.apply_chat_template(CHAT, **given) == theirs.apply_chat_template(CHAT, **given)


@pytest.fixture
def folder(tiny_folder: Path) -> Path:
    """A Llama with its template in tokenizer_config.json, and with one more special token."""
    template = tiny_folder / "chat_template.jinja"
    change(
        tiny_folder / "tokenizer_config.json",
        lambda settings: settings.update(chat_template=template.read_text()),
    )
    template.unlink()
    more = {"id": 257, "special": True, **MARKED}
    change(tiny_folder / "tokenizer.json", lambda content: content["added_tokens"].append(more))
    return tiny_folder


def test_weights_of_half_precision_are_the_same(tiny_folder: Path) -> None:
    check_same_model(tiny_folder)


def test_a_separate_output_layer_is_the_same(make_folder: Callable[..., Path]) -> None:
    check_same_model(make_folder(tie_word_embeddings=False))


def test_weights_in_several_files_are_the_same(tiny_folder: Path) -> None:
    weights: Any = mx.load(str(tiny_folder / "model.safetensors"))
    names = sorted(weights)
    for number, part in enumerate((names[:3], names[3:])):
        mx.save_safetensors(
            str(tiny_folder / f"model-0000{number}.safetensors"), {name: weights[name] for name in part}
        )
    (tiny_folder / "model.safetensors").unlink()
    check_same_model(tiny_folder)


@pytest.mark.parametrize("by_layer", [{}, {"q_proj": 4, "embed_tokens": 3}])
def test_quantised_weights_are_unpacked_to_the_same(tiny_folder: Path, by_layer: dict[str, int]) -> None:
    quantise(tiny_folder, **by_layer)
    check_same_model(tiny_folder)


def keep(_: dict[str, Any]) -> None:
    """Leave the settings as they are."""


def name_more_tokens(settings: dict[str, Any]) -> None:
    settings |= {
        "bos_token": "<|mark|>",
        "pad_token": "<|im_end|>",
        "unk_token": "<|mark|>",
        "chat_template": TOKENS,
    }


def name_by_object(settings: dict[str, Any]) -> None:
    settings |= {"bos_token": {"__type": "AddedToken", **MARKED}, "chat_template": TOKENS}


def list_extra_tokens(settings: dict[str, Any]) -> None:
    settings["extra_special_tokens"] = ["<|mark|>"]


def have_no_template(settings: dict[str, Any]) -> None:
    settings["chat_template"] = None


def add_a_begin_token(settings: dict[str, Any]) -> None:
    settings |= {"bos_token": "<|mark|>", "add_bos_token": True}


@pytest.mark.parametrize(
    "edit",
    [keep, name_more_tokens, name_by_object, list_extra_tokens, have_no_template, add_a_begin_token],
    ids=lambda edit: edit.__name__,
)
def test_tokenizers_are_the_same(folder: Path, edit: Change) -> None:
    change(folder / "tokenizer_config.json", edit)
    check_same_tokenizer(folder)


WORDS = ("1234567", "cafe\u0301", "in 2026")


def of_numbers(folder: Path) -> Tokenizer:
    """Replace the tokenizer by one with tokens of at most three digits and composed characters; of GPT-2's class."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    groups = pre_tokenizers.Split(Regex(r"\p{N}{1,3}|[^\p{N}]+"), "isolated")
    in_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([groups, in_bytes])  # type: ignore[no-untyped-call]
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=318,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|im_end|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator([f"{number} {number * 7} caf\u00e9 " for number in range(3000)], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    named = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|im_end|>")
    change(
        folder / "tokenizer_config.json",
        lambda settings: settings.update(named, tokenizer_class="GPT2Tokenizer", add_prefix_space=False),
    )
    return tokenizer


@pytest.mark.parametrize("more", [{}, {"tool_parser_type": "json_tools"}], ids=["plain", "by the libraries"])
def test_a_tokenizer_of_the_class_of_gpt_2_splits_words_as_its_file_says(
    folder: Path, more: dict[str, str]
) -> None:
    expected = of_numbers(folder)
    change(folder / "tokenizer_config.json", lambda settings: settings.update(more))
    assert (load_plain(folder, mx.float32) is None) == bool(more)
    text = load(locate(str(folder))).text
    assert [list(text.encode(word)) for word in WORDS] == [expected.encode(word).ids for word in WORDS]


def test_other_tokenizers_of_the_libraries_stay_as_they_are(folder: Path) -> None:
    change(folder / "tokenizer_config.json", lambda settings: settings.update(tool_parser_type="json_tools"))
    assert load(locate(str(folder))).text.encode("Hi 2026") == tuple(
        of_the_libraries(folder)[1].encode("Hi 2026")
    )


def test_a_template_in_a_file_replaces_that_of_the_settings(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("other {{ messages[0].content }}")
    check_same_tokenizer(folder)


def test_tokens_in_the_file_of_older_versions_are_the_same(folder: Path) -> None:
    change(folder / "tokenizer_config.json", lambda settings: settings.pop("added_tokens_decoder", None))
    (folder / "special_tokens_map.json").write_text(json.dumps({"bos_token": MARKED}))
    check_same_tokenizer(folder)


def test_end_tokens_of_the_generation_configuration_replace_the_others(folder: Path) -> None:
    (folder / "generation_config.json").write_text('{"eos_token_id": [1, 2]}')
    check_same_tokenizer(folder)


@pytest.mark.parametrize(
    ("file", "members"),
    [
        ("config.json", {"model_type": "qwen2"}),
        ("config.json", {"model_file": "model.py"}),
        ("config.json", {"text_config": {}}),
        ("config.json", {"rope_theta": {"__float__": "Infinity"}}),
        ("config.json", {"quantization_config": {"quant_method": "awq"}}),
        ("config.json", {"quantization": {"group_size": 32, "bits": 8, "model.embed_tokens": {"bits": 4}}}),
        ("config.json", {"quantization": {"group_size": 32, "bits": 4, "mode": "mxfp4"}}),
        ("tokenizer_config.json", {"tokenizer_class": "LlamaTokenizer"}),
        ("tokenizer_config.json", {"tokenizer_class": None}),
        ("tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer"}),
        ("tokenizer_config.json", {"add_prefix_space": True}),
        ("tokenizer_config.json", {"tool_parser_type": "json_tools"}),
        ("tokenizer_config.json", {"chat_template_type": "deepseek_v32"}),
        ("tokenizer_config.json", {"auto_map": {}}),
        ("tokenizer_config.json", {"image_token": "<|im_end|>"}),
        ("tokenizer_config.json", {"bos_token": "<|not a token|>"}),
        ("tokenizer_config.json", {"extra_special_tokens": {"image_token": "<|im_end|>"}}),
        ("tokenizer_config.json", {"added_tokens_decoder": {"256": MARKED}}),
        ("tokenizer_config.json", {"chat_template": [{"name": "default", "template": "x"}]}),
        ("tokenizer_config.json", {"chat_template": "{% set start = '<tool_call>' %}"}),
        (
            "tokenizer.json",
            {"truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}},
        ),
        (
            "tokenizer.json",
            {"added_tokens": [{"id": 256, "special": True, **MARKED, "content": CALL_TOKENS[0]}]},
        ),
    ],
    ids=str,
)
def test_special_cases_are_left_to_the_libraries(folder: Path, file: str, members: dict[str, Any]) -> None:
    change(folder / file, lambda content: content.update(members))
    assert load_plain(folder, mx.float32) is None


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_a_folder_without_a_file_is_left_to_the_libraries(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert load_plain(folder, mx.float32) is None


@pytest.mark.parametrize("content", ["[]", "{", '{"eos_token": 3}'])
def test_settings_that_are_wrong_are_left_to_the_libraries(folder: Path, content: str) -> None:
    (folder / "tokenizer_config.json").write_text(content)
    assert load_plain(folder, mx.float32) is None


def test_quantised_weights_of_another_mode_are_left_to_the_libraries(folder: Path) -> None:
    quantise(folder, mode="mxfp8")
    change(folder / "config.json", lambda config: config.update(quantization={"group_size": 32, "bits": 8}))
    assert load_plain(folder, mx.float32) is None


def test_quantised_weights_that_the_model_does_not_have_are_left_to_the_libraries(tiny_folder: Path) -> None:
    quantise(tiny_folder)
    weights: Any = mx.load(str(tiny_folder / "model.safetensors"))
    more = {
        f"lm_head.{part}": weights[f"model.embed_tokens.{part}"] for part in ("weight", "scales", "biases")
    }
    mx.save_safetensors(str(tiny_folder / "model.safetensors"), weights | more)
    assert load_plain(tiny_folder, mx.float32) is None
    with pytest.raises(ModelUnavailable, match=r"parameters not in model:\s+lm_head"):
        load(locate(str(tiny_folder)))


def looked_for(function: Callable[..., object], where: str) -> Iterator[str]:
    """The texts that a function looks for in the variable `where`."""
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In):
            left, right = node.left, node.comparators[0]
            if isinstance(left, ast.Constant) and isinstance(right, ast.Name) and right.id == where:
                yield str(left.value)


def test_every_text_for_which_mlx_lm_chooses_a_parser_is_known() -> None:
    texts = {*looked_for(tokenizer_utils._infer_tool_parser, "chat_template")}
    # Looked for together with another text that is known.
    with_others = {"<tool_call|>", '<param name="', "tool_call.name"}
    assert {text for text in texts if not any(mark in text for mark in CALL_MARKS)} == with_others
    assert all(any(mark in text for text in texts) for mark in CALL_MARKS)


def test_every_token_for_which_mlx_lm_chooses_a_parser_is_known() -> None:
    tokens = {*looked_for(tokenizer_utils._infer_tool_parser, "vocab")}
    assert tokens == {"<|tool_call_start|>", "<|tool_call_end|>"}
    assert not tokenizer_utils._is_xtml_vocab({"<|close|>", "<|sep|>", "<|end_of_msg|>"})
    assert {*CALL_TOKENS} == {"<|tool_call_start|>", "<|open|>"}


LOADS = """
import sys
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx.load import load
assert load(locate(sys.argv[1])).text.chat_prompt([{"role": "user", "content": "Hi"}])
print({"transformers", "mlx_lm", "mlx_lm.generate"} & set(sys.modules))
"""


def test_a_plain_folder_is_loaded_without_transformers(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADS, str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "set()"), done.stderr
