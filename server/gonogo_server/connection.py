"""A connection of HTTP/1.1 on which events are written without a detour."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from gonogo_server.answers import sse

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Message, Receive, Scope, Send


class Connection(H11Protocol):
    """uvicorn's connection; h11 reads all requests, and frames every response but the events of a stream.

    Those are framed here, as h11 would do it (RFC 9112 section 7.1): it takes 6 us for each, a quarter of what a token
    costs. With httptools, uvicorn's other parser, a token costs no less than this, headers have no limit, a request
    needs no host, and a client of HTTP/1.0 is sent chunks.
    """

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's own, passed on
        super().__init__(*args, **named)
        self._app = self.app
        self.app = self._answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Have every write sent at once: one would else wait for the client to confirm the one before it (RFC 896).

        asyncio does so by itself only where the listening socket was made with the number of TCP, which is not usual.
        """
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle, flow, transport = self.cycle, self.flow, self.transport
        framed = False

        async def send_directly(message: Message) -> None:
            nonlocal framed
            if framed and message.get("more_body") and (body := message.get("body")):
                if flow.write_paused and not cycle.disconnected:
                    await flow.drain()
                if not cycle.disconnected:
                    transport.write(b"%x\r\n%b\r\n" % (len(body), body))
                return
            await send(message)
            framed = framed or _begins_events(scope, message)

        await self._app(scope, receive, send_directly)


def _begins_events(scope: Scope, message: Message) -> bool:
    """Whether chunks follow: with HTTP/1.0 the end of the connection is that of the events."""
    return (
        scope["type"] == "http"
        and scope["http_version"] == "1.1"
        and message["type"] == "http.response.start"
        and any(
            name == b"content-type" and value.startswith(sse.MEDIA_TYPE.encode())
            for name, value in message["headers"]
        )
    )
