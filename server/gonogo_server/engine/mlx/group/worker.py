"""A worker process of a group: it repeats with its shard of the model what process 0 does."""

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
    """Step with process 0 until it stops: whether it did, rather than that a step failed.

    It decides when to stop, as it may have answers to finish: signals that ask for it are left to it. Raises
    `ModelUnavailable`, with one sentence, where this process cannot begin. Ends the process, with status 1, where
    process 0 is gone.
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
