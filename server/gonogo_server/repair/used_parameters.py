"""The parameters that a request uses: one function each, which returns the name of the parameter or None. No I/O.

Values that ask for the default behaviour (null, the default) do not count as used.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from gonogo_server.repair.base import Document

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

Asks: TypeAlias = Callable[[Document], str | None]

SYSTEM: Final = frozenset({"system", "developer"})


def given(*names: str) -> Asks:
    """Whether one of these members is present and not null, false or empty."""

    def asks(document: Document) -> str | None:
        return next((name for name in names if document.get(name)), None)

    return asks


def other(name: str, *usual: object) -> Asks:
    """Whether the value is neither null nor one of the usual ones."""

    def asks(document: Document) -> str | None:
        value = document.get(name)
        return None if value is None or value in usual else name

    return asks


def response_format(kind: str) -> Asks:
    """Whether this response format is requested."""

    def asks(document: Document) -> str | None:
        wanted = document.get("response_format")
        return "response_format" if isinstance(wanted, dict) and wanted.get("type") == kind else None

    return asks


def message(found: Callable[[Sequence[Document]], int | None]) -> Asks:
    """Whether one of the messages matches: `found` returns its number."""

    def asks(document: Document) -> str | None:
        messages = [message for message in document.get("messages") or () if isinstance(message, dict)]
        number = found(messages)
        return None if number is None else f"messages[{number}]"

    return asks


def first(holds: Callable[[Document], bool]) -> Callable[[Sequence[Document]], int | None]:
    """The number of the first message that matches."""
    return lambda messages: next((at for at, each in enumerate(messages) if holds(each)), None)


def _parts(message: Document) -> Iterator[Document]:
    content = message.get("content")
    if isinstance(content, list):
        yield from (part for part in content if isinstance(part, dict))


def has_other_parts(message: Document) -> bool:
    """Whether a message has parts other than text."""
    return any(part.get("type") not in {"text", "refusal"} for part in _parts(message))


def _text(message: Document) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or part.get("refusal") or "") for part in _parts(message))


def is_silent(message: Document) -> bool:
    """Whether it is an assistant's message without text and tool calls."""
    return message.get("role") == "assistant" and not message.get("tool_calls") and not _text(message)


def late_system(messages: Sequence[Document]) -> int | None:
    """The first system message that is not the first message."""
    return next(
        (at for at, message in enumerate(messages) if at and message.get("role") in SYSTEM),
        None,
    )


def same_speaker(messages: Sequence[Document]) -> int | None:
    """The first message of the same role as the one before it."""
    roles = [message.get("role") for message in messages]
    return next(
        (
            at
            for at in range(1, len(roles))
            if roles[at] == roles[at - 1] and roles[at] in {"user", "assistant"}
        ),
        None,
    )


def unusual(messages: Sequence[Document]) -> int | None:
    """The first message if it is not the user's, the last one if it is the assistant's, or an empty one."""
    spoken = [at for at, message in enumerate(messages) if message.get("role") not in SYSTEM]
    if spoken and messages[spoken[0]].get("role") != "user":
        return spoken[0]
    if messages and messages[-1].get("role") not in {"user", "tool"}:
        return len(messages) - 1
    return first(lambda message: not message.get("tool_calls") and not _text(message))(messages)


def orphan(messages: Sequence[Document]) -> int | None:
    """The first tool result without an earlier call."""
    called: set[object] = set()
    for at, each in enumerate(messages):
        if each.get("role") == "tool" and each.get("tool_call_id") not in called:
            return at
        called |= {call.get("id") for call in each.get("tool_calls") or () if isinstance(call, dict)}
    return None


def has_cut_arguments(message: Document) -> bool:
    """Whether a call in it has arguments that are not a JSON object."""
    calls = message.get("tool_calls")
    return any(not _is_object(call) for call in calls) if isinstance(calls, list) else False


def _is_object(call: Any) -> bool:  # noqa: ANN401 - JSON
    try:
        return isinstance(json.loads(call["function"]["arguments"]), dict)
    except (KeyError, TypeError, ValueError):
        return False


def limit(holds: Callable[[int], bool]) -> Asks:
    """Whether one of the token limits matches."""

    def asks(document: Document) -> str | None:
        for name in ("max_completion_tokens", "max_tokens"):
            limit = document.get(name)
            if isinstance(limit, int) and holds(limit):
                return name
        return None

    return asks


def counted(document: Document) -> str | None:
    """Whether usage is requested for a stream."""
    options = document.get("stream_options")
    return "stream_options" if isinstance(options, dict) and options.get("include_usage") else None


def best_of(document: Document) -> str | None:
    """Whether more answers are generated than returned."""
    best = document.get("best_of")
    return None if best is None or best == (document.get("n") or 1) else "best_of"


