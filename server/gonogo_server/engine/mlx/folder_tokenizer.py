"""The tokenizer of a model folder, if it is all in tokenizer.json.

Special cases of mlx_lm (`load_tokenizer`) and transformers (`AutoTokenizer`) are left to them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tokenizers import Tokenizer

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


def read_tokenizer(folder: Path, config: Mapping[str, Any]) -> PlainTokenizer | None:
    """The tokenizer, with the end tokens of the model's `config`; None if it is a special case.

    Raises `OSError`, `ValueError` or `TypeError` for files that are missing or not in their format.
    """
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


def keep_words(tokenizer: Any, folder: Path) -> None:  # noqa: ANN401 - mlx_lm has no types
    """Give a tokenizer of a class in `GPT2` the normalizer and the pre-tokenizer of its tokenizer.json."""
    file = folder / "tokenizer.json"
    if file.exists() and _class(folder) in GPT2:
        backend, own = tokenizer.backend_tokenizer, Tokenizer.from_str(file.read_text("utf-8"))
        backend.normalizer, backend.pre_tokenizer = own.normalizer, own.pre_tokenizer


def _class(folder: Path) -> str | None:
    settings = folder / "tokenizer_config.json"
    return read_object(folder, settings.name).get("tokenizer_class") if settings.exists() else None


def read_object(folder: Path, name: str) -> dict[str, Any]:
    """The JSON object in a file of the folder. Raises `TypeError` if it is another value."""
    content = json.loads((folder / name).read_text("utf-8"))
    if not isinstance(content, dict):
        raise TypeError(f"{name} is not an object")
    return content


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
    settings = read_object(folder, "tokenizer_config.json")
    if "added_tokens_decoder" not in settings and (folder / "special_tokens_map.json").exists():
        settings |= read_object(folder, "special_tokens_map.json")
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
