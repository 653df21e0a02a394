"""The answers of the suite's own upstream for gateway checks: plays, as data.

A request names its play in the text of its message. A play is an answer with an upstream fault, or a correct one in an
unusual form; `gonogo.upstream` sends them, and the checks of the group `gateway` know them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonogo.exchange import Headers

MODEL: Final = "gonogo-upstream"
"""The model of the upstream."""
SECOND_MODEL: Final = "gonogo-second"
"""The model of the second provider, which is the same upstream under the path /second/v1."""
KEY: Final = "sk-gonogo-upstream-4d1f0b7c"
"""The gateway's key for the upstream. It is not a secret, because it grants no access; answers are searched for it."""
SECOND_KEY: Final = "sk-gonogo-second-8a62e95d"
INSIDE: Final = ("gonogo-upstream.internal", "/srv/gonogo-upstream/", "Traceback (most recent call last)")
"""Internal details in the upstream's errors."""
COMMENT: Final = "gonogo keep-alive"
TEXT: Final = "Zwölf Vögel — 十二羽の鳥 🐦 sang."
USAGE: Final[Mapping[str, int]] = {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18}
CALLS: Final = (("look_up", '{"city": "Oslo"}'), ("convert", '{"unit": "C"}'))
"""The names and arguments of the calls in the play "calls"."""
SILENCE: Final = 4.0
"""Seconds that the play "silent" waits before it closes the connection."""
PACE: Final = 0.05
LONG: Final = 160
"""The number of pieces in the play "long", `PACE` seconds apart: eight seconds."""

_NAMED = re.compile(r"gonogo play: (?P<name>[a-z-]+)(?: (?P<number>\d+))? \[[a-z ]*\]")


@dataclass(frozen=True, slots=True)
class Play:
    """An answer: `pieces` of a body with the seconds before each; `breaks`: the connection breaks after them.

    Without a `status` there is no answer: the connection breaks after `wait` seconds.
    """

    status: int | None
    headers: Headers
    pieces: tuple[tuple[float, bytes], ...] = ()
    breaks: bool = False
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Named:
    """The play named in a request, its number among equal ones, and the `text` that names it."""

    name: str
    number: int | None
    text: str


def asking_for(name: str, number: int | None, how: str) -> str:
    """The text of a message that names a play; different requests of a run have different texts."""
    return f"gonogo play: {name}{'' if number is None else f' {number}'} [{how}]"


def asked_for(body: bytes) -> Named:
    """The play named in a request; "plain" if none is named."""
    found = _NAMED.search(body.decode("utf-8", "replace"))
    if found is None:
        return Named("plain", None, "")
    return Named(found["name"], int(found["number"]) if found["number"] else None, found[0])


def play(named: Named, fields: Mapping[str, object], *, key: str) -> Play:
    """The answer to a request with these fields; `key` is from its Authorization header."""
    name, number = named.name, named.number
    if name in _ERRORS:
        return _error(name, key)
    if fields.get("stream") is not True:
        return _whole(name, number, fields)
    frames = _FRAMES.get(name, _plain)(number, fields)
    pieces = tuple((PACE, frame) for frame in frames)
    return Play(200, (("content-type", "text/event-stream"),), pieces, breaks=name == "breaks")


def text_of(number: int | None) -> str:
    """The text of the plain play."""
    return TEXT if number is None else f"This is answer {number}, and no other."


def asks_for_usage(fields: Mapping[str, object]) -> bool:
    """Whether a streamed request requests usage."""
    options = fields.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


# ---- streams -------------------------------------------------------------------------------------------------


def _frame(choices: Sequence[object], **more: object) -> bytes:
    head = {
        "id": "chatcmpl-gonogo",
        "object": "chat.completion.chunk",
        "created": 1_760_000_000,
        "model": MODEL,
    }
    return b"data: " + json.dumps({**head, "choices": choices, **more}, ensure_ascii=False).encode() + b"\n\n"


def _delta(delta: Mapping[str, object], reason: str | None = None) -> bytes:
    return _frame([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}])


_ROLE = _delta({"role": "assistant", "content": ""})
_STOP = _delta({}, "stop")
_DONE = b"data: [DONE]\n\n"
_COUNT = _frame([], usage=USAGE)
_ERROR = {
    "message": "The upstream failed in the middle.",
    "type": "server_error",
    "param": None,
    "code": None,
}


def _text_frames(text: str) -> list[bytes]:
    words = re.findall(r"\S+\s*", text)
    return [_ROLE, *(_delta({"content": word}) for word in words)]


