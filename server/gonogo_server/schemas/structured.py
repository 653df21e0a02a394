"""Structured outputs: compiles a response format to a grammar, with llguidance. No I/O.

A schema is enforced exactly or refused with a reason. `strict` false promises less in the API, but is treated the same
here. The grammar is narrower than the schema in two ways, and never accepts a wrong value: properties come in the order
of the schema, and JSON is written as Python's json writes it, with one space after each comma and colon, so that
separators need not be generated token by token. If the model may choose the whitespace, it is bounded, because small
models get stuck in it.

Source: OpenAI guide, "Structured model outputs"; llguidance, docs/json_schema.md.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
from gonogo_wire import ResponseFormatJsonObject, ResponseFormatJsonSchema
from llguidance import LLMatcher, LLTokenizer
from pydantic import MISSING

from gonogo_server.errors import BadRequest
from gonogo_server.schemas.finite import dead_end
from gonogo_server.schemas.graph import graph
from gonogo_server.schemas.limits import USUAL, excess
from gonogo_server.schemas.numbers import changed
from gonogo_server.schemas.reasons import TOO_MUCH, explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo_wire import ResponseFormatText

    from gonogo_server.schemas.limits import SchemaLimits

    ResponseFormat = ResponseFormatText | ResponseFormatJsonObject | ResponseFormatJsonSchema
    Schema = Mapping[str, Any]

WHITESPACE: Final = r" |\r?\n[ \t]{0,32}"
"""Allowed between two tokens of JSON, besides nothing: a space, or a line break and an indentation."""

_FREE: Final = {"whitespace_pattern": WHITESPACE}
_FIXED: Final = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_LENIENT: Final = {"lenient": True, "coerce_one_of": True}

_SILENT: Final = {
    "nullable": 'name both types, as in {"type": ["string", "null"]}',
    "additionalItems": "use 'prefixItems' and 'items'",
    "divisibleBy": "use 'multipleOf'",
    "disallow": "remove it",
    "extends": "use 'allOf'",
    "x-guidance": "remove it",
}
"""Keywords that llguidance ignores or treats leniently, and what to use instead.

