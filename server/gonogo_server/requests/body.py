"""Parses the bytes of a request to its model, or raises one clear error. No I/O."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from gonogo_wire import CreateChatCompletionRequest
from pydantic import BaseModel, ValidationError

from gonogo_server.errors import BadRequest, UnsupportedMediaType
from gonogo_server.requests.bounds import Bounds, check_bounds, too_deep
from gonogo_server.requests.echoes import drop_echoes
from gonogo_server.requests.validation import refusal, unknown_field

if TYPE_CHECKING:
    from collections.abc import Mapping

Body = TypeVar("Body", bound=BaseModel)

USUAL: Final = Bounds()


def parse(
    raw: bytes, content_type: str | None, model: type[Body], bounds: Bounds = USUAL, *, strict: bool = True
) -> Body:
    """The body as `model`; `strict` rejects fields that the contract does not know.

    Raises `BadRequest` if the body is not a JSON object, exceeds `bounds`, or does not match `model`, and
    `UnsupportedMediaType` if it is not declared as JSON.
    """
    _check_content_type(content_type)
    document = json_object(raw, bounds)
    try:
        body = model.model_validate(document)
    except ValidationError as error:
        raise refusal(error, document) from None
    if strict:
        check_known(body)
    return body


def check_known(body: BaseModel) -> None:
    """Raise `BadRequest` for a field unknown to the contract; first removes fields that clients echo from answers."""
    if isinstance(body, CreateChatCompletionRequest):
        drop_echoes(body.messages)
    if (unknown := unknown_field(body)) is not None:
        raise unknown


def json_object(raw: bytes, bounds: Bounds = USUAL) -> Mapping[str, object]:
    """The JSON object in `raw`. Raises `BadRequest` for anything else, including NaN and Infinity.

    `bounds` limit its content; the body itself is the first level of depth. A number such as 883.0 is an integer, as in
    JSON Schema (2020-12 validation, section 6.1.1).
    """
    if not raw:
        raise _unreadable("it is empty")
    check_bounds(raw, bounds)
    try:
        document = json.loads(raw.decode(), parse_float=_number, parse_constant=_no_number)
        _check_surrogates(raw, document)
    except UnicodeDecodeError as error:
        raise _unreadable(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _unreadable(f"{error.msg.lower()}, at character {error.pos}") from None
    except RecursionError:
        raise too_deep(bounds.depth) from None
    except ValueError:
        # Python does not parse longer integers, because that takes quadratic time (sys.set_int_max_str_digits).
        raise _unreadable("an integer in it has too many digits") from None
    if not isinstance(document, dict):
        raise BadRequest("The body must be a JSON object: send {...}.", code="invalid_type")
    if _deeper_than(bounds.depth, document):
        raise too_deep(bounds.depth)
    return document


def _deeper_than(limit: int, document: object) -> bool:
    """Whether containers are nested more than `limit` deep; level by level, because recursion is limited."""
    level: list[Any] = [document]
    for _ in range(limit):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _unreadable(why: str) -> BadRequest:
    return BadRequest(f"The body is not valid JSON: {why}.", code="invalid_json")


def _check_content_type(content_type: str | None) -> None:
    """Refuse media types that a browser sends across origins without a preflight request, as FastAPI does."""
    media_type = (content_type or "nothing").partition(";")[0].strip().lower()
    subtype = media_type.removeprefix("application/")
    if subtype == media_type or not (subtype == "json" or subtype.endswith("+json")):
        raise UnsupportedMediaType(
            f"The body must be declared as JSON: set Content-Type to application/json, not {media_type}.",
            code="unsupported_media_type",
        )


def _number(literal: str) -> int | float:
    number = float(literal)
    if math.isinf(number):
        raise _unreadable(f"{literal} is larger than any double")
    return int(number) if number.is_integer() else number


def _no_number(literal: str) -> NoReturn:
    raise _unreadable(f"{literal} is not a JSON number")


def _check_surrogates(raw: bytes, document: object) -> None:
    """Refuse a lone surrogate, which JSON escapes allow and UTF-8 cannot encode."""
    if b"\\ud" not in raw.lower():
        return
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _unreadable("a \\u escape is an unpaired surrogate") from None
