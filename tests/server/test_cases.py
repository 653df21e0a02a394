"""Small requests that made servers fail, this one or others: answered, or refused before anything is generated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    import httpx2
    from gonogo_server.engine.scripted import ScriptedEngine

    Body = dict[str, Any]

pytestmark = pytest.mark.anyio

USER = {"role": "user", "content": "Which gauge reads highest?"}


def chat(**more: object) -> Body:
    return {"model": "scripted", "messages": [USER], "max_tokens": 64, **more}


def kept_to(schema: Body) -> Body:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "gauge", "schema": schema}}}


def tool(parameters: Body) -> Body:
    return {"type": "function", "function": {"name": "read_gauge", "parameters": parameters}}


def with_history(arguments: str = "{}", content: str | None = None) -> Body:
    call = {"id": "c1", "type": "function", "function": {"name": "read_gauge", "arguments": arguments}}
    said = {"role": "assistant", "content": content, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "c1", "content": "7"}
    return chat(messages=[USER, said, result], tools=[tool({"type": "object", "properties": {}})])


LINK = {"$ref": "#/$defs/link"}
LINKED = {"type": "object", "properties": {"next": LINK}, "required": ["next"], "additionalProperties": False}
CYCLE = {**LINK, "$defs": {"link": LINKED}}
TWO = {
    **LINK,
    "$defs": {
        "link": {**LINKED, "properties": {"next": {"$ref": "#/$defs/other"}}},
        "other": {**LINKED, "properties": {"next": LINK}},
    },
}
THROUGH_ALL_OF = {
    **LINK,
    "$defs": {"link": {"type": "object", "allOf": [{"properties": {"next": LINK}, "required": ["next"]}]}},
}
TOOL_CYCLE = {"type": "object", "properties": {"next": LINK}, "required": ["next"], "$defs": {"link": LINKED}}

ANSWERED: dict[str, tuple[str, Body]] = {
    "an answer comes back with its reasoning": (
        "/chat/completions",
        chat(
            messages=[
                USER,
                {"role": "assistant", "content": "The first.", "reasoning_content": "There are two gauges."},
                USER,
            ]
        ),
    ),
    "the arguments of a call were cut off": ("/chat/completions", with_history('{"gauge": "A')),
    "the arguments of a call are empty": ("/chat/completions", with_history("")),
    "a message that calls says an empty text": ("/chat/completions", with_history(content="")),
    "two messages of the user in a row": ("/chat/completions", chat(messages=[USER, USER])),
    "a property without a type": (
        "/chat/completions",
        chat(tools=[tool({"type": "object", "properties": {"gauge": {"description": "Any."}}})]),
    ),
    "a schema with definitions": (
        "/chat/completions",
        chat(
            **kept_to(
                {
                    "type": "object",
                    "properties": {"next": {"anyOf": [LINK, {"type": "null"}]}},
                    "required": ["next"],
                    "additionalProperties": False,
                    "$defs": {"link": {"type": "string", "enum": ["a"]}},
                }
            )
        ),
    ),
    "a prompt echoed in a stream with log probabilities": (
        "/completions",
        {
            "model": "scripted",
            "prompt": "Bern is",
            "max_tokens": 4,
            "echo": True,
            "stream": True,
            "logprobs": 1,
        },
    ),
}
DEAD_ENDS: dict[str, tuple[Body, str]] = {
    "a schema that demands itself": (kept_to(CYCLE), "response_format.json_schema.schema"),
    "two schemas that demand each other": (kept_to(TWO), "response_format.json_schema.schema"),
    "a schema that demands itself through allOf": (
        kept_to(THROUGH_ALL_OF),
        "response_format.json_schema.schema",
    ),
    "the parameters of a tool": ({"tools": [tool(TOOL_CYCLE)]}, "tools[0].function.parameters"),
    "the parameters of a tool that has to be called": (
        {"tools": [tool(TOOL_CYCLE)], "tool_choice": "required"},
        "tools[0].function.parameters",
    ),
}
TOO_LARGE: dict[str, Body] = {
    "too deep": {"type": "array", "items": {"type": "array", "items": {"items": {}}}},
    "too many": {"anyOf": [{"const": number} for number in range(6)]},
    "too many values": {"enum": list("abcd")},
    "too long a pattern": {"type": "string", "pattern": "^abcdefgh$"},
    "too many bytes": {"description": "a" * 300},
}


@pytest.mark.parametrize(("path", "body"), ANSWERED.values(), ids=ANSWERED)
async def test_it_is_answered(client: httpx2.AsyncClient, path: str, body: Body) -> None:
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    assert "error" not in response.text
    assert response.text.endswith("data: [DONE]\n\n") is (body.get("stream") is True)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("asked", "param"), DEAD_ENDS.values(), ids=DEAD_ENDS)
async def test_it_is_refused_before_anything_is_generated(
    client: httpx2.AsyncClient, engine: ScriptedEngine, asked: Body, param: str, *, stream: bool
) -> None:
    response = await client.post("/chat/completions", json=chat(**asked, stream=stream))
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["param"] == param
    assert error["code"] in {"invalid_json_schema", "invalid_function_parameters"}
    assert "without end" in error["message"]
    assert not engine.generations


@pytest.mark.parametrize(
    "settings",
    [
        Settings(
            max_schema_bytes=200,
            max_schema_depth=3,
            max_schema_nodes=6,
            max_schema_enum=3,
            max_schema_pattern=9,
        )
    ],
    ids=["small limits"],
)
@pytest.mark.parametrize("schema", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_values_beyond_a_limit_are_refused_at_any_position(
    client: httpx2.AsyncClient, engine: ScriptedEngine, schema: Body
) -> None:
    parameters = {"type": "object", "properties": {"a": schema}}
    for asked, param in (
        (kept_to(schema), "response_format.json_schema.schema"),
        ({"tools": [tool({"type": "object"}), tool(parameters)]}, "tools[1].function.parameters"),
    ):
        response = await client.post("/chat/completions", json=chat(**asked))
        assert response.status_code == 400, response.text
        assert response.json()["error"]["param"] == param
        assert "but the limit is" in response.json()["error"]["message"]
    assert not engine.generations
    assert (await client.post("/chat/completions", json=chat(**kept_to({"type": "null"})))).status_code == 200


async def test_a_system_message_in_the_middle_is_for_the_template_to_judge(
    client: httpx2.AsyncClient,
) -> None:
    messages = [
        USER,
        {"role": "assistant", "content": "A."},
        {"role": "system", "content": "Be brief."},
        USER,
    ]
    response = await client.post("/chat/completions", json=chat(messages=messages))
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "messages"
