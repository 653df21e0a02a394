"""Tools as clients see them: forced, optional and forbidden calls, whole and streamed, and the second turn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.base import NO_VARIABLES, ToolStyle
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.errors import BadRequest
from server.grammars import BELL, LAMP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import httpx2
    from gonogo_server.engine.base import Effort, Message

    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

ANSWER = "Hello! How can I help you today?"
TEAL = '<tool_call>{"name": "set_colour", "arguments": {"colour": "teal"}}</tool_call>'
RING = '<tool_call>{"name": "ring_bell", "arguments": {}}</tool_call>'
USER = {"role": "user", "content": "Make it teal."}
TO_LAMP = {"type": "function", "function": {"name": "set_colour"}}
NAMED = {"type": "function", "function": {"name": "ring_bell"}}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "set_colour", "arguments": '{"colour": "teal"}'},
}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "It is teal."}


def scripted(answer: str = ANSWER, **options: Any) -> pytest.MarkDecorator:  # noqa: ANN401 - the engine's options
    return pytest.mark.parametrize("engine", [ScriptedEngine(answer=answer, **options)], ids=["scripted"])


async def whole(client: httpx2.AsyncClient, **changes: object) -> Body:
    """The answer, after checking that the request succeeded."""
    body = {"model": "scripted", "messages": [USER], "tools": [LAMP, BELL]} | changes
    response = await client.post("/chat/completions", json=body)
    assert response.status_code == 200, response.text
    answer: Body = response.json()
    return answer


async def choice(client: httpx2.AsyncClient, **changes: object) -> Body:
    first: Body = (await whole(client, **changes))["choices"][0]
    return first


async def chunks(client: httpx2.AsyncClient, **changes: object) -> list[Body]:
    body = {"model": "scripted", "messages": [USER], "tools": [LAMP, BELL], "stream": True} | changes
    response = await client.post("/chat/completions", json=body)
    assert response.status_code == 200, response.text
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def deltas(events: list[Body]) -> list[Body]:
    return [event["choices"][0]["delta"] for event in events]


def joined(events: list[Body]) -> tuple[str, list[tuple[str, str]]]:
    """What a client puts together: the content, and the name and arguments of each call."""
    content, calls = "", dict[int, tuple[str, str]]()
    for delta in deltas(events):
        content += delta.get("content") or ""
        for part in delta.get("tool_calls", ()):
            name, arguments = calls.get(part["index"], ("", ""))
            function = part["function"]
            calls[part["index"]] = (name + function.get("name", ""), arguments + function["arguments"])
    return content, [calls[index] for index in sorted(calls)]


def called(message: Body) -> list[tuple[str, str]]:
    return [(call["function"]["name"], call["function"]["arguments"]) for call in message["tool_calls"]]


async def prompt(engine: ScriptedEngine) -> str:
    """The prompt of the latest generation, as text."""
    return b"".join(await engine.decode("scripted", engine.generations[-1].prompt)).decode()


async def test_a_call_that_is_required_comes_in_a_message_without_content(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    answer = await whole(client, tool_choice="required")
    keeps_contract("ChatCompletion", answer)
    first = answer["choices"][0]
    assert first["finish_reason"] == "tool_calls"
    assert first["message"]["content"] is None
    (call,) = first["message"]["tool_calls"]
    assert set(call) == {"id", "type", "function"}
    assert call["id"].startswith("call_")
    assert (call["function"]["name"], call["function"]["arguments"]) == ("ring_bell", "{}")


@scripted(TEAL)
async def test_a_call_is_streamed_with_its_id_and_name_first_and_its_arguments_as_they_come(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    events = await chunks(client, tool_choice="required")
    for event in events:
        keeps_contract("ChatCompletionChunk", event)
    opening, begun, *more, last = deltas(events)
    assert opening == {"role": "assistant", "content": ""}
    (first,) = begun["tool_calls"]
    assert (first["index"], first["type"]) == (0, "function")
    assert first["function"] == {"name": "set_colour", "arguments": ""}
    assert len(more) == len('{"colour": "teal"}')
    assert all(set(delta["tool_calls"][0]) == {"index", "function"} for delta in more)
    assert last == {}
    assert [event["choices"][0]["finish_reason"] for event in events][-2:] == [None, "tool_calls"]


async def test_a_stream_makes_the_calls_of_the_whole_answer(client: httpx2.AsyncClient) -> None:
    whole_one = await choice(client, tool_choice="required")
    assert joined(await chunks(client, tool_choice="required")) == ("", called(whole_one["message"]))


async def test_a_function_that_was_chosen_by_name_is_called_and_ends_with_stop(
    client: httpx2.AsyncClient,
) -> None:
    named = await choice(client, tool_choice=NAMED)
    assert called(named["message"]) == [("ring_bell", "{}")]
    assert named["finish_reason"] == "stop"
    assert (await chunks(client, tool_choice=NAMED))[-1]["choices"][0]["finish_reason"] == "stop"


async def test_each_choice_has_calls_of_its_own(client: httpx2.AsyncClient) -> None:
    answer = await whole(client, tool_choice="required", n=2)
    calls = [one["message"]["tool_calls"][0] for one in answer["choices"]]
    assert calls[0]["id"] != calls[1]["id"]
    assert calls[0]["function"] == calls[1]["function"]


async def test_a_model_that_is_free_may_answer_in_words(client: httpx2.AsyncClient) -> None:
    said = await choice(client)
    assert said["message"] == {"role": "assistant", "content": ANSWER, "refusal": None}
    assert said["finish_reason"] == "stop"


@scripted(f"Sure. {TEAL}\n{RING}")
async def test_text_and_calls_of_one_answer_are_separated(client: httpx2.AsyncClient) -> None:
    calls = [("set_colour", '{"colour": "teal"}'), ("ring_bell", "{}")]
    said = await choice(client)
    assert (said["message"]["content"], called(said["message"])) == ("Sure. ", calls)
    assert said["finish_reason"] == "tool_calls"
    events = await chunks(client)
    assert joined(events) == ("Sure. ", calls)
    assert events[-1]["choices"][0]["finish_reason"] == "tool_calls"


@scripted(TEAL + RING)
@pytest.mark.parametrize("tool_choice", ["auto", "required"])
async def test_one_call_is_made_where_calls_may_not_be_parallel(
    client: httpx2.AsyncClient, tool_choice: str
) -> None:
    said = await choice(client, tool_choice=tool_choice, parallel_tool_calls=False)
    assert called(said["message"]) == [("set_colour", '{"colour": "teal"}')]
    assert said["finish_reason"] == "tool_calls"


@scripted(TEAL)
async def test_forbidden_tools_are_not_in_the_prompt_and_not_called(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    said = await choice(client, tool_choice="none")
    assert "tool_calls" not in said["message"]
    assert said["finish_reason"] == "stop"
    assert await prompt(engine) == "user: Make it teal.\nassistant: "


@scripted(TEAL)
async def test_only_the_tools_that_are_allowed_are_called(client: httpx2.AsyncClient) -> None:
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}
    said = await choice(client, tool_choice=allowed)
    assert called(said["message"]) == [("ring_bell", "{}")]
    assert said["finish_reason"] == "tool_calls"


@scripted(f"Making it teal. {TEAL}")
async def test_a_stop_string_ends_the_content_and_never_cuts_arguments(client: httpx2.AsyncClient) -> None:
    said = await choice(client, stop="it teal")
    assert (said["message"]["content"], said["finish_reason"]) == ("Making ", "stop")
    assert "tool_calls" not in said["message"]
    said = await choice(client, tool_choice=TO_LAMP, stop=["teal", "red", "{", "colour"])
    assert [name for name, _ in called(said["message"])] == ["set_colour"]
    assert said["finish_reason"] == "stop"


@scripted(TEAL)
async def test_a_call_that_is_cut_off_keeps_what_there_is_of_its_arguments(
    client: httpx2.AsyncClient,
) -> None:
    said = await choice(client, max_tokens=36)
    assert said["finish_reason"] == "length"
    assert called(said["message"]) == [("set_colour", '{"colour')]
    assert said["message"]["content"] is None


@scripted(f"Ön {TEAL}")
async def test_log_probabilities_are_those_of_the_content(client: httpx2.AsyncClient) -> None:
    said = await choice(client, logprobs=True)
    tokens = said["logprobs"]["content"]
    assert b"".join(bytes(token["bytes"]) for token in tokens).decode() == said["message"]["content"] == "Ön "
    events = await chunks(client, logprobs=True)
    streamed = [token for event in events for token in event["choices"][0]["logprobs"]["content"]]
    assert streamed == tokens


@scripted('{"a": 1}')
async def test_a_response_format_holds_where_no_tool_is_called(client: httpx2.AsyncClient) -> None:
    said = await choice(client, response_format={"type": "json_object"})
    assert said["message"]["content"] == '{"a": 1}'
    assert said["finish_reason"] == "stop"


async def test_a_model_without_training_reads_of_tools_in_the_system_message(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    await whole(client)
    told = await prompt(engine)
    assert told.startswith("system: You can call functions.")
    assert "Sets the colour of the lamp." in told
    await whole(client, messages=[{"role": "developer", "content": "Be kind."}, USER])
    assert (await prompt(engine)).startswith("system: Be kind.\n\nYou can call functions.")


class WithoutSystem(ScriptedEngine):
    """A template without a system message, like some real ones."""

    async def chat_prompt(
        self,
        model: str,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        effort: Effort | None = None,
        variables: Mapping[str, Any] = NO_VARIABLES,
    ) -> tuple[int, ...]:
        if any(message["role"] == "system" for message in messages):
            raise BadRequest("System role not supported.", param="messages")
        return await super().chat_prompt(model, messages, tools, effort, variables)


@pytest.mark.parametrize("engine", [WithoutSystem()], ids=["without_system"])
async def test_without_a_system_role_in_the_template_the_user_message_has_the_instructions(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    await whole(client)
    told = await prompt(engine)
    assert told.startswith("user: You can call functions.")
    assert told.endswith("\n\nMake it teal.\nassistant: ")
    body = {
        "model": "scripted",
        "messages": [{"role": "system", "content": "Be kind."}, USER],
        "tools": [BELL],
    }
    refused = await client.post("/chat/completions", json=body)
    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == "System role not supported."


async def test_results_come_back_in_a_message_of_the_user(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    calling = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert (await choice(client, messages=[USER, calling, RESULT]))["message"]["content"] == ANSWER
    assert (await prompt(engine)).endswith(
        f"user: Make it teal.\nassistant: {TEAL}\n"
        'user: <tool_response name="set_colour">It is teal.</tool_response>\nassistant: '
    )


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"messages": [USER, RESULT]}, "messages[1].tool_call_id", "invalid_value"),
        ({"tool_choice": "required", "tools": []}, "tool_choice", "invalid_value"),
        (
            {"tool_choice": {"type": "function", "function": {"name": "x"}}},
            "tool_choice.function.name",
            "invalid_value",
        ),
        ({"tools": [BELL, BELL]}, "tools[1].function.name", "invalid_value"),
        (
            {
                "tools": [
                    {"type": "function", "function": {"name": "f", "strict": True, "parameters": {"not": {}}}}
                ]
            },
            "tools[0].function.parameters",
            "invalid_function_parameters",
        ),
    ],
)
async def test_unsupported_tool_features_are_refused_by_name(
    client: httpx2.AsyncClient,
    engine: ScriptedEngine,
    keeps_contract: Check,
    changes: Body,
    param: str,
    code: str,
) -> None:
    body = {"model": "scripted", "messages": [USER], "tools": [LAMP, BELL]} | changes
    response = await client.post("/chat/completions", json=body)
    assert response.status_code == 400
    keeps_contract("ErrorEnvelope", response.json())
    assert (response.json()["error"]["param"], response.json()["error"]["code"]) == (param, code)
    assert not engine.generations


# ---- models that were trained on tools ---------------------------------------------------------------------


def read_words(text: str, _tools: object) -> Body:
    """`name key=value`"""
    name, *pairs = text.split()
    return {"name": name, "arguments": dict(pair.split("=") for pair in pairs)}


WORDS = ToolStyle("[CALL]", "[END]", read_words)
OWN_JSON = ToolStyle("[CALL]", "[END]", lambda text, _tools: json.loads(text), json=True)


@scripted("Yes. [CALL]set_colour colour=teal[END]", style=WORDS)
async def test_a_model_calls_in_the_form_it_was_trained_on(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    said = await choice(client)
    assert said["message"]["content"] == "Yes. "
    assert called(said["message"]) == [("set_colour", '{"colour": "teal"}')]
    assert joined(await chunks(client)) == ("Yes. ", called(said["message"]))
    assert engine.generations[-1].grammar is None
    assert (await prompt(engine)).startswith('tool: {"type": "function", "function": {"name": "set_colour"')


@scripted("[CALL]ring_bell[END][CALL]ring_bell[END] and so on", style=WORDS)
async def test_after_the_only_call_generation_is_stopped(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    answer = await whole(client, parallel_tool_calls=False)
    assert called(answer["choices"][0]["message"]) == [("ring_bell", "{}")]
    assert answer["choices"][0]["finish_reason"] == "tool_calls"
    assert answer["usage"]["completion_tokens"] == len("[CALL]ring_bell[END]")
    assert engine.running == 0


@scripted(style=OWN_JSON)
async def test_a_forced_call_is_between_the_markers_of_a_model_with_json_calls(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    said = await choice(
        client, tool_choice="required", messages=[USER, {"role": "assistant", "tool_calls": [CALL]}, RESULT]
    )
    assert [name for name, _ in called(said["message"])] == ["set_colour"]
    told = await prompt(engine)
    assert '"arguments": {"colour": "teal"}' in told
    assert "tool (set_colour): It is teal." in told
    assert "You can call functions" not in told
