"""The compliance tests of Open Responses, one test for each of their templates.

Written from their description: each sends a request, validates the whole object against the specification, and then
checks the subject of the template.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from gonogo_server.app import create_app
from gonogo_server.compose import providers
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gonogo_server.compilation.worker import Worker

    Body = dict[str, Any]
    Check = Callable[[str, object], None]
    Create = Callable[..., Awaitable[Body]]

pytestmark = pytest.mark.anyio

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a place.",
    "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
        "additionalProperties": False,
    },
    "strict": True,
}
CALL = '<tool_call>{"name": "get_weather", "arguments": {"location": "Bern"}}</tool_call>'

NULLABLE = (
    "completed_at",
    "error",
    "incomplete_details",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "usage",
    "user",
)
"""Required members of a response that may be null."""
GIVEN = {
    "background": bool,
    "created_at": int,
    "frequency_penalty": (int, float),
    "id": str,
    "metadata": dict,
    "model": str,
    "object": str,
    "output": list,
    "parallel_tool_calls": bool,
    "presence_penalty": (int, float),
    "service_tier": str,
    "status": str,
    "store": bool,
    "temperature": (int, float),
    "text": dict,
    "tool_choice": (str, dict),
    "tools": list,
    "top_logprobs": int,
    "top_p": (int, float),
    "truncation": str,
}
"""Required members that have a value, by its type."""


def answer(prompt: str) -> str:
    """A call if the weather is asked for, its result if that is there; otherwise the last text again."""
    if "Sunny." in prompt:
        return "It is sunny."
    *_, last, _ = prompt.splitlines()
    return CALL if "weather" in last.lower() and last.startswith("user: ") else f"You said: {last}"


@pytest.fixture
async def client(worker: Worker) -> AsyncIterator[httpx2.AsyncClient]:
    settings = Settings(responses_store="memory")
    registry = providers(settings, ScriptedEngine(("scripted",), answer), worker)
    transport = httpx2.ASGITransport(app=create_app(registry, settings))
    async with httpx2.AsyncClient(transport=transport, base_url="http://server/v1") as client:
        yield client
    await registry.close()


def whole_of(response: Body, keeps_contract: Check) -> Body:
    """The response, whose object has everything that Open Responses and this contract require."""
    keeps_contract("ResponseObject", response)
    assert [name for name in (*NULLABLE, *GIVEN) if name not in response] == []
    assert [name for name, kind in GIVEN.items() if not isinstance(response[name], kind)] == []
    for item in response["output"]:
        assert {"id", "type", "status"} <= item.keys() or item["type"] == "reasoning"
    return response


@pytest.fixture
def create(client: httpx2.AsyncClient, keeps_contract: Check) -> Create:
    async def ask(given: object, **fields: object) -> Body:
        answered = await client.post("/responses", json={"model": "scripted", "input": given, **fields})
        assert answered.status_code == 200, answered.text
        response = whole_of(answered.json(), keeps_contract)
        assert response["status"] == "completed"
        assert response["output"]
        return response

    return ask


def said(response: Body) -> str:
    text: str = response["output"][-1]["content"][0]["text"]
    return text


def user(content: object) -> Body:
    return {"type": "message", "role": "user", "content": content}


async def events_of(client: httpx2.AsyncClient, body: Body, keeps_contract: Check) -> list[Body]:
    answered = await client.post("/responses", json=body | {"model": "scripted", "stream": True})
    frames = [frame for frame in answered.text.split("\n\n") if frame and not frame.startswith(":")]
    events = [json.loads(frame.partition("data: ")[2]) for frame in frames]
    for event in events:
        keeps_contract("ResponseStreamEvent", event)
    return events


async def test_basic_response(create: Create) -> None:
    assert said(await create([user("Say hello.")])) == "You said: user: Say hello."


async def test_streaming_response(client: httpx2.AsyncClient, keeps_contract: Check) -> None:
    events = await events_of(client, {"input": [user("Count from 1 to 5.")]}, keeps_contract)
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"
    last = whole_of(events[-1]["response"], keeps_contract)
    assert last["status"] == "completed"
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert text == said(last)


async def test_system_prompt(create: Create, client: httpx2.AsyncClient) -> None:
    response = await create([{"type": "message", "role": "system", "content": "A pirate."}, user("Hello.")])
    plain = await create([user("Hello.")])
    assert response["usage"]["input_tokens"] > plain["usage"]["input_tokens"]


async def test_tool_calling(create: Create) -> None:
    response = await create([user("What is the weather in Bern?")], tools=[WEATHER])
    (call,) = [item for item in response["output"] if item["type"] == "function_call"]
    assert (call["name"], json.loads(call["arguments"])) == ("get_weather", {"location": "Bern"})


async def test_tool_calling_streaming(client: httpx2.AsyncClient, keeps_contract: Check) -> None:
    body = {"input": [user("What is the weather in Bern?")], "tools": [WEATHER]}
    events = await events_of(client, body, keeps_contract)
    of_call = [
        event["type"].removeprefix("response.")
        for event in events
        if event.get("item", {}).get("type") == "function_call" or "function_call" in event["type"]
    ]
    assert list(dict.fromkeys(of_call)) == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
    ],
    ids=["image-input", "file-input"],
)
async def test_image_and_file_input_are_refused_by_name_as_the_models_read_text(
    client: httpx2.AsyncClient, keeps_contract: Check, part: Body
) -> None:
    body = {"model": "scripted", "input": [user([{"type": "input_text", "text": "What is it?"}, part])]}
    answered = await client.post("/responses", json=body)
    assert answered.status_code == 400
    keeps_contract("ErrorEnvelope", answered.json())
    assert answered.json()["error"]["param"] == "input[0].content[1].type"


async def test_multi_turn(create: Create) -> None:
    before = {"type": "message", "role": "assistant", "content": "Hello, Ada."}
    response = await create([user("My name is Ada."), before, user("What is my name?")])
    assert said(response) == "You said: user: What is my name?"


async def test_function_call_roundtrip(create: Create) -> None:
    chosen = {"type": "function", "name": "get_weather"}
    first = await create("The weather in Bern?", tools=[WEATHER], tool_choice=chosen)
    (call,) = first["output"]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "Sunny."}
    second = await create([result], tools=[WEATHER], previous_response_id=first["id"])
    assert said(second) == "It is sunny."
    assert second["previous_response_id"] == first["id"]


async def test_previous_response_id(create: Create) -> None:
    first = await create([user("My name is Ada.")])
    second = await create([user("What is my name?")], previous_response_id=first["id"])
    assert second["previous_response_id"] == first["id"]
    alone = await create([user("What is my name?")])
    assert second["usage"]["input_tokens"] > alone["usage"]["input_tokens"]


@pytest.mark.parametrize(
    "tool", [{"type": "file_search", "vector_store_ids": ["vs_1"]}, {"type": "web_search"}], ids=str
)
async def test_hosted_tools_are_passed_over_and_named_in_the_answer(create: Create, tool: Body) -> None:
    response = await create([user("Hello.")], tools=[tool])
    assert response["tools"] == [tool]
    assert {item["type"] for item in response["output"]} == {"message"}
