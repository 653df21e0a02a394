"""The interfaces of a collector: a recorder that sends, and a sink for exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gonogo.exchange import Exchange, Request
    from gonogo.verdict import Because


class Recorder(Protocol):
    """Whatever turns a request into an exchange, and never raises for what the target does."""

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - the field's name
        """Send the request and record the answer."""


class Sink(Protocol):
    """Where a collector puts what it finds, as it finds it."""

    def exchange(self, exchange: Exchange) -> None:
        """Take a recorded exchange."""

    def unsent(self, key: str, because: Because) -> None:
        """Take the key of a stimulus that was not sent, and why; an exchange of that key does not count then."""