def in_tokens(name: str) -> Asks:
    """Whether the value is, or contains, a list of tokens."""

    def asks(document: Document) -> str | None:
        value = document.get(name)
        return name if isinstance(value, list) and any(not isinstance(item, str) for item in value) else None

    return asks


def several(name: str) -> Asks:
    """Whether it is a list of more than one."""

    def asks(document: Document) -> str | None:
        value = document.get(name)
        return name if isinstance(value, list) and len(value) > 1 and not isinstance(value[0], int) else None

    return asks


def echo_logprobs(document: Document) -> str | None:
    """Whether an echo with log probabilities is requested."""
    return "echo" if document.get("echo") and document.get("logprobs") is not None else None


def echo_beyond_text(document: Document) -> str | None:
    """Whether the gateway cannot emulate the requested echo: of tokens, or with log probabilities."""
    beyond = document.get("echo") and (in_tokens("prompt")(document) or echo_logprobs(document))
    return "echo" if beyond else None


def definitions(document: Document) -> str | None:
    """Whether the schema of the response format has definitions."""
    text = json.dumps(_schema(document))
    return "response_format" if '"$ref"' in text or '"$defs"' in text else None


def pattern(document: Document) -> str | None:
    """Whether the schema of the response format has a pattern."""
    return "response_format" if _has_pattern(_schema(document)) else None


def _schema(document: Document) -> Document | None:
    wanted = document.get("response_format")
    return wanted if isinstance(wanted, dict) and wanted.get("type") == "json_schema" else None


VALUES: Final = frozenset({"const", "default", "enum", "examples"})
"""Keywords whose values are never schemas, even if they look like one."""
NAMED: Final = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
"""Keywords whose values map names, which are not keywords, to schemas."""


def _has_pattern(schema: object) -> bool:
    if isinstance(schema, list):
        return any(map(_has_pattern, schema))
    if not isinstance(schema, dict):
        return False
    return isinstance(schema.get("pattern"), str) or any(
        any(map(_has_pattern, value.values()))
        if name in NAMED and isinstance(value, dict)
        else _has_pattern(value)
        for name, value in schema.items()
        if name not in VALUES
    )


def malformed_tools(document: Document) -> str | None:
    """Whether the parameters of a tool are not a JSON Schema."""
    for at, tool in enumerate(document.get("tools") or ()):
        function = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(function, dict) and not _is_schema(function.get("parameters", {})):
            return f"tools[{at}].function.parameters"
    return None


TYPES: Final = ("object", "array", "string", "number", "integer", "boolean", "null")


def _is_schema(schema: object) -> bool:
    """Whether its types are those of JSON Schema, and its properties and items are schemas."""
    if schema is None or isinstance(schema, bool):
        return True
    if not isinstance(schema, dict):
        return False
    types = schema.get("type", [])
    named = types if isinstance(types, list) else [types]
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    return (
        all(name in TYPES for name in named)
        and isinstance(properties, dict)
        and all(value is not None and _is_schema(value) for value in properties.values())
        and isinstance(required, list)
        and _is_schema(schema.get("items"))
    )


def tool_choice(holds: Callable[[Any], bool]) -> Asks:
    """Whether the tool choice matches."""
    return lambda document: "tool_choice" if holds(document.get("tool_choice")) else None


def strict_tools(document: Document) -> str | None:
    """Whether a tool is strict."""
    functions = (tool.get("function") for tool in document.get("tools") or () if isinstance(tool, dict))
    found = any(isinstance(function, dict) and function.get("strict") for function in functions)
    return "tools" if found else None


def parallel_calls(document: Document) -> str | None:
    """Whether parallel tool calls are forbidden."""
    return "parallel_tool_calls" if document.get("parallel_tool_calls") is False else None


def negative_seed(document: Document) -> str | None:
    """Whether the seed is below 0."""
    seed = document.get("seed")
    return "seed" if isinstance(seed, int) and seed < 0 else None


def anywhere(holds: Callable[[str], bool]) -> Asks:
    """Whether a string anywhere in the document matches; returns the name of its top-level member."""

    def inside(value: object) -> bool:
        if isinstance(value, str):
            return holds(value)
        if isinstance(value, dict):
            return any(inside(item) for item in value.values())
        return isinstance(value, list) and any(inside(item) for item in value)

    return lambda document: next((name for name, value in document.items() if inside(value)), None)


def unknown(known: Collection[str]) -> Asks:
    """Whether there is an unknown member that is not null."""
    return lambda document: next(
        (name for name, value in document.items() if value is not None and name not in known), None
    )


def characters(document: Document) -> int:
    """The length of the prompt in characters: of all messages together, of several inputs the longest."""
    if "messages" in document:
        return sum(len(_text(message)) for message in document["messages"] if isinstance(message, dict))
    given = document.get("prompt", document.get("input"))
    texts = given if isinstance(given, list) else [given]
    return max((len(text) for text in texts if isinstance(text, str)), default=0)
