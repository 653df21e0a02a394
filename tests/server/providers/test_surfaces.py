"""Responses and messages through a gateway, translated for an upstream that supports only chat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest
from gonogo_server.compose import application
from gonogo_server.engine.base import ReasoningStyle
from gonogo_server.engine.scripted import ScriptedEngine
from pydantic import BaseModel
from server.conftest import listen
from server.providers.chat_only import (
    alike,
    answering,
    chat_only,
    counting,
    events,
    message,
    refusing,
    response,
    saying,
)
from server.providers.upstreams import (
    DONE,
    FIRST,
    LAST,
    chunk,
    gateway,
    replying,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import httpx2
    from gonogo_server.compilation.worker import Worker
    from gonogo_server.settings import Settings

    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

BELL = {"type": "object", "properties": {}}
RINGS = 'Well. <tool_call>{"name": "ring_bell", "arguments": {}}</tool_call>'
STYLE = ReasoningStyle("<think>", "</think>", frozenset({"none", "low"}))
SCHEMA = {
    "type": "object",
    "properties": {"go": {"type": "boolean"}},
    "required": ["go"],
    "additionalProperties": False,
}
FUNCTION = {"type": "function", "name": "ring_bell", "description": None, "parameters": BELL, "strict": None}
TOOL = {"name": "ring_bell", "input_schema": BELL, "cache_control": {"type": "ephemeral"}}
PNG = "data:image/png;base64,AAAA"


# As Codex 0.171 sends it, shortened.
CODEX = response(
    [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "a"}]},
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "b"}], "id": "m"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Ring."}]},
    ],
    instructions="You are a coding agent.",
    tools=[FUNCTION, {"type": "namespace", "name": "mcp", "tools": [FUNCTION]}, {"type": "web_search"}],
    tool_choice="auto",
    parallel_tool_calls=True,
    reasoning={"summary": "auto"},
    store=False,
    include=["reasoning.encrypted_content"],
    prompt_cache_key="k",
    client_metadata={"x": "y"},
)
# As Claude Code sends it, shortened.
CLAUDE_CODE = message(
    {"role": "user", "content": [{"type": "text", "text": "Ring.", "cache_control": {"type": "ephemeral"}}]},
    {"role": "system", "content": "A hint."},
    system=[{"type": "text", "text": "You are an agent.", "cache_control": {"type": "ephemeral"}}],
    tools=[TOOL, {"type": "web_search_20250305", "name": "web_search"}],
    metadata={"user_id": "u"},
    thinking={"type": "adaptive", "display": "updates"},
    output_config={"effort": "high"},
    context_management={"edits": []},
)
TURNS = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yes?"},
    {"role": "user", "content": "Go on."},
]
CALL = {"type": "function_call", "call_id": "call_1", "name": "ring_bell", "arguments": "{}"}
RESULT = {
    "type": "function_call_output",
    "call_id": "call_1",
    "output": [{"type": "input_text", "text": "d"}],
}
USE = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "call_1", "name": "ring_bell", "input": {}}],
}
GAVE = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "done"}]}
FOUND = {
    "role": "user",
    "content": [
        {
            "type": "tool_result",
            "tool_use_id": "call_1",
            "content": [{"type": "tool_reference", "tool_name": "ring_bell"}],
        }
    ],
}
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": ""}

ENGINES: dict[str, tuple[Body, list[Body], list[Body]]] = {
    "text": (
        {},
        [
            response(instructions="Be kind."),
            response(TURNS, max_output_tokens=16, metadata={"a": "b"}),
            response(temperature=0, include=["message.output_text.logprobs"], top_logprobs=1),
        ],
        [message(system="Be kind."), message(*TURNS, max_tokens=5), message(temperature=0.5, top_p=0.5)],
    ),
    "tools": (
        {"answer": lambda prompt: "It rang." if "tool_response" in prompt else RINGS},
        [
            CODEX,
            CODEX | {"input": [*CODEX["input"], CALL, RESULT]},
            CODEX | {"tool_choice": {"type": "function", "name": "ring_bell"}},
            CODEX | {"tool_choice": "none"},
        ],
        [
            CLAUDE_CODE,
            CLAUDE_CODE | {"messages": [TURNS[0], USE, GAVE]},
            CLAUDE_CODE | {"messages": [TURNS[0], USE, FOUND]},
            CLAUDE_CODE | {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
            CLAUDE_CODE | {"tool_choice": {"type": "none"}},
        ],
    ),
    "reasoning": (
        {"answer": "<think>\nHm.\n</think>\n\nYes.", "reasoning": STYLE},
        [response(reasoning={"effort": "low", "summary": "auto"})],
        [
            message(thinking={"type": "enabled", "budget_tokens": 1024}),
            message(thinking={"type": "adaptive", "display": "omitted"}),
            message(output_config={"effort": "low"}),
            message(TURNS[0], {"role": "assistant", "content": [THOUGHT]}, TURNS[2]),
        ],
    ),
    "structure": (
        {"answer": '{"go": true}'},
        [response(text={"format": {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True}})],
        [message(output_config={"format": {"type": "json_schema", "schema": SCHEMA}})],
    ),
}


@pytest.mark.parametrize("name", ENGINES)
async def test_a_translated_answer_is_the_one_that_the_upstream_would_give_itself(
    name: str, settings: Settings, worker: Worker, keeps_contract: Check
) -> None:
    """The reference server with all surfaces: once it answers itself, once only its chat completions are used."""
    scripted, responses, messages = ENGINES[name]
    app = application(ScriptedEngine(**scripted), settings, worker=worker)
    bodies = [*(("/responses", each) for each in responses), *(("/messages", each) for each in messages)]
    async with listen(app) as itself, listen(chat_only(app)) as chat, gateway(chat.base_url) as client:
        for path, body in bodies:
            for stream in (False, True):
                asked = {**body, "stream": stream}
                own, made = await itself.post(path, json=asked), await client.post(path, json=asked)
                assert (own.status_code, made.status_code) == (200, 200), made.text
                if stream:
                    assert alike(events(made.text)) == alike(events(own.text)), asked
                else:
                    keeps_contract("Message" if path == "/messages" else "ResponseObject", made.json())
                    assert alike(made.json()) == alike(own.json()), asked
                assert _input(path, made.text, stream=stream) == _input(path, own.text, stream=stream)


def _input(path: str, text: str, *, stream: bool) -> int:
    """The tokens of the prompt, including cached ones."""
    last = (events(text)[-2 if path == "/messages" else -1]) if stream else json.loads(text)
    usage = last["response"]["usage"] if "response" in last else last["usage"]
    found: int = usage["input_tokens"] + usage.get("cache_read_input_tokens", 0)
    return found


async def test_chunks_that_come_together_are_translated_as_those_that_come_one_by_one() -> None:
    token = {"token": "Hello", "logprob": -0.5, "bytes": list(b"Hello"), "top_logprobs": []}
    known = json.dumps({"content": [token], "refusal": None}).encode()
    pieces = (FIRST, chunk("Hello").replace(b'"logprobs": null', b'"logprobs": ' + known), LAST, DONE)
    asked = {"model": "m", "input": "Hi", "stream": True, "include": ["message.output_text.logprobs"]}
    told = []
    for sent in (pieces, (b"".join(pieces),)):
        async with (
            listen(replying(*sent)) as upstream,
            gateway(upstream.base_url, lab={"surfaces": ["chat"]}) as client,
        ):
            told.append(events((await client.post("/responses", json=asked)).text))
    (begun,) = (each for each in told[1] if each["type"] == "response.content_part.added")
    assert begun["part"] == {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    assert alike(told[1]) == alike(told[0])


class Verdict(BaseModel):
    go: bool


@pytest.fixture
async def tools(settings: Settings, worker: Worker) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a gateway in front of a server that calls tools and supports only chat."""
    engine = ScriptedEngine(**ENGINES["tools"][0])
    async with (
        listen(chat_only(application(engine, settings, worker=worker))) as chat,
        gateway(chat.base_url) as client,
    ):
        yield client


