"""A server that speaks only HTTP/2 over TLS and answers every request with one stream of events."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import trustme

ANSWER = [(":status", "200"), ("content-type", "text/event-stream")]


@dataclass
class Served:
    """The received connections, and the headers of each request."""

    url: str = ""
    connections: int = 0
    requests: list[dict[str, str]] = field(default_factory=list)


@asynccontextmanager
async def speaking_http2(authority: trustme.CA, pieces: Sequence[bytes]) -> AsyncIterator[Served]:
    """Answer with these pieces, on loopback, with a certificate of this authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(["h2"])
    served = Served()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        http.initiate_connection()
        writer.write(http.data_to_send())
        while data := await reader.read(65536):
            try:
                events = http.receive_data(data)
            except ProtocolError:  # another HTTP version
                break
            for event in events:
                if isinstance(event, RequestReceived):
                    served.requests.append({str(name): str(value) for name, value in event.headers})
                elif isinstance(event, StreamEnded):
                    http.send_headers(event.stream_id, ANSWER)
                    for piece in pieces:
                        http.send_data(event.stream_id, piece)
                    http.end_stream(event.stream_id)
                assert not isinstance(event, StreamReset)
            writer.write(http.data_to_send())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    served.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield served
    finally:
        server.close()
