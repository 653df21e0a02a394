"""The requests that the plain server accepts, and its refusals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from independent.words import of_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS = ("plain-words", "org/plain-words")
MOST_CHOICES = 4


class Refusal(Exception):  # noqa: N818 - an answer, not a failure
    """An answer with an error object."""

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code

    @property
    def body(self) -> dict[str, Any]:
        """The error object, with its four members."""
        told = {"message": str(self), "type": "invalid_request_error", "param": self.param, "code": self.code}
        return {"error": told}


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
    """A parameter that this server accepts only with its neutral values."""
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
    "best_of": _only(1),  # a single answer is the best of one
}
NEVER_NULL = {"model", "messages", "response_format", "tools", "tool_choice"}
PARTS = {"text": "text", "refusal": "refusal"}


def admit(data: bytes, known: dict[str, Callable[[Any], bool]], needed: str) -> dict[str, Any]:
    """The fields of a request that are not null. Raises Refusal if it is not a valid request."""
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
    """Refuse invalid combinations of fields."""
    if given["model"] not in MODELS:
        raise Refusal(f"There is no model {given['model']!r}.", "model", "model_not_found", 404)
    if "stream_options" in given and not given.get("stream"):
        raise Refusal("'stream_options' is for streams.", "stream_options")
    if given.get("best_of", given.get("n", 1)) < given.get("n", 1):
        raise Refusal("'best_of' is less than 'n'.", "best_of")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def rendered(messages: list[Any]) -> str:
    """A conversation as one text. Raises Refusal for an invalid or unsupported message."""
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
        return [of_tokens(value)]
    if all(isinstance(item, list) and item and all(_is_whole(n, 0, 1 << 31) for n in item) for item in value):
        return [of_tokens(item) for item in value]
    raise Refusal("A prompt is neither text nor tokens.", "prompt", "invalid_type")
