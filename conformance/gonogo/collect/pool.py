"""A pool of requests: so many under way at a time, each after those it needs, the longest chains first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from gonogo.stimuli.stimulus import Stimulus

FIXED = 8
"""What a request takes before its first token, in tokens: a guess, good enough to say which chain is longer."""


def longest_first(stimuli: Iterable[Stimulus]) -> list[Stimulus]:
    """The stimuli in the order of what they and those that need them take at most; a tie keeps its order."""
    asked = list(stimuli)
    longest: dict[str, int] = {}

    def length(stimulus: Stimulus) -> int:
        if stimulus.key not in longest:
            after = (length(other) for other in asked if stimulus.key in {need.key for need in other.needs})
            longest[stimulus.key] = FIXED + stimulus.tokens + max(after, default=0)
        return longest[stimulus.key]

    return sorted(asked, key=length, reverse=True)


async def pooled(
    stimuli: Sequence[Stimulus],
    send: Callable[[Stimulus], Awaitable[None]],
    limit: int,
    another: Callable[[int], bool] = lambda _: True,
) -> list[Stimulus]:
    """Send them in this order, at most `limit` at a time, each after those of them that it needs.

    `another` is asked before each with how many were begun; where it says no, none is begun any more. Returns
    those that were begun, in the order of `stimuli`, when all of them are answered. An error of `send` cancels the
    rest and is raised in an ExceptionGroup.
    """
    waiting = list(stimuli)
    begun: set[str] = set()
    unanswered = {stimulus.key for stimulus in stimuli}
    changed = asyncio.Condition()

    def ready() -> Stimulus | None:
        return next((s for s in waiting if unanswered.isdisjoint(need.key for need in s.needs)), None)

    def is_over() -> bool:
        return not waiting or not another(len(begun))

    async def work() -> None:
        while True:
            async with changed:
                await changed.wait_for(lambda: is_over() or ready() is not None)
                stimulus = None if is_over() else ready()
                if stimulus is None:
                    return
                waiting.remove(stimulus)
                begun.add(stimulus.key)
            await send(stimulus)
            async with changed:
                unanswered.discard(stimulus.key)
                changed.notify_all()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(limit, len(waiting))):
            group.create_task(work())
    return [stimulus for stimulus in stimuli if stimulus.key in begun]
