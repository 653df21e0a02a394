"""Chats as clients see them: what is honoured, what is refused, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx2
    from gonogo_server.engine.scripted import ScriptedEngine

    Body = dict[str, Any]
    Check = Callable[[str, object], None]
    Refused = Callable[..., Awaitable[dict[str, Any]]]

pytestmark = pytest.mark.anyio

USER = {"role": "user", "content": "Hi"}
ANSWER = "Hello! How can I help you today?"


def chat(**changes: object) -> Body:
    return {"model": "scripted", "messages": [USER], **changes}


async def test_chat_answers_with_the_message_and_its_cost(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.post("/chat/completions", json=chat())
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    keeps_contract("ChatCompletion", answer)
    assert answer["model"] == "scripted"
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": ANSWER, "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    prompt = len("user: Hi\nassistant: ") + 1
    assert answer["usage"] == {
        "prompt_tokens": prompt,
        "completion_tokens": 33,
        "total_tokens": prompt + 33,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


@pytest.mark.parametrize("limit", [{"max_tokens": 5}, {"max_completion_tokens": 5}])
async def test_a_limit_ends_the_answer_with_length(client: httpx2.AsyncClient, limit: Body) -> None:
    answer = (await client.post("/chat/completions", json=chat(**limit))).json()
    assert answer["choices"][0]["message"]["content"] == "Hello"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 5


async def test_the_newer_limit_wins_where_both_are_given(client: httpx2.AsyncClient) -> None:
    answer = (await client.post("/chat/completions", json=chat(max_tokens=5, max_completion_tokens=2))).json()
    assert answer["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize(("stop", "content"), [("How", "Hello! "), (["today", " can"], "Hello! How")])
async def test_an_answer_ends_before_a_stop_string(
    client: httpx2.AsyncClient, stop: str | list[str], content: str
) -> None:
    answer = (await client.post("/chat/completions", json=chat(stop=stop))).json()
    assert answer["choices"][0]["message"]["content"] == content
    assert answer["choices"][0]["finish_reason"] == "stop"


async def test_sampling_is_passed_to_the_engine(client: httpx2.AsyncClient, engine: ScriptedEngine) -> None:
    await client.post("/chat/completions", json=chat(temperature=0, top_p=0.5, seed=-7, max_tokens=1))
    sampling = engine.generations[0].sampling
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (0.0, 0.5, -7)


async def test_sampling_has_the_defaults_of_the_api(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    await client.post("/chat/completions", json=chat(temperature=None, max_tokens=1))
    sampling = engine.generations[0].sampling
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (1.0, 1.0, None)


async def test_without_a_limit_an_answer_may_fill_the_context(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    await client.post("/chat/completions", json=chat())
    generation = engine.generations[0]
    assert len(generation.prompt) + generation.max_tokens == 4096


async def test_every_role_and_form_of_text_reaches_the_model(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    messages = [
        {
            "role": "developer",
            "content": [{"type": "text", "text": "Be "}, {"type": "text", "text": "brief."}],
        },
        {"role": "user", "content": "Hi", "name": "Ann"},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes?"}]},
        {"role": "user", "content": [{"type": "text", "text": "Bye"}]},
        {"role": "assistant", "content": None, "refusal": "I would rather not."},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}], "tool_calls": []},
    ]
    response = await client.post("/chat/completions", json=chat(messages=messages))
    assert response.status_code == 200
    prompt = bytes(token for token in engine.generations[0].prompt if token < 256).decode()
    assert prompt == (
        "system: Be brief.\nuser (Ann): Hi\nassistant: Yes?\nuser: Bye\n"
        "assistant: I would rather not.\nassistant: No.\nassistant: "
    )


async def test_two_answers_have_two_ids(client: httpx2.AsyncClient) -> None:
    first = (await client.post("/chat/completions", json=chat(max_tokens=1))).json()
    second = (await client.post("/chat/completions", json=chat(max_tokens=1))).json()
    assert first["id"] != second["id"]


NEUTRAL = [
    {"n": 1},
    {"n": None},
    {"n": 1.0},
    {"logprobs": False},
    {"logprobs": None, "top_logprobs": None},
    {"logprobs": True, "top_logprobs": None},
    {"frequency_penalty": 0, "presence_penalty": 0.0},
    {"logit_bias": {}},
    {"logit_bias": None},
    {"tools": []},
    {"tool_choice": "none"},
    {"response_format": {"type": "text"}},
    {"reasoning_effort": "none"},
    {"parallel_tool_calls": True},
    {"stop": None},
    {"stream": False},
    {"stream_options": None},
    {"user": "ann", "store": True, "service_tier": "auto", "safety_identifier": "a", "prompt_cache_key": "k"},
    {"metadata": {"a": "b"}},
    {"max_tokens": 3.0},
]


@pytest.mark.parametrize("changes", NEUTRAL, ids=str)
async def test_parameters_without_an_effect_are_accepted(client: httpx2.AsyncClient, changes: Body) -> None:
    response = await client.post("/chat/completions", json=chat(**changes))
    assert response.status_code == 200, response.text


IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}

NOT_YET = [
    ({"reasoning_effort": "high"}, "reasoning_effort"),
    ({"modalities": ["text", "audio"]}, "modalities"),
    ({"chat_template_kwargs": {"chat_template": "{{ 1 }}"}}, "chat_template_kwargs.chat_template"),
    ({"chat_template_kwargs": {"tokenize": False}}, "chat_template_kwargs.tokenize"),
    ({"stream": True, "stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
]


@pytest.mark.parametrize(("changes", "param"), NOT_YET, ids=str)
async def test_unsupported_parameters_are_refused_by_name_and_not_ignored(
    refused: Refused, engine: ScriptedEngine, changes: Body, param: str
) -> None:
    error = await refused("/chat/completions", chat(**changes))
    assert error["param"] == param
    assert error["code"].startswith("unsupported_")
    assert not engine.generations


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"top_logprobs": 2, "logprobs": False}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}, "tools": []}, "tool_choice"),
        ({"stop": ""}, "stop"),
        ({"stop": ["a", ""]}, "stop[1]"),
        ({"metadata": {str(number): "" for number in range(17)}}, "metadata"),
        (
            {"messages": [USER, {"role": "tool", "tool_call_id": "c1", "content": "1"}]},
            "messages[1].tool_call_id",
        ),
    ],
    ids=str,
)
async def test_violations_that_no_schema_expresses_are_refused(
    refused: Refused, changes: Body, param: str
) -> None:
    error = await refused("/chat/completions", chat(**changes))
    assert error["param"] == param
    assert error["code"] == "invalid_value"


async def test_an_image_is_refused_where_it_stands(refused: Refused) -> None:
    parts = [{"type": "text", "text": "Look:"}, IMAGE]
    error = await refused("/chat/completions", chat(messages=[{"role": "user", "content": parts}]))
    assert error["param"] == "messages[0].content[1].type"


async def test_an_assistant_that_said_nothing_is_refused(refused: Refused) -> None:
    error = await refused("/chat/completions", chat(messages=[USER, {"role": "assistant"}]))
    assert error["param"] == "messages[1].content"
    assert error["code"] == "missing_required_parameter"


async def test_a_conversation_that_the_template_refuses_is_a_400(refused: Refused) -> None:
    error = await refused(
        "/chat/completions", chat(messages=[USER, {"role": "system", "content": "Be brief."}])
    )
    assert error["param"] == "messages"


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": [{"role": "user", "content": "x" * 5000}]},
        {"messages": [{"role": "user", "content": "x" * 100_000}]},
        {"messages": [USER] * 5000},
        {"max_tokens": 4090},
    ],
    ids=["prompt", "a prompt of which a part is read", "more messages than tokens", "both"],
)
async def test_a_prompt_longer_than_the_context_is_refused(refused: Refused, changes: Body) -> None:
    error = await refused("/chat/completions", chat(**changes))
    assert (error["param"], error["code"]) == ("messages", "context_length_exceeded")
    assert "maximum context length is 4096 tokens" in error["message"]
    assert error["param"] == "messages"
    assert "4096 tokens" in error["message"]
