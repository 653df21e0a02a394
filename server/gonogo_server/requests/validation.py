"""One sentence for a body that does not match its model, with the path of the field: `messages[0].content`.

Pydantic reports every branch of every union that it tried, each up to its first wrong item of an array (`fail_fast` in
the models). Only the branch that matched furthest helps the client. No I/O.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

SUBJECT: Final = re.compile("^(Input|String|List|Dictionary) should")
"""The beginnings of pydantic's messages."""

TYPES: Final[Mapping[str, str]] = {
    "string_type": "a string",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "none_required": "null",
}
"""Pydantic's error types for a wrong type, and the expected type."""

NAMES: Final[tuple[tuple[type, str], ...]] = (
    (bool, "a boolean"),
    (str, "a string"),
    (int, "an integer"),
    (float, "a number"),
    (list, "an array"),
    (dict, "an object"),
)


def refusal(error: ValidationError, document: object) -> BadRequest:
    """The first error of `document`, with the path of its field."""
    found = [
        (_path(detail, document), detail)
        for detail in error.errors(include_url=False)
        # The union branch for an absent field is irrelevant to a field that is present.
        if detail["type"] != "missing_sentinel_error"
    ]
    kept = _of_its_type(found)
    path = _furthest(kept)
    return _sentence(_spelled(path), [detail for where, detail in kept if where == path])


def unknown_field(body: BaseModel) -> BadRequest | None:
    """The first field, at any depth, that the contract does not know; None if there is none.

    Unknown fields that are null are ignored: clients serialize whole objects of newer or older versions.
    """
    path = next(_unknown(body, ()), None)
    return None if path is None else _unknown_parameter(_spelled(path))


def _path(detail: ErrorDetails, document: object) -> Path:
    """The path in the document: pydantic's location without the names of union branches."""
    path: list[str | int] = []
    value = document
    for last, step in ((at == len(detail["loc"]) - 1, step) for at, step in enumerate(detail["loc"])):
        match value, step:
            case (dict(), str()) if step in value:
                value = value[step]
            case (list(), int()) if step < len(value):
                value = value[step]
            case (dict(), str()) if last and detail["type"] == "missing":
                pass
            case _:
                continue
        path.append(step)
    return tuple(path)


def _of_its_type(found: Sequence[tuple[Path, ErrorDetails]]) -> Sequence[tuple[Path, ErrorDetails]]:
    """The errors without those of branches for another `type`, if one branch is for the `type` that was sent."""
    other = [
        (path[:-1], detail["loc"][:-1])
        for path, detail in found
        if detail["type"] == "literal_error" and path[-1:] == ("type",)
    ]
    kept = [
        (path, detail)
        for path, detail in found
        if not any(detail["loc"][: len(branch)] == branch for _, branch in other)
    ]
    if any(not any(path[: len(place)] == place for path, _ in kept) for place, _ in other):
        return found
    return kept


def _furthest(found: Sequence[tuple[Path, ErrorDetails]]) -> Path:
    """The path of the branch that matched furthest; of several, the first."""
    furthest = found[0]
    for each in found:
        if _comes_further(_reached(*each), _reached(*furthest)):
            furthest = each
    return furthest[0]


def _reached(path: Path, detail: ErrorDetails) -> Path:
    """How far a branch matched: of an array that is too long, all items up to the limit."""
    return (*path, detail["ctx"]["max_length"]) if detail["type"] == "too_long" else path


def _comes_further(path: Path, other: Path) -> bool:
    """Whether `path` continues `other`, or matched more items of the same array."""
    for step, than in zip(path, other, strict=False):
        if step != than:
            return isinstance(step, int) and isinstance(than, int) and step > than
    return len(path) > len(other)


def _sentence(param: str, details: Sequence[ErrorDetails]) -> BadRequest:
    # A branch that already has the right type describes the error better than one of another type.
    detail = next((each for each in details if each["type"] not in TYPES), details[0])
    match detail["type"]:
        case "missing" | "union_tag_not_found":
            if detail["type"] == "union_tag_not_found":
                param += "." + _discriminator(detail)
            return BadRequest(
                f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
            )
        case "literal_error" if len(details) > 1 and all(each["type"] == "literal_error" for each in details):
            known = ", ".join(dict.fromkeys(each["ctx"]["expected"] for each in details))
            message = f"Invalid value: '{detail['input']}'. Supported values are: {known}."
            return BadRequest(message, param=param, code="invalid_value")
        case "extra_forbidden":
            return _unknown_parameter(param)
        case "union_tag_invalid":
            param += "." + _discriminator(detail)
            context = detail["ctx"]
            message = f"Invalid value: '{context['tag']}'. Supported values are: {context['expected_tags']}."
            return BadRequest(message, param=param, code="invalid_value")
        case kind if kind in TYPES:
            return _wrong_type(param, details)
        case _:
            said = SUBJECT.sub("it should", detail["msg"]).replace(" after validation", "")
            return BadRequest(f"Invalid value for '{param}': {said}.", param=param, code="invalid_value")


def _wrong_type(param: str, details: Sequence[ErrorDetails]) -> BadRequest:
    wanted = list(dict.fromkeys(TYPES[detail["type"]] for detail in details))
    choice = " or ".join(filter(None, [", ".join(wanted[:-1]), wanted[-1]]))
    message = f"Invalid type for '{param}': expected {choice}, but got {_name(details[0]['input'])} instead."
    return BadRequest(message, param=param, code="invalid_type")


def _unknown_parameter(param: str) -> BadRequest:
    return BadRequest(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def _discriminator(detail: ErrorDetails) -> str:
    return str(detail["ctx"]["discriminator"]).strip("'")


def _name(value: object) -> str:
    return next((name for kind, name in NAMES if isinstance(value, kind)), "null")


def _spelled(path: Path) -> str:
    spelled = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return spelled.removeprefix(".")


def _unknown(value: object, path: Path) -> Iterator[Path]:
    match value:
        case BaseModel():
            yield from (
                (*path, name) for name, extra in (value.model_extra or {}).items() if extra is not None
            )
            for name, field in type(value).model_fields.items():
                yield from _unknown(getattr(value, name), (*path, field.alias or name))
        case list():
            for index, item in enumerate(value):
                if isinstance(item, (BaseModel, list)):  # skips token ids, of which there may be a million
                    yield from _unknown(item, (*path, index))
