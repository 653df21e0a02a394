"""Requests for responses that are too long for a scenario, or are built from earlier answers.

Each serves many rules. Calls are forced, not suggested, so that a missing call is an error of the server.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gonogo.reasons import Reason
from gonogo.stimuli import tools
from gonogo.stimuli.bodies import PROMPT, post
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.stimulus import Endpoint, NotPossible
from gonogo.stimuli.structured import HELLO, OBJECT_TOKENS, SCHEMA
from gonogo.stimuli.surfaces import where_served

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.stimulus import Stimulus, Subject

STORY = "Tell a long story about a lighthouse."
"""A prompt whose answer is longer than 16 tokens."""
NAME = tools.LAMP["function"]["name"]

LAMP: dict[str, Any] = {"type": "function", **tools.LAMP["function"], "strict": False}
BELL: dict[str, Any] = {"type": "function", **tools.BELL["function"], "strict": False}


def _said(role: str, text: str, **more: str) -> Body:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **more}


def _result(call_id: str, output: object) -> Body:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


FORCED: Body = {
    "input": HELLO,
    "tools": [LAMP],
    "tool_choice": "required",
    "temperature": 0,
    "max_output_tokens": tools.CALL_TOKENS,
}
NAMED: Body = FORCED | {"tools": [LAMP, BELL], "tool_choice": {"type": "function", "name": NAME}}
PARTS: Body = {
    "input": [
        *HELLO,
        {
            "type": "function_call",
            "call_id": "call_1",
            "name": NAME,
            "arguments": '{"colour": "teal"}',
        },
        _result("call_1", [{"type": "input_text", "text": "The lamp is teal now."}]),
    ],
    "tools": [LAMP],
}
ROLES: Body = {
    "input": [
        _said("developer", "You tell stories."),
        _said("system", "Answer in English."),
        _said("user", STORY),
    ],
    "text": {},
    "metadata": {"run": "gonogo"},
    "parallel_tool_calls": True,
    "store": False,
    "temperature": 0,
}
"""Fields that the schema allows and clients send with every request."""
AGENT: Body = {
    "input": [
        _said("developer", "You are an agent.", id="msg_1"),
        _said("developer", "You work in a folder.", id="msg_2"),
        _said("user", PROMPT, id="msg_3"),
    ],
    "instructions": "Answer in one sentence.",
    "tools": [
        LAMP,
        {"type": "namespace", "name": "files", "description": "Files.", "tools": [BELL]},
        {"type": "web_search"},
        {"type": "custom", "name": "apply_patch", "description": "Edits files."},
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"summary": "auto"},
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "gonogo",
    "client_metadata": {"session": "gonogo"},
}
"""The request of an agent such as Codex: fields and kinds of tools that a server may not know."""


def _of(body: Body, *, streamed: bool = False) -> Stimulus:
    return where_served(post(Endpoint.RESPONSES, body, streamed=streamed))


def _round_trip() -> Stimulus:
    """The items of a forced call, sent back unchanged with the result of each call."""
    forced = _of(FORCED)
    plain = _of({"input": HELLO, "tools": [LAMP]})

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        output = _output(answers[forced.key])
        called = [item for item in output if item.get("type") == "function_call"]
        if not called or not all(map(_is_whole, called)):
            raise NotPossible(Reason.NO_CALL, answers[forced.key])
        request = plain.build(subject, answers)
        results = [_result(item["call_id"], "The lamp is teal now.") for item in called]
        fields = request.fields | {"input": [*HELLO, *output, *results]}
        return replace(request, body=json.dumps(fields).encode())

    key = f"{Endpoint.RESPONSES} with a call and its result"
    return replace(plain, key=key, build=build, needs=(*plain.needs, forced))


def _is_whole(call: dict[str, Any]) -> bool:
    """Whether a call can be answered: it has a call_id and complete arguments."""
    try:
        arguments = json.loads(call.get("arguments", ""))
    except (ValueError, TypeError, RecursionError):
        return False
    return isinstance(arguments, dict) and isinstance(call.get("call_id"), str)


def _output(exchange: Exchange) -> list[dict[str, Any]]:
    """The items of an answer; empty if there is no readable answer."""
    body = exchange.json
    found = body.get("output") if isinstance(body, dict) and exchange.status == 200 else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


REQUESTS: dict[str, Stimulus] = {
    "a response must call a tool": _of(FORCED),
    "a streamed response must call the tool that is named": _of(NAMED, streamed=True),
    "a call of a response and its result are sent back": _round_trip(),
    "a result in parts is given to a response": _of(PARTS),
    "a response of a schema is requested": _of(
        {
            "input": HELLO,
            "text": {"format": {"type": "json_schema", "name": "gauge", "strict": True, "schema": SCHEMA}},
            "temperature": 0,
            "max_output_tokens": OBJECT_TOKENS,
        }
    ),
    "a response to developer and system is streamed": _of(ROLES, streamed=True),
    "a response is streamed as agents ask for it": _of(AGENT, streamed=True),
}


def _register() -> None:
    for phrase, stimulus in REQUESTS.items():
        when.add(phrase, lambda stimulus=stimulus: Ask(stimulus))


_register()