async def test_the_official_client_calls_a_function_and_says_what_it_gave(tools: httpx2.AsyncClient) -> None:
    given: Any = [{"role": "user", "content": "Ring."}]
    known: Any = [FUNCTION]
    async with openai.AsyncOpenAI(base_url=str(tools.base_url), api_key="any", max_retries=0) as sdk:
        async with sdk.responses.stream(model="scripted", input=given, tools=known) as stream:
            first = await stream.get_final_response()
        said, call = first.output
        assert (said.type, call.type) == ("message", "function_call")
        given += [each.to_dict() for each in first.output]
        given += [{"type": "function_call_output", "call_id": getattr(call, "call_id", ""), "output": "done"}]
        second = await sdk.responses.create(model="scripted", input=given, tools=known)
        assert second.output_text == "It rang."
        with pytest.raises(openai.NotFoundError) as missing:
            await sdk.responses.create(model="other", input="Hi")
        assert missing.value.code == "model_not_found"


async def test_the_official_client_of_messages_uses_a_tool_and_says_what_it_gave(
    tools: httpx2.AsyncClient,
) -> None:
    said: Any = [{"role": "user", "content": "Ring."}]
    given: Any = {"model": "scripted", "max_tokens": 64, "tools": [TOOL]}
    base = str(tools.base_url).removesuffix("/").removesuffix("/v1")
    async with anthropic.AsyncAnthropic(base_url=f"{base}/lab", api_key="any", max_retries=0) as sdk:
        async with sdk.messages.stream(messages=said, **given) as stream:
            first = await stream.get_final_message()
        use = first.content[-1]
        assert use.type == "tool_use"
        assert (first.stop_reason, first.usage.input_tokens > 0) == ("tool_use", True)
        result = {"type": "tool_result", "tool_use_id": use.id, "content": "done"}
        said += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        second = await sdk.messages.create(messages=said, **given)
        assert [block.to_dict() for block in second.content] == [{"type": "text", "text": "It rang."}]
        with pytest.raises(anthropic.NotFoundError):
            await sdk.messages.create(model="other", max_tokens=8, messages=said[:1])


