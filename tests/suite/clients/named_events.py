"""Streams of named events with changed bytes."""

from __future__ import annotations


def without(kind: str, events: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The stream without its events of this name."""
    return tuple(event for event in events if not event.startswith(f"event: {kind}\n".encode()))


def replaced(old: str, new: str, events: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The stream with a text replaced in each event."""
    return tuple(event.replace(old.encode(), new.encode()) for event in events)
