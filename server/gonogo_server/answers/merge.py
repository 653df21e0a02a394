"""Merges several asynchronous streams into one, in the order of arrival.

Items come in lists, of those that are there at the same moment: a step of an engine brings one for each of its answers,
and what is done for every list, as a write to a socket, is done once then.
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
"""Lists that may wait for a reader, or one of each stream where these are more. A slow reader holds them back."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """So many streams have come to their end, or one to an error."""

    error: Exception | None = None
    streams: int = 1


def merge(sources: Sequence[AsyncGenerator[list[Item], None]]) -> AsyncGenerator[list[Item], None]:
    """The items of all `sources`, which run at the same time; closing it closes them.

    An item never waits for another: joined are those that have come by the time that they are requested. What one of
    the sources raises is raised here, after what came before it, and ends the others. A single one is given as it is.
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
    """Wait for an entry, and add to `items` what it and the others say that are in the queue then.

    Gives how many streams have ended, or with which error; what comes after an error is not looked at.
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
