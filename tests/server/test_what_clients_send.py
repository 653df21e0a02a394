"""Harmless fields from clients, and fields that come back from answers: accepted on every surface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo_contract import document
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx2

    Body = dict[str, Any]
    Refused = Callable[..., Awaitable[Body]]

pytestmark = pytest.mark.anyio

USER = {"role": "user", "content": "Hi"}
CHAT: Body = {"model": "scripted", "messages": [USER]}
TEXT: Body = {"model": "scripted", "prompt": "Hi"}
VECTORS: Body = {"model": "vectors", "input": "Hi"}
FUNCTION = {"name": "look", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": FUNCTION}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "Fog."}
REQUESTS: dict[str, tuple[str, Body]] = {
    "CreateChatCompletionRequest": ("/chat/completions", CHAT),
    "CreateCompletionRequest": ("/completions", TEXT),
    "CreateEmbeddingRequest": ("/embeddings", VECTORS),
}
INNER: dict[str, Callable[[Body], Body]] = {
    "ChatCompletionRequestUserMessage": lambda null: {"messages": [USER | null]},
    "ChatCompletionRequestSystemMessage": lambda null: {
        "messages": [{"role": "system", "content": "Be brief."} | null, USER]
    },
    "ChatCompletionRequestAssistantMessage": lambda null: {
        "messages": [USER, {"role": "assistant", "content": "Yes?"} | null, USER]
    },
    "ChatCompletionRequestToolMessage": lambda null: {
        "messages": [USER, {"role": "assistant", "tool_calls": [CALL]}, RESULT | null]
    },
    "TextContentPart": lambda null: {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"} | null]}]
    },
    "StreamOptions": lambda null: {"stream": True, "stream_options": null},
    "JsonSchemaFormat": lambda null: {
        "response_format": {"type": "json_schema", "json_schema": {"name": "any"} | null},
        "max_tokens": 4,
    },
    "ChatCompletionTool": lambda null: {"tools": [TOOL | null]},
    "FunctionObject": lambda null: {"tools": [{"type": "function", "function": {"name": "look"} | null}]},
}
"""The place of an object of this kind in a chat, with further members."""


def optional(component: str) -> list[str]:
    """The optional members of an object of the contract."""
    described = document()["components"]["schemas"][component]
    return [name for name in described["properties"] if name not in described.get("required", ())]


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(embedding_models=("vectors",))


async def said(client: httpx2.AsyncClient, body: Body, path: str = "/chat/completions") -> Any:  # noqa: ANN401 - JSON
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    return None if body.get("stream") else response.json()


async def prompt(engine: ScriptedEngine) -> str:
    return b"".join(await engine.decode("scripted", engine.generations[-1].prompt)).decode()


# ---- null ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("component", "name"), [(component, name) for component in REQUESTS for name in optional(component)]
)
async def test_every_optional_member_of_a_request_may_be_null(
    client: httpx2.AsyncClient, component: str, name: str
) -> None:
    path, body = REQUESTS[component]
    await said(client, {**body, name: None}, path)


@pytest.mark.parametrize("component", INNER)
async def test_every_optional_member_of_what_stands_in_a_chat_may_be_null(
    client: httpx2.AsyncClient, component: str
) -> None:
    assert optional(component)
    for name in optional(component):
        if (component, name) != ("ChatCompletionRequestAssistantMessage", "content"):
            await said(client, CHAT | INNER[component]({name: None}))
    await said(client, CHAT | INNER[component]({"of_another_version": None}))


async def test_nulls_leave_the_answer_as_it_is(client: httpx2.AsyncClient) -> None:
    plain = await said(client, CHAT)
    nulls = dict.fromkeys(optional("CreateChatCompletionRequest"))
    assert (await said(client, CHAT | nulls))["choices"] == plain["choices"]


async def test_required_members_must_not_be_null(refused: Refused) -> None:
    error = await refused("/chat/completions", CHAT | {"messages": [{"role": "user", "content": None}]})
    assert error["param"] == "messages[0].content"


# ---- answers that are sent back --------------------------------------------------------------------------------


async def test_an_answer_comes_back_as_the_official_client_writes_it_out(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    nulls = dict.fromkeys(("tool_calls", "function_call", "refusal", "audio", "annotations"))
    await said(
        client, {**CHAT, "messages": [USER, {"role": "assistant", "content": "Hello.", **nulls}, USER]}
    )
    assert await prompt(engine) == "user: Hi\nassistant: Hello.\nuser: Hi\nassistant: "


async def test_reasoning_and_annotations_may_be_sent_back(client: httpx2.AsyncClient) -> None:
    note = {"start_index": 0, "end_index": 2, "title": "Fog", "url": "https://example.org"}
    answer = {
        "role": "assistant",
        "content": "Fog.",
        "reasoning_content": "They ask about the weather.",
        "annotations": [{"type": "url_citation", "url_citation": note}],
    }
    await said(client, {**CHAT, "messages": [USER, answer, USER]})


async def test_a_result_may_name_its_tool(client: httpx2.AsyncClient, engine: ScriptedEngine) -> None:
    called = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    prompts = []
    for result in (RESULT, {**RESULT, "name": "look"}):
        await said(client, {**CHAT, "messages": [USER, called, result], "tools": [TOOL]})
        prompts.append(await prompt(engine))
    assert prompts[0] == prompts[1]


# ---- fields without and with an effect --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"modalities": ["text"]},
        {"verbosity": "low"},
        {"prediction": {"type": "content", "content": "Hello! How can I help you?"}},
        {"prediction": {"type": "content", "content": [{"type": "text", "text": "Hello!"}]}},
        {"store": True, "metadata": {"a": "b"}, "user": "ann", "service_tier": "priority"},
        {"safety_identifier": "a", "prompt_cache_key": "k", "prompt_cache_retention": "24h"},
        {"messages": [{**USER, "cache_control": {"type": "ephemeral"}}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}],
                }
            ]
        },
        {"tools": [{**TOOL, "cache_control": {"type": "ephemeral"}}]},
        {"tools": [{**TOOL, "function": {**FUNCTION, "cache_control": {"type": "ephemeral"}}}]},
        {"cache_control": {"type": "ephemeral"}},
    ],
    ids=str,
)
async def test_parameters_without_an_effect_are_accepted(client: httpx2.AsyncClient, changes: Body) -> None:
    answer = await said(client, CHAT | changes)
    assert answer["choices"][0]["message"]["content"] == "Hello! How can I help you today?"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"web_search_options": {}}, "web_search_options"),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
        ({"functions": [FUNCTION]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"verbosity": "huge"}, "verbosity"),
        ({"chat_template_kwargs": "on"}, "chat_template_kwargs"),
    ],
    ids=str,
)
async def test_unsupported_parameters_that_would_change_the_answer_are_refused(
    refused: Refused, changes: Body, param: str
) -> None:
    assert (await refused("/chat/completions", CHAT | changes))["param"] == param


async def test_variables_reach_the_chat_template(client: httpx2.AsyncClient, engine: ScriptedEngine) -> None:
    await said(client, CHAT | {"chat_template_kwargs": {"enable_thinking": False}})
    assert (await prompt(engine)).startswith('variables: {"enable_thinking": false}\nuser: Hi')


# ---- the limit of a request that sets none -------------------------------------------------------------------


@pytest.mark.parametrize("settings", [Settings(max_tokens_default=5)], ids=["five"])
@pytest.mark.parametrize(
    ("path", "body", "tokens"),
    [
        ("/chat/completions", CHAT, 5),
        ("/chat/completions", CHAT | {"max_tokens": None}, 5),
        ("/chat/completions", CHAT | {"max_completion_tokens": 9}, 9),
        ("/completions", TEXT, 5),
        ("/completions", TEXT | {"max_tokens": 9}, 9),
    ],
    ids=str,
)
async def test_a_default_bounds_what_sets_no_limit(
    client: httpx2.AsyncClient, path: str, body: Body, tokens: int
) -> None:
    answer = await said(client, body, path)
    assert answer["usage"]["completion_tokens"] == tokens
    assert answer["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("settings", [Settings(max_tokens_default=100)], ids=["a hundred"])
async def test_a_default_asks_for_no_room_that_is_not_there(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    long = {"role": "user", "content": "a" * 4060}
    await said(client, {**CHAT, "messages": [long]})
    assert engine.generations[-1].max_tokens == 4096 - len(engine.generations[-1].prompt)
