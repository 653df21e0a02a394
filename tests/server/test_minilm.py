"""The server on a real model for embeddings: MiniLM on MLX, from the installed package."""

from __future__ import annotations

import asyncio
import json
import struct
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest
from gonogo_server.engine.mlx.engine import MlxEngine, open_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx2

    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

REFERENCE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "engine" / "embeddings" / "vectors.json").read_text()
)["vectors"]["minilm"]
"""The vectors of sentence-transformers for some texts; it truncates the last one, which is too long."""


@pytest.fixture(scope="module")
def minilm() -> Iterator[MlxEngine]:
    engine = open_engine(["minilm"])
    yield engine
    asyncio.run(engine.close())


@pytest.fixture
def engine(minilm: MlxEngine) -> MlxEngine:
    return minilm


async def test_it_is_listed_as_a_model_for_embeddings(live: httpx2.AsyncClient) -> None:
    [model] = (await live.get("/models")).json()["data"]
    assert (model["id"], model["type"], model["context_length"]) == ("minilm", "embedding", 256)


@pytest.mark.parametrize("encoding_format", ["float", "base64"])
async def test_its_vectors_are_those_of_the_reference_in_both_formats(
    live: httpx2.AsyncClient, keeps_contract: Check, encoding_format: str
) -> None:
    texts = [entry["text"] for entry in REFERENCE[:-1]]
    body = {"model": "minilm", "input": texts, "encoding_format": encoding_format}
    answer = (await live.post("/embeddings", json=body)).json()
    keeps_contract("EmbeddingList", answer)
    for entry, reference in zip(answer["data"], REFERENCE[:-1], strict=True):
        vector = entry["embedding"]
        if encoding_format == "base64":
            vector = struct.unpack("<384f", b64decode(vector))
        assert vector == pytest.approx(reference["vector"], abs=1e-4)


async def test_a_text_that_is_too_long_is_refused_and_not_cut(live: httpx2.AsyncClient) -> None:
    body = {"model": "minilm", "input": REFERENCE[-1]["text"]}
    response = await live.post("/embeddings", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "context_length_exceeded"


async def test_the_tokens_of_a_text_have_its_vector(live: httpx2.AsyncClient, minilm: MlxEngine) -> None:
    text = REFERENCE[0]["text"]
    ids = await minilm.encode("minilm", text)
    answer = (await live.post("/embeddings", json={"model": "minilm", "input": [list(ids)]})).json()
    assert answer["data"][0]["embedding"] == pytest.approx(REFERENCE[0]["vector"], abs=1e-4)
    assert answer["usage"]["prompt_tokens"] == len(ids)


async def test_the_official_client_reads_the_vectors_it_asks_for_in_base64(live: httpx2.AsyncClient) -> None:
    async with openai.AsyncOpenAI(base_url=str(live.base_url), api_key="none", max_retries=0) as client:
        answer = await client.embeddings.create(model="minilm", input=[e["text"] for e in REFERENCE[:2]])
        short = await client.embeddings.create(model="minilm", input=REFERENCE[0]["text"], dimensions=8)
    for entry, reference in zip(answer.data, REFERENCE[:2], strict=True):
        assert entry.embedding == pytest.approx(reference["vector"], abs=1e-4)
    assert len(short.data[0].embedding) == 8
