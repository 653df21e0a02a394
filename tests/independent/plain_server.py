"""A small server that keeps the contract and shares no code with this project: the standard library and no more.

It speaks HTTP over loopback by itself, writes words of a fixed vocabulary, and refuses by name what it does not do.
It was written from the API's documents, so that it errs where the suite does not, and the other way round.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODELS = ("plain-words", "org/plain-words")
BORN = 1_760_000_000
LARGEST = 1 << 20
MOST_CHOICES = 4
LONGEST = 40
WORDS = (
    *("bread", "butter", "cheese", "door", "egg", "flour", "glass", "honey", "iron", "jam", "kettle", "lamp"),
    *(
        "milk",
        "nail",
        "oven",
        "plate",
        "quill",
        "rope",
        "salt",
        "table",
        "urn",
        "vase",
        "water",
        "yeast",
        "zinc",
    ),
    *("café", "naïve", "über", "漢字", "🙂", "north", "south", "east", "west", "red", "green", "blue"),
)


class Refusal(Exception):  # noqa: N818 - an answer, not a failure
    """An answer with an error object."""

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code

    @property
    def body(self) -> dict[str, Any]:
        """The error object, with its four keys."""
        told = {"message": str(self), "type": "invalid_request_error", "param": self.param, "code": self.code}
        return {"error": told}


# ---- what a request may hold


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: _is_number(value, low, high)


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: _is_whole(value, low, high)


def _text(most: int = 1 << 20) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= most


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _off(value: object) -> bool:
    return value is False


def _stops(value: object) -> bool:
    several = value if isinstance(value, list) else [value]
    return 1 <= len(several) <= 4 and all(isinstance(stop, str) and stop for stop in several)


def _labels(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= 16
        and all(len(key) <= 64 and isinstance(text, str) and len(text) <= 512 for key, text in value.items())
    )


def _options(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"include_usage", "include_obfuscation"}
        and all(map(_flag, value.values()))
    )


def _tiers(value: object) -> bool:
    return value in ("auto", "default")


def _only(*known: object) -> Callable[[Any], bool]:
    """A parameter that this server has at its neutral values and no others."""
    return lambda value: any(value == one and type(value) is type(one) for one in known)


LIMIT = _whole(1, 1 << 31)
SHARED: dict[str, Callable[[Any], bool]] = {
    "model": _text(),
    "stream": _flag,
    "stream_options": _options,
    "max_tokens": LIMIT,
    "temperature": _number(0, 2),
    "top_p": _number(0, 1),
    "n": _whole(1, MOST_CHOICES),
    "stop": _stops,
    "seed": _whole(-(1 << 63), (1 << 63) - 1),
    "presence_penalty": _only(0, 0.0),
    "frequency_penalty": _only(0, 0.0),
    "logit_bias": _only({}),
    "user": _text(1 << 10),
}
CHAT = SHARED | {
    "messages": lambda value: isinstance(value, list) and bool(value),
    "max_completion_tokens": LIMIT,
    "logprobs": _off,
    "top_logprobs": _only(),
    "response_format": _only({"type": "text"}),
    "tools": _only([]),
    "tool_choice": _only("none"),
    "metadata": _labels,
    "store": _flag,
    "service_tier": _tiers,
    "safety_identifier": _text(64),
    "prompt_cache_key": _text(),
}
COMPLETION = SHARED | {
    "max_tokens": _whole(0, 1 << 31),
    "prompt": lambda value: isinstance(value, str) or (isinstance(value, list) and bool(value)),
    "echo": _off,
    "logprobs": _only(),
    "suffix": _only(),
    "best_of": _only(1),  # one that is drawn is the best of one
}
NEVER_NULL = {"model", "messages", "response_format", "tools", "tool_choice"}
PARTS = {"text": "text", "refusal": "refusal"}


def admit(data: bytes, known: dict[str, Callable[[Any], bool]], needed: str) -> dict[str, Any]:
    """The fields of a request that are not null; raises Refusal where the request is none."""
    body = _object(data)
    for name, value in body.items():
        if name not in known:
            raise Refusal(f"There is no parameter {name!r} here.", name, "unknown_parameter")
        if not (name not in NEVER_NULL if value is None else known[name](value)):
            raise Refusal(f"This server does not take this value of {name!r}.", name, "invalid_value")
    given = {name: value for name, value in body.items() if value is not None}
    for name in ("model", needed):
        if name not in given:
            raise Refusal(f"{name!r} is missing.", name, "missing_required_parameter")
    _refuse_together(given)
    return given


def _object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data.decode(), parse_constant=_no_constant)
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refusal(f"The body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refusal("The body is not an object.")
    return body


def _refuse_together(given: dict[str, Any]) -> None:
    """What no field can say for itself."""
    if given["model"] not in MODELS:
        raise Refusal(f"There is no model {given['model']!r}.", "model", "model_not_found", 404)
    if "stream_options" in given and not given.get("stream"):
        raise Refusal("'stream_options' is for streams.", "stream_options")
    if given.get("best_of", given.get("n", 1)) < given.get("n", 1):
        raise Refusal("'best_of' is less than 'n'.", "best_of")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def rendered(messages: list[Any]) -> str:
    """A conversation as one text; raises Refusal for a message that is none, or is not for this server."""
    return "\n".join(_turn(message, f"messages[{number}]") for number, message in enumerate(messages))


def _turn(message: object, place: str) -> str:
    if not isinstance(message, dict):
        raise Refusal("A message is not an object.", place, "invalid_type")
    role = message.get("role")
    if role not in ("developer", "system", "user", "assistant"):
        raise Refusal(f"This server knows no role {role!r}.", f"{place}.role", "invalid_value")
    allowed = {"role", "content", "name"} | ({"refusal"} if role == "assistant" else set())
    for name in message.keys() - allowed:
        raise Refusal(f"This server does not take {name!r} in a message.", f"{place}.{name}")
    said = [message.get("name"), message.get("refusal")]
    if not all(text is None or isinstance(text, str) for text in said):
        raise Refusal("A name or refusal is not a string.", place, "invalid_type")
    content = message.get("content")
    if content is None and role != "assistant":
        raise Refusal("A message has no content.", f"{place}.content", "invalid_type")
    return " ".join([role, *filter(None, said), _said(content, f"{place}.content")])


def _said(content: object, place: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list) or not content:
        raise Refusal("The content is neither text nor parts.", place, "invalid_type")
    texts = []
    for number, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        text = part.get(PARTS.get(kind, "")) if isinstance(kind, str) else None
        if not isinstance(text, str):
            raise Refusal("This server takes parts of text only.", f"{place}[{number}]", "invalid_value")
        texts.append(text)
    return "".join(texts)


def prompts(value: str | list[Any]) -> list[str]:
    """The prompts of a completion; tokens are numbers of words. Raises Refusal for anything else."""
    if isinstance(value, str):
        return [value]
    if all(isinstance(item, str) for item in value):
        return value
    if all(_is_whole(item, 0, 1 << 31) for item in value):
        return [_of_tokens(value)]
    if all(isinstance(item, list) and item and all(_is_whole(n, 0, 1 << 31) for n in item) for item in value):
        return [_of_tokens(item) for item in value]
    raise Refusal("A prompt is neither text nor tokens.", "prompt", "invalid_type")


def _of_tokens(numbers: list[int]) -> str:
    return " ".join(WORDS[number % len(WORDS)] for number in numbers)


# ---- what it says


@dataclass(frozen=True)
class Said:
    """One choice: its text in pieces, why it ended, and the tokens that it took."""

    pieces: list[str]
    reason: str
    tokens: int

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces)


def say(prompt: str, body: dict[str, Any], chance: random.Random) -> Said:
    """Words after a prompt, one a token, up to the limit, a stop sequence, or the end that this server makes."""
    limit = body.get("max_completion_tokens", body.get("max_tokens", LONGEST))
    given = body.get("stop", [])
    stops = [given] if isinstance(given, str) else given
    pieces: list[str] = []
    while len(pieces) < min(limit, LONGEST):
        pieces.append(_word(prompt, len(pieces), body, chance))
        text = "".join(pieces)
        places = [text.index(stop) for stop in stops if stop in text]
        if places:
            return Said(_cut(pieces, min(places)), "stop", len(pieces))
    return Said(pieces, "stop" if limit > LONGEST else "length", len(pieces))


def _word(prompt: str, place: int, body: dict[str, Any], chance: random.Random) -> str:
    """One of five words, which prompt and place decide; the first is as likely as the other four."""
    digest = hashlib.sha256(f"{prompt}/{place}".encode()).digest()
    words = [WORDS[byte % len(WORDS)] for byte in digest[:5]]
    temperature, nucleus = body.get("temperature", 1), body.get("top_p", 1)
    chosen = words[0]
    if temperature > 0:
        weights = [share ** (1 / max(temperature, 0.01)) for share in (0.5, 0.2, 0.1, 0.1, 0.1)]
        total, kept, mass = sum(weights), 0, 0.0
        while kept < len(weights) and (kept == 0 or mass < nucleus):
            mass += weights[kept] / total
            kept += 1
        chosen = chance.choices(words[:kept], weights[:kept])[0]
    return chosen if place == 0 else " " + chosen


def _cut(pieces: list[str], end: int) -> list[str]:
    found = []
    for piece in pieces:
        if end > 0:
            found.append(piece[:end])
        end -= len(piece)
    return found


def count(text: str) -> int:
    """Tokens of a prompt: words, and marks between them."""
    return len(re.findall(r"\w+|[^\w\s]", text))


# ---- how it is written


@dataclass
class Generation:
    """The choices of one request, and the two forms in which they are sent."""

    chat: bool
    body: dict[str, Any]
    prompts: list[str]

    def __post_init__(self) -> None:
        """Generate everything; a fixed vocabulary needs no time."""
        chance = random.Random(self.body.get("seed"))
        each = self.body.get("n", 1)
        self.choices = [say(prompt, self.body, chance) for prompt in self.prompts for _ in range(each)]
        kind = "chatcmpl" if self.chat else "cmpl"
        self.head = {
            "id": f"{kind}-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": self.body["model"],
        }

    @property
    def usage(self) -> dict[str, int]:
        """Tokens of every prompt and every choice."""
        asked, said = sum(map(count, self.prompts)), sum(choice.tokens for choice in self.choices)
        return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}

    def whole(self) -> dict[str, Any]:
        """The answer as one object."""
        choices = [
            self._choice(index, said.reason, **self._whole(said)) for index, said in enumerate(self.choices)
        ]
        name = "chat.completion" if self.chat else "text_completion"
        return self.head | {"object": name, "choices": choices, "usage": self.usage}

    def _whole(self, said: Said) -> dict[str, Any]:
        if not self.chat:
            return {"text": said.text}
        return {"message": {"role": "assistant", "content": said.text, "refusal": None}}

    def events(self) -> Iterator[str]:
        """The data of every event of the answer as a stream."""
        name = "chat.completion.chunk" if self.chat else "text_completion"
        counted = (self.body.get("stream_options") or {}).get("include_usage", False)
        for index, said in enumerate(self.choices):
            for added, reason in self._steps(said):
                chunk = self.head | {"object": name, "choices": [self._choice(index, reason, **added)]}
                yield json.dumps(chunk | ({"usage": None} if counted else {}), ensure_ascii=False)
        if counted:
            yield json.dumps(self.head | {"object": name, "choices": [], "usage": self.usage})
        yield "[DONE]"

    def _steps(self, said: Said) -> Iterator[tuple[dict[str, Any], str | None]]:
        if not self.chat:
            yield from (({"text": piece}, None) for piece in said.pieces)
            yield {"text": ""}, said.reason
            return
        yield {"delta": {"role": "assistant", "content": ""}}, None
        yield from (({"delta": {"content": piece}}, None) for piece in said.pieces)
        yield {"delta": {}}, said.reason

    @staticmethod
    def _choice(index: int, reason: str | None, **added: object) -> dict[str, Any]:
        return {"index": index, **added, "logprobs": None, "finish_reason": reason}


def model(name: str) -> dict[str, Any]:
    """An entry of the list of models."""
    return {"id": name, "object": "model", "created": BORN, "owned_by": "nobody"}


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with connections that stay open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    routes: ClassVar[dict[str, str]] = {
        "/v1/models": "GET",
        "/v1/chat/completions": "POST",
        "/v1/completions": "POST",
    }

    def do_GET(self) -> None:
        self._answered()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - the base's names

    def _answered(self) -> None:
        try:
            self._answer(self._read())
        except Refusal as refusal:
            self._json(refusal.status, refusal.body)

    def _read(self) -> bytes:
        length = self.headers.get("content-length", "0")
        if self.headers.get("transfer-encoding") or not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True  # what is not read would be taken for the next request
            raise Refusal(f"The body must have a length of at most {LARGEST} bytes.", status=413)
        return self.rfile.read(int(length))

    def _answer(self, data: bytes) -> None:
        path = self.path.partition("?")[0]
        name = unquote(path.removeprefix("/v1/models/")) if path.startswith("/v1/models/") else None
        allowed = "GET" if name in MODELS else self.routes.get(path)
        if allowed is None:
            code = "model_not_found" if name else None
            raise Refusal(f"There is no {path}.", "model" if name else None, code, 404)
        if (allowed if self.command == "HEAD" and allowed == "GET" else self.command) != allowed:
            self._json(405, Refusal(f"{path} is for {allowed}.").body, {"allow": allowed})
        elif path == "/v1/models":
            self._json(200, {"object": "list", "data": [model(name) for name in MODELS]})
        elif name is not None:
            self._json(200, model(name))
        else:
            self._generate(self._asked(path, data))

    def _asked(self, path: str, data: bytes) -> Generation:
        if path == "/v1/chat/completions":
            body = admit(data, CHAT, "messages")
            return Generation(chat=True, body=body, prompts=[rendered(body["messages"])])
        body = admit(data, COMPLETION, "prompt")
        return Generation(chat=False, body={"max_tokens": 16} | body, prompts=prompts(body["prompt"]))

    def _generate(self, generation: Generation) -> None:
        if not generation.body.get("stream"):
            self._json(200, generation.whole())
            return
        self._head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        for data in generation.events():
            frame = f"data: {data}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))
        self.wfile.write(b"0\r\n\r\n")

    def _json(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        head = {"content-type": "application/json", "content-length": str(len(data))}
        self._head(status, head | (headers or {}))
        if self.command != "HEAD":
            self.wfile.write(data)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("x-request-id", uuid.uuid4().hex)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base refuses by itself, in this server's form."""
        self.close_connection = True
        self._json(code, Refusal(message or "This is not HTTP.").body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """Serve on a free port of loopback; yields the base URL of the API."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()