It refuses every other keyword that it does not implement. Keywords unknown to every specification are annotations (JSON
Schema 2020-12, section 6.5).
"""

_MESSAGE: Final = 300
"""Characters of a reason, because a validator may quote much of the schema."""
MOST_SHOWN: Final = 10**30
"""Integers from this size on are not quoted."""
_BEGINNINGS: Final = (b'{"', b'["')
"""Beginnings of answers with which a grammar is tested beyond its first token."""

_BYTES: Final = LLTokenizer("byte")


@dataclass(frozen=True, slots=True)
class Structure:
    """The form of an answer: `rule` is the right side of a Lark rule, `instruction` is for the model."""

    rule: str
    instruction: str


def structure(
    response_format: ResponseFormat | MISSING | None, limits: SchemaLimits = USUAL
) -> Structure | None:
    """The structure that `response_format` asks for; None for free text.

    Raises `BadRequest` for a schema that is invalid, unsatisfiable or not enforceable.
    """
    match response_format:
        case ResponseFormatJsonObject():
            return Structure(
                _rule({"type": "object"}, _written(limits)), "Answer with one JSON object and nothing else."
            )
        case ResponseFormatJsonSchema(json_schema=wanted):
            schema = {} if wanted.schema_ is MISSING or wanted.schema_ is None else wanted.schema_
            rule = enforced(schema, "response_format.json_schema.schema", "invalid_json_schema", limits)
            about = "" if wanted.description in (MISSING, None) else f"{wanted.description}\n"
            return Structure(
                rule,
                f"Answer with one JSON value and nothing else: '{wanted.name}', by this JSON Schema.\n"
                f"{about}{json.dumps(schema, ensure_ascii=False)}",
            )
        case _:
            return None


def enforced(schema: Schema, param: str, code: str, limits: SchemaLimits = USUAL) -> str:
    """The right side of a Lark rule for JSON that matches the schema.

    Raises `BadRequest`, with `param` and `code`, if that cannot be guaranteed.
    """
    reason = _inadmissible(schema, limits) or _overlooked(schema)
    if reason := reason or _refused(schema, _written(limits)) or _broken(schema):
        raise BadRequest(f"This schema cannot be enforced: {reason}.", param=param, code=code)
    return _rule(schema, _written(limits))


def advised(schema: Schema, param: str, code: str, limits: SchemaLimits = USUAL) -> str:
    """As `enforced`, as far as possible: what cannot be enforced is left to the model.

    Raises `BadRequest` only for an invalid JSON Schema.
    """
    if reason := _inadmissible(schema, limits) or _broken(schema):
        raise BadRequest(f"This schema cannot be read: {reason}.", param=param, code=code)
    options = _written(limits) | _LENIENT
    if changed(graph(schema)) is not None or _refused(schema, options):
        return _rule({"type": "object"}, options)
    return _rule(schema, options)


def grammar(lark: str) -> str:
    """A grammar for `Generation.grammar`, from rules in Lark. Raises `BadRequest` if it is too large."""
    made = LLMatcher.grammar_from_lark(lark)
    matcher = LLMatcher(_BYTES, made, log_level=0)
    if matcher.is_error():
        raise BadRequest(
            "The schemas of this request are too large for one grammar: send fewer or smaller ones.",
            code="invalid_json_schema",
        )
    return made


def _written(limits: SchemaLimits) -> dict[str, Any]:
    """The options for the whitespace of JSON."""
    return dict(_FREE if limits.whitespace == "free" else _FIXED)


def _rule(schema: Schema, options: Schema) -> str:
    return f"%json {json.dumps({**schema, 'x-guidance': options}, ensure_ascii=False)}"


def _unwritable(schema: Schema) -> str | None:
    try:
        json.dumps(schema)
        LLMatcher.grammar_from_json_schema(dict(schema))  # serializes it, without compiling it
    except RecursionError:
        return "it is nested too deeply"
    except ValueError:
        return "a number in it is too large"
    return None


def _inadmissible(schema: Schema, limits: SchemaLimits) -> str | None:
    """The reason to refuse a schema without compiling it."""
    if reason := _unwritable(schema):
        return reason
    made_of = graph(schema)
    if reason := excess(made_of, limits):
        return reason
    return (
        "a part of it requires itself recursively without end, so no answer matches"
        if dead_end(made_of)
        else None
    )


def _overlooked(schema: Schema) -> str | None:
    """What the library would ignore or change."""
    made_of = graph(schema)
    if (number := changed(made_of)) is not None:
        shown = str(number) if abs(number) < MOST_SHOWN else "a number"
        return f"{shown} in it is an integer that grammars cannot represent exactly; use a string"
    for part in made_of.nodes:
        if isinstance(part, bool):
            continue
        for keyword, advice in _SILENT.items():
            if keyword in part and not (keyword == "nullable" and part[keyword] is False):
                return f"'{keyword}' is not supported; {advice}"
        if _counts_names_twice(part):
            return "'minProperties' above 1 is supported only if 'additionalProperties' is false"
    return None


def _counts_names_twice(part: Schema) -> bool:
    """Whether a name written twice would count as two properties; llguidance does not compare free names."""
    least = part.get("minProperties", 0)
    closed = part.get("additionalProperties", True) is False and not part.get("patternProperties")
    return isinstance(least, int) and least > 1 and not closed


def _refused(schema: Schema, options: Schema) -> str | None:
    """Why llguidance cannot compile the schema."""
    made = LLMatcher.grammar_from_json_schema(dict(schema), overrides=dict(options))  # type: ignore[arg-type]  # a TypedDict of these keys
    matcher = LLMatcher(_BYTES, made, log_level=0)
    if matcher.is_error():
        return explained(LLMatcher.validate_grammar(made) or matcher.get_error())
    return None if all(_begins(matcher.deep_copy(), text) for text in _BEGINNINGS) else TOO_MUCH


def _begins(matcher: LLMatcher, text: bytes) -> bool:
    """Whether the library computes the next tokens after this beginning; it gives up on some grammars."""
    for byte in text:
        allowed = matcher.compute_logit_bias()
        if matcher.is_error() or not allowed[byte]:
            break
        matcher.consume_token(byte)
    else:
        matcher.compute_bitmask()
    return not matcher.is_error()


def _first_line(error: str) -> str:
    line = " ".join(error.removeprefix("ERROR: ").split())
    return line if len(line) <= _MESSAGE else f"{line[:_MESSAGE]}…"


def _foreign(schema: Schema) -> bool:
    """Whether the schema names an unknown dialect, which validators would look up in the network."""
    return "$schema" in schema and not _DIALECT.fullmatch(str(schema["$schema"]))


_DIALECT: Final = re.compile(r"https?://json-schema\.org/(draft-0[467]|draft/(2019-09|2020-12))/schema#?")


def _broken(schema: Schema) -> str | None:
    """Why the schema is not a valid JSON Schema."""
    if _foreign(schema):
        return "its '$schema' is unknown"
    try:
        jsonschema_rs.meta.validate(dict(schema))
    except jsonschema_rs.ValidationError as error:
        return f"{_first_line(error.message)}{_at(error.instance_path)}"
    return None


def _at(path: list[str | int]) -> str:
    return f" (at '{'/'.join(map(str, path))}')" if path else ""
