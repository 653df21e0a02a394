"""HTTP requests to an upstream. A request without a first byte of an answer is retried on another server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import httpx2

from gonogo_server.addresses import is_loopback
from gonogo_server.errors import UpstreamError
from gonogo_server.providers.upstream.targets import Targets
from gonogo_server.providers.upstream.transport import Transport, has_proxies
from gonogo_server.repair.errors import upstream_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from gonogo_server.provider_settings import ProviderSettings
    from gonogo_server.providers.upstream.targets import Target

ATTEMPTS: Final = 3
"""The most attempts for a request that got no byte of an answer."""
LARGEST: Final = 64 * 2**20
"""The most bytes of a complete answer."""
LARGEST_ERROR: Final = 64 * 2**10
"""The most bytes of an error that are read; the rest is ignored."""
ELSEWHERE: Final = frozenset({429, 502, 503})
"""Statuses after which the request is sent to another server."""
CONNECTIONS: Final = 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose head was received."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    _response: httpx2.Response

    @property
    def media_type(self) -> str | None:
        """The media type of the body, in lower case and without parameters."""
        given = self.headers.get("content-type")
        return None if given is None else given.partition(";")[0].strip().lower()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it arrives, decompressed. Raises `UpstreamError`."""
        # Answers are rarely compressed, and httpx2's decoder takes longer than reading the bytes.
        plain = "content-encoding" not in self.headers
        coming = self._response.stream if plain else self._response.aiter_bytes()
        assert isinstance(coming, AsyncIterable)
        try:
            async for piece in coming:
                yield piece
        except httpx2.HTTPError as error:
            raise _failure(error, begun=True) from None

    async def body(self, limit: int = LARGEST) -> bytes:
        """The whole body. Raises `UpstreamError` for more than `limit` bytes, and what `pieces` raises."""
        kept = bytearray()
        async for piece in self.pieces():
            kept += piece
            if len(kept) > limit:
                raise UpstreamError(f"The upstream's answer has more than {limit} bytes: request less.")
        return bytes(kept)

    async def start(self, limit: int = LARGEST_ERROR) -> bytes:
        """The body as far as it can be read, up to `limit` bytes; for errors, where the status is enough."""
        kept = bytearray()
        with suppress(UpstreamError):
            async for piece in self.pieces():
                kept += piece
                if len(kept) >= limit:
                    break
        return bytes(kept[:limit])


class Client:
    """Sends requests to the servers of one upstream over persistent connections. `key` is sent with each."""

    def __init__(self, settings: ProviderSettings, key: str | None) -> None:
        self.urls = settings.urls
        self._targets = Targets(settings.urls, lambda: asyncio.get_running_loop().time())
        idle = settings.idle_timeout
        # Trusts the authorities in SSL_CERT_FILE, also for an upstream on loopback.
        context = httpx2.create_ssl_context()
        # The environment's proxies are not for servers on this machine.
        far = not all(is_loopback(httpx2.URL(url).host) for url in settings.urls)
        limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(idle, connect=settings.connect_timeout, pool=idle),
            limits=limits,
            # Compression would delay bytes of a stream.
            headers={"accept-encoding": "identity", "user-agent": "gonogo"}
            | ({"authorization": f"Bearer {key}"} if key else {}),
            http2=settings.http2,
            follow_redirects=False,
            verify=context,
            trust_env=far,
            # Only httpx2's own transports support proxies.
            transport=None if far and has_proxies() else Transport(context, limits, http2=settings.http2),
        )
        self._hidden = tuple(filter(None, [key, *settings.urls, *map(_host, settings.urls)]))

    @property
    def hidden(self) -> tuple[str, ...]:
        """The texts that no client may see: the key and the address of the upstream."""
        return self._hidden

    @asynccontextmanager
    async def exchange(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        request_id: str = "",
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> AsyncIterator[Reply]:
        """The reply to a request, with any status; leaving the context cancels the request at the upstream too.

        `more` are headers of the client to forward. Raises `UpstreamError` if there is no reply.
        """
        headers = dict(more)
        if content is not None:
            headers["content-type"] = "application/json"
        if request_id:
            headers["x-request-id"] = request_id
        target, response = await self._begun(method, path, content, headers)
        try:
            yield Reply(response.status_code, {k.lower(): v for k, v in response.headers.items()}, response)
        finally:
            target.open -= 1
            await response.aclose()

    async def error(self, reply: Reply) -> UpstreamError | None:
        """The error in a reply, without the `hidden` texts; None if its status is 2xx."""
        if 200 <= reply.status < 300:
            return None
        return upstream_error(reply.status, reply.headers, await reply.start(), self.hidden)

    async def _begun(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> tuple[Target, httpx2.Response]:
        tried: list[str] = []
        while True:
            target = self._targets.next(tried)
            tried.append(target.url)
            last = len(tried) >= min(ATTEMPTS, 2 * len(self._targets))
            target.open += 1
            try:
                request = self._http.build_request(
                    method, _joined(target.url, path), content=content, headers=headers
                )
                response = await self._http.send(request, stream=True)
            except httpx2.HTTPError as error:
                target.open -= 1
                self._targets.failed(target)
                if last or isinstance(error, httpx2.ReadTimeout):
                    raise _failure(error, begun=False) from None
                continue
            except BaseException:
                target.open -= 1
                raise
            if response.status_code in ELSEWHERE and len(self._targets) > 1:
                self._targets.failed(target)
                if not last:
                    target.open -= 1
                    await response.aclose()
                    continue
            else:
                target.answered()
            return target, response

    async def close(self) -> None:
        """Close all connections; open requests fail."""
        await self._http.aclose()


def _joined(url: str, path: str) -> str:
    """The URL of an operation; query parameters of the base URL follow its path."""
    base, mark, query = url.partition("?")
    return f"{base.rstrip('/')}{path}{mark}{query}"


def _host(url: str) -> str:
    parsed = httpx2.URL(url)
    return f"{parsed.host}:{parsed.port}" if parsed.port else parsed.host


def _failure(error: httpx2.HTTPError, *, begun: bool) -> UpstreamError:
    """An error without the address: clients must not learn which server the upstream is."""
    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError):
        said = "The upstream cannot be reached: try again, or contact the operator of this server."
        return UpstreamError(said, code="upstream_unreachable", retry_after=1)
    if isinstance(error, httpx2.TimeoutException):
        said = "The upstream timed out: request fewer tokens, or try again."
        return UpstreamError(said, code="upstream_timeout", status=504)
    if begun:
        return UpstreamError("The upstream broke off its answer: try again.", retry_after=1)
    return UpstreamError("The upstream sent an unreadable answer: try again.", retry_after=1)
