"""Several asynchronous streams as one, in the order in which their items come."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

Item = TypeVar("Item")

AHEAD: Final = 16
"""Items that may wait for a reader, or one of each stream where these are more. A slow reader holds them back."""


@dataclass(frozen=True, slots=True)
class _Ended:
    error: Exception | None = None


def merge(sources: Sequence[AsyncGenerator[Item, None]]) -> AsyncGenerator[Item, None]:
    """The items of all `sources`, which run at the same time; closing it closes them.

    What one of them raises is raised here, and ends the others. A single one is given as it is.
    """
    return sources[0] if len(sources) == 1 else _merged(sources)


async def _merged(sources: Sequence[AsyncGenerator[Item, None]]) -> AsyncGenerator[Item, None]:
    queue: asyncio.Queue[Item | _Ended] = asyncio.Queue(max(AHEAD, len(sources)))
    # No TaskGroup: it must not be left by a yield (PEP 789).
    tasks = [asyncio.create_task(_pour(source, queue)) for source in sources]
    running = len(tasks)
    try:
        while running:
            item = await queue.get()
            if not isinstance(item, _Ended):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                running -= 1
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _pour(source: AsyncGenerator[Item, None], queue: asyncio.Queue[Item | _Ended]) -> None:
    end = _Ended()
    try:
        async with aclosing(source) as items:
            async for item in items:
                await queue.put(item)
    except Exception as error:  # noqa: BLE001 - it is raised again where the items are read
        end = _Ended(error)
    await queue.put(end)
