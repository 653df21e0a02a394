"""Reads the configuration of a sentence-transformers folder.

Source: the files that sentence-transformers 2 to 6 write: modules.json, 1_Pooling/config.json,
sentence_bert_config.json and config_sentence_transformers.json, next to those of `transformers`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.engine.mlx.encoder import first_position
from gonogo_server.engine.mlx.pooling import MODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COMPUTED: Final = ("Transformer", "Pooling", "Normalize")
"""The supported modules; vectors are always normalised, with or without Normalize."""

OLD_MODES: Final[Mapping[str, str]] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""The flags that selected the pooling mode before `pooling_mode` existed."""


@dataclass(frozen=True, slots=True)
class EmbeddingFolder:
    """How an embedding model tokenizes its inputs and pools its outputs."""

    path: Path
    model_type: str
    pooling: str
    """The pooling mode, a key of `gonogo_server.engine.mlx.pooling.MODES`."""
    context_length: int
    """The most tokens of an input, special ones included; training truncated longer inputs."""
    vocabulary: int
    prompt: str = ""
    """The text that the model expects before every input."""
    lowercase: bool = False


def read_embedding_folder(path: Path) -> EmbeddingFolder:
    """Read the configuration in the folder.

    Raises `ValueError` for an unsupported configuration, `OSError` if a file is missing, and `KeyError` if a required
    value is missing.
    """
    config = json.loads((path / "config.json").read_text())
    if config.get("use_bidirectional_attention") or config.get("is_causal") is False:
        raise ValueError(f"its architecture is not supported: bidirectional {config['model_type']}")
    pooling = _read(path / _pooling_folder(path) / "config.json")
    transformer = _read(path / "sentence_bert_config.json")
    prompt = _default_prompt(_read(path / "config_sentence_transformers.json"))
    if prompt and not pooling.get("include_prompt", True):
        raise ValueError("it excludes its prompt from pooling, which is not supported")
    return EmbeddingFolder(
        path=path,
        model_type=config["model_type"],
        pooling=_mode(pooling),
        context_length=_context_length(path, config, transformer),
        vocabulary=config["vocab_size"],
        prompt=prompt,
        lowercase=bool(transformer.get("do_lower_case")),
    )


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _pooling_folder(path: Path) -> str:
    """The folder of the pooling configuration. Raises `ValueError` if modules.json has an unsupported module."""
    if not (path / "modules.json").is_file():
        return "1_Pooling"
    modules = {
        each["type"].rpartition(".")[2]: each for each in json.loads((path / "modules.json").read_text())
    }
    if foreign := [kind for kind in modules if kind not in COMPUTED]:
        raise ValueError(f"its module {foreign[0]} is not supported")
    if "Pooling" not in modules:
        raise ValueError("its modules.json has no Pooling module")
    return str(modules["Pooling"]["path"])


def _mode(pooling: Mapping[str, Any]) -> str:
    given = pooling.get("pooling_mode") or [mode for key, mode in OLD_MODES.items() if pooling.get(key)]
    modes: Sequence[str] = [given] if isinstance(given, str) else given
    if len(modes) > 1:
        raise ValueError(f"several pooling modes are not supported: {', '.join(modes)}")
    mode = modes[0] if modes else "mean"
    if mode not in MODES:
        raise ValueError(f"its pooling mode is not supported: {mode}")
    return mode


def _default_prompt(config: Mapping[str, Any]) -> str:
    name = config.get("default_prompt_name")
    return str(config["prompts"][name]) if name else ""


def _context_length(path: Path, config: Mapping[str, Any], transformer: Mapping[str, Any]) -> int:
    positions = config["max_position_embeddings"] - first_position(config)
    trained = transformer.get("max_seq_length") or _read(path / "tokenizer_config.json").get(
        "model_max_length"
    )
    return int(min(trained or positions, positions))
