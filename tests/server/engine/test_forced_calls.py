"""Tools and schemas with a random model: a grammar enforces the form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from gonogo_server.compose import application
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonogo_server.engine.base import Engine
    from transformers import PreTrainedTokenizerFast

    Body = dict[str, Any]

pytestmark = pytest.mark.anyio

TRAINED = (
    "{% for tool in tools or [] %}{{ tool | tojson }}\n{% endfor %}"
    "{% for message in messages %}{{ message.role }}: {{ message.content }}"
    "{% for tool_call in message.tool_calls or [] %}<tool_call>{{ tool_call.name }}</tool_call>{% endfor %}\n"
    "{% endfor %}assistant: "
)
PARAMETERS = {
    "type": "object",
    "properties": {
        "colour": {"type": "string", "enum": ["teal"]},
        "level": {"type": "integer", "minimum": 7, "maximum": 9},
    },
    "required": ["colour", "level"],
    "additionalProperties": False,
}
LAMP = {"type": "function", "function": {"name": "set_lamp", "strict": True, "parameters": PARAMETERS}}
FORM = {"type": "json_schema", "json_schema": {"name": "lamp", "strict": True, "schema": PARAMETERS}}


@pytest.fixture
def ask(open_model: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The first choice of an answer by the model of a folder."""

    async def first(folder: Path, **changes: object) -> Body:
        engine = open_model(folder)
        transport = httpx2.ASGITransport(app=application(engine, Settings()))
        body = {
            "model": engine.cards()[0].id,
            "messages": [{"role": "user", "content": "Hi"}],
            "max_tokens": 300,
            **changes,
        }
        async with httpx2.AsyncClient(transport=transport, base_url="http://server/v1") as client:
            response = await client.post("/chat/completions", json=body, timeout=60)
        assert response.status_code == 200, response.text
        choice: Body = response.json()["choices"][0]
        return choice

    return first


def keeps(arguments: str) -> bool:
    value = json.loads(arguments)
    return value["colour"] == "teal" and value["level"] in {7, 8, 9} and len(value) == 2


@pytest.mark.parametrize("template", ["untrained", "trained", "special"])
@pytest.mark.parametrize("temperature", [0, 1])
async def test_a_call_is_forced_with_any_model(
    ask: Callable[..., Any],
    make_folder: Callable[..., Path],
    bytes_tokenizer: PreTrainedTokenizerFast,
    template: str,
    temperature: int,
) -> None:
    if template != "untrained":
        bytes_tokenizer.chat_template = TRAINED
        bytes_tokenizer.add_tokens(["<tool_call>", "</tool_call>"], special_tokens=template == "special")
    folder = make_folder(max_position_embeddings=2048)
    choice = await ask(
        folder,
        tools=[LAMP],
        tool_choice="required",
        parallel_tool_calls=False,
        temperature=temperature,
        seed=1,
    )
    (call,) = choice["message"]["tool_calls"]
    assert keeps(call["function"]["arguments"])
    assert choice["message"]["content"] is None
    assert choice["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_an_answer_matches_a_schema_with_any_model(
    ask: Callable[..., Any], make_folder: Callable[..., Path], seed: int
) -> None:
    choice = await ask(
        make_folder(max_position_embeddings=2048), response_format=FORM, temperature=1, seed=seed
    )
    assert keeps(choice["message"]["content"])
    assert choice["finish_reason"] == "stop"
