"""Creates a stream from a whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.repair.stages.heading import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonogo_server.repair.base import Document, Requested

HEAD: Final[Sequence[str]] = ("id", "created", "model", "system_fingerprint", "service_tier")


def chunks(body: Document, requested: Requested) -> Sequence[Document]:
    """The stream for an answer: for each choice a role, its content, and an end; then the usage."""
    head: Document = {name: body[name] for name in HEAD if name in body}
    head["object"] = OBJECTS[requested.operation]
    uncounted: Document = {"usage": None} if requested.include_usage else {}
    made = [
        {**head, "choices": [choice], **uncounted}
        for each in body.get("choices") or ()
        for choice in (_chat_choices(each) if requested.operation == "chat" else _text_choices(each))
    ]
    usage = body.get("usage")
    if requested.include_usage and isinstance(usage, dict):
        made.append({**head, "choices": [], "usage": usage})
    return made


def _chat_choices(choice: Document) -> Iterator[Document]:
    message = choice.get("message") or {}
    index = choice.get("index", 0)
    content = message.get("content")
    first: Document = {"role": message.get("role") or "assistant", "content": None if content is None else ""}
    yield {"index": index, "delta": first, "logprobs": None, "finish_reason": None}
    # Null and empty lists are omitted.
    delta = {name: value for name, value in message.items() if name != "role" and value not in (None, [], "")}
    if calls := delta.get("tool_calls"):
        delta["tool_calls"] = [{**call, "index": at} for at, call in enumerate(calls)]
    if delta:
        yield {"index": index, "delta": delta, "logprobs": choice.get("logprobs"), "finish_reason": None}
    yield {"index": index, "delta": {}, "logprobs": None, "finish_reason": choice.get("finish_reason")}


def _text_choices(choice: Document) -> Iterator[Document]:
    index = choice.get("index", 0)
    if text := choice.get("text"):
        yield {"index": index, "text": text, "logprobs": choice.get("logprobs"), "finish_reason": None}
    yield {"index": index, "text": "", "logprobs": None, "finish_reason": choice.get("finish_reason")}
