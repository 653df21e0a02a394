"""Requests with tools: offered, forbidden, forced, and sent back with their results.

A call is forced, not suggested, so that a missing call is an error of the server. The tool has one parameter with one
value, so that a server with constrained decoding has nothing to choose.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gonogo.stimuli.bodies import post
from gonogo.stimuli.messages import answered_calls, message, same_calls
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.stimulus import Endpoint, Likeness, Risk
from gonogo.stimuli.structured import HELLO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.stimulus import Stimulus, Subject

LAMP: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "set_colour",
        "description": "Sets the colour of the lamp.",
        "parameters": {
            "type": "object",
            "properties": {"colour": {"type": "string", "enum": ["teal"]}},
            "required": ["colour"],
            "additionalProperties": False,
        },
    },
}
BELL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "ring_bell",
        "description": "Rings the bell.",
        "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
    },
}
STRICT: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "set_colour",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"colour": {"type": "string", "enum": ["teal-7f3"]}},
            "required": ["colour"],
            "additionalProperties": False,
        },
    },
}
# As schema generators write them: one property has no type, one has two.
UNTYPED: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "write_file",
        "parameters": {
            "type": "object",
            "properties": {
                "path": {"type": "string"},
                "private": {"description": "Optional.", "default": None},
                "revision": {"type": ["string", "null"]},
            },
            "required": ["path"],
        },
    },
}
# As Pydantic writes a class that contains another: by reference, with titles, and with null as one of two schemas.
DEFINED: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "move_lamp",
        "parameters": {
            "$defs": {
                "Place": {
                    "title": "Place",
                    "type": "object",
                    "properties": {"room": {"title": "Room", "type": "string"}},
                    "required": ["room"],
                }
            },
            "title": "MoveLamp",
            "type": "object",
            "properties": {
                "to": {"$ref": "#/$defs/Place"},
                "by": {"anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}], "default": None},
            },
            "required": ["to"],
        },
    },
}
# As generators leave incomplete schemas: a reference to an omitted definition, null, and an undefined required name.
MALFORMED: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "dim_lamp",
        "parameters": {
            "type": "object",
            "properties": {"to": {"$ref": "#/$defs/Level"}, "by": None, "in": {"type": "seconds"}},
            "required": ["to", "until"],
        },
    },
}
BARE: dict[str, Any] = {"type": "function", "function": {"name": "ring_bell"}}

_BEG: list[Body] = [{"role": "user", "content": "Use set_colour to make the lamp teal."}]
_BOTH: list[Body] = [
    {"role": "user", "content": "Use set_colour to make the lamp teal, and ring_bell to ring the bell."}
]
# Enough for a call with the markup that models use; less for requests that only have to be accepted.
CALL_TOKENS, CALLS_TOKENS, CHOICE_TOKENS, TOUCH_TOKENS = 64, 96, 48, 2

_FORCED: Body = {
    "messages": HELLO,
    "tools": [LAMP],
    "tool_choice": "required",
    "temperature": 0,
    "max_tokens": CALL_TOKENS,
}
_TWO: Body = {
    "messages": _BOTH,
    "tools": [LAMP, BELL],
    "tool_choice": "required",
    "temperature": 0,
    "max_tokens": CALLS_TOKENS,
}


def _named(name: str) -> Body:
    return {"type": "function", "function": {"name": name}}


def _call(number: int, name: str, arguments: str) -> Body:
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def _turn(*messages: Body) -> Stimulus:
    """A conversation with tool calls, to be continued."""
    body = {"messages": [*_BOTH, *messages], "tools": [LAMP, BELL], "max_tokens": TOUCH_TOKENS}
    return post(Endpoint.CHAT, body)


_CALLS: list[Body] = [_call(1, "set_colour", '{"colour": "teal"}')]
_CALLING: Body = {"role": "assistant", "content": None, "tool_calls": _CALLS}
_RESULT: Body = {"role": "tool", "tool_call_id": "call_1", "content": "The lamp is teal now."}
_PARTS: Body = _RESULT | {"content": [{"type": "text", "text": "The lamp is teal now."}]}


def _called_with(arguments: str) -> Stimulus:
    """A history with a call whose arguments are not JSON; the schema says that models may generate such arguments."""
    calling = _CALLING | {"tool_calls": [_call(1, "set_colour", arguments)]}
    return replace(_turn(calling, _RESULT), valid=False, risk=Risk.HOSTILE)


def _like(body: Body, stimulus: Stimulus) -> Stimulus:
    """The stimulus, whose calls are compared with those of the whole answer to the same request."""
    return replace(stimulus, like=Likeness(post(Endpoint.CHAT, body).key, same_calls))


def _own() -> Stimulus:
    """A conversation with the target's own messages, sent back with all their members."""
    plain, forced = post(Endpoint.CHAT, {}), post(Endpoint.CHAT, _FORCED)
    body = post(Endpoint.CHAT, {"tools": [LAMP], "max_tokens": TOUCH_TOKENS})
    bare = post(Endpoint.CHAT, {"max_tokens": TOUCH_TOKENS})

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        said = message(answers[plain.key])
        called = answered_calls(answers[forced.key])
        request = (body if called else bare).build(subject, answers)
        fields = json.loads(request.body)
        fields["messages"] += [said, *HELLO, *called] if called else [said, *HELLO]
        return replace(request, body=json.dumps(fields).encode())  # ASCII, so that lone surrogates survive

    key = f"{Endpoint.CHAT} with the messages that came from it"
    return replace(bare, key=key, build=build, needs=(plain, forced))


