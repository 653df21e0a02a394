"""A plain Llama in a folder, loaded without transformers, whose import takes a second and a half.

A folder is plain if its files determine the model without the special cases of mlx_lm (`load_model`) and transformers
(`AutoTokenizer`): a Llama whose weights are floats or affine-quantised, and a tokenizer that is all in tokenizer.json.
Tests compare the result with that of the libraries. All other folders are left to them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
from mlx.utils import tree_flatten
from tokenizers import Tokenizer

from gonogo_server.engine.mlx.api import Llama, LlamaArgs
from gonogo_server.engine.mlx.plain_tokenizer import PlainTokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

CLASSES: Final = frozenset({"PreTrainedTokenizerFast", "TokenizersBackend"})
"""Classes that use tokenizer.json as it is."""

GPT2: Final = frozenset({"GPT2Tokenizer", "GPT2TokenizerFast"})
"""Classes that are also named for byte-level BPE tokenizers of other models.

transformers 5 gives them the pre-tokenizer of GPT-2 and no normalizer, in place of those in tokenizer.json (see
findings/transformers-gpt2-pre-tokenizer.sh). Here they are read as by transformers 4 (allenai/open-instruct#1896).
"""

NAMED: Final = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
"""The tokens that tokenizer_config.json names, and that a chat template can use (transformers 5)."""

SPECIAL_CASES: Final = frozenset(
    {
        *("auto_map", "chat_template_type", "fix_mistral_regex", "model_specific_special_tokens"),
        "tool_parser_type",
    }
)
"""Keys of a tokenizer_config.json for which transformers or mlx_lm change the tokenizer, ..."""

SWITCHES: Final = ("add_prefix_space", "split_special_tokens")
"""... and those for which they do if the value is true."""

CALL_MARKS: Final = (
    *("<minimax:tool_call>", "<|tool_call>", "<start_function_call>", "<longcat_tool_call>", "<arg_key>"),
    *("<|tool_list_start|>", "<|tool_call_start|>", "<tool_call>", "<|tool_calls_section_begin|>"),
    *('<function name="', "[TOOL_CALLS]", "<atem:function_calls>"),
)
"""Texts in a chat template for which mlx_lm chooses a parser of tool calls; each of its rules needs one of them."""

CALL_TOKENS: Final = ("<|tool_call_start|>", "<|open|>")
"""Tokens of the vocabulary for which it chooses one without such a text."""


@dataclass(frozen=True, slots=True)
class Plain:
    """What a plain folder contains; `config` is that of the model, with the end tokens of generation_config.json."""

    model: Llama
    tokenizer: PlainTokenizer
    config: Mapping[str, Any]


def load_plain(folder: Path, dtype: mx.Dtype) -> Plain | None:
    """Load the model, with weights of `dtype`, and the tokenizer; None if the folder is not plain or not readable.

    The weights are read when they are evaluated. Raises `ValueError` if they do not fit the configuration.
    """
    try:
        config = _read(folder, "config.json") | _end_tokens(folder)
        tokenizer = _tokenizer(folder, config) if _is_plain_llama(folder, config) else None
    except (OSError, ValueError, TypeError):
        return None  # the libraries name the fault
    if tokenizer is None:
        return None
    arguments: Any = LlamaArgs  # mlx_lm has no types
    model: Any = Llama(arguments.from_dict(config))
    weights = _floats(folder, model, dtype)
    if weights is None:
        return None
    model.load_weights(list(model.sanitize(weights).items()))
    model.eval()
    return Plain(model, tokenizer, config)


def keep_words(tokenizer: Any, folder: Path) -> None:  # noqa: ANN401 - mlx_lm has no types
    """Give a tokenizer of a class in `GPT2` the normalizer and the pre-tokenizer of its tokenizer.json."""
    file = folder / "tokenizer.json"
    if file.exists() and _class(folder) in GPT2:
        backend, own = tokenizer.backend_tokenizer, Tokenizer.from_str(file.read_text("utf-8"))
        backend.normalizer, backend.pre_tokenizer = own.normalizer, own.pre_tokenizer


def _class(folder: Path) -> str | None:
    settings = folder / "tokenizer_config.json"
    return _read(folder, settings.name).get("tokenizer_class") if settings.exists() else None


def _read(folder: Path, name: str) -> dict[str, Any]:
    content = json.loads((folder / name).read_text("utf-8"))
    if not isinstance(content, dict):
        raise TypeError(f"{name} is not an object")
    return content


def _end_tokens(folder: Path) -> dict[str, Any]:
    """The end tokens of generation_config.json, which replace those of config.json."""
    if not (folder / "generation_config.json").exists():
        return {}
    found = _read(folder, "generation_config.json").get("eos_token_id")
    return {"eos_token_id": found} if found else {}


def _is_plain_llama(folder: Path, config: Mapping[str, Any]) -> bool:
    stored = config.get("quantization")
    elsewhere = config.get("quantization_config") is not None or (folder / "hf_quant_config.json").exists()
    return (
        config.get("model_type") == "llama"
        and not config.keys() & {"model_file", "quantize_activations", "text_config"}
        and "__float__" not in json.dumps(config)
        and (_is_uniform(stored) if stored is not None else not elsewhere)
    )


def _is_uniform(quantization: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether all layers are quantised in the same way, with a scale and a bias for each group of weights."""
    return (
        isinstance(quantization, dict)
        and quantization.keys() <= {"group_size", "bits", "mode"}
        and quantization.get("mode", "affine") == "affine"
    )


def _floats(folder: Path, model: Llama, dtype: mx.Dtype) -> dict[str, mx.array] | None:
    """The weights by name, unpacked where they are quantised; None if some are in another way than affine."""
    stored: dict[str, mx.array] = {}
    for file in sorted(folder.glob("model*.safetensors")):
        read: Any = mx.load(str(file))
        stored.update(read)
    packed = [name.removesuffix(".scales") for name in stored if name.endswith(".scales")]
    if any(
        stored[f"{layer}.scales"].dtype == mx.uint8 or f"{layer}.biases" not in stored for layer in packed
    ):
        return None
    flat: list[tuple[str, Any]] = tree_flatten(model.parameters())  # type: ignore[assignment]  # a dict where asked for
    widths = {name: tensor.shape[-1] for name, tensor in flat}
    for layer in packed:
        weight, scales, biases = (stored.pop(f"{layer}.{part}") for part in ("weight", "scales", "biases"))
        stored[f"{layer}.weight"] = _unpacked(weight, scales, biases, widths[f"{layer}.weight"])
    return {name: tensor.astype(dtype) for name, tensor in stored.items()}


def _unpacked(weight: mx.array, scales: mx.array, biases: mx.array, width: int) -> mx.array:
    # A row of 32-bit words holds `width` weights. mlx_lm trusts the shapes too, not the configuration.
    bits, group_size = weight.shape[-1] * 32 // width, width // scales.shape[-1]
    return mx.dequantize(weight, scales, biases, group_size=group_size, bits=bits)


def _tokenizer(folder: Path, config: Mapping[str, Any]) -> PlainTokenizer | None:
    settings = _tokenizer_settings(folder)
    template = _template(folder, settings)
    if not _are_plain(settings) or (folder / "additional_chat_templates").exists():
        return None
    if not (template is None or isinstance(template, str)):
        return None
    tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text("utf-8"))
    named = {name: _content(settings[name]) for name in NAMED if settings.get(name) is not None}
    cuts = tokenizer.padding is not None or tokenizer.truncation is not None
    if cuts or not _holds_all(tokenizer, settings, named.values()) or _calls_tools(tokenizer, template):
        return None
    ends = config.get("eos_token_id")
    end_token_ids = frozenset(ends if isinstance(ends, list) else [] if ends is None else [ends])
    return PlainTokenizer(tokenizer, named=named, end_token_ids=end_token_ids, template=template)


