"""Serializes a generation for a surface: as one object, or as events while it is generated."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol

from pydantic_core import to_json

from gonogo_server.answers.respond import note, serialized
from gonogo_server.answers.stream import Counted
from gonogo_server.answers.written import Body, Framing, begun
from gonogo_server.exchange import current

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

    from gonogo_server.answers.stream import Step
    from gonogo_server.answers.written import Answer

    Save = Callable[[Counted], Awaitable[None]]


class Telling(Framing, Protocol):
    """How a surface serializes an answer."""

    @property
    def tokens(self) -> int:
        """How many tokens the answer has, once it has all steps."""

    def events(self, steps: Iterable[Step]) -> bytes:
        """The events of these steps."""

    def whole(self) -> dict[str, Any]:
        """The object, once it has all steps."""


async def respond(
    steps: AsyncGenerator[list[Step], None],
    telling: Telling,
    *,
    stream: bool,
    patience: float | None,
    save: Save | None = None,
) -> Answer:
    """The answer made of `steps`; what fails before the first is raised, see `answers.respond.respond`.

    `save` is called with the last step before the last event is made, so that a client which has that can continue
    the answer, and the event can say whether it was saved.
    """
    events = _events(steps, telling, save)
    if stream:
        return await begun(events, patience, telling)
    async with aclosing(events):
        async for _ in events:
            pass
    return Body(await serialized(lambda: to_json(telling.whole()), telling.tokens))


async def _events(
    steps: AsyncGenerator[list[Step], None], telling: Telling, save: Save | None
) -> AsyncGenerator[bytes, None]:
    exchange = current()
    async with aclosing(steps):
        async for some in steps:
            note(exchange, some)
            if save is not None and some and isinstance(counted := some[-1], Counted):
                events = telling.events(some[:-1])
                await save(counted)
                events += telling.events([counted])
            else:
                events = telling.events(some)
            if events:
                yield events
