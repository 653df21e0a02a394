"""A connection: uvicorn's protocol with limits for slow clients and OpenAI error objects.

uvicorn limits how long a connection may idle between two requests, and how large a head may be. It leaves to a proxy
the cases of a head that never ends, of too many connections, and of one read that brings ten thousand chunks of one
byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from gonogo_server.connection.corked import Corked
from gonogo_server.connection.parser import Parser
from gonogo_server.envelope import error_response
from gonogo_server.errors import BadHttp, TooManyConnections, TooSlow

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from uvicorn.config import Config
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle
    from uvicorn.server import ServerState

    from gonogo_server.errors import ServerError

READ: Final = 8 * 2**10
"""Bytes per read. As chunks of one byte they take 20 ms, then other connections have their turn."""

LINGER_SECONDS: Final = 1.0
"""For a client to read the error: closing at once would reset its connection while it still sends."""

CAN_ANSWER: Final = (h11.IDLE, h11.SEND_RESPONSE)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for clients: seconds for the head of a request, and simultaneous connections."""

    head_seconds: float
    connections: int


class Connection(H11Protocol):
    """One connection. `limited` makes the class, uvicorn its instances."""

    limits: ClassVar[Limits]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn: Parser = Parser(h11.SERVER)
        self._clock: asyncio.TimerHandle | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's does
        """Accept the connection, unless there are too many."""
        if hasattr(transport, "max_size"):  # how asyncio names what it reads at once; uvloop has no limit
            transport.max_size = READ
        super().connection_made(Corked(transport, self.loop))
        if len(self.connections) > self.limits.connections:
            self._refuse(TooManyConnections(self.limits.connections))
        else:
            self._wait(self.limits.head_seconds, self._too_slow)

    def data_received(self, data: bytes) -> None:
        """Continue reading; data after a refusal is discarded."""
        if self._refused:
            return
        super().data_received(data)
        self._watch_the_head()

    def _watch_the_head(self) -> None:
        if self._refused or self._is_rest():
            return
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._clock is None:
            self._wait(self.limits.head_seconds, self._too_slow)

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of a body that was not read."""
        super().on_response_complete()
        if self._refused or self.transport.is_closing():
            return
        if self._is_rest():
            self._wait(self.limits.head_seconds, self.transport.abort)
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._unset_keepalive_if_required()  # the next request has already begun
            self._wait(self.limits.head_seconds, self._too_slow)

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that the parser cannot read."""
        self._refuse(self.conn.refusal or BadHttp(msg))

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer of the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_rest(self) -> bool:
        """Whether the request was answered before its body had ended."""
        return self.conn.their_state is h11.SEND_BODY and self._answered()

    def _answered(self) -> bool:
        # uvicorn's type says that there is always a cycle, but there is none before the first request.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _too_slow(self) -> None:
        self._clock = None
        begun, _ = self.conn.trailing_data
        if begun:
            self._refuse(
                TooSlow(
                    f"The head of the request did not arrive within {self.limits.head_seconds:g} seconds."
                )
            )
        else:
            self.transport.close()  # no request has begun

    def _refuse(self, error: ServerError) -> None:
        """Answer with an error if no answer has started, and stop reading."""
        self._refused = True
        self._unset_keepalive_if_required()
        if not self._answered():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in CAN_ANSWER or not self.transport.can_write_eof():
            self.transport.close()
            return
        response = error_response(error)
        headers = [*response.raw_headers, (b"connection", b"close")]
        head = h11.Response(status_code=response.status_code, headers=headers)
        for event in (head, h11.Data(data=bytes(response.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.write_eof()
        self._wait(LINGER_SECONDS, self.transport.abort)

    def _wait(self, seconds: float, then: Callable[[], object]) -> None:
        self._stop_waiting()
        self._clock = self.loop.call_later(seconds, then)

    def _stop_waiting(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


def limited(limits: Limits) -> type[Connection]:
    """The protocol with these limits, for `uvicorn.Config(http=…)`."""
    return type("LimitedConnection", (Connection,), {"limits": limits})
