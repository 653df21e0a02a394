"""Process 0 of a group: the engine that answers, with a model of which it has a part."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from gonogo_server.engine.mlx.engine import Budget, MlxEngine
from gonogo_server.engine.mlx.group.led import LedModel, OutOfStepError
from gonogo_server.engine.mlx.group.orders import GRACE_SECONDS, STOP, agree, command
from gonogo_server.engine.mlx.group.part import facts, split, the_model
from gonogo_server.engine.mlx.load import Loaded, load
from gonogo_server.errors import EngineDied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.locate import Location
    from gonogo_server.engine.mlx.group.join import Group
    from gonogo_server.engine.mlx.group.orders import Orders
    from gonogo_server.engine.mlx.residents import Limits, Residents

log = logging.getLogger(__name__)


def lead(models: Sequence[str], group: Group, *, download: bool, limits: Limits) -> LeadingEngine:
    """In process 0: an engine that serves the one model that is named, once every process has its part of it.

    Raises `ModelUnavailable` or `BadSettings`, with one sentence.
    """
    return LeadingEngine(the_model(models, download=download), limits, group, command(group))


class LeadingEngine(MlxEngine):
    """As `MlxEngine`, with one model, for as long as all processes of the group live."""

    def __init__(self, location: Location, limits: Limits, group: Group, orders: Orders) -> None:
        self._group = group
        self._orders = orders
        self._left: int | None = None
        self._stopping = False
        super().__init__([location], limits, Budget(), self._load_part)
        self._watch = threading.Thread(target=self._watch_over, name="gonogo-group", daemon=True)
        self._watch.start()

    @property
    def description(self) -> str:
        """As of one process, and how many there are."""
        return f"{super().description}; {self._group.size} processes"

    @property
    def alive(self) -> bool:
        """False as soon as one of the processes is gone."""
        return super().alive and self._left is None

    async def close(self) -> None:
        """Stop within a step, and have the other processes end: in order, if all was."""
        in_order = self.alive
        await super().close()
        self._stopping = True
        if in_order:
            with suppress(OSError):  # it was the last moment to be gone
                self._orders.tell(STOP)
        self._orders.end()
        self._watch.join()
        self._orders.close()

    def _load_part(self, location: Location) -> Loaded:
        loaded = load(location, lambda model: split(model, self._group))
        agree(self._orders, facts(location))
        return replace(loaded, model=LedModel(loaded.model, self._orders))

    def _watch_over(self) -> None:
        rank = self._orders.wait()
        if self._stopping:
            return
        self._left = rank
        log.critical("Process %d of the group is gone; nothing can be computed without it.", rank)
        try:
            self._worker.call(lambda owned: _give_up(owned, rank))
        except EngineDied:
            return
        self._worker.stop(GRACE_SECONDS)
        if self._worker.alive:
            # It waits in a sum for the process that is gone, and nothing can stop that.
            os._exit(1)


def _give_up(_owned: Residents, rank: int) -> NoReturn:
    raise OutOfStepError(f"process {rank} of the group is gone")
