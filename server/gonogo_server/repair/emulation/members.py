"""Edits of requests that keep their meaning: one function each, which returns a new document if it edits.

Harmless parameters that an upstream answers with an error are removed; names, roles and forms are replaced by those
that it supports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gonogo_server.repair.table.row import Does

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gonogo_server.repair.base import Document, Noted

    Edit = Callable[[Document], Document]

OLD: Final = "max_tokens"
NEW: Final = "max_completion_tokens"

DEFAULTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "n": (1,),
    "best_of": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "echo": (False,),
    "stream": (False,),
}
"""Values that ask for the default behaviour. Not temperature and top_p: the upstream has its own defaults for them."""
# "logprobs" is a flag in chats; in completions it is a number, where 0 has an effect.
FLAGS: Final = ("logprobs",)

NAMED: Final = ("system", "developer", "user", "assistant")
"""Roles of speakers; in a tool result, the name is that of the function."""

SMALL: Final = 0.01
"""A temperature that almost always picks the likeliest token, for servers that require one above 0."""

BOOKKEEPING: Final = ("metadata", "user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention")


def written(
    document: Document, does: Mapping[Does, str], noted: Noted, edits: Iterable[tuple[Does, Edit]]
) -> Document:
    """The request with every wanted edit; `does` has the rule for each."""
    for what, edit in edits:
        rule = does.get(what)
        if rule is not None:
            edited = edit(document)
            if edited != document:
                noted(rule)
                document = edited
    return document


def without(document: Document, *names: str) -> Document:
    """The document without these members."""
    return {name: value for name, value in document.items() if name not in names}


def _no_nulls(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}


def _is_default(name: str, value: object) -> bool:
    return value in DEFAULTS.get(name, ()) or (name in FLAGS and value is False)


def _no_defaults(document: Document) -> Document:
    return {name: value for name, value in document.items() if not _is_default(name, value)}


def _no_bookkeeping(document: Document) -> Document:
    kept = without(document, *BOOKKEEPING)
    if not kept.get("store"):
        kept = without(kept, "store")
    return without(kept, "service_tier") if kept.get("service_tier") in (None, "auto", "default") else kept


def _messages(edit: Edit) -> Edit:
    """Apply an edit to each message."""

    def edited(document: Document) -> Document:
        messages = document.get("messages")
        if not isinstance(messages, list):
            return document
        return {**document, "messages": [edit(message) for message in messages]}

    return edited


def _developer_as_system(message: Document) -> Document:
    return {**message, "role": "system"} if message.get("role") == "developer" else message


def _system_in_user(document: Document) -> Document:
    """Move the system message to the start of the first user message, for templates without a system role."""
    messages = document.get("messages") or []
    if len(messages) < 2 or (messages[0].get("role"), messages[1].get("role")) != ("system", "user"):
        return document
    first, second, *rest = (_parts_as_text(message) for message in messages)
    if not isinstance(second.get("content"), str) or not isinstance(first.get("content"), str):
        return document
    head = {**second, "content": f"{first['content']}\n\n{second['content']}"}
    return {**document, "messages": [head, *rest]}


def _parts_as_text(message: Document) -> Document:
    content = message.get("content")
    if not isinstance(content, list) or not all(_is_text(part) for part in content):
        return message
    return {**message, "content": "".join(part["text"] for part in content)}


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _stop_as_list(document: Document) -> Document:
    stop = document.get("stop")
    return {**document, "stop": [stop]} if isinstance(stop, str) else document


def _limit_as(known: str, unknown: str) -> Edit:
    """Rename the token limit to the known name; if both are given, the newer one counts."""

    def edited(document: Document) -> Document:
        limit = document.get(NEW) if document.get(NEW) is not None else document.get(OLD)
        if limit is None or document.get(unknown) is None:
            return document
        return {**without(document, unknown), known: limit}

    return edited


def _one_limit(document: Document) -> Document:
    both = document.get(NEW) is not None and document.get(OLD) is not None
    return without(document, OLD) if both else document


def _no_empty_tools(document: Document) -> Document:
    if document.get("tools"):
        return document
    kept = without(document, "tools") if document.get("tools") == [] else document
    return without(kept, "tool_choice") if kept.get("tool_choice") in ("none", "auto") else kept


def _functions(edit: Edit) -> Edit:
    """Apply an edit to the function of each tool."""

    def edited(document: Document) -> Document:
        tools = document.get("tools")
        if not isinstance(tools, list):
            return document
        return {**document, "tools": [_with_function(tool, edit) for tool in tools]}

    return edited


def _with_function(tool: Document, edit: Edit) -> Document:
    function = tool.get("function")
    return {**tool, "function": edit(function)} if isinstance(function, dict) else tool


def _no_strict_false(function: Document) -> Document:
    return function if function.get("strict") else without(function, "strict")


def _parameters_given(function: Document) -> Document:
    if function.get("parameters") is not None:
        return function
    return {**function, "parameters": {"type": "object", "properties": {}}}


def _content(absent: str | None) -> Edit:
    """Set `absent` as the content of messages that have only tool calls."""

    def edited(message: Document) -> Document:
        bare = message.get("tool_calls") and not message.get("content")
        return {**message, "content": absent} if bare else message

    return edited


def _calls_alone(message: Document) -> Document:
    """An assistant's message with only the request members of the contract, without empty ones."""
    if message.get("role") != "assistant":
        return message
    known = ("role", "content", "name", "refusal", "tool_calls", "function_call", "audio")
    return {
        name: value
        for name, value in message.items()
        if name in known and (name == "content" or value not in (None, []))
    }


