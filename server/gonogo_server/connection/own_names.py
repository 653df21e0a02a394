"""The host names that the server accepts.

Any web page can make a browser send requests to a server on loopback, through a host name of its own that resolves to
127.0.0.1 (DNS rebinding). The browser takes that server for the page's own, so origin rules do not apply; the Host
header gives it away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from gonogo_server.addresses import LOCAL, is_loopback
from gonogo_server.envelope import error_response
from gonogo_server.errors import Misdirected

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

    from gonogo_server.settings import Settings

ANY: Final = "*"


def own_names(settings: Settings) -> frozenset[str] | None:
    """The host names accepted with these settings, besides loopback addresses; None: any name.

    They are checked if the server listens on loopback without a key, or if names are set.
    """
    if ANY in settings.allowed_hosts:
        return None
    guarded = not settings.keys and is_loopback(settings.host)
    if not (guarded or settings.allowed_hosts):
        return None
    return frozenset(name.lower() for name in (LOCAL, settings.host, *settings.allowed_hosts))


def is_own(host: str, names: Collection[str]) -> bool:
    """Whether the Host header has one of these names or a loopback address; the port is ignored."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name in names or is_loopback(name)


class OwnNames:
    """Wraps an application; rejects requests for other hosts with `Misdirected`."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests for this server."""
        host = Headers(scope=scope).get("host", "") if scope["type"] == "http" else LOCAL
        if is_own(host, self._names):
            await self._app(scope, receive, send)
            return
        error = Misdirected(
            "The Host of this request is not a name of this server: use localhost or 127.0.0.1, or "
            "start the server with --allowed-host and the name."
        )
        await error_response(error, scope)(scope, receive, send)
