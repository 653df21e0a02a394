"""Tool calls in order, as blocks need them: one call ends before the next begins. No I/O.

Chunks of a chat completion have an index for each call, so their arguments may be interleaved. Steps that come in the
middle of a call's arguments are held until its JSON is complete. Almost all servers send one call after the other; the
steps of these pass through at once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonogo_server.answers.stream import Calling
from gonogo_server.errors import UpstreamError
from gonogo_server.filters.calls import Arguments, Call

if TYPE_CHECKING:
    from gonogo_server.answers.stream import Step


class CallOrder:
    """Takes the steps of one answer between its start and its finish."""

    def __init__(self) -> None:
        self._open: Call | None = None
        self._arguments = ""
        self._held: list[Step] = []

    def take(self, step: Step) -> list[Step]:
        """The steps to pass on now. Raises `UpstreamError` for arguments of a call that has ended."""
        part = step.part if isinstance(step, Calling) else None
        if isinstance(part, Arguments) and self._open is not None and part.number == self._open.number:
            self._arguments += part.text
            return [step, *(self._released() if self._held and self._whole else [])]
        if self._open is None or (self._whole and not self._held):
            return self._next(step)
        self._held.append(step)
        return []

    def end(self, *, cut: bool) -> list[Step]:
        """The steps that are still held, at the end of the answer; `cut`: it ended at the token limit."""
        steps: list[Step] = []
        while self._held:
            steps += self._closed(cut=False)
            steps += self._released()
        return [*steps, *self._closed(cut=cut)]

    @property
    def _whole(self) -> bool:
        """Whether the arguments of the open call are complete JSON."""
        try:
            json.loads(self._arguments)
        except (ValueError, RecursionError):
            return False
        return True

    def _next(self, step: Step) -> list[Step]:
        closed = self._closed(cut=False)
        part = step.part if isinstance(step, Calling) else None
        if isinstance(part, Arguments):
            if not part.text.strip():
                return closed
            raise UpstreamError(
                "The upstream continued a tool call that had ended: ask again.", code="upstream_unreadable"
            )
        self._open, self._arguments = part, ""
        return [*closed, step]

    def _closed(self, *, cut: bool) -> list[Step]:
        """End the open call; if it has no arguments, they become an empty object."""
        call, self._open = self._open, None
        if call is None or self._arguments.strip() or cut:
            return []
        return [Calling(0, Arguments(call.number, "{}"))]

    def _released(self) -> list[Step]:
        held, self._held = self._held, []
        return [passed for step in held for passed in self.take(step)]
