"""Structured outputs as clients see them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import openai
import pytest
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx2
    from gonogo_server.engine.scripted import ScriptedEngine

    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

USER = {"role": "user", "content": "Hi"}
SCHEMA = {
    "type": "object",
    "properties": {"size": {"type": "integer", "minimum": 100, "maximum": 200}, "name": {"type": "string"}},
    "required": ["size", "name"],
    "additionalProperties": False,
}


def asked(schema: object = SCHEMA, **changes: object) -> Body:
    form = {"type": "json_schema", "json_schema": {"name": "thing", "strict": True, "schema": schema}}
    return {"model": "scripted", "messages": [USER], "response_format": form} | changes


async def test_an_answer_keeps_the_schema(client: httpx2.AsyncClient) -> None:
    response = await client.post("/chat/completions", json=asked())
    said = json.loads(response.json()["choices"][0]["message"]["content"])
    assert list(said) == ["size", "name"]
    assert 100 <= said["size"] <= 200
    assert said["name"] == "Hello! How can I help you today?"
    assert response.json()["choices"][0]["finish_reason"] == "stop"


async def test_an_answer_that_is_cut_off_is_the_beginning_of_json(client: httpx2.AsyncClient) -> None:
    response = await client.post("/chat/completions", json=asked(max_tokens=5))
    assert response.json()["choices"][0]["message"]["content"] == '{"siz'
    assert response.json()["choices"][0]["finish_reason"] == "length"


async def test_the_prompt_has_the_schema(client: httpx2.AsyncClient, engine: ScriptedEngine) -> None:
    await client.post("/chat/completions", json=asked())
    prompt = b"".join(await engine.decode("scripted", engine.generations[-1].prompt)).decode()
    assert prompt.startswith("system: Answer with one JSON value")
    assert json.dumps(SCHEMA) in prompt


async def test_impossible_tokens_have_the_lowest_log_probability(client: httpx2.AsyncClient) -> None:
    response = await client.post(
        "/chat/completions", json=asked(logprobs=True, top_logprobs=20, max_tokens=1)
    )
    (first,) = response.json()["choices"][0]["logprobs"]["content"]
    assert (first["token"], first["logprob"]) == ("{", pytest.approx(0, abs=1))
    assert {top["logprob"] for top in first["top_logprobs"] if not top["token"].startswith("{")} == {-9999.0}


@pytest.mark.parametrize(
    ("response_format", "param"),
    [
        (asked({"not": {}})["response_format"], "response_format.json_schema.schema"),
        (asked({"type": "strng"})["response_format"], "response_format.json_schema.schema"),
        (asked({"$ref": "#"})["response_format"], "response_format.json_schema.schema"),
        ({"type": "json_schema"}, "response_format.json_schema"),
        ({"type": "json_schema", "json_schema": {"name": "no name!"}}, "response_format.json_schema.name"),
        ({"type": "yaml"}, "response_format"),
    ],
)
async def test_a_form_that_cannot_be_kept_is_refused_by_name(
    client: httpx2.AsyncClient, keeps_contract: Check, response_format: Body, param: str
) -> None:
    response = await client.post("/chat/completions", json=asked(response_format=response_format))
    assert response.status_code == 400
    keeps_contract("ErrorEnvelope", response.json())
    assert response.json()["error"]["param"].startswith(param)


class Weather(BaseModel):
    """What a client wants to know."""

    city: str
    unit: Literal["celsius", "kelvin"]
    degrees: float | None = None


@pytest.fixture
async def official(live: httpx2.AsyncClient) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=str(live.base_url), api_key="any", max_retries=0) as client:
        yield client


async def test_the_official_client_parses_its_own_schemas(official: openai.AsyncOpenAI) -> None:
    answer = await official.chat.completions.parse(
        model="scripted", messages=[{"role": "user", "content": "Hi"}], response_format=Weather
    )
    assert isinstance(answer.choices[0].message.parsed, Weather)


async def test_the_official_client_parses_calls_of_its_own_tools_whole_and_streamed(
    official: openai.AsyncOpenAI,
) -> None:
    tool = openai.pydantic_function_tool(Weather)
    answer = await official.chat.completions.parse(
        model="scripted", messages=[{"role": "user", "content": "Hi"}], tools=[tool], tool_choice="required"
    )
    calls = answer.choices[0].message.tool_calls
    assert calls
    assert isinstance(calls[0].function.parsed_arguments, Weather)
    async with official.chat.completions.stream(
        model="scripted", messages=[{"role": "user", "content": "Hi"}], tools=[tool], tool_choice="required"
    ) as stream:
        streamed = (await stream.get_final_completion()).choices[0]
    assert streamed.finish_reason == "tool_calls"
    assert streamed.message.tool_calls
    assert streamed.message.tool_calls[0].function.parsed_arguments == calls[0].function.parsed_arguments
