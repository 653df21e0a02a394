"""The transport for upstreams: httpx2 on httpcore2's pool, with connections on asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.request import getproxies

import httpcore2
import httpx2

from gonogo_server.providers.upstream.http1 import Pool
from gonogo_server.providers.upstream.network import Network

if TYPE_CHECKING:
    import ssl


class Transport(httpx2.AsyncHTTPTransport):
    """Direct connections, without a proxy.

    httpx2 2.16 has no parameter for the network backend of its pool, so the pool is replaced.
    """

    def __init__(self, context: ssl.SSLContext, limits: httpx2.Limits, *, http2: bool) -> None:
        super().__init__(verify=context)
        if not http2:
            self._pool = Pool(context, Network(), limits)
            return
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            http2=True,
            network_backend=Network(),
        )


def has_proxies() -> bool:
    """Whether the environment names a proxy. Source: `urllib.request.getproxies`, which httpx2 reads too."""
    return any(scheme != "no" for scheme in getproxies())