def _plain(number: int | None, fields: Mapping[str, object]) -> list[bytes]:
    count = [_COUNT] if asks_for_usage(fields) else []
    return [*_text_frames(text_of(number)), _STOP, *count, _DONE]


def _comments(*_: object) -> list[bytes]:
    comment = f": {COMMENT}\n\n".encode()
    return [
        comment,
        *(part for frame in _text_frames(TEXT) for part in (frame, comment)),
        b":\n\n",
        _STOP,
        comment,
        _DONE,
    ]


def _split(*_: object) -> list[bytes]:
    """CRLF line ends, and pieces that end anywhere, for example inside a character or between CR and LF."""
    data = b"".join([*_text_frames(TEXT), _STOP, _DONE]).replace(b"\n", b"\r\n")
    return [data[at : at + 97] for at in range(0, len(data), 97)]


def _breaks(*_: object) -> list[bytes]:
    begun = _text_frames(TEXT)[:4]
    return [*begun, _delta({"content": "half"})[:40]]


def _ends(*_: object) -> list[bytes]:
    return _text_frames(TEXT)[:4]


def _fails(*_: object) -> list[bytes]:
    return [*_text_frames(TEXT)[:4], b"data: " + json.dumps({"error": _ERROR}).encode() + b"\n\n"]


def _counts(*_: object) -> list[bytes]:
    """Usage that was not requested."""
    return [*_text_frames(TEXT), _STOP, _COUNT, _DONE]


def _calls(*_: object) -> list[bytes]:
    """Two calls, one after the other, whose deltas have no index."""
    frames = [_delta({"role": "assistant", "content": None})]
    for place, (name, arguments) in enumerate(CALLS):
        head = {"id": f"call_{place}", "type": "function", "function": {"name": name, "arguments": ""}}
        parts = (arguments[:5], arguments[5:])
        rest = [_delta({"tool_calls": [{"function": {"arguments": part}}]}) for part in parts]
        frames += [_delta({"tool_calls": [head]}), *rest]
    return [*frames, _delta({}, "tool_calls"), _DONE]


def _long(*_: object) -> list[bytes]:
    return [_ROLE, *(_delta({"content": f"{number} "}) for number in range(LONG)), _STOP, _DONE]


_FRAMES = {
    "comments": _comments,
    "split": _split,
    "breaks": _breaks,
    "ends-early": _ends,
    "error-event": _fails,
    "counts": _counts,
    "calls": _calls,
    "long": _long,
}

# ---- whole answers, and errors -------------------------------------------------------------------------------


def _whole(name: str, number: int | None, fields: Mapping[str, object]) -> Play:
    message = {"role": "assistant", "content": text_of(number), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    answer = {
        "id": "chatcmpl-gonogo",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": str(fields.get("model") or MODEL),
        "choices": [choice],
        "usage": USAGE,
    }
    data = json.dumps(answer, ensure_ascii=False).encode()
    return Play(200, _JSON, ((0.0, data[:60] if name == "garbled" else data),))


_JSON = (("content-type", "application/json"),)
_TRACE = (
    f'{INSIDE[2]}:\n  File "{INSIDE[1]}app.py", line 83, in generate\n    raise RuntimeError(status)\n'
    f"RuntimeError: POST http://{INSIDE[0]}:8080/generate answered 500"
)


def _envelope(message: str, kind: str, code: str | None, param: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}}).encode()


def _error(name: str, key: str) -> Play:
    if name == "silent":
        return Play(None, (), wait=SILENCE)
    status, headers, body = _ERRORS[name]
    return Play(status, headers, ((0.0, body.replace(b"{key}", key.encode())),))


_ERRORS: dict[str, tuple[int, Headers, bytes]] = {
    "silent": (0, (), b""),
    "refuses": (
        400,
        _JSON,
        _envelope(
            "temperature has to be at most 2.", "invalid_request_error", "invalid_value", "temperature"
        ),
    ),
    "crashes": (500, _JSON, _envelope(_TRACE, "server_error", None)),
    "page": (
        502,
        (("content-type", "text/html"),),
        f"<html><head><title>502</title></head><body><h1>Bad Gateway</h1>{INSIDE[0]}</body></html>".encode(),
    ),
    "full": (
        429,
        (*_JSON, ("retry-after", "1")),
        _envelope("Too many requests.", "rate_limit_error", "rate_limit_exceeded"),
    ),
    "bars": (
        401,
        _JSON,
        _envelope("Incorrect API key provided: {key}.", "invalid_request_error", "invalid_api_key"),
    ),
}
