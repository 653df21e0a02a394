"""Writes steps as stream events. The constant part of all text chunks is serialized once per answer. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from pydantic_core import to_json

from gonogo_server import sse
from gonogo_server.answers.stream import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from gonogo_server.answers.stream import Step


class ChunkForm(Protocol):
    """The wire form of a step."""

    def chunk(self, step: Step) -> BaseModel | None:
        """The chunk of a stream for this step; None if the step makes none."""


class EventWriter:
    """Writes the events of one stream: the same bytes as `sse.event` makes of each chunk of `form`.

    Validating and serializing each chunk as a whole takes half of the time that a token costs, and nearly every chunk
    differs from the one before it only in its text.
    """

    def __init__(self, form: ChunkForm) -> None:
        self._form = form
        self._around: dict[int, tuple[bytes, bytes]] = {}

    def events(self, steps: Iterable[Step]) -> bytes:
        """The events of these steps, concatenated; empty if they make none."""
        return b"".join([self._event(step) for step in steps])

    def _event(self, step: Step) -> bytes:
        if type(step) is Text and not step.tokens:
            before, after = self._around.get(step.index) or self._write_around(step.index)
            return b"%b%b%b" % (before, to_json(step.text), after)
        chunk = self._form.chunk(step)
        return b"" if chunk is None else sse.event(chunk)

    def _write_around(self, index: int) -> tuple[bytes, bytes]:
        """The bytes before and after the text in the events of an answer, found with a random text."""
        mark = uuid4().hex
        chunk = self._form.chunk(Text(index, mark))
        assert chunk is not None, "text is always said"
        before, after = sse.event(chunk).split(to_json(mark))
        self._around[index] = before, after
        return before, after
