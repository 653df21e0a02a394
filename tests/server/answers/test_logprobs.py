"""Log probabilities on the wire, in both forms."""

from __future__ import annotations

import json
from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.answers.align import Placed
from gonogo_server.answers.logprobs import chat_logprobs, completion_logprobs
from gonogo_server.engine.base import Alternative, Token
from gonogo_server.engine.scripted import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}], "logprobs": True}
TEXT = {"model": "scripted", "prompt": "Hi", "logprobs": 2, "max_tokens": 60}
WIDE = ScriptedEngine(answer="Grüße 👋 an 日本!")

ODD = Placed(
    b"\xf0",
    3,
    Token(Alternative(1, b"\xf0", -inf), (Alternative(2, b"", 1e-9), Alternative(3, b"", -1.0))),
)


def test_a_chat_entry_of_no_text_spells_its_bytes_and_never_says_infinity() -> None:
    [entry] = chat_logprobs([ODD]).model_dump()["content"]
    assert (entry["token"], entry["bytes"], entry["logprob"]) == ("\\xf0", [0xF0], -9999.0)
    assert entry["top_logprobs"][0] == {"token": "", "logprob": 0.0, "bytes": None}


def test_a_legacy_token_of_no_text_spells_its_bytes_with_a_prefix() -> None:
    said = completion_logprobs([ODD]).model_dump()
    assert said["tokens"] == ["bytes:\\xf0"]
    assert said["token_logprobs"] == [-9999.0]
    assert said["text_offset"] == [3]


def test_of_two_legacy_alternatives_that_read_the_same_the_likelier_counts() -> None:
    assert completion_logprobs([ODD]).model_dump()["top_logprobs"] == [{"": 0.0, "bytes:\\xf0": -9999.0}]


def test_a_token_that_follows_nothing_has_nulls() -> None:
    said = completion_logprobs([Placed(b"a", 0, None)]).model_dump()
    assert (said["token_logprobs"], said["top_logprobs"]) == ([None], [None])


async def asked(client: httpx2.AsyncClient, path: str, body: Body) -> Body:
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()["choices"][0]


async def streamed(client: httpx2.AsyncClient, path: str, body: Body) -> list[Body]:
    response = await client.post(path, json={**body, "stream": True})
    assert response.status_code == 200, response.text
    *chunks, done = response.text.removesuffix("\n\n").split("\n\n")
    assert done == "data: [DONE]"
    return [json.loads(chunk.removeprefix("data: "))["choices"][0] for chunk in chunks]


def joined(entries: list[Body]) -> str:
    return b"".join(bytes(entry["bytes"]) for entry in entries).decode()


STOPS = [{}, {"stop": "an"}, {"stop": "👋"}, {"stop": ["日本!", "ße"]}]


@pytest.mark.parametrize("engine", [WIDE], ids=["wide"])
@pytest.mark.parametrize("stop", STOPS, ids=str)
async def test_the_bytes_of_a_chats_entries_are_its_content(
    client: httpx2.AsyncClient, keeps_contract: Check, stop: Body
) -> None:
    choice = await asked(client, "/chat/completions", {**CHAT, **stop})
    assert choice["logprobs"]["refusal"] is None
    assert joined(choice["logprobs"]["content"]) == choice["message"]["content"]
    keeps_contract("ChatCompletionLogprobs", choice["logprobs"])


@pytest.mark.parametrize("engine", [WIDE], ids=["wide"])
@pytest.mark.parametrize("stop", STOPS, ids=str)
async def test_a_delta_comes_with_the_entries_of_its_text(client: httpx2.AsyncClient, stop: Body) -> None:
    first, *deltas, last = await streamed(client, "/chat/completions", {**CHAT, **stop})
    assert first["logprobs"] == last["logprobs"] == {"content": [], "refusal": None}
    for delta in deltas:
        assert joined(delta["logprobs"]["content"]) == delta["delta"]["content"]
    whole = await asked(client, "/chat/completions", {**CHAT, **stop})
    said = [entry for delta in deltas for entry in delta["logprobs"]["content"]]
    assert said == whole["logprobs"]["content"]


@pytest.mark.parametrize("engine", [ScriptedEngine(answer="a👋")], ids=["wide"])
async def test_a_character_that_is_cut_off_at_the_limit_keeps_its_entries(client: httpx2.AsyncClient) -> None:
    choice = await asked(client, "/chat/completions", {**CHAT, "max_tokens": 3})
    assert choice["message"]["content"] == "a"
    assert [entry["token"] for entry in choice["logprobs"]["content"]] == ["a", "\\xf0", "\\x9f"]
    *_, last = await streamed(client, "/chat/completions", {**CHAT, "max_tokens": 3})
    assert len(last["logprobs"]["content"]) == 2


@pytest.mark.parametrize("top", [0, 1, 20])
async def test_as_many_alternatives_come_as_were_asked_for_the_likeliest_first(
    client: httpx2.AsyncClient, top: int
) -> None:
    choice = await asked(client, "/chat/completions", {**CHAT, "top_logprobs": top, "max_tokens": 2})
    for entry in choice["logprobs"]["content"]:
        found = [other["logprob"] for other in entry["top_logprobs"]]
        assert len(found) == top
        assert found == sorted(found, reverse=True)
        assert not top or found[0] == entry["logprob"]


@pytest.mark.parametrize("unasked", [{"logprobs": False}, {"logprobs": None}])
async def test_fields_that_were_not_requested_are_absent(client: httpx2.AsyncClient, unasked: Body) -> None:
    assert (await asked(client, "/chat/completions", {**CHAT, **unasked}))["logprobs"] is None
    assert (await asked(client, "/completions", {**TEXT, "logprobs": None}))["logprobs"] is None
    for choice in await streamed(client, "/chat/completions", {**CHAT, **unasked}):
        assert choice["logprobs"] is None


@pytest.mark.parametrize("engine", [WIDE], ids=["wide"])
@pytest.mark.parametrize("stop", STOPS, ids=str)
async def test_the_arrays_of_a_completion_run_in_parallel_streamed_or_not(
    client: httpx2.AsyncClient, keeps_contract: Check, stop: Body
) -> None:
    choice = await asked(client, "/completions", {**TEXT, **stop})
    whole = choice["logprobs"]
    keeps_contract("CompletionLogprobs", whole)
    assert len({len(values) for values in whole.values()}) == 1
    ascii_ = [(t, at) for t, at in zip(whole["tokens"], whole["text_offset"], strict=True) if len(t) == 1]
    assert ascii_
    assert all(choice["text"][at] == token for token, at in ascii_)
    chunks = [chunk["logprobs"] for chunk in await streamed(client, "/completions", {**TEXT, **stop})]
    assert {name: [value for chunk in chunks for value in chunk[name]] for name in whole} == whole


@pytest.mark.parametrize("count", [0, 1, 5])
async def test_the_map_has_the_token_itself_beside_those_that_were_asked_for(
    client: httpx2.AsyncClient, count: int
) -> None:
    said = (await asked(client, "/completions", {**TEXT, "logprobs": count, "max_tokens": 3}))["logprobs"]
    for token, logprob, top in zip(said["tokens"], said["token_logprobs"], said["top_logprobs"], strict=True):
        assert top[token] == logprob
        assert len(top) == max(count, 1)
