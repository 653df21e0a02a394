"""Edits of streams with named events: changes to events of some types, renumbered afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo.faults.editing import DONE, END, answer, answered, carried, event, frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Edit, Json, JsonEdit

    Values = list[Json]


def named(value: Json, name: str | None = None) -> bytes:
    """A frame with this JSON, named by its type or by `name`."""
    return b"event: " + (name or str(value["type"])).encode() + b"\n" + event(value)


def values(change: Callable[[Values], Iterable[Json]]) -> Edit:
    """Change the events of a stream as JSON, name them by their types, and renumber them; [DONE] is not moved."""

    def edit(old: list[bytes]) -> list[bytes]:
        done = [frame for frame in old if frame == DONE]
        new = list(change([carried(frame) for frame in old if frame != DONE]))
        _number(new)
        return [*map(named, new), *done]

    return frames(edit)


def _number(new: Values) -> None:
    """Number the events that have sequence numbers from 0."""
    for number, value in enumerate(value for value in new if "sequence_number" in value):
        value["sequence_number"] = number


def dropped(*types: str) -> Edit:
    """Remove the events of these types from a stream."""
    return values(lambda old: [value for value in old if value.get("type") not in types])


def within(*types: str, edits: Iterable[JsonEdit]) -> Edit:
    """Edit the JSON of events of these types."""
    made = list(edits)

    def change(old: Values) -> Values:
        for value in old:
            if value.get("type") in types:
                for edit in made:
                    edit(value)
        return old

    return values(change)


def whole(make: Callable[[Values], Json]) -> Edit:
    """Replace a stream by one JSON object made from its events."""

    def edit(exchange: Exchange) -> Exchange:
        found = [part + END for part in exchange.body.split(END) if part]
        return answered(make([carried(frame) for frame in found if frame != DONE]))(exchange)

    return edit


def lost(name: str, number: int) -> Edit:
    """Remove one event of a type from a stream, counted from 0, or from the end with -1."""

    def change(old: Values) -> Values:
        places = [place for place, value in enumerate(old) if value["type"] == name]
        return [value for place, value in enumerate(old) if place != places[number]]

    return values(change)


def repeated(name: str, *edits: JsonEdit) -> Edit:
    """Repeat the first event of a type, edited, directly after it."""

    def change(old: Values) -> Values:
        at = next(n for n, value in enumerate(old) if value["type"] == name)
        again: Any = carried(event(old[at]))
        for edit in edits:
            edit(again)
        return [*old[: at + 1], again, *old[at + 1 :]]

    return values(change)


def trailing(value: Json) -> Edit:
    """Append one event."""
    return values(lambda old: [*old, value])


def retold(change: Callable[[str], str]) -> Edit:
    """Change every text and delta in a complete or streamed answer."""

    def told(value: Json) -> None:
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            told(inner)
        if isinstance(value, dict):
            for name in ("text", "delta"):
                if isinstance(value.get(name), str):
                    value[name] = change(value[name])

    def streamed(old: Values) -> Values:
        told(old)
        return old

    def edit(exchange: Exchange) -> Exchange:
        return values(streamed)(exchange) if exchange.is_stream else answer(told)(exchange)

    return edit
