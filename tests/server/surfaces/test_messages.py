"""Messages, as clients see them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from gonogo_server.engine.base import ReasoningStyle
from gonogo_server.engine.scripted import Failure, ScriptedEngine
from gonogo_server.errors import Overloaded
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx2

    Body = dict[str, Any]
    Streamed = Callable[..., Awaitable[list[Body]]]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

ANSWER = "Hello! How can I help you today?"
USER: Body = {"role": "user", "content": "Hi"}
BELL = {"name": "ring_bell", "input_schema": {"type": "object", "properties": {}}}
RINGS = 'Well. <tool_call>{"name": "ring_bell", "arguments": {}}</tool_call>'
EPHEMERAL = {"type": "ephemeral"}
REFERENCE = {"type": "tool_reference", "tool_name": "ring_bell"}
# As Claude Code sends it, shortened.
CLAUDE_CODE: Body = {
    "model": "scripted",
    "max_tokens": 32_000,
    "system": [{"type": "text", "text": "You are an agent.", "cache_control": EPHEMERAL}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Ring.", "cache_control": EPHEMERAL}]},
        {"role": "system", "content": "A hint."},
    ],
    "tools": [
        BELL | {"cache_control": EPHEMERAL},
        BELL | {"name": "placeholder", "defer_loading": True},
        {"type": "web_search_20250305", "name": "web_search"},
    ],
    "metadata": {"user_id": "u"},
    "thinking": {"type": "adaptive", "display": "updates"},
    "output_config": {"effort": "high"},
    "context_management": {"edits": []},
    "speed": "fast",
}


def ask(*messages: Body, **fields: object) -> Body:
    return {"model": "scripted", "max_tokens": 64, "messages": list(messages) or [USER], **fields}


async def whole(client: httpx2.AsyncClient, body: Body) -> Body:
    response = await client.post("/messages", json=body)
    assert response.status_code == 200, response.text
    found: Body = response.json()
    return found


async def error_of(client: httpx2.AsyncClient, keeps: Check, body: Body, status: int = 400) -> Body:
    response = await client.post("/messages", json=body)
    assert response.status_code == status, response.text
    answer: Body = response.json()
    keeps("MessageErrorEnvelope", answer)
    assert answer["request_id"] == response.headers["request-id"]
    found: Body = answer["error"]
    return found


async def test_a_text_comes_in_the_order_that_all_clients_need(streamed: Streamed) -> None:
    events = await streamed("/messages", ask())
    assert list(dict.fromkeys(event["type"] for event in events)) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    start = events[0]["message"]
    assert (start["content"], start["stop_reason"], start["stop_sequence"]) == ([], None, None)
    assert events[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert events[-2]["usage"]["output_tokens"] == 33
    said = "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")
    assert said == ANSWER


async def test_text_and_tokens_are_those_of_chat(client: httpx2.AsyncClient, keeps_contract: Check) -> None:
    messages = [{"role": "system", "content": "Be kind."}, USER]
    chat = (await client.post("/chat/completions", json={"model": "scripted", "messages": messages})).json()
    answer = await whole(client, ask(system="Be kind."))
    keeps_contract("Message", answer)
    assert answer["content"] == [{"type": "text", "text": chat["choices"][0]["message"]["content"]}]
    usage = answer["usage"]
    assert usage["input_tokens"] + usage["cache_read_input_tokens"] == chat["usage"]["prompt_tokens"]
    assert usage["output_tokens"] == chat["usage"]["completion_tokens"]


@pytest.mark.parametrize(
    ("fields", "reason", "sequence"),
    [
        ({"max_tokens": 5}, "max_tokens", None),
        ({"stop_sequences": ["a", "b", "c", "d", "How"]}, "stop_sequence", "How"),
        ({}, "end_turn", None),
    ],
    ids=str,
)
async def test_the_stop_reason_is_the_true_one(
    client: httpx2.AsyncClient, streamed: Streamed, fields: Body, reason: str, sequence: str | None
) -> None:
    answer = await whole(client, ask(**fields))
    assert (answer["stop_reason"], answer["stop_sequence"]) == (reason, sequence)
    events = await streamed("/messages", ask(**fields))
    assert events[-2]["delta"] == {"stop_reason": reason, "stop_sequence": sequence}


class TestContext:
    @pytest.fixture
    def engine(self) -> ScriptedEngine:
        return ScriptedEngine(context_length=40)

    async def test_a_limit_beyond_the_context_ends_in_the_context(self, client: httpx2.AsyncClient) -> None:
        answer = await whole(client, ask(max_tokens=32_000))
        assert answer["stop_reason"] == "model_context_window_exceeded"

    async def test_a_prompt_beyond_the_context_is_refused(
        self, client: httpx2.AsyncClient, keeps_contract: Check
    ) -> None:
        error = await error_of(client, keeps_contract, ask({"role": "user", "content": "Hi" * 20}))
        assert error["type"] == "invalid_request_error"
        assert "prompt is too long" in error["message"]


class TestTools:
    @pytest.fixture
    def engine(self) -> ScriptedEngine:
        return ScriptedEngine(answer=lambda prompt: "It rang." if "tool_response" in prompt else RINGS)

    async def test_a_use_of_a_tool_is_a_block_of_its_own(self, streamed: Streamed) -> None:
        events = await streamed("/messages", CLAUDE_CODE)
        starts = [event["content_block"] for event in events if event["type"] == "content_block_start"]
        assert [start["type"] for start in starts] == ["text", "tool_use"]
        assert [event["index"] for event in events if event["type"] == "content_block_stop"] == [0, 1]
        assert starts[1]["input"] == {}
        pieces = [
            event["delta"]["partial_json"] for event in events if event.get("index") == 1 and "delta" in event
        ]
        assert json.loads("".join(pieces)) == {}
        assert events[-2]["delta"]["stop_reason"] == "tool_use"

    @pytest.mark.parametrize(
        "content", ["done", [{"type": "text", "text": "done"}], [REFERENCE], None], ids=str
    )
    async def test_a_result_goes_back_in_every_form(
        self, client: httpx2.AsyncClient, content: object
    ) -> None:
        said = await whole(client, CLAUDE_CODE)
        use = said["content"][-1]
        result = {"type": "tool_result", "tool_use_id": use["id"], "content": content, "is_error": False}
        after = [{"role": "assistant", "content": said["content"]}, {"role": "user", "content": [result]}]
        answer = await whole(client, CLAUDE_CODE | {"messages": [USER, *after]})
        assert answer["content"] == [{"type": "text", "text": "It rang."}]

    async def test_the_official_client_uses_a_tool_and_says_what_it_gave(
        self, claude: anthropic.AsyncAnthropic
    ) -> None:
        messages: Any = [USER]
        given: Any = {"model": "scripted", "max_tokens": 64, "tools": [BELL], "tool_choice": {"type": "auto"}}
        async with claude.messages.stream(messages=messages, **given) as stream:
            first = await stream.get_final_message()
        use = first.content[-1]
        assert use.type == "tool_use"
        assert first.stop_reason == "tool_use"
        result = {"type": "tool_result", "tool_use_id": use.id, "content": "done"}
        messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        second = await claude.messages.create(messages=messages, **given)
        assert [block.to_dict() for block in second.content] == [{"type": "text", "text": "It rang."}]

    @pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "ring_bell"}], ids=str)
    async def test_a_choice_of_a_tool_forces_its_use(self, client: httpx2.AsyncClient, choice: Body) -> None:
        answer = await whole(client, ask(tools=[BELL], tool_choice=choice))
        assert [block["type"] for block in answer["content"]] == ["tool_use"]
        assert answer["stop_reason"] == "tool_use"

    async def test_a_choice_of_no_tool_leaves_them_out(self, client: httpx2.AsyncClient) -> None:
        answer = await whole(client, ask(tools=[BELL], tool_choice={"type": "none"}))
        assert answer["content"] == [{"type": "text", "text": RINGS}]


class TestThinking:
    @pytest.fixture
    def engine(self) -> ScriptedEngine:
        style = ReasoningStyle("<think>", "</think>", frozenset({"none", "low"}))
        return ScriptedEngine(answer="<think>\nHm.\n</think>\n\nYes.", reasoning=style)

    async def test_thinking_is_a_block_before_the_text(
        self, client: httpx2.AsyncClient, streamed: Streamed
    ) -> None:
        answer = await whole(client, ask(thinking={"type": "enabled", "budget_tokens": 1024}))
        thought, said = answer["content"]
        assert (thought["thinking"], said["text"]) == ("Hm.", "Yes.")
        again = ask(USER, {"role": "assistant", "content": answer["content"]}, USER)
        assert (await whole(client, again))["stop_reason"] == "end_turn"
        events = await streamed("/messages", ask())
        assert [e["content_block"]["type"] for e in events if e["type"] == "content_block_start"] == [
            "thinking",
            "text",
        ]

    async def test_thinking_that_is_not_shown_has_no_text(self, client: httpx2.AsyncClient) -> None:
        answer = await whole(client, ask(thinking={"type": "adaptive", "display": "omitted"}))
        assert answer["content"][0] == {"type": "thinking", "thinking": "", "signature": ""}
        assert answer["content"][1]["text"] == "Yes."

    async def test_thinking_that_is_shown_in_a_newer_way_has_its_text(
        self, client: httpx2.AsyncClient
    ) -> None:
        answer = await whole(client, ask(thinking={"type": "adaptive", "display": "updates"}))
        assert answer["content"][0]["thinking"] == "Hm."

    async def test_an_effort_that_the_model_lacks_is_refused_by_its_own_name(
        self, client: httpx2.AsyncClient, keeps_contract: Check
    ) -> None:
        error = await error_of(client, keeps_contract, ask(output_config={"effort": "max"}))
        assert "'output_config.effort'" in error["message"]


class TestEffort:
    @pytest.fixture(params=[None, ReasoningStyle("<think>", "</think>")], ids=["none", "without efforts"])
    def engine(self, request: pytest.FixtureRequest) -> ScriptedEngine:
        return ScriptedEngine(reasoning=request.param)

    async def test_an_effort_has_no_effect_on_a_model_that_has_none(
        self, client: httpx2.AsyncClient, engine: ScriptedEngine
    ) -> None:
        for effort in ("low", "max"):
            answer = await whole(client, ask(output_config={"effort": effort}))
            assert answer["content"] == [{"type": "text", "text": ANSWER}]


class TestFoundTools:
    @pytest.fixture
    def engine(self) -> ScriptedEngine:
        return ScriptedEngine(answer=lambda prompt: prompt)

    async def test_the_model_reads_which_tools_a_search_found(self, client: httpx2.AsyncClient) -> None:
        use = {"type": "tool_use", "id": "t", "name": "search", "input": {}}
        result = {"type": "tool_result", "tool_use_id": "t", "content": [REFERENCE, REFERENCE]}
        said = {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}
        answer = await whole(client, ask(USER, *said, max_tokens=1000))
        assert answer["content"][0]["text"].count("Found the tool ring_bell.") == 2


class TestStructure:
    @pytest.fixture
    def engine(self) -> ScriptedEngine:
        return ScriptedEngine(answer='{"go": true}')

    async def test_the_text_keeps_the_schema(self, client: httpx2.AsyncClient) -> None:
        schema = {
            "type": "object",
            "properties": {"go": {"type": "boolean"}},
            "required": ["go"],
            "additionalProperties": False,
        }
        answer = await whole(client, ask(output_config={"format": {"type": "json_schema", "schema": schema}}))
        assert json.loads(answer["content"][0]["text"]) == {"go": True}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"max_tokens": 0}, "'max_tokens'"),
        ({"top_k": 5}, "'top_k'"),
        ({"stop": ["a"]}, "'stop'"),
        ({"messages": [USER, {"role": "assistant", "content": "I"}]}, "'messages[1].role'"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url"}}]}]},
            "content[0].type'",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x"}]}]},
            "'x'",
        ),
        ({"messages": []}, "'messages'"),
        ({"messages": [{"role": "system", "content": ""}]}, "'messages'"),
        ({"tool_choice": {"type": "any"}}, "'tool_choice'"),
        ({"tools": [{"name": "f", "input_schema": {"type": "string"}}]}, "an object"),
        (
            {"tools": [{"name": "f", "strict": True, "input_schema": {"type": "strng"}}]},
            "tools[0].input_schema: ",
        ),
    ],
    ids=str,
)
async def test_unsupported_features_are_refused_by_name(
    client: httpx2.AsyncClient, keeps_contract: Check, fields: Body, named: str
) -> None:
    error = await error_of(client, keeps_contract, ask() | fields)
    assert error["type"] == "invalid_request_error"
    assert named in error["message"]


async def test_the_count_is_that_of_the_same_request(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    counted = {name: value for name, value in CLAUDE_CODE.items() if name not in ("max_tokens", "metadata")}
    count = (await client.post("/messages/count_tokens", json=counted)).json()
    keeps_contract("MessageTokenCount", count)
    usage = (await whole(client, CLAUDE_CODE))["usage"]
    assert count["input_tokens"] == usage["input_tokens"] + usage["cache_read_input_tokens"]
    again = (await whole(client, CLAUDE_CODE))["usage"]
    assert again["cache_read_input_tokens"] > 0
    assert count["input_tokens"] == again["input_tokens"] + again["cache_read_input_tokens"]


class TestKeys:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(api_key="secret")

    @pytest.mark.parametrize(
        "headers",
        [
            {"x-api-key": "secret", "anthropic-version": "2023-06-01"},
            {"authorization": "Bearer secret", "anthropic-version": "2026-10-21", "anthropic-beta": "a,b"},
        ],
        ids=str,
    )
    async def test_a_key_is_taken_from_either_header(self, client: httpx2.AsyncClient, headers: Body) -> None:
        response = await client.post("/messages?beta=true", json=ask(), headers=headers)
        assert response.status_code == 200

    async def test_a_wrong_key_is_an_authentication_error(self, client: httpx2.AsyncClient) -> None:
        response = await client.post("/messages", json=ask(), headers={"x-api-key": "other"})
        assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")

    async def test_requests_with_anthropic_version_list_models_with_the_messages_key(
        self, client: httpx2.AsyncClient
    ) -> None:
        key = {"x-api-key": "secret"}
        for path in ("/models?limit=1000", "/models/scripted"):
            listed = await client.get(path, headers=key | {"anthropic-version": "2023-06-01"})
            assert listed.status_code == 200
            assert (await client.get(path, headers=key)).status_code == 401

    async def test_the_key_of_messages_is_none_of_chat(self, client: httpx2.AsyncClient) -> None:
        chat = {"model": "scripted", "messages": [USER]}
        headers = {"x-api-key": "secret", "anthropic-version": "2023-06-01"}
        response = await client.post("/chat/completions", json=chat, headers=headers)
        assert response.status_code == 401


async def test_the_official_client_streams_and_knows_each_error(
    claude: anthropic.AsyncAnthropic, engine: ScriptedEngine
) -> None:
    given: Any = {"max_tokens": 64, "messages": [USER]}
    async with claude.messages.stream(model="scripted", **given) as stream:
        assert "".join([text async for text in stream.text_stream]) == ANSWER
    with pytest.raises(anthropic.NotFoundError):
        await claude.messages.create(model="other", **given)
    engine.failure = Failure(0, Overloaded("Too many: try again."))
    with pytest.raises(anthropic.RateLimitError):
        await claude.messages.create(model="scripted", **given)


async def test_an_error_in_the_stream_is_an_event_after_which_nothing_comes(
    streamed: Streamed, engine: ScriptedEngine
) -> None:
    engine.failure = Failure(3, RuntimeError("secret"))
    events = await streamed("/messages", ask())
    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["type"] == "api_error"
    assert "secret" not in json.dumps(events)


async def test_a_path_or_method_that_is_not_there_has_the_envelope_of_messages(
    client: httpx2.AsyncClient,
) -> None:
    response = await client.get("/messages")
    assert (response.status_code, response.json()["type"]) == (405, "error")
    assert response.headers["allow"] == "POST"
