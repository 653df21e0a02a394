"""Small changes to recorded evidence: pure functions that return a changed record."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gonogo.exchange import Chunk, Exchange, Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gonogo.evidence import Record
    from gonogo.faults.picks import Pick

    Edit = Callable[[Exchange], Exchange]
    Change = Callable[[Record], Record]
    Json = Any
    JsonEdit = Callable[[Json], object]

_TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 500: "api_error"}
"""The error types of the Messages API by status."""
DONE = b"data: [DONE]\n\n"
END = b"\n\n"


# ---- records -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changed:
    """A record with edits applied to each picked exchange. Raises ValueError if none is picked."""

    pick: Pick
    edits: tuple[Edit, ...]

    def __call__(self, record: Record) -> Record:
        """The changed record."""
        exchanges = [self.of(old) for old in record.exchanges]
        if exchanges == list(record.exchanges):
            raise ValueError("the fault changes nothing: no exchange is picked")
        return replace(record, exchanges=tuple(exchanges))

    def of(self, exchange: Exchange) -> Exchange:
        """The exchange after the edits, unchanged if it is not picked."""
        return _through(self.edits, exchange) if self.pick(exchange) else exchange


@dataclass(frozen=True, slots=True)
class Both:
    """One change, then the other."""

    changes: tuple[Change, ...]

    def __call__(self, record: Record) -> Record:
        """The changed record."""
        for part in self.changes:
            record = part(record)
        return record


def changed(pick: Pick, *edits: Edit) -> Change:
    """A record with edits applied to each picked exchange. Raises ValueError if none is picked."""
    return Changed(pick, edits)


def both(*changes: Change) -> Change:
    """One change, then the other."""
    return Both(changes)


def derived(pick: Pick, base: Pick, edit: Callable[[Json], Edit]) -> Change:
    """A record with an edit of the picked exchanges that is made from the JSON of another exchange's answer."""

    def change(record: Record) -> Record:
        value = next(json.loads(exchange.body) for exchange in record.exchanges if base(exchange))
        return changed(pick, edit(value))(record)

    return change


def unrecorded(pick: Pick) -> Change:
    """A record without the picked exchanges."""
    return lambda record: replace(record, exchanges=tuple(e for e in record.exchanges if not pick(e)))


def _through(edits: Iterable[Edit], exchange: Exchange) -> Exchange:
    for edit in edits:
        exchange = edit(exchange)
    return exchange


# ---- heads and failures --------------------------------------------------------------------------------------


def status(code: int) -> Edit:
    """Change the status of the answer."""
    return lambda exchange: replace(exchange, status=code)


def header(name: str, value: str | None) -> Edit:
    """Set a header field, or remove it."""

    def edit(exchange: Exchange) -> Exchange:
        kept = tuple(pair for pair in exchange.headers if pair[0].lower() != name.lower())
        return replace(exchange, headers=kept if value is None else (*kept, (name, value)))

    return edit


def body(data: bytes) -> Edit:
    """Replace the body by these bytes, in one chunk."""
    return lambda exchange: replace(exchange, chunks=_pieces(exchange, [data]))


def refused(code: int, data: bytes | None = None, media_type: str = "application/json") -> Edit:
    """Replace the answer by a refusal in the envelope of its operation, or with this body."""

    def edit(exchange: Exchange) -> Exchange:
        text = json.dumps(_envelope(exchange, code)).encode() if data is None else data
        return _through((status(code), header("content-type", media_type), body(text)), exchange)

    return edit


def _envelope(exchange: Exchange, code: int) -> Json:
    error: Json = {"message": "No.", "type": "invalid_request_error"}
    if not exchange.request.path.startswith("/messages"):
        return {"error": error | {"param": None, "code": None}}
    return {"type": "error", "error": error | {"type": _TYPES.get(code, error["type"])}}


def answered(value: Json, code: int = 200) -> Edit:
    """Replace the answer by this JSON."""
    return refused(code, json.dumps(value).encode())


def failing(kind: FailureKind, message: str = "it failed", keep: int | None = None) -> Edit:
    """Fail the connection after the first `keep` chunks of the body; None keeps all."""

    def edit(exchange: Exchange) -> Exchange:
        failure = Failure(kind, exchange.seconds, message)
        return replace(exchange, chunks=exchange.chunks[:keep], failure=failure)

    return edit


def silent(kind: FailureKind, message: str = "it failed") -> Edit:
    """Fail the connection without an answer."""
    return lambda exchange: replace(
        exchange, status=None, headers=(), chunks=(), failure=Failure(kind, exchange.seconds, message)
    )


def rechunked(size: int) -> Edit:
    """Split the same bytes into chunks of this size."""

    def edit(exchange: Exchange) -> Exchange:
        data = exchange.body
        return replace(
            exchange,
            chunks=_pieces(exchange, [data[at : at + size] for at in range(0, len(data), size)]),
        )

    return edit


def _pieces(exchange: Exchange, pieces: Sequence[bytes]) -> tuple[Chunk, ...]:
    """The pieces as chunks with the times of the old ones; additional ones get the last time."""
    times = [chunk.at for chunk in exchange.chunks] or [exchange.seconds]
    return tuple(
        Chunk(times[min(number, len(times) - 1)], piece) for number, piece in enumerate(pieces) if piece
    )


# ---- complete answers ----------------------------------------------------------------------------------------


def answer(*edits: JsonEdit) -> Edit:
    """Edit the JSON of a complete answer."""

    def edit(exchange: Exchange) -> Exchange:
        value = json.loads(exchange.body)
        for part in edits:
            part(value)
        return replace(exchange, chunks=_pieces(exchange, [_text(value)]))

    return edit


