"""Requests of the Messages API that are too long for a scenario, in the forms that clients of both versions send.

Texts are requested with the older version, which allows a temperature; everything else with the newer one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gonogo.reasons import Reason
from gonogo.stimuli import surfaces
from gonogo.stimuli.bodies import JSON_HEADERS, post
from gonogo.stimuli.observed import text
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.repeatable import greedy
from gonogo.stimuli.stimulus import Endpoint, Likeness, NotPossible
from gonogo.stimuli.stopping import NEVER, across_a_border, is_cut
from gonogo.stimuli.structured import HELLO, OBJECT_TOKENS, SCHEMA
from gonogo.stimuli.surfaces import where_served
from gonogo.stimuli.tools import BELL, CALL_TOKENS, LAMP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.stimulus import Stimulus, Subject

NEWER: Final = (*JSON_HEADERS, ("anthropic-version", "2026-10-21"))
SHORT: Final = 8
"""Tokens: so few that any story is cut."""
TOUCH: Final = 4
_MARK: Final = {"type": "ephemeral"}

CHAT: Final = greedy(Endpoint.CHAT).key
"""The greedy text of chat, with which all greedy texts here are compared."""
PLAIN: Final = surfaces.PLAIN[Endpoint.MESSAGES]
STREAM: Final = surfaces.STREAMS[Endpoint.MESSAGES]


def _tool(tool: dict[str, Any]) -> Body:
    """A tool of chat in the form of messages."""
    function = tool["function"]
    return {
        "name": function["name"],
        "description": function["description"],
        "input_schema": function["parameters"],
    }


_BOTH: Final = "Use set_colour to make the lamp teal, and ring_bell to ring the bell."
TOOLS: Final = [_tool(LAMP), _tool(BELL)]
_RESULTS: Final[list[Body]] = [
    {"role": "user", "content": _BOTH},
    {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "I will do both."},
            {"type": "tool_use", "id": "toolu_1", "name": "set_colour", "input": {"colour": "teal"}},
            {"type": "tool_use", "id": "toolu_2", "name": "ring_bell", "input": {}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "The lamp is teal now."},
            {
                "type": "tool_result",
                "tool_use_id": "toolu_2",
                "content": [{"type": "text", "text": "It rang."}],
            },
            {"type": "text", "text": "What is the colour of the lamp?"},
        ],
    },
]
_OF_CLAUDE_CODE: Final[Body] = {
    "system": [
        {"type": "text", "text": "You are an agent.", "cache_control": _MARK},
        {"type": "text", "text": "Be brief."},
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Say hello.", "cache_control": _MARK}]},
        {"role": "system", "content": "The day is a Tuesday."},
    ],
    "metadata": {"user_id": "user_gonogo"},
    "thinking": {"type": "adaptive"},
    "context_management": {"edits": []},
    "speed": "standard",
    "max_tokens": TOUCH,
}
"""What Claude Code sends, shortened: a list as system, cache marks, a new role, and changing fields."""
BETA: Final = ("anthropic-beta", "gonogo-2026-11-28,fine-grained-tool-streaming-2025-05-14")


def _newer(body: Body, *more: tuple[str, str], streamed: bool = False) -> Stimulus:
    return _sent(post(Endpoint.MESSAGES, body, streamed=streamed), headers=(*NEWER, *more))


def _sent(plain: Stimulus, **changes: Any) -> Stimulus:  # noqa: ANN401 - of fields of a request
    """The request with other fields: its headers, its path, the place of its key."""

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        return replace(plain.build(subject, answers), **changes)

    return replace(plain, build=build)


def _wrong() -> Stimulus:
    """A text instead of messages, with the key in the older header: a server that refuses the key does so first."""
    body: Body = {"messages": "Hello", "max_tokens": 2}
    own = _sent(post(Endpoint.MESSAGES, body, valid=False), key_in="x-api-key")
    return replace(own, key=f"{own.key} with the key in x-api-key")


def _stopped() -> Stimulus:
    """The greedy text with a part of it among two stop sequences. Raises NotPossible if the text did not repeat."""
    plain = post(Endpoint.MESSAGES, surfaces.GREEDY[Endpoint.MESSAGES])

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        whole, streamed = answers[PLAIN.key], answers[STREAM.key]
        said = text(whole)
        if said.strip() != text(streamed).strip():
            raise NotPossible(Reason.NOT_REPEATED, whole, streamed)
        request = plain.build(subject, answers)
        body = json.loads(request.body) | {"stop_sequences": [NEVER, across_a_border([said])]}
        return replace(request, body=json.dumps(body, ensure_ascii=False).encode())

    key = f"{plain.key} stopped within its text"
    return replace(plain, key=key, build=build, needs=(PLAIN, STREAM), like=Likeness(CHAT, is_cut))


def _named() -> Body:
    choice = {"type": "tool", "name": "set_colour"}
    return {"messages": HELLO, "tools": TOOLS, "tool_choice": choice, "max_tokens": CALL_TOKENS}


def _any() -> Body:
    """One tool, a forced call, and no parallel calls."""
    choice = {"type": "any", "disable_parallel_tool_use": True}
    return {"messages": HELLO, "tools": TOOLS[:1], "tool_choice": choice, "max_tokens": CALL_TOKENS}


def _structured() -> Body:
    form = {"format": {"type": "json_schema", "schema": SCHEMA}}
    return {"messages": HELLO, "output_config": form, "max_tokens": OBJECT_TOKENS}


REQUESTS: Final[dict[str, Stimulus]] = {
    "a message of few tokens is requested with a system prompt": post(
        Endpoint.MESSAGES,
        surfaces.GREEDY[Endpoint.MESSAGES] | {"system": surfaces.STORY, "max_tokens": SHORT},
    ),
    "a string as messages is sent, with the key in x-api-key": _wrong(),
    "a message is requested with a part of its text as stop sequence": _stopped(),
    "a tool must be used in a message": _newer(_named()),
    "a tool must be used in a streamed message": _newer(_any(), streamed=True),
    "the results of tools are sent back in a message": _newer(
        {"messages": _RESULTS, "tools": TOOLS, "max_tokens": TOUCH}
    ),
    "an object of a schema is asked for in a streamed message": _newer(_structured(), streamed=True),
    "a message is requested as by Claude Code": _sent(
        _newer(_OF_CLAUDE_CODE, BETA, streamed=True), path="/messages?beta=true"
    ),
}


def _register() -> None:
    for phrase, stimulus in REQUESTS.items():
        served = where_served(stimulus)
        when.add(phrase, lambda served=served: Ask(served))


_register()
