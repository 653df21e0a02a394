"""The interfaces of a collector: a recorder that sends, and a sink for exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gonogo.exchange import Exchange, Request
    from gonogo.verdict import Because


class Recorder(Protocol):
    """Turns a request into an exchange; never raises because of the target's behaviour."""

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - the field's name
        """Send the request and record the answer."""


class Sink(Protocol):
    """Receives the records of a collector while they are made."""

    def exchange(self, exchange: Exchange) -> None:
        """Take a recorded exchange."""

    def unsent(self, key: str, because: Because) -> None:
        """Take the key of a stimulus that was not sent, and the reason; an exchange of that key no longer counts."""
