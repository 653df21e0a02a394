"""Ends a run before the end of its plan: by a signal, a time limit, or a limit on answer bytes."""

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
    """Ends a run from a signal handler or a limit.

    `number` is the received signal, `because` the reason of a limit; each is None until then.
    """

    number: int | None = None
    because: Because | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _task: asyncio.Task[None] | None = field(default=None)

    def stop(self, number: int) -> bool:
        """Cancel the bounded work cleanly; returns False if there was none, or if this is the second call.

        Between two bounded calls the next one is cancelled; after the last one the report is still written.
        """
        again, self.number = self.number is not None, number
        if again or self._loop is None:
            return False
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        return True

    def end(self, because: Because) -> None:
        """Cancel the bounded work for this reason; called from its own event loop."""
        self.because = because
        if self._task is not None:
            self._task.cancel()

    async def bound(self, work: Coroutine[None, None, None], deadline: float | None) -> Because | None:
        """Run the work until `deadline`, a time of the loop (None: no limit); returns why it was interrupted, or None.

        Exceptions of the work are raised.
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
            task.cancel()  # has no effect if it is done
            await asyncio.wait({task})
        if not task.cancelled():
            task.result()
            return None
        if self.number is not None:
            return Because(Reason.INTERRUPTED)
        return self.because or Because(Reason.OUT_OF_TIME)
