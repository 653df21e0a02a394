"""Embeddings, with an engine whose vectors can be computed by hand."""

from __future__ import annotations

import struct
from base64 import b64decode
from math import hypot, isclose
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.answers.embedding_form import shortened
from gonogo_server.engine.base import ModelCard
from gonogo_server.engine.scripted import BEGIN, VOCABULARY, ScriptedEngine
from gonogo_server.requests.embedding_inputs import MOST_TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx2

    Check = Callable[[str, object], None]

CONTEXT = 1024
LENGTH = 5

pytestmark = pytest.mark.anyio


class Places(ScriptedEngine):
    """Vectors of the first token, the number of tokens, and the position of each input."""

    def __init__(self, *, loaded: bool = True, emptied: bool = False) -> None:
        super().__init__(("chat",), embedding_models=("vectors",), context_length=CONTEXT)
        self.loaded = loaded
        self.emptied = emptied
        self.embedded: list[tuple[int, ...]] = []

    def cards(self) -> Sequence[ModelCard]:
        size = VOCABULARY if self.loaded else 0
        return [ModelCard(card.id, card.type, CONTEXT, 0, size, self.loaded) for card in super().cards()]

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        self.loaded = True
        return () if self.emptied else await super().encode(model, text)

    async def embed(self, model: str, inputs: Sequence[Sequence[int]]) -> list[list[float]]:
        assert model == "vectors"
        self.embedded += [tuple(one) for one in inputs]
        vectors = [[3.0 + one[0], len(one), 1.0, index, 0.0] for index, one in enumerate(inputs)]
        return [[number / hypot(*vector) for number in vector] for vector in vectors]


@pytest.fixture
def engine() -> Places:
    return Places()


def vectors_of(answer: dict[str, Any]) -> list[list[float]]:
    return [entry["embedding"] for entry in answer["data"]]


async def embedded(client: httpx2.AsyncClient, given: object, **changes: object) -> dict[str, Any]:
    response = await client.post("/embeddings", json={"model": "vectors", "input": given} | changes)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    answer: dict[str, Any] = response.json()
    return answer


async def refused(client: httpx2.AsyncClient, given: object, **changes: object) -> dict[str, Any]:
    response = await client.post("/embeddings", json={"model": "vectors", "input": given} | changes)
    assert response.status_code == 400, response.text
    error: dict[str, Any] = response.json()["error"]
    return error


async def test_a_text_has_a_vector_of_length_1(client: httpx2.AsyncClient, keeps_contract: Check) -> None:
    answer = await embedded(client, "Hi")
    keeps_contract("EmbeddingList", answer)
    assert answer["model"] == "vectors"
    [vector] = vectors_of(answer)
    assert isclose(hypot(*vector), 1.0)
    assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


@pytest.mark.parametrize(
    ("given", "tokens"),
    [
        ("Hi", [(BEGIN, 72, 105)]),
        (["Hi", "é"], [(BEGIN, 72, 105), (BEGIN, 195, 169)]),
        ([72, 105], [(72, 105)]),
        ([[72, 105], [0]], [(72, 105), (0,)]),
        ([VOCABULARY - 1], [(VOCABULARY - 1,)]),
        ([1.0, 2.0], [(1, 2)]),
    ],
)
async def test_texts_are_encoded_and_tokens_taken_as_they_are(
    client: httpx2.AsyncClient, engine: Places, given: object, tokens: list[tuple[int, ...]]
) -> None:
    answer = await embedded(client, given)
    assert engine.embedded == tokens
    assert answer["usage"]["prompt_tokens"] == sum(map(len, tokens))


async def test_vectors_come_in_the_order_of_their_inputs(client: httpx2.AsyncClient) -> None:
    answer = await embedded(client, [[9, 9, 9], [5], [7, 7]])
    assert [entry["index"] for entry in answer["data"]] == [0, 1, 2]
    alone = [vectors_of(await embedded(client, ids))[0] for ids in ([9, 9, 9], [5], [7, 7])]
    directions = [[vector[0] / vector[2], vector[1] / vector[2]] for vector in vectors_of(answer)]
    assert directions == [pytest.approx([v[0] / v[2], v[1] / v[2]]) for v in alone]