def raw(edit: Callable[[bytes], bytes]) -> Edit:
    """Edit the bytes of the body."""
    return lambda exchange: replace(exchange, chunks=_pieces(exchange, [edit(exchange.body)]))


def put(path: str, value: Json) -> JsonEdit:
    """Set the field at a dotted path ("choices.0.index"); the last step may be new, "*" is every item."""

    def edit(root: Json) -> None:
        for parent, key in _places(root, path):
            parent[key] = value

    return edit


def cut(path: str) -> JsonEdit:
    """Remove the field at a dotted path."""

    def edit(root: Json) -> None:
        for parent, key in _places(root, path):
            del parent[key]

    return edit


def made(path: str, make: Callable[[Json], Json]) -> JsonEdit:
    """Replace the field at a dotted path by the result of `make`."""

    def edit(root: Json) -> None:
        for parent, key in _places(root, path):
            parent[key] = make(parent[key])

    return edit


def renamed(path: str, name: str) -> JsonEdit:
    """Rename the field at a dotted path."""

    def edit(root: Json) -> None:
        for parent, key in _places(root, path):
            parent[name] = parent.pop(key)

    return edit


def _places(root: Json, path: str) -> list[tuple[Json, Json]]:
    *steps, last = path.split(".")
    parents = [root]
    for step in steps:
        parents = [
            child for parent in parents for child in (parent if step == "*" else [parent[_key(parent, step)]])
        ]
    return [
        place
        for parent in parents
        for place in (
            [(parent, index) for index in range(len(parent))]
            if last == "*"
            else [(parent, _key(parent, last))]
        )
    ]


def _key(parent: Json, step: str) -> str | int:
    return int(step) if isinstance(parent, list) else step


def _text(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


# ---- streams -------------------------------------------------------------------------------------------------


def frames(edit: Callable[[list[bytes]], list[bytes]]) -> Edit:
    """Edit the events of a stream as bytes, each with its blank line."""

    def change(exchange: Exchange) -> Exchange:
        old = [part + END for part in exchange.body.split(END) if part]
        return replace(exchange, chunks=_pieces(exchange, edit(old)))

    return change


def each(*edits: JsonEdit, where: Callable[[Json], bool] = lambda _: True) -> Edit:
    """Edit the JSON of each matching chunk of a stream."""
    return frames(lambda old: [_edited(frame, edits, where) for frame in old])


def nth(number: int, *edits: JsonEdit) -> Edit:
    """Edit the JSON of one event, counted from 0, or from the end with -1 ([DONE] is the last)."""

    def edit(old: list[bytes]) -> list[bytes]:
        new = list(old)
        new[number] = _edited(new[number], edits, lambda _: True)
        return new

    return frames(edit)


def numbered(edit: Callable[[int, Json], None]) -> Edit:
    """Edit the JSON of each chunk, given its number."""

    def change(old: list[bytes]) -> list[bytes]:
        return [
            frame if frame == DONE else _edited(frame, (partial(edit, n),), lambda _: True)
            for n, frame in enumerate(old)
        ]

    return frames(change)


def inserted(at: int, frame: bytes) -> Edit:
    """Insert a frame before the event with this number; -1 is [DONE]."""
    return frames(lambda old: [*old[:at], frame, *old[at:]])


def appended(data: bytes) -> Edit:
    """Append these bytes to the body."""
    return raw(lambda old: old + data)


def without(number: int) -> Edit:
    """Remove the event with this number."""
    return frames(lambda old: [frame for n, frame in enumerate(old) if n != number % len(old)])


def moved(source: int, target: int) -> Edit:
    """Move one event before the event that has this number after its removal."""

    def edit(old: list[bytes]) -> list[bytes]:
        new = list(old)
        new.insert(target, new.pop(source))
        return new

    return frames(edit)


def copied(source: int, target: int, *edits: JsonEdit) -> Edit:
    """Insert an edited copy of one event before the event with that number (len: at the end)."""

    def edit(old: list[bytes]) -> list[bytes]:
        copy = _edited(old[source], edits, lambda _: True)
        at = min(len(old), target)
        return [*old[:at], copy, *old[at:]]

    return frames(edit)


def lines(edit: Callable[[bytes], bytes]) -> Edit:
    """Edit each frame of a stream as bytes."""
    return frames(lambda old: [edit(frame) for frame in old])


def event(value: Json) -> bytes:
    """A frame with this JSON."""
    return b"data: " + _text(value) + END


def carried(frame: bytes) -> Json:
    """The JSON of a frame with or without an event name."""
    return json.loads(frame.partition(b"data: ")[2])


def _edited(frame: bytes, edits: Iterable[JsonEdit], where: Callable[[Json], bool]) -> bytes:
    """The frame with its JSON edited; the event's name is unchanged."""
    if frame == DONE:
        return frame
    value = carried(frame)
    if where(value):
        for edit in edits:
            edit(value)
    return frame.partition(b"data: ")[0] + event(value)


def has_choice(value: Json) -> bool:
    """Whether a chunk has a choice, as every chunk but the usage chunk."""
    return bool(value["choices"])


def finishes(value: Json) -> bool:
    """Whether a chunk ends its choice."""
    return any(choice["finish_reason"] is not None for choice in value["choices"])


def has_usage(value: Json) -> bool:
    """Whether a chunk has usage."""
    return value.get("usage") is not None


def unless_finishing(edit: JsonEdit) -> JsonEdit:
    """The edit, applied only to chunks that do not end their choice."""
    return lambda value: None if finishes(value) else edit(value)
