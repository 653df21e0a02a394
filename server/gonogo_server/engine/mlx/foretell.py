"""What can be said of a model while it is still on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gonogo_server.engine.mlx.device import on_cpu
from gonogo_server.engine.mlx.embedding_folder import read_embedding_folder
from gonogo_server.engine.mlx.gguf import read_metadata
from gonogo_server.engine.mlx.load import context_length
from gonogo_server.engine.mlx.refusal import refusal

if TYPE_CHECKING:
    from gonogo_server.locate import Location

GROWTH: Final = {("gguf", True): 6.4, ("gguf", False): 3.2, ("mlx", True): 2.0, ("mlx", False): 1.0}
"""How much larger a model is in memory than in its file, by format and whether it is on a CPU.

Five bits a weight (Q4_1) become 32 on a CPU and 16 on a GPU, the 16 of a folder 32 on a CPU. What others come to is
known once they are loaded.
"""


@dataclass(frozen=True, slots=True)
class Foretold:
    """Context length in tokens, the size of the vocabulary (0: unknown), and about how many bytes it will take."""

    context_length: int
    vocabulary: int
    nbytes: int


def foretell(location: Location) -> Foretold:
    """What the model's configuration says. Raises `ModelUnavailable` where it cannot be read."""
    try:
        context, vocabulary = _gguf(location) if location.format == "gguf" else _folder(location)
    except Exception as error:
        # As when it is loaded: there are as many ways to stumble as there are files.
        raise refusal(location, error) from error
    path = location.path
    files = [path] if location.format == "gguf" else path.glob("*.safetensors")
    growth = GROWTH[location.format, on_cpu()]
    return Foretold(context, vocabulary, int(growth * sum(file.stat().st_size for file in files)))


def _gguf(location: Location) -> tuple[int, int]:
    metadata = read_metadata(location.path)
    return metadata["llama.context_length"], len(metadata["tokenizer.ggml.tokens"])


def _folder(location: Location) -> tuple[int, int]:
    if location.type == "embedding":
        folder = read_embedding_folder(location.path)
        return folder.context_length, folder.vocabulary
    config = json.loads((location.path / "config.json").read_text())
    size = config.get("vocab_size", config.get("text_config", {}).get("vocab_size", 0))
    return context_length(config), size
