"""Repairs whole chat completions and completions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.errors import UpstreamError
from gonogo_server.repair.counts import counted
from gonogo_server.repair.errors import error_in
from gonogo_server.repair.fields import Fields
from gonogo_server.repair.indexes import indexes
from gonogo_server.repair.logprobs import of_chat, of_completion
from gonogo_server.repair.seconds import in_seconds
from gonogo_server.repair.stages.choices import joined
from gonogo_server.repair.stages.heading import TIERS
from gonogo_server.repair.stages.naming import RESPONSE
from gonogo_server.repair.stages.reasons import meant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.repair.base import Document, Noted, Requested

_BOTH: Final = (
    "id",
    "object",
    "created",
    "seconds",
    "model",
    "one_choice",
    "index",
    "indexes",
    "finish_reason",
)
_OF_CHATS: Final = ("id_not_empty", "model_not_empty", "message", "role", "content", "refusal", "tool_calls")
_MORE: Final = ("logprobs", "rest", "usage_schema", "usage_total", "nulls")
RULES: Final = (
    *(f"chat.response.{name}" for name in (*_BOTH, *_OF_CHATS, "choices", "finish_called", *_MORE)),
    *(f"completions.response.{name}" for name in (*_BOTH, "text", *_MORE)),
    *(
        f"tools.call.{name}"
        for name in ("schema", "id", "id_not_empty", "type", "arguments", "no_index", "finish_reason")
    ),
)
OBJECTS: Final = {"chat": "chat.completion", "completion": "text_completion"}


def answer(requested: Requested, document: Document, noted: Noted) -> Document:
    """The repaired answer, or the same object if nothing is wrong.

    Raises UpstreamError if it is an error, has no choices, or has a choice without content or finish reason.
    """
    failure = error_in(document)
    if failure is not None:
        raise failure
    fields = Fields(document, noted, RESPONSE[requested.operation])
    heading(requested, fields, OBJECTS[requested.operation])
    rest(fields)
    choices = _choices(document.get("choices"))
    fields.put("choices", choices, "choices")
    made = [_choice(requested, choice, noted, place) for place, choice in enumerate(choices)]
    if any(new is not old for new, old in zip(made, choices, strict=True)):
        fields.document = {**fields.document, "choices": made}
    _number(requested, fields)
    _count(fields)
    return fields.document


def heading(requested: Requested, fields: Fields, kind: str) -> None:
    """Repair id, model, object and creation time."""
    chat = requested.operation == "chat"
    for name, otherwise in (("id", requested.fresh_id), ("model", requested.model)):
        value = fields.get(name)
        if (not isinstance(value, str) or not value) and otherwise:
            fields.put(name, otherwise, f"{name}_not_empty" if chat and value == "" else name)
    fields.put("object", kind, "object")
    created = fields.get("created")
    fields.put(
        "created", in_seconds(created, requested.now), "seconds" if type(created) is int else "created"
    )


def rest(fields: Fields) -> None:
    """Repair the optional members."""
    print_ = fields.get("system_fingerprint")
    if print_ is not None and not isinstance(print_, str):
        fields.put("system_fingerprint", str(print_), "rest")
    if fields.get("service_tier") not in TIERS:
        fields.drop("service_tier", "rest")
    if "error" in fields.document:
        fields.drop("error", "rest")


def _choices(found: Any) -> list[Any]:  # noqa: ANN401 - JSON
    if isinstance(found, dict) and list(found) == [str(number) for number in range(len(found))]:
        found = list(found.values())
    if not isinstance(found, list) or not found:
        raise UpstreamError("The upstream's answer has no choices: try again.", code="upstream_empty")
    return found


def _number(requested: Requested, fields: Fields) -> None:
    """Number the choices from 0, and drop more than were requested."""
    choices = fields.document["choices"]
    numbers, rule = indexes([choice.get("index") for choice in choices])
    if rule:
        made = [{**choice, "index": number} for choice, number in zip(choices, numbers, strict=True)]
        fields.put("choices", made, rule)
    if len(choices) > requested.choices:
        kept = [choice for choice in fields.document["choices"] if choice["index"] < requested.choices]
        fields.put("choices", kept, "one_choice")


def _count(fields: Fields) -> None:
    if "usage" not in fields.document:
        return
    broken: list[str] = []
    usage = counted(fields.get("usage"), broken.append)
    if usage is None:
        fields.drop("usage", "usage_schema")
    elif usage is not fields.get("usage"):
        fields.put("usage", usage, _known(broken[-1]))
        for name in broken[:-1]:
            fields.put("usage", {**usage}, _known(name))


def _known(name: str) -> str:
    """The name of the rule; completions have no separate rule about the details of counts."""
    return "usage_schema" if name == "usage_details" else name


# ---- one choice ------------------------------------------------------------------------------------------------


def _choice(requested: Requested, choice: Any, noted: Noted, place: int) -> Document:  # noqa: ANN401 - JSON
    if not isinstance(choice, dict):
        raise UpstreamError(
            "The upstream's answer has a choice that is not an object.", code="upstream_unreadable"
        )
    chat = requested.operation == "chat"
    fields = Fields(choice, noted, RESPONSE[requested.operation])
    called = chat and _repair_message(fields, noted, f"{requested.fresh_id}_{place}")
    if not chat:
        _text(fields)
    _end(fields, called=called, chat=chat)
    found = fields.get("logprobs")
    made = of_chat(found) if chat else of_completion(found, fields.get("text"))
    fields.put("logprobs", made, "logprobs")
    return fields.document


def _end(fields: Fields, *, called: bool, chat: bool) -> None:
    reason = meant(fields.get("finish_reason"))
    if reason is None and not called:
        raise UpstreamError(
            "The upstream's answer has no finish reason: try again.", code="upstream_incomplete"
        )
    if chat and called and reason in (None, "stop", "function_call"):
        fields.put("finish_reason", "tool_calls", "tools.call.finish_reason" if reason else "finish_reason")
    elif chat and reason == "tool_calls" and not called:
        fields.put("finish_reason", "stop", "finish_called")
    else:
        fields.put("finish_reason", reason, "finish_reason")


def _text(fields: Fields) -> None:
    text = fields.get("text")
    if isinstance(text, str):
        return
    message = fields.get("message") or fields.get("delta")
    content = message.get("content") if isinstance(message, dict) else message or text
    fields.put("text", joined(content) if content is not None else "", "text")
    for name in ("message", "delta"):
        fields.drop(name, "text")


def _repair_message(fields: Fields, noted: Noted, fresh: str) -> bool:
    """Repair the message of a choice; returns whether it calls tools."""
    message = fields.get("message")
    if isinstance(message, str):
        message = {"content": message}
    if not isinstance(message, dict):
        message = fields.get("delta")
        if not isinstance(message, dict):
            text = fields.get("text")
            if not isinstance(text, str):
                raise UpstreamError(
                    "The upstream's answer has a choice without a message.", code="upstream_empty"
                )
            message = {"content": text}
        for name in ("delta", "text"):
            fields.drop(name, "message")
    made = _message(message, noted, fresh)
    if made is not fields.get("message"):
        if fields.get("message") is message:
            fields.document = {**fields.document, "message": made}  # noted by the edits themselves
        else:
            fields.put("message", made, "message")
    return bool(made.get("tool_calls"))


def _message(message: Document, noted: Noted, fresh: str) -> Document:
    fields = Fields(message, noted, RESPONSE["chat"])
    fields.put("role", "assistant", "role")
    content = fields.get("content")
    fields.put(
        "content", content if content is None or isinstance(content, str) else joined(content), "content"
    )
    refusal = fields.get("refusal")
    fields.put("refusal", refusal if isinstance(refusal, str) else None, "refusal")
    fields.drop_null("tool_calls", "function_call", "annotations", "audio")
    if not isinstance(fields.get("annotations"), list | None):
        fields.drop("annotations", "message")
    if fields.get("tool_calls") == []:
        fields.drop("tool_calls", "tool_calls")
    if "tool_calls" in fields.document:
        _calls(fields, noted, fresh)
    return fields.document


def _calls(fields: Fields, noted: Noted, fresh: str) -> None:
    found = fields.get("tool_calls")
    calls: Sequence[Any] = found if isinstance(found, list) else [found]
    made = [_call(call, noted, f"call_{fresh}_{number}") for number, call in enumerate(calls)]
    if calls is not found:
        fields.put("tool_calls", made, "tools.call.schema")
    elif any(new is not old for new, old in zip(made, calls, strict=True)):
        fields.document = {**fields.document, "tool_calls": made}  # noted by the edits themselves


def _call(call: Any, noted: Noted, fresh: str) -> Document:  # noqa: ANN401 - JSON
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
        raise UpstreamError(
            "The upstream called a function without a name: try again.", code="upstream_unreadable"
        )
    fields = Fields(call, noted, "tools.call")
    id_ = fields.get("id")
    if not isinstance(id_, str) or not id_:
        fields.put("id", fresh, "id_not_empty" if id_ == "" else "id")
    fields.put("type", "function", "type")
    fields.drop("index", "no_index")
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        text = json.dumps({} if arguments is None else arguments, ensure_ascii=False)
        fields.put("function", {**function, "arguments": text}, "arguments")
    return fields.document
