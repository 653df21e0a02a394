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
    """An engine that serves the one model that is named, once every process has its shard of it.

    Raises `ModelUnavailable`, with one sentence.
    """
    return GroupEngine(the_model(models, download=download), limits, group)


class GroupEngine(MlxEngine):
    """As `MlxEngine`, with one model, for as long as all processes of the group live."""

    def __init__(self, location: Location, limits: Limits, group: Group) -> None:
        self._group = group
        super().__init__([location], limits, Budget(), lambda limits: SharedResidents(limits, group))
        self._watch = Watch(self._worker.call(_owned).result(), self._stalled)

    @property
    def description(self) -> str:
        """As of one process, and how many there are."""
        return f"{super().description}; {self._group.size} processes"

    async def close(self) -> None:
        """Stop within a step, and have the other processes end."""
        # Watched until it has stopped, as the last step may be the one that never ends.
        await super().close()
        self._watch.end()

    def _stalled(self) -> None:
        log.critical("Another process of the group has exited or hangs; nothing can be computed without it.")
        # The thread that computes waits for ever in what mlx does: the process cannot end in order.
        atexit.register(os._exit, 1)
        self._worker.give_up()


def _owned(owned: Residents) -> SharedResidents:
    assert isinstance(owned, SharedResidents), "made above"
    return owned
