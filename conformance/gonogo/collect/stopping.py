"""Ends a run before its plan does: by a signal, a time limit, or a limit on answer bytes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonogo.reasons import Reason
from gonogo.verdict import Because

if TYPE_CHECKING:
    from collections.abc import Coroutine


@dataclass
class Stopper:
    """What a signal handler pulls, and whatever else ends a run.

    `number` is the signal that came, `because` why the run ends by itself; None as long as neither is so.
    """

    number: int | None = None
    because: Because | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _task: asyncio.Task[None] | None = field(default=None)

    def stop(self, number: int) -> bool:
        """Cancel what is bounded now, in good order; False if nothing ever was, or this is the second time.

        Between two bounds the next one is cancelled; behind the last one the report is still to be written.
        """
        again, self.number = self.number is not None, number
        if again or self._loop is None:
            return False
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        return True

    def end(self, because: Because) -> None:
        """Cancel what is bounded now for this reason; from its own loop."""
        self.because = because
        if self._task is not None:
            self._task.cancel()

    async def bound(self, work: Coroutine[None, None, None], deadline: float | None) -> Because | None:
        """Do the work until that time of the loop (None: no limit); why it was broken off, None if it was not.

        What the work raises is raised.
        """
        self._loop = asyncio.get_running_loop()
        self._task = task = self._loop.create_task(work)
        if self.number is not None:
            task.cancel()
        left = None if deadline is None else max(0.0, deadline - self._loop.time())
        try:
            await asyncio.wait({task}, timeout=left)
        finally:
            self._task = None
            task.cancel()  # no more than a word where it is done
            await asyncio.wait({task})
        if not task.cancelled():
            task.result()
            return None
        if self.number is not None:
            return Because(Reason.INTERRUPTED)
        return self.because or Because(Reason.OUT_OF_TIME)
