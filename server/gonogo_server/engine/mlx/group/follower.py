"""Any process of a group but process 0: it does with its part of the model what it is ordered to."""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
from typing import TYPE_CHECKING, Any

from gonogo_server.engine.mlx.device import set_up
from gonogo_server.engine.mlx.group.orders import GRACE_SECONDS, STOP, obey
from gonogo_server.engine.mlx.group.part import Part, facts, split, the_model
from gonogo_server.engine.mlx.load import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gonogo_server.engine.mlx.group.join import Group
    from gonogo_server.engine.mlx.group.orders import Line, Order


log = logging.getLogger(__name__)


def follow(models: Sequence[str], group: Group, *, download: bool) -> bool:
    """Do what process 0 says until it says that there is no more: whether it did, rather than just be gone.

    It decides when to stop, as it may have answers to finish: signals that ask for it are left to it. Raises
    `ModelUnavailable` or `BadSettings`, with one sentence, where this process cannot begin.
    """
    line = obey(group)
    try:
        location = the_model(models, download=download)
        set_up()
        part = Part(load(location, lambda model: split(model, group)).model)
        for asked in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asked, signal.SIG_IGN)
        line.say(facts(location))
        return obey_all(part, line)
    finally:
        line.close()


def obey_all(part: Part, line: Line) -> bool:
    """Do with the part what is ordered on the line, to the end of it: whether that came in order."""
    orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
    ended = threading.Event()
    listener = threading.Thread(target=listen, args=(line, orders.put, ended), daemon=True)
    listener.start()
    try:
        while (order := orders.get()) is not None:
            if order[0] == STOP:
                return True
            part.obey(order)
    except Exception:
        log.exception("A step of this process of the group failed.")
    finally:
        ended.set()
        line.end()
        listener.join()
    return False


def listen(
    line: Line,
    take: Callable[[Order | None], None],
    ended: threading.Event,
    end_now: Callable[[int], Any] = os._exit,
) -> None:
    """Pass on what is ordered; end the process hard where process 0 is gone and a step waits for it for ever."""
    while (order := line.hear()) is not None:
        take(order)
    take(None)
    if not ended.wait(GRACE_SECONDS):
        end_now(1)
