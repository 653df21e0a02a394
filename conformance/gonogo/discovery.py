"""Finds OpenAI-compatible servers on the usual local ports. No key is sent to any of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx2

if TYPE_CHECKING:
    from collections.abc import Mapping

PORTS: Final[Mapping[int, tuple[str, ...]]] = {
    1234: ("LM Studio",),
    1337: ("Jan",),
    4000: ("LiteLLM",),
    4891: ("GPT4All",),
    5000: ("text-generation-webui", "TabbyAPI"),
    5001: ("KoboldCpp",),
    8000: ("vLLM", "gonogo serve", "transformers serve"),
    8080: ("llama.cpp", "mlx_lm.server", "LocalAI"),
    9997: ("Xinference",),
    10240: ("mlx-omni-server",),
    11434: ("Ollama",),
    23333: ("LMDeploy",),
    30000: ("SGLang",),
}
"""The default port of each of these servers."""

OWNERS: Final = {
    "library": "Ollama",
    "llamacpp": "llama.cpp",
    "organization_owner": "LM Studio",
    "sglang": "SGLang",
    "vllm": "vLLM",
}
"""The server by the `owned_by` of the entries in its model list."""

PATIENCE: Final = 2.0
"""Timeout in seconds for the model list of a local server."""


@dataclass(frozen=True, slots=True)
class Found:
    """A server that answered: its base URL, its known or likely name, and its models.

    `models` is None if listing them needs a key.
    """

    base_url: str
    servers: tuple[str, ...]
    models: tuple[str, ...] | None


async def discover(ports: Mapping[int, tuple[str, ...]] = PORTS, patience: float = PATIENCE) -> list[Found]:
    """The servers that answer `GET /v1/models` with a model list, or with 401 or 403."""
    # trust_env: no proxy for this machine, and no keys from a netrc file.
    async with httpx2.AsyncClient(timeout=patience, trust_env=False) as client:
        found = await asyncio.gather(*(_ask(client, port, servers) for port, servers in ports.items()))
    return [one for one in found if one is not None]


async def _ask(client: httpx2.AsyncClient, port: int, servers: tuple[str, ...]) -> Found | None:
    base_url = f"http://127.0.0.1:{port}/v1"
    try:
        answer = await client.get(f"{base_url}/models")
        body = answer.json() if answer.status_code == httpx2.codes.OK else None
    except (httpx2.HTTPError, ValueError, RecursionError):
        return None
    if answer.status_code in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
        return Found(base_url, servers, None)
    entries = _entries(body)
    if entries is None:
        return None
    owners = {OWNERS[owner] for entry in entries if (owner := str(entry.get("owned_by"))) in OWNERS}
    models = tuple(str(entry.get("id")) for entry in entries)
    return Found(base_url, tuple(sorted(owners)) or servers, models)


def _entries(body: object) -> list[dict[str, object]] | None:
    """The entries of a model list; None if the body is something else."""
    data = body.get("data") if isinstance(body, dict) else None
    return [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else None
