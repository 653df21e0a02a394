"""Responses, as clients see them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from gonogo_server.engine.base import ReasoningStyle
from gonogo_server.engine.scripted import Failure, ScriptedEngine
from gonogo_server.errors import Overloaded
from gonogo_server.settings import Settings
from pydantic import BaseModel

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    import httpx2

    Body = dict[str, Any]
    Streamed = Callable[..., Awaitable[list[Body]]]
    Check = Callable[[str, object], None]
    Refused = Callable[..., Awaitable[Body]]

pytestmark = pytest.mark.anyio

ANSWER = "Hello! How can I help you today?"
BELL = {"type": "function", "name": "ring_bell", "description": None, "parameters": {}, "strict": None}
RINGS = '<tool_call>{"name": "ring_bell", "arguments": {}}</tool_call>'
# As Codex 0.171 sends it, shortened.
CODEX: Body = {
    "model": "scripted",
    "instructions": "You are a coding agent.",
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "a"}]},
        {
            "type": "message",
            "role": "developer",
            "content": [{"type": "input_text", "text": "b"}],
            "id": "msg_1",
        },
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "c"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Ring."}]},
    ],
    "tools": [BELL, {"type": "namespace", "name": "mcp", "tools": [BELL]}, {"type": "web_search"}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"summary": "auto"},
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "k",
    "client_metadata": {"x": "y"},
}


def ask(given: object = "Hi", **fields: object) -> Body:
    return {"model": "scripted", "input": given, **fields}


async def whole(client: httpx2.AsyncClient, body: Body) -> Body:
    response = await client.post("/responses", json=body)
    assert response.status_code == 200, response.text
    found: Body = response.json()
    return found


def kinds(events: list[Body]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


async def test_a_text_comes_in_the_order_that_all_clients_need(streamed: Streamed) -> None:
    events = await streamed("/responses", ask())
    assert list(dict.fromkeys(kinds(events))) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[0]["response"]["status"] == "in_progress"
    assert events[0]["response"]["output"] == []
    text = "".join(event["delta"] for event in events if event["type"].endswith("delta"))
    last = events[-1]["response"]
    (item,) = last["output"]
    assert item["content"] == [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    assert item == events[-2]["item"]
    assert {event["item_id"] for event in events if "item_id" in event} == {item["id"]}
    assert text == ANSWER
    assert last["usage"]["total_tokens"] == last["usage"]["input_tokens"] + 33


async def test_the_final_object_equals_the_stream(
    client: httpx2.AsyncClient, streamed: Streamed, keeps_contract: Check
) -> None:
    answer = await whole(client, ask(metadata={"a": "b"}, max_output_tokens=64))
    keeps_contract("ResponseObject", answer)
    streamed_answer = (await streamed("/responses", ask(metadata={"a": "b"}, max_output_tokens=64)))[-1][
        "response"
    ]
    changing = {"id", "created_at", "completed_at", "output", "usage"}
    assert {k: v for k, v in answer.items() if k not in changing} == {
        k: v for k, v in streamed_answer.items() if k not in changing
    }
    assert answer["output"][0]["content"] == streamed_answer["output"][0]["content"]
    assert (answer["metadata"], answer["store"], answer["max_output_tokens"]) == ({"a": "b"}, False, 64)


async def test_text_and_tokens_are_those_of_chat(client: httpx2.AsyncClient) -> None:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    chat = (await client.post("/chat/completions", json={"model": "scripted", "messages": messages})).json()
    answer = await whole(client, ask(instructions="Be kind."))
    assert answer["output"][0]["content"][0]["text"] == chat["choices"][0]["message"]["content"]
    assert answer["usage"]["input_tokens"] == chat["usage"]["prompt_tokens"]
    assert answer["usage"]["output_tokens"] == chat["usage"]["completion_tokens"]


async def test_a_length_stop_is_incomplete_and_says_why(
    client: httpx2.AsyncClient, streamed: Streamed
) -> None:
    events = await streamed("/responses", ask(max_output_tokens=16))
    last = events[-1]
    assert last["type"] == "response.incomplete"
    for answer in (last["response"], await whole(client, ask(max_output_tokens=16))):
        assert answer["status"] == "incomplete"
        assert answer["incomplete_details"] == {"reason": "max_output_tokens"}
        assert answer["output"][-1]["status"] == "incomplete"
        assert answer["output"][-1]["content"][0]["text"] == ANSWER[:16]


async def test_log_probabilities_are_given_where_they_are_included(client: httpx2.AsyncClient) -> None:
    answer = await whole(client, ask(include=["message.output_text.logprobs"], top_logprobs=1))
    (part,) = answer["output"][0]["content"]
    assert "".join(entry["token"] for entry in part["logprobs"]) == ANSWER
    assert all(len(entry["top_logprobs"]) == 1 for entry in part["logprobs"])


class TestCalls:
    @pytest.fixture
    def engine(self) -> ScriptedEngine:
        return ScriptedEngine(answer=lambda prompt: "It rang." if "tool_response" in prompt else RINGS)

    async def test_a_call_is_an_item_of_its_own(self, streamed: Streamed) -> None:
        events = await streamed("/responses", CODEX)
        assert list(dict.fromkeys(kinds(events)))[2:] == [
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
        (call,) = events[-1]["response"]["output"]
        assert (call["type"], call["name"], call["arguments"]) == ("function_call", "ring_bell", "{}")
        assert call["id"] != call["call_id"]
        assert {event["item"]["call_id"] for event in events if "item" in event} == {call["call_id"]}

    @pytest.mark.parametrize("output", ["done", [{"type": "input_text", "text": "done"}]], ids=str)
    async def test_a_result_goes_back_as_text_or_parts(
        self, client: httpx2.AsyncClient, output: object
    ) -> None:
        call = (await whole(client, CODEX | {"stream": False}))["output"][0]
        result = {"type": "function_call_output", "id": "fco_1", "call_id": call["call_id"], "output": output}
        answer = await whole(client, CODEX | {"stream": False, "input": [*CODEX["input"], call, result]})
        assert answer["output"][0]["content"][0]["text"] == "It rang."

    async def test_the_official_client_calls_and_answers(self, sdk: openai.AsyncOpenAI) -> None:
        given: Any = [{"role": "user", "content": "Ring."}]
        tools: Any = [BELL]
        async with sdk.responses.stream(model="scripted", input=given, tools=tools) as stream:
            first = await stream.get_final_response()
        call = first.output[0]
        assert call.type == "function_call"
        given += [call.to_dict(), {"type": "function_call_output", "call_id": call.call_id, "output": "done"}]
        second = await sdk.responses.create(model="scripted", input=given, tools=tools)
        assert second.output_text == "It rang."

    async def test_tools_that_cannot_be_called_are_passed_over(
        self, client: httpx2.AsyncClient, refused: Refused
    ) -> None:
        other = {"type": "web_search"}
        assert (await whole(client, ask(tools=[other])))["tools"] == [other]
        error = await refused("/responses", ask(tools=[other], tool_choice="required"))
        assert error["param"] == "tool_choice"

    async def test_a_result_of_no_call_is_refused_by_its_own_name(self, refused: Refused) -> None:
        result = {"type": "function_call_output", "call_id": "x", "output": "1"}
        error = await refused("/responses", ask([{"role": "user", "content": "a"}, result]))
        assert error["param"] == "input[1].call_id"

    async def test_a_wrong_schema_is_refused_by_its_own_name(self, refused: Refused) -> None:
        tool = BELL | {"parameters": {"type": "string"}}
        error = await refused("/responses", ask(tools=[{"type": "mcp"}, tool]))
        assert error["param"] == "tools[1].parameters"


class TestReasoning:
    @pytest.fixture
    def engine(self) -> ScriptedEngine:
        style = ReasoningStyle("<think>", "</think>", frozenset({"none", "low"}))
        return ScriptedEngine(answer="<think>\nHm.\n</think>\n\nYes.", reasoning=style)

    async def test_reasoning_is_an_item_before_the_message(
        self, streamed: Streamed, client: httpx2.AsyncClient
    ) -> None:
        events = await streamed("/responses", ask(reasoning={"effort": "low", "summary": "auto"}))
        assert kinds(events).index("reasoning_text.done") < kinds(events).index("output_text.delta")
        thought, said = events[-1]["response"]["output"]
        assert thought["content"] == [{"type": "reasoning_text", "text": "Hm."}]
        assert said["content"][0]["text"] == "Yes."
        assert events[-1]["response"]["usage"]["output_tokens_details"]["reasoning_tokens"] > 0
        again = ask([{"role": "user", "content": "Hi"}, thought, said, {"role": "user", "content": "Sure?"}])
        assert (await whole(client, again))["status"] == "completed"

    async def test_an_effort_that_the_model_lacks_is_refused_by_its_own_name(self, refused: Refused) -> None:
        error = await refused("/responses", ask(reasoning={"effort": "max"}))
        assert error["param"] == "reasoning.effort"
        assert "reasoning.effort" in error["message"]


class Verdict(BaseModel):
    go: bool


class TestStructure:
    @pytest.fixture
    def engine(self) -> ScriptedEngine:
        return ScriptedEngine(answer='{"go": true}')

    async def test_the_official_client_parses_the_text(self, sdk: openai.AsyncOpenAI) -> None:
        answer = await sdk.responses.parse(model="scripted", input="Hi", text_format=Verdict)
        assert answer.output_parsed == Verdict(go=True)

    async def test_the_form_of_chat_is_refused_by_name(self, refused: Refused) -> None:
        error = await refused("/responses", ask(response_format={"type": "json_object"}))
        assert (error["param"], error["code"]) == ("response_format", "unknown_parameter")
        assert "text.format" in error["message"]

    async def test_a_schema_that_no_text_keeps_is_refused_by_its_own_name(self, refused: Refused) -> None:
        wanted = {"type": "json_schema", "name": "a", "schema": {"type": "nothing"}, "strict": True}
        error = await refused("/responses", ask(text={"format": wanted}))
        assert error["param"] == "text.format.schema"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"background": True}, "background"),
        ({"truncation": "auto"}, "truncation"),
        (
            {"stream": True, "stream_options": {"include_obfuscation": True}},
            "stream_options.include_obfuscation",
        ),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"max_tokens": 5}, "max_tokens"),
        ({"max_output_tokens": 5}, "max_output_tokens"),
        ({"max_output_tokens": 100_000}, "input"),
        ({"input": []}, "input"),
        ({"input": [{"type": "item_reference", "id": "a"}]}, "input[0].type"),
        ({"input": [{"type": "unheard_of"}]}, "input[0].type"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:,x"}]}]}, None),
    ],
    ids=str,
)
async def test_unsupported_features_are_refused_by_name(
    refused: Refused, fields: Body, param: str | None
) -> None:
    error = await refused("/responses", ask() | fields)
    assert error["param"] == (param or "input[0].content[0].type")
    assert error["message"].endswith(".")


async def test_without_a_store_responses_report_store_false(
    client: httpx2.AsyncClient, refused: Refused
) -> None:
    answer = await whole(client, ask(store=True))
    assert answer["store"] is False
    missing = await client.get(f"/responses/{answer['id']}")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_url")


async def test_the_count_is_that_of_the_same_request(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    count = (await client.post("/responses/input_tokens", json=CODEX)).json()
    keeps_contract("ResponseInputTokens", count)
    assert count["input_tokens"] == (await whole(client, CODEX | {"stream": False}))["usage"]["input_tokens"]


async def test_the_official_client_knows_a_refusal(sdk: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        await sdk.responses.create(model="other", input="Hi")
    assert missing.value.code == "model_not_found"


async def test_an_error_before_the_stream_has_a_status(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.failure = Failure(0, Overloaded("Too many: try again."))
    response = await client.post("/responses", json=ask(stream=True))
    assert (response.status_code, response.json()["error"]["type"]) == (429, "rate_limit_error")


async def test_an_error_in_the_stream_is_a_failed_response(
    streamed: Streamed, engine: ScriptedEngine
) -> None:
    engine.failure = Failure(3, RuntimeError("secret"))
    events = await streamed("/responses", ask())
    last = events[-1]
    assert last["type"] == "response.failed"
    assert last["response"]["status"] == "failed"
    assert last["response"]["error"]["code"] == "server_error"
    assert "secret" not in json.dumps(events)
    assert sum(event["type"] == "response.failed" for event in events) == 1


async def test_leaving_the_stream_stops_the_generation(
    sdk: openai.AsyncOpenAI, engine: ScriptedEngine
) -> None:
    stream = await sdk.responses.create(model="scripted", input="Hi " * 300, stream=True)
    async for event in stream:
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    await sdk.responses.create(model="scripted", input="Hi")
    assert engine.running == 0


class TestWaiting:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(early_headers=0.001)

    @pytest.fixture
    def engine(self, gate: asyncio.Semaphore) -> ScriptedEngine:
        return ScriptedEngine(gate=gate.acquire)

    async def test_a_stream_that_waits_has_begun(
        self, live: httpx2.AsyncClient, gate: asyncio.Semaphore
    ) -> None:
        async with live.stream("POST", "/responses", json=ask(stream=True)) as response:
            lines = response.aiter_lines()
            assert await anext(lines) == "event: response.created"
            for _ in range(100):
                gate.release()
            rest = [line async for line in lines if line.startswith("event: ")]
        assert rest[0] == "event: response.in_progress"
        assert rest.count("event: response.created") == 0
        assert rest[-1] == "event: response.completed"
