"""Validation against the contract's schemas, with errors that name one field each.

A schema error is reported at the field that causes it: a missing property at its own path, and a value that matches no
branch of a union at the error of the nearest branch.
"""

from __future__ import annotations

import copy
import functools
import json
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gonogo_contract
import jsonschema_rs

from gonogo.judge.outcome import undecided
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

SENTENCE = 200


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value that breaks a schema: the `field` ("choices[].finish_reason"), the exact `pointer`, and why.

    `idle_null` is true for a null that the schema does not allow in an optional field.
    """

    field: str
    pointer: str
    message: str
    missing: bool = False
    idle_null: bool = False


def misfits(component: str, value: object) -> list[Misfit]:
    """Every way in which `value` breaks the component of that name, in document order.

    Raises Stop if the value is nested more deeply than the validator supports.
    """
    return [_misfit(error, component, value) for error in _errors(component, value)]


def owned(misfit: Misfit, field: str) -> bool:
    """Whether the misfit is at the field, or inside it."""
    return misfit.field == field or misfit.field.startswith((field + ".", field + "["))


def _errors(component: str, value: object) -> list[Any]:
    try:
        problems = list(_validator(component).iter_errors(value))
    except ValueError as error:
        raise undecided(Reason.NOT_VALIDATED, component=component, error=str(error)) from error
    return [cause for problem in problems for cause in _causes(problem)]


@functools.cache
def _validator(component: str) -> Any:  # noqa: ANN401 - jsonschema-rs has one validator class per draft
    return jsonschema_rs.validator_for(gonogo_contract.component_schema(component))


def _causes(error: Any) -> Iterator[Any]:  # noqa: ANN401 - jsonschema-rs' error
    """The errors of the nearest branch; the error itself if the schema is not a union."""
    branches = [branch for branch in getattr(error.kind, "context", None) or [] if branch]
    if not branches:
        yield error
        return
    depth = len(error.instance_path)
    best = max(branches, key=lambda branch: (_reach(branch, depth), -len(branch)))
    if _reach(best, depth) == 0:
        yield error
        return
    for cause in best:
        yield from _causes(cause)


def _reach(branch: list[Any], depth: int) -> int:
    """How well a branch matched: 0 if the type or constant itself is wrong, else the depth of the error."""
    if any(len(error.instance_path) == depth and error.kind.name in ("type", "const") for error in branch):
        return 0
    return 1 + min(len(error.instance_path) for error in branch)


def _misfit(error: Any, component: str, value: object) -> Misfit:  # noqa: ANN401 - jsonschema-rs' error
    idle_null = error.instance is None and _could_be_left_out(error.instance_path, component, value)
    path = list(error.instance_path)
    missing = error.kind.name == "required"
    if missing:
        path.append(error.kind.property)
    field = "".join("[]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    message = _sentence(error)
    if len(message) > SENTENCE:
        message = message[: SENTENCE // 2] + " … " + message[-SENTENCE // 2 :]
    return Misfit(field, pointer, message, missing, idle_null)


def _could_be_left_out(path: list[str | int], component: str, value: object) -> bool:
    """Whether the schema accepts the value without the field at `path`."""
    if not path or isinstance(path[-1], int):
        return False
    without = copy.deepcopy(value)
    holder: Any = functools.reduce(operator.getitem, path[:-1], without)  # type: ignore[arg-type]  # JSON is untyped
    del holder[path[-1]]
    return not any(
        error.kind.name == "required" and [*error.instance_path, error.kind.property] == path
        for error in _errors(component, without)
    )


def _sentence(error: Any) -> str:  # noqa: ANN401 - jsonschema-rs' error
    """The error with the value, which jsonschema-rs omits in a few messages."""
    found = json.dumps(error.instance, ensure_ascii=False)
    match error.kind.name:
        case "required":
            return f'"{error.kind.property}" is missing'
        case "const":
            return f"{found} in place of {json.dumps(error.kind.expected_value)}"
        case "enum":
            return f"{found} is not one of {', '.join(map(json.dumps, error.kind.options))}"
        case "anyOf" | "oneOf" if types := _types(error):
            return f"{found} is not of types {', '.join(map(json.dumps, types))}"
        case _:
            return str(error.message)


def _types(error: Any) -> list[str]:  # noqa: ANN401 - jsonschema-rs' error
    """The types that the branches of a union accept; none unless each of them fails on the type."""
    wanted = [
        [
            cause.kind.types
            for cause in branch
            if cause.kind.name == "type" and cause.instance == error.instance
        ]
        for branch in getattr(error.kind, "context", None) or []
    ]
    if not all(wanted):
        return []
    return list(dict.fromkeys(name for branch in wanted for types in branch for name in types))
