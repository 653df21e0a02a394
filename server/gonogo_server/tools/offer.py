"""The tools of a request: which may be called, whether a call is required, and how often. No I/O.

Source: OpenAI guide, "Function calling": "required" calls one or more functions, a named function is called exactly
once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gonogo_wire import ChatCompletionAllowedToolsChoice, ChatCompletionNamedToolChoice
from pydantic import MISSING

from gonogo_server.errors import BadRequest
from gonogo_server.schemas.limits import USUAL
from gonogo_server.schemas.structured import advised, enforced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_wire import ChatCompletionTool, CreateChatCompletionRequest

    from gonogo_server.schemas.limits import SchemaLimits

MOST_CALLS: Final = 16
"""Maximum calls in one message; a small model may not stop on its own."""

OPEN_ENDED: Final = frozenset(
    {"additionalProperties", "patternProperties", "$ref", "allOf", "anyOf", "oneOf"}
)
"""Keywords beside `properties` that may allow further properties."""

NO_PARAMETERS: Final[dict[str, Any]] = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Function:
    """A function that may be called: `tool` is its form for templates, `rule` the Lark rule of its arguments."""

    name: str
    strict: bool
    tool: dict[str, Any]
    rule: str


@dataclass(frozen=True, slots=True)
class Offer:
    """The functions that a message may call: at most `most` times, at least once if `forced`.

    `named`: the request chose the function, so the message ends with "stop", as in the API.
    """

    functions: tuple[Function, ...]
    forced: bool = False
    named: bool = False
    most: int = MOST_CALLS

    @property
    def strict(self) -> bool:
        """Whether the arguments of any function must match its schema."""
        return any(function.strict for function in self.functions)

    @property
    def tools(self) -> tuple[dict[str, Any], ...]:
        """The functions in the API's form."""
        return tuple(function.tool for function in self.functions)


def offer(body: CreateChatCompletionRequest, limits: SchemaLimits = USUAL) -> Offer | None:
    """The tools that may be called; None if none may.

    Raises `BadRequest` for parameters that are not an object schema, for a strict schema that cannot be enforced, for
    two functions of one name, and for a `tool_choice` that names an unknown function.
    """
    tools = [] if body.tools is MISSING or body.tools is None else body.tools
    functions = [_function(tool, f"tools[{index}].function", limits) for index, tool in enumerate(tools)]
    by_name = {function.name: function for function in functions}
    if len(by_name) < len(functions):
        _refuse_twins(functions)
    most = 1 if body.parallel_tool_calls is False else MOST_CALLS
    match body.tool_choice:
        case "none":
            return None
        case "required":
            return _forced(functions, most)
        case ChatCompletionNamedToolChoice(function=chosen):
            chosen_one = _offered(by_name, chosen.name, "tool_choice.function.name")
            return Offer((chosen_one,), forced=True, named=True, most=1)
        case ChatCompletionAllowedToolsChoice(allowed_tools=allowed):
            some = [
                _offered(
                    by_name, tool.function.name, f"tool_choice.allowed_tools.tools[{index}].function.name"
                )
                for index, tool in enumerate(allowed.tools)
            ]
            once = list({function.name: function for function in some}.values())
            return _forced(once, most) if allowed.mode == "required" else _free(once, most)
        case _:
            return _free(functions, most)


def _free(functions: Sequence[Function], most: int) -> Offer | None:
    return Offer(tuple(functions), most=most) if functions else None


def _forced(functions: Sequence[Function], most: int) -> Offer:
    if not functions:
        raise BadRequest(
            "'tool_choice' requires a tool call, but there is no tool: add one to 'tools'.",
            param="tool_choice",
            code="invalid_value",
        )
    return Offer(tuple(functions), forced=True, most=most)


def _offered(by_name: dict[str, Function], name: str, param: str) -> Function:
    if name not in by_name:
        raise BadRequest(
            f"'tools' has no function '{name}': use the name of a listed function.",
            param=param,
            code="invalid_value",
        )
    return by_name[name]


def _refuse_twins(functions: Sequence[Function]) -> None:
    names = [function.name for function in functions]
    index = next(index for index, name in enumerate(names) if name in names[:index])
    raise BadRequest(
        f"Two functions have the name '{names[index]}': use unique names.",
        param=f"tools[{index}].function.name",
        code="invalid_value",
    )


def _function(tool: ChatCompletionTool, at: str, limits: SchemaLimits) -> Function:
    function = tool.function
    parameters = _parameters(function.parameters, f"{at}.parameters")
    about = {} if function.description in (MISSING, None) else {"description": function.description}
    param, code = f"{at}.parameters", "invalid_function_parameters"
    if function.strict:
        rule = enforced(parameters, param, code, limits)
    else:
        rule = advised(_closed(parameters), param, code, limits)
    described = {"name": function.name, **about, "parameters": parameters}
    return Function(function.name, bool(function.strict), {"type": "function", "function": described}, rule)


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without unnamed parameters, because small models invent them, and calls then fail.

    A schema that is not strict promises no more. It stays open if it says so, if its subschemas may name more, or if it
    has no `properties`; empty `properties` mean no parameters.
    """
    open_ended = OPEN_ENDED & schema.keys() or "properties" not in schema
    return schema if open_ended else {**schema, "additionalProperties": False}


def _parameters(schema: dict[str, Any] | MISSING | None, param: str) -> dict[str, Any]:
    if schema is MISSING or schema is None:
        return NO_PARAMETERS
    if schema.get("type", "object") != "object":
        raise BadRequest(
            'The parameters of a function must be an object: set the type of their schema to "object".',
            param=param,
            code="invalid_function_parameters",
        )
    return {"type": "object", **schema}
