"""Creates a stream from a whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.repair.stages.heading import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonogo_server.repair.base import Asked, Document

HEAD: Final[Sequence[str]] = ("id", "created", "model", "system_fingerprint", "service_tier")


def chunks(body: Document, asked: Asked) -> Sequence[Document]:
    """The stream that says what the answer says: a role, what was said, and an end for each choice, then the count."""
    head: Document = {name: body[name] for name in HEAD if name in body}
    head["object"] = OBJECTS[asked.operation]
    uncounted: Document = {"usage": None} if asked.include_usage else {}
    said = [
        {**head, "choices": [choice], **uncounted}
        for each in body.get("choices") or ()
        for choice in (_spoken(each) if asked.operation == "chat" else _written(each))
    ]
    usage = body.get("usage")
    if asked.include_usage and isinstance(usage, dict):
        said.append({**head, "choices": [], "usage": usage})
    return said


def _spoken(choice: Document) -> Iterator[Document]:
    message = choice.get("message") or {}
    index = choice.get("index", 0)
    content = message.get("content")
    first: Document = {"role": message.get("role") or "assistant", "content": None if content is None else ""}
    yield {"index": index, "delta": first, "logprobs": None, "finish_reason": None}
    # What is null, or an empty list, is nothing to say.
    said = {name: value for name, value in message.items() if name != "role" and value not in (None, [], "")}
    if calls := said.get("tool_calls"):
        said["tool_calls"] = [{**call, "index": at} for at, call in enumerate(calls)]
    if said:
        yield {"index": index, "delta": said, "logprobs": choice.get("logprobs"), "finish_reason": None}
    yield {"index": index, "delta": {}, "logprobs": None, "finish_reason": choice.get("finish_reason")}


def _written(choice: Document) -> Iterator[Document]:
    index = choice.get("index", 0)
    if text := choice.get("text"):
        yield {"index": index, "text": text, "logprobs": choice.get("logprobs"), "finish_reason": None}
    yield {"index": index, "text": "", "logprobs": None, "finish_reason": choice.get("finish_reason")}
