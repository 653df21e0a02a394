"""A stream made of a whole answer, and a whole answer made of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonogo_server.repair.base import Asked, Document

HEAD: Final[Sequence[str]] = ("id", "created", "model", "system_fingerprint", "service_tier")


def chunks(body: Document, asked: Asked) -> Sequence[Document]:
    """The stream that says what the answer says: a role, what was said, and an end for each choice, then the count."""
    head: Document = {name: body[name] for name in HEAD if name in body}
    head["object"] = _object(asked, streamed=True)
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


def _object(asked: Asked, *, streamed: bool) -> str:
    if asked.operation != "chat":
        return "text_completion"
    return "chat.completion.chunk" if streamed else "chat.completion"


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


class Fold:
    """Takes the chunks of a stream, repaired, and gives the whole answer that they make."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._head: Document = {}
        self._choices: dict[int, Document] = {}
        self._usage: Document | None = None

    def chunk(self, chunk: Document) -> None:
        """Take the next one."""
        self._head = {**{name: chunk[name] for name in HEAD if name in chunk}, **self._head}
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        for choice in chunk.get("choices") or ():
            self._add(choice)

    def body(self) -> Document:
        """The whole answer to what has been taken."""
        choices = [self._choices[index] for index in sorted(self._choices)]
        body = {**self._head, "object": _object(self._asked, streamed=False), "choices": choices}
        return body if self._usage is None else {**body, "usage": self._usage}

    def _add(self, choice: Document) -> None:
        index = choice.get("index", 0)
        known = self._choices.setdefault(index, {"index": index, **self._empty(), "finish_reason": None})
        if choice.get("finish_reason") is not None:
            known["finish_reason"] = choice["finish_reason"]
        known["logprobs"] = _logprobs(known["logprobs"], choice.get("logprobs"))
        if self._asked.operation == "chat":
            _say(known["message"], choice.get("delta") or {})
        else:
            known["text"] += choice.get("text") or ""

    def _empty(self) -> Document:
        if self._asked.operation == "chat":
            return {"message": {"role": "assistant", "content": None, "refusal": None}, "logprobs": None}
        return {"text": "", "logprobs": None}


def _say(message: Document, delta: Document) -> None:
    for name, value in delta.items():
        if value is None:
            continue
        if name == "tool_calls":
            for fragment in value:
                _call(message.setdefault("tool_calls", []), fragment)
        elif isinstance(value, str) and isinstance(message.get(name), str) and name != "role":
            message[name] += value
        else:
            message[name] = value


def _call(calls: list[Document], fragment: Document) -> None:
    at = fragment.get("index", len(calls))
    while len(calls) <= at:
        calls.append({"id": None, "type": "function", "function": {"name": "", "arguments": ""}})
    call, function = calls[at], fragment.get("function") or {}
    call["id"] = call["id"] or fragment.get("id")
    call["function"]["name"] += function.get("name") or ""
    call["function"]["arguments"] += function.get("arguments") or ""


def _logprobs(known: Any, more: Any) -> Any:  # noqa: ANN401 - JSON
    """Lists one after the other."""
    if not isinstance(known, dict) or not isinstance(more, dict):
        return more if isinstance(more, dict) else known
    return {
        name: [*(known.get(name) or ()), *(more.get(name) or ())]
        if isinstance(known.get(name), list) or isinstance(more.get(name), list)
        else known.get(name)
        for name in known | more
    }
