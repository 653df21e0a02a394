"""Edits that apply one fault to all streams: to their pieces, chunks or events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonogo.faults.answers import streams
from gonogo.faults.editing import DONE, body, event, finishes, frames, header

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Edit

    Json = dict[str, Any]


def texts(change: Callable[[list[str]], list[str]]) -> Edit:
    """Change the text pieces of each choice of a stream; their number is unchanged."""

    def edit(exchange: Exchange) -> Exchange:
        chunks = [json.loads(f.removeprefix(b"data: ")) for f in _frames(exchange) if f != DONE]
        places: dict[int, list[tuple[Json, str]]] = {}
        for chunk in chunks:
            for choice in chunk["choices"]:
                holder, name = (choice["delta"], "content") if "delta" in choice else (choice, "text")
                if holder.get(name):
                    places.setdefault(choice["index"], []).append((holder, name))
        for found in places.values():
            for (holder, name), text in zip(
                found, change([holder[name] for holder, name in found]), strict=True
            ):
                holder[name] = text
        return frames(lambda _: [*map(event, chunks), DONE])(exchange)

    return streams(edit)


def _frames(exchange: Exchange) -> list[bytes]:
    return [part + b"\n\n" for part in exchange.body.split(b"\n\n") if part]


def so_far(parts: list[str]) -> list[str]:
    """Cumulative pieces: each one preceded by all earlier text."""
    return ["".join(parts[: number + 1]) for number in range(len(parts))]


def repeat_a_piece(old: list[bytes]) -> list[bytes]:
    """One event, sent twice."""
    return [*old[:3], old[2], *old[3:]] if len(old) > 5 else old


def merge(old: list[bytes]) -> list[bytes]:
    """Two chunks in one event."""
    if len(old) < 5:
        return old
    return [old[0], old[1].rstrip() + b"\n" + old[2], *old[3:]]


def until_finish(old: list[bytes]) -> list[bytes]:
    """The stream up to the finish reason, without it."""
    end = next((n for n, f in enumerate(old) if f != DONE and finishes(json.loads(f[6:]))), len(old))
    return old[:end]


def one_index(value: Json) -> None:
    """Every choice has the same index."""
    for choice in value["choices"]:
        choice["index"] = 0


def usage_at_finish(old: list[bytes]) -> list[bytes]:
    """The usage is in the last chunk with choices."""
    chunks = [json.loads(frame[6:]) for frame in old if frame != DONE]
    usage = next((chunk["usage"] for chunk in chunks if chunk.get("usage")), None)
    if usage is None:
        return old
    kept = [chunk for chunk in chunks if chunk["choices"]]
    kept[-1]["usage"] = usage
    return [*map(event, kept), DONE]


def without_usage(old: list[bytes]) -> list[bytes]:
    """The stream without the usage chunk."""
    chunks = [json.loads(frame[6:]) for frame in old if frame != DONE]
    kept = [chunk for chunk in chunks if chunk["choices"]]
    for chunk in kept:
        uncounted(chunk)
    return [*map(event, kept), DONE]


def uncounted(value: Json) -> None:
    """The chunk without usage."""
    value.pop("usage", None)


def first_empty(old: list[bytes]) -> list[bytes]:
    """An empty chunk precedes the others."""
    empty = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": []}
    return [event(empty), *old]


def always_finishing(value: Json) -> None:
    """Every chunk has a finish reason."""
    for choice in value["choices"]:
        choice["finish_reason"] = choice["finish_reason"] or "stop"


def roles(value: Json) -> None:
    """Every delta has a role."""
    for choice in value["choices"]:
        if "delta" in choice:
            choice["delta"]["role"] = "assistant"


def torn(text: str) -> str:
    """Multi-byte characters as replacement characters, one for each byte."""
    return "".join(c if c.isascii() else "\ufffd" * len(c.encode()) for c in text)


def json_lines(exchange: Exchange) -> Exchange:
    """Replace the events by lines of JSON."""
    lines = [frame.removeprefix(b"data: ").rstrip() + b"\n" for frame in _frames(exchange) if frame != DONE]
    return header("content-type", "application/x-ndjson")(body(b"".join(lines))(exchange))
