"""Folds a stream into a whole answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.repair.answers import OBJECTS
from gonogo_server.repair.stream import StreamRepair

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted, Requested

_JOINED: Final = ("content", "refusal", "reasoning_content", "reasoning")


def folded(requested: Requested, data: bytes, noted: Noted) -> Document:
    """The whole answer of a stream. Raises UpstreamError if the stream is unfinished or failed."""
    repair = StreamRepair(replace(requested, stream=True, include_usage=True), noted)
    return fold(requested, [*repair.feed(data), *repair.end()])


def fold(requested: Requested, chunks: Iterable[Document]) -> Document:
    """The whole answer of repaired chunks."""
    answer: Document = {}
    choices: dict[int, Document] = {}
    for chunk in chunks:
        answer.update(
            {name: value for name, value in chunk.items() if name != "choices" and value is not None}
        )
        for choice in chunk["choices"]:
            _add(choices.setdefault(choice["index"], {"index": choice["index"]}), choice)
    made = [_whole(choices[index]) for index in sorted(choices)]
    return {**answer, "object": OBJECTS[requested.operation], "choices": made}


def _add(whole: Document, choice: Document) -> None:
    if "delta" in choice:
        _add_delta(
            whole.setdefault("message", {"role": "assistant", "content": None, "refusal": None}),
            choice["delta"],
        )
    else:
        whole["text"] = whole.get("text", "") + choice["text"]
    whole["logprobs"] = _together(whole.get("logprobs"), choice.get("logprobs"))
    whole["finish_reason"] = choice["finish_reason"] or whole.get("finish_reason")


def _add_delta(message: Document, delta: Document) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            for fragment in value:
                _call(message.setdefault("tool_calls", {}), fragment)
        elif name in _JOINED and isinstance(value, str):
            message[name] = (message.get(name) or "") + value
        elif value is not None:
            message[name] = value


def _call(calls: dict[int, Document], fragment: Document) -> None:
    call = calls.setdefault(fragment["index"], {"function": {"name": "", "arguments": ""}})
    function = fragment.get("function") or {}
    call.update({name: fragment[name] for name in ("id", "type") if fragment.get(name)})
    for name in ("name", "arguments"):
        call["function"][name] += function.get(name) or ""


def _whole(choice: Document) -> Document:
    message = choice.get("message")
    if message is None:
        return choice
    if "tool_calls" in message:
        calls = message["tool_calls"]
        message["tool_calls"] = [calls[number] for number in sorted(calls)]
        message["content"] = message["content"] or None
    else:
        message["content"] = message["content"] if message["refusal"] else message["content"] or ""
    return choice


def _together(one: Any, other: Any) -> Any:  # noqa: ANN401 - JSON
    """The concatenated lists of log probabilities."""
    if one is None or other is None:
        return other if one is None else one
    lists = {name: _behind(one.get(name), other.get(name)) for name in {**one, **other}}
    return {**one, **other, **lists}


def _behind(one: Any, other: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(one, list) and isinstance(other, list):
        return [*one, *other]
    return other if one is None else one
