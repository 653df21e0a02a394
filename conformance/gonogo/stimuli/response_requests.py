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
from gonogo.stimuli.phrases import Ask, Watch, when
from gonogo.stimuli.stimulus import Endpoint, NotPossible
from gonogo.stimuli.structured import HELLO, OBJECT_TOKENS, SCHEMA
from gonogo.stimuli.surfaces import GREEDY, STORY, where_served

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.stimulus import Stimulus, Subject

LIGHTHOUSE = "Tell a long story about a lighthouse."
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
RESULT = "The lamp is teal now."
MADE_UP = "call_gonogo_made_up"
"""The call_id of a call that the target did not make."""
CALL: Body = {
    "type": "function_call",
    "call_id": MADE_UP,
    "name": NAME,
    "arguments": '{"colour": "teal"}',
}
"""A call that is sent with its result if the target makes none."""
ROLES: Body = {
    "input": [
        _said("developer", "You tell stories."),
        _said("system", "Answer in English."),
        _said("user", LIGHTHOUSE),
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


_ASKED = _of({"input": HELLO, "tools": [LAMP]})


def _in_parts() -> Stimulus:
    """The items of a forced call, sent back unchanged with the result of each call in parts.

    Without a whole call, one that is made up takes its place.
    """
    forced = _of(FORCED)

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        items = _called(answers[forced.key]) or [CALL]
        called = [item["call_id"] for item in items if item.get("type") == "function_call"]
        results = [_result(call_id, [{"type": "input_text", "text": RESULT}]) for call_id in called]
        return _with_input(_ASKED.build(subject, answers), [*HELLO, *items, *results])

    key = f"{Endpoint.RESPONSES} with a call and its result in parts"
    return replace(_ASKED, key=key, build=build, needs=(*_ASKED.needs, forced))


def _as_string() -> Stimulus:
    """The same items with each result as a string, if the target refuses the parts. Raises NotPossible if not."""
    first = _in_parts()

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        sent = answers[first.key]
        _expect_refusal(sent)
        return _with_input(_ASKED.build(subject, answers), as_strings(sent.request.fields["input"]))

    key = f"{Endpoint.RESPONSES} with a call and its result as a string, if parts are refused"
    return replace(_ASKED, key=key, build=build, needs=(*_ASKED.needs, first))


def as_strings(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of an input, each result of a call as a string."""
    told = {"output": RESULT}
    return [item | told if item.get("type") == "function_call_output" else item for item in items]


def _expect_refusal(exchange: Exchange) -> None:
    """Raise NotPossible if a request was accepted, or if its answer says nothing about what it asked for."""
    if exchange.status is None:
        failure = "" if exchange.failure is None else exchange.failure.message
        raise NotPossible(Reason.NO_ANSWER, exchange, failure=failure)
    if 200 <= exchange.status < 300:
        raise NotPossible(Reason.NOT_REFUSED, exchange, status=exchange.status)
    if exchange.status in {401, 403, 429, 503}:
        raise NotPossible(Reason.OTHER_STATUS, exchange, status=exchange.status)


def _with_input(request: Request, items: list[Any]) -> Request:
    return replace(request, body=json.dumps(request.fields | {"input": items}).encode())


def _called(exchange: Exchange) -> list[dict[str, Any]]:
    """All items of an answer that calls functions; empty if it calls none, or a call cannot be answered."""
    output = _output(exchange)
    called = [item for item in output if item.get("type") == "function_call"]
    return output if called and all(map(_is_whole, called)) else []


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


IN_PARTS, AS_STRING = _in_parts(), _as_string()
"""A call and its result sent back; the second only if the target refuses the first."""
REQUESTS: dict[str, Stimulus] = {
    "a response must call a tool": _of(FORCED),
    "a streamed response must call the tool that is named": _of(NAMED, streamed=True),
    "a response is requested with instructions": _of(GREEDY[Endpoint.RESPONSES] | {"instructions": STORY}),
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
    keys = {IN_PARTS.key, AS_STRING.key}
    # Watched, not asked for: a target that accepts the first never gets the second.
    when.add(
        "any result of a call of a response is sent back",
        lambda: Watch(lambda stimulus: stimulus.key in keys, (IN_PARTS, AS_STRING)),
    )


_register()