def _are_plain(settings: Mapping[str, Any]) -> bool:
    tokens = {name for name, value in settings.items() if name.endswith("_token") and isinstance(value, str)}
    kind = settings.get("tokenizer_class")
    # The class of GPT-2 has tokens of its own for those that are not named.
    known = kind in CLASSES or (kind in GPT2 and {"bos_token", "eos_token", "unk_token"} <= settings.keys())
    return (
        known
        and not settings.keys() & SPECIAL_CASES
        and not any(settings.get(name) for name in SWITCHES)
        and tokens <= {*NAMED}
    )


def _tokenizer_settings(folder: Path) -> dict[str, Any]:
    """The tokenizer_config.json, with the tokens that older versions of transformers keep in another file."""
    settings = _read(folder, "tokenizer_config.json")
    if "added_tokens_decoder" not in settings and (folder / "special_tokens_map.json").exists():
        settings |= _read(folder, "special_tokens_map.json")
    return settings


def _template(folder: Path, settings: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    file = folder / "chat_template.jinja"
    return file.read_text("utf-8") if file.exists() else settings.get("chat_template")


def _content(token: Any) -> str:  # noqa: ANN401 - JSON
    content = token.get("content") if isinstance(token, dict) else token
    if not isinstance(content, str):
        raise TypeError("a token is neither a text nor an object with one")
    return content


def _holds_all(tokenizer: Tokenizer, settings: Mapping[str, Any], named: Iterable[str]) -> bool:
    """Whether all tokens that the settings name are special tokens of tokenizer.json, with the same properties."""
    added = tokenizer.get_added_tokens_decoder()
    special = {token.content for token in added.values() if token.special}
    extra = settings.get("extra_special_tokens") or settings.get("additional_special_tokens") or []
    listed = settings.get("added_tokens_decoder", {})
    return (
        isinstance(extra, list)
        and special >= {*named, *map(_content, extra)}
        and all(
            int(index) in added
            and all(getattr(added[int(index)], key) == given for key, given in token.items())
            for index, token in listed.items()
        )
    )


def _calls_tools(tokenizer: Tokenizer, template: str | None) -> bool:
    """Whether mlx_lm could find a parser of tool calls for the template or the vocabulary."""
    return any(mark in (template or "") for mark in CALL_MARKS) or any(
        tokenizer.token_to_id(token) is not None for token in CALL_TOKENS
    )