async def test_base64_holds_the_same_numbers_as_little_endian_floats(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    packed = await embedded(client, "Hi", encoding_format="base64")
    keeps_contract("EmbeddingList", packed)
    [numbers] = vectors_of(await embedded(client, "Hi", encoding_format="float"))
    raw = b64decode(packed["data"][0]["embedding"], validate=True)
    assert len(raw) == 4 * LENGTH
    assert struct.unpack(f"<{LENGTH}f", raw) == pytest.approx(numbers, abs=1e-7)


@pytest.mark.parametrize("dimensions", range(1, LENGTH + 1))
async def test_dimensions_shorten_a_vector_to_one_of_length_1(
    client: httpx2.AsyncClient, dimensions: int
) -> None:
    [whole] = vectors_of(await embedded(client, "Hi"))
    [short] = vectors_of(await embedded(client, "Hi", dimensions=dimensions))
    assert len(short) == dimensions
    assert isclose(hypot(*short), 1.0)
    assert [number / short[0] for number in short] == pytest.approx(
        [n / whole[0] for n in whole[:dimensions]]
    )


async def test_dimensions_and_base64_go_together(client: httpx2.AsyncClient) -> None:
    answer = await embedded(client, "Hi", dimensions=2, encoding_format="base64")
    assert len(b64decode(answer["data"][0]["embedding"])) == 8


def test_a_vector_of_zeros_stays_zero() -> None:
    assert shortened([[0.0, 0.0, 1.0]], 2) == [[0.0, 0.0]]


async def test_more_dimensions_than_the_model_has_are_refused(client: httpx2.AsyncClient) -> None:
    error = await refused(client, "Hi", dimensions=LENGTH + 1)
    assert (error["param"], error["code"]) == ("dimensions", "invalid_value")
    assert f"have {LENGTH} dimensions" in error["message"]


async def test_a_user_changes_nothing(client: httpx2.AsyncClient) -> None:
    assert await embedded(client, "Hi", user="somebody") == await embedded(client, "Hi")


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ("", "input"),
        ([], "input"),
        (["Hi", ""], "input[1]"),
        ([-1], "input[0]"),
        (["a"] * 2049, "input"),
        ([1] * 2049, "input"),
        (7, "input"),
        (None, "input"),
        ([["Hi"]], "input[0][0]"),
    ],
)
async def test_an_invalid_input_is_refused_by_name(
    client: httpx2.AsyncClient, engine: Places, given: object, param: str
) -> None:
    error = await refused(client, given)
    assert error["param"] == param
    assert engine.embedded == []


async def test_a_list_of_tokens_that_is_empty_is_refused(client: httpx2.AsyncClient, engine: Places) -> None:
    error = await refused(client, [[1], []])
    assert error["param"] == "input[1]"
    assert engine.embedded == []


async def test_as_many_inputs_as_the_contract_admits_are_embedded(client: httpx2.AsyncClient) -> None:
    answer = await embedded(client, ["a"] * 2048)
    assert [entry["index"] for entry in answer["data"]] == list(range(2048))


async def test_an_input_that_fills_the_context_is_embedded_and_a_longer_one_refused(
    client: httpx2.AsyncClient, engine: Places
) -> None:
    await embedded(client, "a" * (CONTEXT - 1))
    for long, tokens in (
        ("a" * CONTEXT, f"{CONTEXT + 1} tokens"),
        ("a" * 100_000, f"more than {CONTEXT} tokens"),
        ([1] * (CONTEXT + 1), f"{CONTEXT + 1} tokens"),
    ):
        error = await refused(client, [[1], long] if isinstance(long, list) else ["a", long])
        assert (error["param"], error["code"]) == ("input", "context_length_exceeded")
        assert f"Input 1 has {tokens}" in error["message"]
    assert error["message"].startswith(f"Input 1 has {CONTEXT + 1} tokens")
    assert len(engine.embedded) == 1


async def test_more_tokens_than_a_request_may_have_are_refused(
    client: httpx2.AsyncClient, engine: Places
) -> None:
    most = [[1] * CONTEXT] * (MOST_TOKENS // CONTEXT)
    await embedded(client, [*most, [1] * (MOST_TOKENS % CONTEXT)])
    engine.embedded.clear()
    error = await refused(client, [*most, [1] * (MOST_TOKENS % CONTEXT), [1]])
    assert error["param"] == "input"
    assert f"more than {MOST_TOKENS} tokens" in error["message"]
    assert engine.embedded == []


@pytest.mark.parametrize("engine", [Places(loaded=False)])
async def test_a_token_that_the_model_does_not_have_is_refused(
    client: httpx2.AsyncClient, engine: Places
) -> None:
    error = await refused(client, [[1], [VOCABULARY]])
    assert (error["param"], error["code"]) == ("input", "invalid_value")
    assert engine.loaded, "how many tokens it has is known once it is"


@pytest.mark.parametrize("engine", [Places(emptied=True)])
async def test_a_text_of_which_no_token_is_left_is_refused(client: httpx2.AsyncClient) -> None:
    error = await refused(client, ["\u200b"])
    assert error["message"].startswith("Input 0 contains no token for 'vectors'")


async def test_a_model_that_chats_does_not_embed_and_the_other_way_round(client: httpx2.AsyncClient) -> None:
    error = await refused(client, "Hi", model="chat")
    assert (error["param"], error["code"]) == ("model", "model_not_supported")
    for path, body in {
        "/completions": {"prompt": "Hi"},
        "/chat/completions": {"messages": [{"role": "user", "content": "Hi"}]},
    }.items():
        response = await client.post(path, json={"model": "vectors"} | body)
        assert response.status_code == 400
        assert response.json()["error"]["code"] == "model_not_supported"


async def test_an_unknown_model_is_a_404(client: httpx2.AsyncClient) -> None:
    response = await client.post("/embeddings", json={"model": "gpt", "input": "Hi"})
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


async def test_an_unknown_field_is_refused(client: httpx2.AsyncClient) -> None:
    error = await refused(client, "Hi", truncate=True)
    assert (error["param"], error["code"]) == ("truncate", "unknown_parameter")
