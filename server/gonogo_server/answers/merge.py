"""Merges several asynchronous streams into one, in the order of arrival.

Items come in lists of those that are available at the same moment. A step of an engine brings one for each of its
answers, so per-list work such as a write to a socket is then done once.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

Item = TypeVar("Item")

AHEAD: Final = 16
"""Lists that are queued at most; one for each stream if there are more streams. A slow reader makes streams wait."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """The number of streams that have ended, or the error of one."""

    error: Exception | None = None
    streams: int = 1


def merge(sources: Sequence[AsyncGenerator[list[Item], None]]) -> AsyncGenerator[list[Item], None]:
    """The items of all `sources`, which run at the same time; closing the generator closes them.

    An item never waits for another; items that are available when the next list is requested are joined. An exception
    of a source is raised here, after the items before it, and ends the other sources. A single source is returned
    unchanged.
    """
    return sources[0] if len(sources) == 1 else _merged(sources)


async def _merged(sources: Sequence[AsyncGenerator[list[Item], None]]) -> AsyncGenerator[list[Item], None]:
    queue: asyncio.Queue[list[Item] | _Ended] = asyncio.Queue(max(AHEAD, len(sources)))
    # No TaskGroup: it must not be left by a yield (PEP 789).
    tasks = [asyncio.create_task(_pour(source, queue)) for source in sources]
    running = len(tasks)
    try:
        while running:
            items: list[Item] = []
            ended = await _collect(queue, items)
            if items:
                yield items
            if ended.error is not None:
                raise ended.error
            running -= ended.streams
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _collect(queue: asyncio.Queue[list[Item] | _Ended], items: list[Item]) -> _Ended:
    """Wait for an entry, then add to `items` the items of that entry and of all others in the queue.

    Returns the number of streams that have ended, or the error of one; entries after an error are ignored.
    """
    ended = 0
    entry = await queue.get()
    while True:
        if not isinstance(entry, _Ended):
            items += entry
        elif entry.error is not None:
            return entry
        else:
            ended += 1
        if queue.empty():
            return _Ended(streams=ended)
        entry = queue.get_nowait()


async def _pour(source: AsyncGenerator[list[Item], None], queue: asyncio.Queue[list[Item] | _Ended]) -> None:
    end = _Ended()
    try:
        async with aclosing(source) as items:
            async for some in items:
                await queue.put(some)
    except Exception as error:  # noqa: BLE001 - it is raised again where the items are read
        end = _Ended(error)
    await queue.put(end)
