"""Process 0 of a group: the engine that serves requests, with a shard of the model."""

from __future__ import annotations

import atexit
import logging
import os
from typing import TYPE_CHECKING

from gonogo_server.engine.mlx.engine import Budget, MlxEngine
from gonogo_server.engine.mlx.group.shard import the_model
from gonogo_server.engine.mlx.group.shared import SharedResidents
from gonogo_server.engine.mlx.group.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.locate import Location
    from gonogo_server.engine.mlx.group.join import Group
    from gonogo_server.engine.mlx.residents import Limits, Residents

log = logging.getLogger(__name__)


def coordinate(models: Sequence[str], group: Group, *, download: bool, limits: Limits) -> GroupEngine:
    """An engine that serves the only named model, returned once every process has loaded its shard.

    Raises `ModelUnavailable`.
    """
    return GroupEngine(the_model(models, download=download), limits, group)


class GroupEngine(MlxEngine):
    """An `MlxEngine` with one model, which dies if any process of the group exits or hangs."""

    def __init__(self, location: Location, limits: Limits, group: Group) -> None:
        self._group = group
        super().__init__([location], limits, Budget(), lambda limits: SharedResidents(limits, group))
        self._watch = Watch(self._worker.call(_owned).result(), self._stalled)

    @property
    def description(self) -> str:
        """The description of `MlxEngine`, and the number of processes."""
        return f"{super().description}; {self._group.size} processes"

    async def close(self) -> None:
        """Stop after the current step, and end the other processes."""
        # The watch ends last, because the last step may hang.
        await super().close()
        self._watch.end()

    def _stalled(self) -> None:
        log.critical("Another process of the group has exited or hangs; nothing can be computed without it.")
        # The computing thread is stuck in a call of mlx, so the process cannot exit normally.
        atexit.register(os._exit, 1)
        self._worker.give_up()


def _owned(owned: Residents) -> SharedResidents:
    assert isinstance(owned, SharedResidents), "see GroupEngine"
    return owned
