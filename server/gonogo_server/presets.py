"""Known servers and services by name. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping


Limit: TypeAlias = Literal["max_tokens", "max_completion_tokens"]
"""The names of the token limit of a chat completion. Most servers of open models know the older one, `max_tokens`."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A known server: its usual address, and the rules that it breaks."""

    url: str | None = None
    """The base URL; None if there is no usual one."""
    key_variable: str | None = None
    """The environment variable with the key, as in the server's documentation."""
    broken: tuple[str, ...] = ()
    """Ids of rules that it is known to break, as in a report."""
    limit: Limit = "max_tokens"
    """The name of the token limit in translated requests."""


PRESETS: Final[Mapping[str, Preset]] = {
    "custom": Preset(),
    "openai": Preset("https://api.openai.com/v1", "OPENAI_API_KEY", limit="max_completion_tokens"),
    "cerebras": Preset("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    # ollama/ollama#17921, #16117: tool_choice and logprobs are accepted but ignored
    "ollama": Preset(
        "http://127.0.0.1:11434/v1",
        broken=("tools.required.called", "tools.named.called", "tools.none.silent", "logprobs.chat.present"),
    ),
    "vllm": Preset("http://127.0.0.1:8000/v1", "VLLM_API_KEY"),
    "lmstudio": Preset("http://127.0.0.1:1234/v1"),
    "mlx-lm": Preset("http://127.0.0.1:8080/v1"),
    "llama-cpp": Preset("http://127.0.0.1:8080/v1", "LLAMA_API_KEY"),
}