async def test_a_structured_answer_is_parsed_by_the_official_client() -> None:
    asked: list[Body] = []
    app = answering({"content": '{"go": true}'}, asked=asked)
    async with listen(app) as chat, gateway(chat.base_url) as client:
        async with openai.AsyncOpenAI(base_url=str(client.base_url), api_key="any", max_retries=0) as sdk:
            answer = await sdk.responses.parse(model="m", input="Hi", text_format=Verdict)
        assert answer.output_parsed == Verdict(go=True)
    assert asked[0]["response_format"]["json_schema"]["schema"]["required"] == ["go"]


async def test_nothing_is_asked_that_the_client_did_not_ask() -> None:
    asked: list[Body] = []
    async with listen(saying(chunk("Hi"), asked=asked)) as chat, gateway(chat.base_url) as client:
        await client.post("/responses", json={**response(max_output_tokens=16), "model": "m", "stream": True})
        await client.post("/messages", json={**message(), "model": "lab/m", "stream": True})
    counted = {"stream": True, "stream_options": {"include_usage": True}}
    said = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert asked == [{**said, **counted, "max_tokens": 16}, {**said, **counted, "max_tokens": 64}]


async def test_a_missing_path_of_the_upstream_is_requested_once() -> None:
    paths: list[str] = []
    async with (
        listen(counting(paths, answering({"content": "Yes."}))) as chat,
        gateway(chat.base_url) as client,
    ):
        for _ in range(2):
            assert (await client.post("/responses", json={**response(), "model": "m"})).status_code == 200
            assert (await client.post("/messages", json={**message(), "model": "m"})).status_code == 200
    assert [path.removeprefix("/v1") for path in paths if path != "/v1/models"] == [
        "/responses",
        "/chat/completions",
        "/messages",
        "/chat/completions",
        "/chat/completions",
        "/chat/completions",
    ]


async def test_a_surface_named_in_the_settings_is_not_probed() -> None:
    paths: list[str] = []
    app = counting(paths, answering({"content": "Yes."}))
    async with listen(app) as chat, gateway(chat.base_url, lab={"surfaces": ["chat"]}) as client:
        assert (await client.post("/messages", json={**message(), "model": "m"})).status_code == 200
        counted = await client.post("/messages/count_tokens", json={**message(), "model": "m"})
    assert (counted.status_code, counted.json()["error"]["type"]) == (404, "not_found_error")
    assert paths == ["/v1/chat/completions"]


