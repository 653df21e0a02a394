"""Minimises requests: variants of a failing one, smallest first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[str | int, ...]


def smaller(value: object) -> Iterator[object]:
    """Variants of this value with a part removed or shortened: fields and elements first, then text and numbers.

    Each is shorter as JSON, so that repeated minimising terminates.
    """
    size = _size(value)
    places = sorted(_places(value, ()), key=len)
    for place in places:
        if place:
            yield _changed(value, place, _GONE)
    for place in places:
        for simple in _simpler(_at(value, place)):
            changed = _changed(value, place, simple)
            if _size(changed) < size:
                yield changed


_GONE = object()


def _simpler(value: object) -> Iterator[object]:
    if isinstance(value, str) and len(value) > 1:
        middle = len(value) // 2
        yield from (value[:middle], value[middle:], value[0])
    if isinstance(value, dict):
        yield {}
    if isinstance(value, list):
        yield []
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from (0, 1)


def _places(value: object, place: Place) -> Iterator[Place]:
    yield place
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, child in children:
        yield from _places(child, (*place, name))


def _at(value: Any, place: Place) -> Any:  # noqa: ANN401 - any JSON value
    for name in place:
        value = value[name]
    return value


def _changed(value: Any, place: Place, new: object) -> Any:  # noqa: ANN401 - any JSON value
    """The value with a replaced or removed part."""
    if not place:
        return new
    name, rest = place[0], place[1:]
    copy = value.copy()
    if rest or new is not _GONE:
        copy[name] = _changed(value[name], rest, new)
    else:
        del copy[name]
    return copy


def _size(value: object) -> int:
    return len(json.dumps(value))
