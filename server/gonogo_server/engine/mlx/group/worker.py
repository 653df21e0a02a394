"""A worker process of a group: it runs the steps of process 0 on its own shard of the model."""

from __future__ import annotations

import logging
import os
import signal
from typing import TYPE_CHECKING

from gonogo_server.engine.mlx.group.shard import the_model
from gonogo_server.engine.mlx.group.shared import OutOfStepError, SharedResidents
from gonogo_server.engine.mlx.group.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.mlx.group.join import Group
    from gonogo_server.engine.mlx.residents import Limits

log = logging.getLogger(__name__)


def work(models: Sequence[str], group: Group, *, download: bool, limits: Limits) -> bool:
    """Run steps with process 0 until it stops; return False if a step failed before that.

    Ignores SIGINT and SIGTERM, because process 0 may have answers to finish and decides when to stop. Raises
    `ModelUnavailable` if this process cannot start. Exits with status 1 if process 0 is gone.
    """
    location = the_model(models, download=download)
    residents = SharedResidents(limits, group)
    residents.load(location)
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, signal.SIG_IGN)
    watch = Watch(residents, lambda: os._exit(1))
    try:
        while residents.step():
            pass
    except (Exception, OutOfStepError):
        log.exception("A step of this process of the group failed.")
        return False
    finally:
        watch.end()
        residents.release()
    return True
