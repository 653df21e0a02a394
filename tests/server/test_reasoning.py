"""Models that reason before they answer, as clients see them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from gonogo_server.engine.base import EFFORTS, ReasoningStyle
from gonogo_server.engine.scripted import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import httpx2
    from gonogo_server.engine.base import Effort

    Body = dict[str, Any]
    Check = Callable[[str, object], None]
    Refused = Callable[..., Awaitable[dict[str, Any]]]

pytestmark = pytest.mark.anyio

USER = {"role": "user", "content": "Hi"}
KEPT: frozenset[Effort] = frozenset({"none", "low", "high"})
STYLE = ReasoningStyle("<think>", "</think>", KEPT)
OPENING: frozenset[Effort | None] = frozenset({None, "low", "high"})
THOUGHT, ANSWER = "They say hi. Hm, 2 < 3.", "Hello there!"
SAID = f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}"
CALL = '<tool_call>{"name": "ring_bell", "arguments": {}}</tool_call>'
BELL = {"type": "function", "function": {"name": "ring_bell"}}


def reasoning(said: str = SAID, opening: frozenset[Effort | None] = frozenset()) -> ScriptedEngine:
    return ScriptedEngine(answer=said, reasoning=STYLE, opening=opening)


@pytest.fixture
def engine() -> ScriptedEngine:
    return reasoning()


@pytest.fixture
async def sdk(live: httpx2.AsyncClient) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=str(live.base_url), api_key="unused", max_retries=0) as client:
        yield client


def chat(**changes: object) -> Body:
    return {"model": "scripted", "messages": [USER], **changes}


async def whole(client: httpx2.AsyncClient, **changes: object) -> Body:
    response = await client.post("/chat/completions", json=chat(**changes))
    assert response.status_code == 200, response.text
    answer: Body = response.json()
    return answer


async def chunks(client: httpx2.AsyncClient, **changes: object) -> list[Body]:
    text = (await client.post("/chat/completions", json=chat(stream=True, **changes))).text
    events = [line.removeprefix("data: ") for line in text.splitlines() if line]
    assert events.pop() == "[DONE]"
    return [json.loads(event) for event in events]


async def test_reasoning_is_separate_from_the_content_and_counted(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    answer = await whole(client)
    keeps_contract("ChatCompletion", answer)
    assert answer["choices"][0]["message"] == {
        "role": "assistant",
        "content": ANSWER,
        "refusal": None,
        "reasoning_content": THOUGHT,
    }
    assert answer["choices"][0]["finish_reason"] == "stop"
    # One token per byte, and the end token.
    assert answer["usage"]["completion_tokens"] == len(SAID) + 1
    counted = len(SAID) - len(f"\n\n{ANSWER}")
    assert answer["usage"]["completion_tokens_details"] == {"reasoning_tokens": counted}


async def test_a_stream_says_the_same_in_deltas_of_one_kind_each(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    sent = await chunks(client, stream_options={"include_usage": True})
    for chunk in sent:
        keeps_contract("ChatCompletionChunk", chunk)
    deltas = [chunk["choices"][0]["delta"] for chunk in sent[:-1]]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert {tuple(delta) for delta in deltas[1:]} == {("reasoning_content",), ("content",), ()}
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == THOUGHT
    assert "".join(delta.get("content", "") for delta in deltas) == ANSWER
    assert sent[-1]["usage"] == (await whole(client))["usage"] | {
        "prompt_tokens_details": sent[-1]["usage"]["prompt_tokens_details"]
    }


@pytest.mark.parametrize("engine", [reasoning(f"{THOUGHT}\n</think>\n\n{ANSWER}", OPENING)], ids=["opened"])
async def test_an_answer_may_begin_amid_the_reasoning_that_its_prompt_opens(
    client: httpx2.AsyncClient,
) -> None:
    message = (await whole(client))["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == (THOUGHT, ANSWER)
    # Without reasoning the prompt opens none, and everything is content.
    message = (await whole(client, reasoning_effort="none"))["choices"][0]["message"]
    assert "reasoning_content" not in message
    assert message["content"] == f"{THOUGHT}\n</think>\n\n{ANSWER}"


async def test_the_openai_client_has_it(sdk: openai.AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(model="scripted", messages=[{"role": "user", "content": "Hi"}])
    message = answer.choices[0].message
    assert message.content == ANSWER
    assert message.model_extra == {"reasoning_content": THOUGHT}
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens
    stream = await sdk.chat.completions.create(
        model="scripted", messages=[{"role": "user", "content": "Hi"}], stream=True
    )
    extra = [(chunk.choices[0].delta.model_extra or {}) async for chunk in stream]
    assert "".join(one.get("reasoning_content", "") for one in extra) == THOUGHT


@pytest.mark.parametrize("engine", [reasoning("Hello")], ids=["no thought"])
async def test_an_answer_without_a_thought_has_no_such_field(client: httpx2.AsyncClient) -> None:
    answer = await whole(client)
    assert "reasoning_content" not in answer["choices"][0]["message"]
    assert answer["choices"][0]["message"]["content"] == "Hello"
    assert answer["usage"]["completion_tokens_details"] == {"reasoning_tokens": 0}


async def test_a_limit_amid_the_reasoning_leaves_the_content_empty(client: httpx2.AsyncClient) -> None:
    answer = await whole(client, max_tokens=12, logprobs=True)
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == ""
    assert choice["message"]["reasoning_content"] == "They"
    assert choice["logprobs"]["content"] == []
    assert answer["usage"]["completion_tokens_details"] == {"reasoning_tokens": 12}


async def test_stop_strings_are_for_the_content(client: httpx2.AsyncClient) -> None:
    choice = (await whole(client, stop=["hi", "there"]))["choices"][0]
    assert choice["message"]["reasoning_content"] == THOUGHT
    assert choice["message"]["content"] == "Hello "
    assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize("stream", [False, True])
async def test_log_probabilities_are_those_of_the_content(
    client: httpx2.AsyncClient, *, stream: bool
) -> None:
    if stream:
        sent = await chunks(client, logprobs=True)
        said = [chunk["choices"][0]["logprobs"]["content"] for chunk in sent]
        entries = [entry for part in said for entry in part]
    else:
        entries = (await whole(client, logprobs=True))["choices"][0]["logprobs"]["content"]
    assert "".join(entry["token"] for entry in entries) == ANSWER


async def test_every_choice_reasons_for_itself(client: httpx2.AsyncClient) -> None:
    answer = await whole(client, n=2)
    assert [choice["message"]["reasoning_content"] for choice in answer["choices"]] == [THOUGHT, THOUGHT]
    counted = len(SAID) - len(f"\n\n{ANSWER}")
    assert answer["usage"]["completion_tokens_details"] == {"reasoning_tokens": 2 * counted}


@pytest.mark.parametrize(
    "engine",
    [reasoning(f"<think>{THOUGHT}</think>\n{CALL}"), reasoning(f"{THOUGHT}</think>\n{CALL}", OPENING)],
    ids=["free", "opened"],
)
@pytest.mark.parametrize("choice", ["auto", "required"])
async def test_a_call_comes_after_the_reasoning(client: httpx2.AsyncClient, choice: str) -> None:
    answered = (await whole(client, tools=[BELL], tool_choice=choice))["choices"][0]
    assert answered["finish_reason"] == "tool_calls"
    assert answered["message"]["reasoning_content"] == THOUGHT
    assert answered["message"]["content"] is None
    (call,) = answered["message"]["tool_calls"]
    assert call["function"] == {"name": "ring_bell", "arguments": "{}"}
    deltas = [
        chunk["choices"][0]["delta"] for chunk in await chunks(client, tools=[BELL], tool_choice=choice)
    ]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == THOUGHT
    assert not any(delta.get("content") for delta in deltas)


@pytest.mark.parametrize(
    "engine",
    [reasoning('<think>Hm {"x</think>{"a": 1}'), reasoning('Hm {"x</think>{"a": 1}', OPENING)],
    ids=["free", "opened"],
)
async def test_structured_answers_begin_where_the_reasoning_ends(client: httpx2.AsyncClient) -> None:
    message = (await whole(client, response_format={"type": "json_object"}))["choices"][0]["message"]
    assert message["reasoning_content"] == 'Hm {"x'
    assert json.loads(message["content"]) == {"a": 1}


@pytest.mark.parametrize("effort", sorted(KEPT))
async def test_an_effort_that_the_model_can_keep_reaches_its_template(
    client: httpx2.AsyncClient, engine: ScriptedEngine, effort: Effort
) -> None:
    await whole(client, reasoning_effort=effort)
    prompt = b"".join(await engine.decode("scripted", engine.generations[-1].prompt)).decode()
    assert prompt.startswith(f"effort: {effort}\n")


@pytest.mark.parametrize("effort", [name for name in EFFORTS if name not in KEPT])
async def test_an_effort_that_the_model_cannot_keep_is_refused_with_those_it_can(
    client: httpx2.AsyncClient, engine: ScriptedEngine, refused: Refused, effort: Effort
) -> None:
    error = await refused("/chat/completions", chat(reasoning_effort=effort))
    assert (error["param"], error["code"]) == ("reasoning_effort", "unsupported_value")
    assert error["message"].endswith("use one of 'none', 'low', 'high'.")
    assert not engine.generations


@pytest.mark.parametrize(
    "engine", [ScriptedEngine(reasoning=ReasoningStyle("<think>", "</think>"))], ids=["fixed"]
)
async def test_every_effort_is_refused_if_reasoning_cannot_be_controlled(
    client: httpx2.AsyncClient, refused: Refused
) -> None:
    for effort in EFFORTS:
        error = await refused("/chat/completions", chat(reasoning_effort=effort))
        assert (error["param"], error["code"]) == ("reasoning_effort", "unsupported_parameter")


@pytest.mark.parametrize("engine", [ScriptedEngine()], ids=["none"])
async def test_a_model_that_does_not_reason_keeps_no_effort_but_none(
    client: httpx2.AsyncClient, refused: Refused
) -> None:
    answer = await whole(client, reasoning_effort="none")
    assert "completion_tokens_details" not in answer["usage"]
    for effort in EFFORTS[1:]:
        error = await refused("/chat/completions", chat(reasoning_effort=effort))
        assert (error["param"], error["code"]) == ("reasoning_effort", "unsupported_parameter")
