"""Detects that another process is gone: a collective operation may then wait forever (ring, mlx 0.32.4)."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.engine.mlx.group.shared import SharedResidents

STALL_SECONDS: Final = 30.0
"""Longest time of a step. All processes do the same work, so they finish it at about the same time."""


class Watch:
    """A thread that calls `stalled` once if no step of the group ends within `STALL_SECONDS`."""

    def __init__(self, residents: SharedResidents, stalled: Callable[[], None]) -> None:
        self._residents = residents
        self._stalled = stalled
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="gonogo-group", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(STALL_SECONDS / 10):
            if monotonic() - self._residents.beat > STALL_SECONDS:
                self._stalled()
                return