@pytest.mark.parametrize("path", ["/responses/input_tokens", "/messages/count_tokens"])
async def test_a_token_count_that_the_upstream_lacks_is_a_404(path: str) -> None:
    body = {**(response() if path.startswith("/responses") else message()), "model": "m"}
    async with listen(answering({"content": "Yes."})) as chat, gateway(chat.base_url) as client:
        missing = await client.post(path, json=body)
    assert missing.status_code == 404
    assert "cannot count the tokens" in missing.json()["error"]["message"]


async def test_a_response_that_a_chat_only_upstream_cannot_know_is_refused_by_name() -> None:
    async with listen(answering({"content": "Yes."})) as chat, gateway(chat.base_url) as client:
        refused = await client.post(
            "/responses", json={**response(), "model": "m", "previous_response_id": "r"}
        )
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "previous_response_id")
        picture = {"type": "input_image", "image_url": PNG}
        seen = await client.post(
            "/responses", json={**response([{"role": "user", "content": [picture]}]), "model": "m"}
        )
        assert seen.status_code == 200


NO_EFFORT = "'reasoning_effort' is not supported by this model."


@pytest.mark.parametrize(
    "refusal",
    [
        {"message": NO_EFFORT, "type": "invalid_request_error", "param": None, "code": None},
        {"message": "No.", "type": "invalid_request_error", "param": "reasoning_effort", "code": None},
    ],
    ids=["in words", "by name"],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_effort_that_the_upstream_refuses_is_a_hint_in_messages_alone(
    refusal: Body, *, stream: bool
) -> None:
    asked: list[Body] = []
    says = saying(chunk("Yes.")) if stream else answering({"content": "Yes."})
    async with (
        listen(chat_only(refusing("reasoning_effort", refusal, says), asked)) as chat,
        gateway(chat.base_url) as client,
    ):
        body = {**message(output_config={"effort": "high"}), "model": "m", "stream": stream}
        assert "Yes." in (await client.post("/messages", json=body)).text
        assert [each.get("reasoning_effort") for each in asked] == ["high", None]
        none = {**message(thinking={"type": "disabled"}), "model": "m"}
        assert (await client.post("/messages", json=none)).status_code == 400
        wanted = {**response(reasoning={"effort": "high"}), "model": "m"}
        assert (await client.post("/responses", json=wanted)).status_code == 400


async def test_a_picture_is_refused_by_name_where_the_report_says_that_the_upstream_has_none(
    tmp_path: Path,
) -> None:
    report = tmp_path / "report.json"
    failed = {
        "id": "chat.request.picture",
        "verdict": "inconclusive",
        "reason": "server-error",
        "cause": None,
    }
    report.write_text(json.dumps({"report_version": 2, "rules": [failed]}))
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    picture = {"role": "user", "content": [{"type": "image", "source": source}]}
    async with (
        listen(answering({"content": "Yes."})) as chat,
        gateway(chat.base_url, quirks={"lab": report}) as client,
    ):
        refused = await client.post("/messages", json={**message(TURNS[0], picture), "model": "m"})
        error = refused.json()["error"]
    assert refused.status_code == 400
    assert "Content other than text is not supported" in error["message"]


async def test_repairs_of_a_broken_chat_lie_below_the_translation() -> None:
    call = {"id": "call_1", "function": {"name": "f", "arguments": {"a": 1}}}
    fragments = json.dumps({"choices": [{"delta": {"tool_calls": [call]}}]})
    pieces = (b"data: " + fragments.encode() + b"\n\n", chunk(reason="eos"))
    surfaces = {"surfaces": ["chat"]}
    async with listen(replying(*pieces)) as chat, gateway(chat.base_url, lab=surfaces) as client:
        last = events((await client.post("/responses", json={**response(), "stream": True})).text)[-1]
        used = events((await client.post("/messages", json={**message(), "stream": True})).text)
    (item,) = last["response"]["output"]
    assert (item["name"], item["arguments"], item["call_id"]) == ("f", '{"a": 1}', "call_1")
    assert last["response"]["usage"] is None
    assert used[-2]["delta"]["stop_reason"] == "tool_use"