def _no_name(message: Document) -> Document:
    return without(message, "name") if message.get("role") in NAMED else message


def _small_temperature(document: Document) -> Document:
    return {**document, "temperature": SMALL} if document.get("temperature") == 0 else document


def _no_tools_for_none(document: Document) -> Document:
    if document.get("tool_choice") != "none":
        return document
    return without(document, "tools", "tool_choice", "parallel_tool_calls")


def _no_text_format(document: Document) -> Document:
    is_text = (document.get("response_format") or {}).get("type") == "text"
    return without(document, "response_format") if is_text else document


def _no_zero_alternatives(document: Document) -> Document:
    return without(document, "top_logprobs") if document.get("top_logprobs") == 0 else document


EDITS: Final[tuple[tuple[Does, Edit], ...]] = (
    (Does.NO_NULLS, _no_nulls),
    (Does.NO_DEFAULTS, _no_defaults),
    (Does.NO_BOOKKEEPING, _no_bookkeeping),
    (Does.NO_USER, lambda document: without(document, "user")),
    (Does.DEVELOPER_AS_SYSTEM, _messages(_developer_as_system)),
    (Does.SYSTEM_IN_USER, _system_in_user),
    (Does.PARTS_AS_TEXT, _messages(_parts_as_text)),
    (Does.STOP_AS_LIST, _stop_as_list),
    (Does.ONE_LIMIT, _one_limit),
    (Does.OLD_LIMIT, _limit_as(OLD, NEW)),
    (Does.NEW_LIMIT, _limit_as(NEW, OLD)),
    (Does.NO_EMPTY_TOOLS, _no_empty_tools),
    (Does.NO_TOOLS_FOR_NONE, _no_tools_for_none),
    (Does.NO_STRICT_FALSE, _functions(_no_strict_false)),
    (Does.PARAMETERS_GIVEN, _functions(_parameters_given)),
    (Does.CALLS_ALONE, _messages(_calls_alone)),
    (Does.CONTENT_NULL, _messages(_content(None))),
    (Does.CONTENT_EMPTY, _messages(_content(""))),
    (Does.NO_NAMES, _messages(_no_name)),
    (Does.SMALL_TEMPERATURE, _small_temperature),
    (Does.NO_TEXT_FORMAT, _no_text_format),
    (Does.NO_ZERO_ALTERNATIVES, _no_zero_alternatives),
)
"""Applied in this order; each edit sees the result of those before it."""
