"""Shared parts of the faults of messages: the exchanges that they change, and answers in the form of that API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from gonogo.faults.editing import refused
from gonogo.faults.named_events import values
from gonogo.faults.picks import asked, either, streamed, whole
from gonogo.judge.message_order import BLOCK_START
from gonogo.stimuli.bodies import post
from gonogo.stimuli.message_requests import PLAIN as PLAIN_REQUEST
from gonogo.stimuli.message_requests import REQUESTS
from gonogo.stimuli.message_requests import STREAM as PLAIN_STREAM
from gonogo.stimuli.stimulus import Endpoint

if TYPE_CHECKING:
    from gonogo.faults.editing import Edit, Json
    from gonogo.faults.picks import Pick


def _of(phrase: str) -> Pick:
    return asked(REQUESTS[phrase].key)


PLAIN: Final = asked(PLAIN_REQUEST.key)
STREAM: Final = asked(PLAIN_STREAM.key)
SHORT: Final = _of("a message of few tokens is requested with a system prompt")
STOPPED: Final = _of("a message is requested with a part of its text as stop sequence")
NAMED: Final = _of("a tool must be used in a message")
ANY: Final = _of("a tool must be used in a streamed message")
RESULTS: Final = _of("the results of tools are sent back in a message")
STRUCTURED: Final = _of("an object of a schema is asked for in a streamed message")
CLAUDE_CODE: Final = _of("a message is requested as by Claude Code")
BAD: Final = _of("a string as messages is sent, with the key in x-api-key")
UNKNOWN: Final = asked(
    post(Endpoint.MESSAGES, {"model": "gonogo-no-such-model", "max_tokens": 2}, valid=False).key
)
COUNT: Final = asked(post(Endpoint.MESSAGE_TOKENS, {}).key)
TEXTS: Final = whole("/messages")
"""Picks complete text messages."""
STREAMS: Final = streamed("/messages")
"""Picks streamed text messages."""
WHOLES: Final = either(TEXTS, NAMED, RESULTS)
NEWER: Final = either(NAMED, ANY, RESULTS, STRUCTURED, CLAUDE_CODE)
"""Picks requests with the newer API version."""
REFUSALS: Final = either(BAD, UNKNOWN)


def refusing(code: int, kind: str, message: str = "No.") -> Edit:
    """Replace the answer by a refusal in the envelope of the Messages API."""
    envelope = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_0"}
    return refused(code, json.dumps(envelope).encode())


def message(*blocks: Json, reason: str = "end_turn") -> Json:
    """A complete message with these blocks."""
    return {
        "id": "msg_0",
        "type": "message",
        "role": "assistant",
        "model": "ideal",
        "content": list(blocks),
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 2},
    }


def text(said: str) -> Json:
    """A block of text."""
    return {"type": "text", "text": said}


def preceded(*events: Json) -> Edit:
    """Insert these events of a block 0 before the first block of a stream, and increase the other indexes by one."""

    def change(old: list[Json]) -> list[Json]:
        at = next(number for number, value in enumerate(old) if value["type"] == BLOCK_START)
        rest = [value | {"index": value["index"] + 1} if "index" in value else value for value in old[at:]]
        return [*old[:at], *events, *rest]

    return values(change)