OFFERED = post(Endpoint.CHAT, {"messages": HELLO, "tools": [LAMP], "max_tokens": TOUCH_TOKENS})

REQUESTS: dict[str, Stimulus] = {
    "the target's own messages are sent back whole": _own(),
    "a tool is offered": OFFERED,
    "a tool is offered with strict false": post(
        Endpoint.CHAT,
        {
            "messages": HELLO,
            "tools": [LAMP | {"function": LAMP["function"] | {"strict": False}}],
            "max_tokens": TOUCH_TOKENS,
        },
    ),
    "a tool without parameters is offered": post(
        Endpoint.CHAT, {"messages": HELLO, "tools": [BARE], "max_tokens": TOUCH_TOKENS}
    ),
    "tools are forbidden": post(
        Endpoint.CHAT,
        {"messages": _BEG, "tools": [LAMP], "tool_choice": "none", "temperature": 0, "max_tokens": 32},
    ),
    "a tool must be called": _like(_FORCED, post(Endpoint.CHAT, _FORCED)),
    "a tool must be called in a stream": _like(
        _FORCED, post(Endpoint.CHAT, _FORCED | {"stream_options": {"include_usage": True}}, streamed=True)
    ),
    # By name: one call ends the answer, while with "required" a small model may continue to call until the limit.
    "a tool with strict true must be called": post(
        Endpoint.CHAT,
        _FORCED
        | {
            "tools": [STRICT],
            "tool_choice": _named(STRICT["function"]["name"]),
        },
    ),
    "the second of two tools must be called": post(
        Endpoint.CHAT,
        _FORCED
        | {
            "tools": [LAMP, BELL],
            "tool_choice": _named("ring_bell"),
        },
    ),
    "no more than one of two tools must be called": post(
        Endpoint.CHAT, _TWO | {"parallel_tool_calls": False}
    ),
    "two tools must be called": _like(_TWO, post(Endpoint.CHAT, _TWO)),
    "two tools must be called in a stream": _like(_TWO, post(Endpoint.CHAT, _TWO, streamed=True)),
    "the result of a tool is sent back": _turn(_CALLING, _RESULT),
    "the result of a tool is sent back without content beside the call": _turn(
        {"role": "assistant", "tool_calls": _CALLS}, _RESULT
    ),
    "the result of a tool is sent back in parts": _turn(_CALLING, _PARTS),
    "the results of two tools are sent back": _turn(
        {"role": "assistant", "content": None, "tool_calls": [*_CALLS, _call(2, "ring_bell", "{}")]},
        _RESULT,
        {"role": "tool", "tool_call_id": "call_2", "content": "It rang."},
    ),
    "the result of a tool is sent back with empty content beside the call": _turn(
        _CALLING | {"content": ""}, _RESULT
    ),
    "a call with empty arguments is sent back": _called_with(""),
    "a call with arguments that were cut is sent back": _called_with('{"colour": "te'),
    "a tool with a property without a type is offered": post(
        Endpoint.CHAT, {"messages": HELLO, "tools": [UNTYPED], "max_tokens": TOUCH_TOKENS}
    ),
    "a tool whose parameters have definitions is offered": post(
        Endpoint.CHAT, {"messages": HELLO, "tools": [DEFINED], "max_tokens": TOUCH_TOKENS}
    ),
    "a tool whose parameters are malformed is wrongly offered": post(
        Endpoint.CHAT, {"messages": HELLO, "tools": [MALFORMED], "max_tokens": TOUCH_TOKENS}, valid=False
    ),
    # By name, as with strict: one call ends each answer.
    "two choices of a call are requested": post(
        Endpoint.CHAT,
        _FORCED | {"tools": [BELL], "tool_choice": _named("ring_bell"), "n": 2, "max_tokens": CHOICE_TOKENS},
    ),
    # The deprecated predecessor of tools. The contract omits it; a server that accepts it must still return a call.
    "a function must be called in the form before tools": post(
        Endpoint.CHAT,
        {
            "messages": HELLO,
            "functions": [LAMP["function"]],
            "function_call": {"name": LAMP["function"]["name"]},
            "temperature": 0,
            "max_tokens": CHOICE_TOKENS,
        },
        valid=False,
    ),
    "a result is sent back that nothing asked for": post(
        Endpoint.CHAT,
        {
            "messages": [*_BOTH, _CALLING, _RESULT | {"tool_call_id": "call_9"}],
            "tools": [LAMP, BELL],
            "max_tokens": TOUCH_TOKENS,
        },
        valid=False,
    ),
    "a tool must be called that is not offered": post(
        Endpoint.CHAT,
        {
            "messages": HELLO,
            "tools": [LAMP],
            "tool_choice": _named("ring_bell"),
            "max_tokens": TOUCH_TOKENS,
        },
        valid=False,
    ),
    # Whether a forced call affects the request after it.
    "a plain chat completion is requested after a tool had to be called": replace(
        post(Endpoint.CHAT, {"max_tokens": TOUCH_TOKENS}),
        key="POST /chat/completions after a tool had to be called",
        needs=(post(Endpoint.CHAT, _FORCED),),
    ),
}


def _register() -> None:
    for phrase, stimulus in REQUESTS.items():
        when.add(phrase, lambda stimulus=stimulus: Ask(stimulus))


_register()
