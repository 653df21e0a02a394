"""A slow server: the ideal target on loopback, with a given latency and generation speed."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from gonogo.exchange import Request, header
from ideal.target import IdealTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.exchange import Exchange


@dataclass
class Slow:
    """Begins each answer `latency` seconds after the request, and generates `tokens_a_second` tokens per second.

    Parallel requests do not slow each other down. `times` has the seconds at which requests came and answers ended,
    `most` the maximum number of parallel requests.
    """

    latency: float = 0.0
    tokens_a_second: float | None = None
    url: str = ""
    times: list[float] = field(default_factory=list)
    under_way: int = 0
    most: int = 0
    target: IdealTarget = field(default_factory=IdealTarget)

    @property
    def seconds(self) -> float:
        """Seconds from the first request to the end of the last answer."""
        return max(self.times, default=0.0) - min(self.times, default=0.0)

    def forget(self) -> None:
        """Reset the counters."""
        self.times.clear()
        self.most = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request per connection, as the suite sends them."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.times.append(perf_counter())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await _request(reader)
            await asyncio.sleep(self.latency)
            await self._answer(await self.target.record(request, id="", stimulus=""), writer)
        writer.close()
        self.times.append(perf_counter())
        self.under_way -= 1

    async def _answer(self, exchange: Exchange, writer: asyncio.StreamWriter) -> None:
        if not exchange.is_stream:
            await self._generate(_completion_tokens(exchange.body))
        writer.write(_head(exchange))
        for chunk in exchange.chunks:
            if exchange.is_stream:
                await self._generate(_carries_text(chunk.data))
            writer.write(chunk.data)
            await writer.drain()

    async def _generate(self, tokens: int) -> None:
        if self.tokens_a_second is not None and tokens:
            await asyncio.sleep(tokens / self.tokens_a_second)


@contextmanager
def slow(latency: float = 0.0, tokens_a_second: float | None = None) -> Iterator[Slow]:
    """Such a server on a free port of loopback, in its own thread; `url` is its base URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = Slow(latency, tokens_a_second)
    starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(server.serve, "127.0.0.1", 0), loop)
    try:
        server.url = f"http://127.0.0.1:{starting.result().sockets[0].getsockname()[1]}/v1"
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _request(reader: asyncio.StreamReader) -> Request:
    """The suite's request: one per connection, with a Content-Length."""
    line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    method, path, _ = line.split(" ")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    body = await reader.readexactly(int(header(headers, "content-length") or 0))
    return Request(method, path.removeprefix("/v1"), headers, body)


def _head(exchange: Exchange) -> bytes:
    headers = "".join(f"{name}: {value}\r\n" for name, value in exchange.headers)
    return f"HTTP/1.1 {exchange.status} \r\n{headers}connection: close\r\n\r\n".encode("latin-1")


def _completion_tokens(body: bytes) -> int:
    usage = _object(body).get("usage") or {}
    return int(usage.get("completion_tokens", 0))


def _carries_text(event: bytes) -> bool:
    """Whether a piece of a stream is a token: the ideal target sends one token per piece."""
    choices = _object(event.removeprefix(b"data: ")).get("choices") or []
    return any(
        choice.get("text") or any((choice.get("delta") or {}).get(name) for name in ("content", "tool_calls"))
        for choice in choices
    )


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
