"""A pool of requests: a limited number in flight, each after those it depends on, the longest chains first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from gonogo.stimuli.stimulus import Stimulus

FIXED = 8
"""The cost of a request before its first token, in tokens: an estimate, sufficient to order chains by length."""


def longest_first(stimuli: Iterable[Stimulus]) -> list[Stimulus]:
    """The stimuli ordered by the length of the longest chain that depends on them; ties keep their order."""
    asked = list(stimuli)
    longest: dict[str, int] = {}

    def length(stimulus: Stimulus) -> int:
        if stimulus.key not in longest:
            after = (length(other) for other in asked if stimulus.key in {need.key for need in other.needs})
            longest[stimulus.key] = FIXED + stimulus.tokens + max(after, default=0)
        return longest[stimulus.key]

    return sorted(asked, key=length, reverse=True)


def narrower(width: int, asked: int) -> int:
    """The number of parallel requests after a time-out with `width` of them: half as many.

    If it was alone, load was not the cause, and the width returns to `asked`.
    """
    return width // 2 or asked


async def pooled(
    stimuli: Sequence[Stimulus],
    send: Callable[[Stimulus], Awaitable[None]],
    limit: Callable[[], int],
    another: Callable[[int], bool] = lambda _: True,
) -> list[Stimulus]:
    """Send the stimuli in this order, at most `limit()` at a time, each after those that it needs.

    The limit may change meanwhile; it is at least 1 and never above its first value. `another` is called before each
    with the number of started requests; once it returns False, no more are started. Returns the started stimuli, in the
    order of `stimuli`, when all are answered. An error of `send` cancels the rest and is raised in an ExceptionGroup.
    """
    waiting = list(stimuli)
    begun: set[str] = set()
    unanswered = {stimulus.key for stimulus in stimuli}
    under_way: set[str] = set()
    changed = asyncio.Condition()

    def ready() -> Stimulus | None:
        return next((s for s in waiting if unanswered.isdisjoint(need.key for need in s.needs)), None)

    def is_due() -> bool:
        return is_over() or (len(under_way) < limit() and ready() is not None)

    def is_over() -> bool:
        return not waiting or not another(len(begun))

    async def work() -> None:
        while True:
            async with changed:
                await changed.wait_for(is_due)
                stimulus = None if is_over() else ready()
                if stimulus is None:
                    return
                under_way.add(stimulus.key)
                waiting.remove(stimulus)
                begun.add(stimulus.key)
            await send(stimulus)
            async with changed:
                under_way.discard(stimulus.key)
                unanswered.discard(stimulus.key)
                changed.notify_all()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(limit(), len(waiting))):
            group.create_task(work())
    return [stimulus for stimulus in stimuli if stimulus.key in begun]
