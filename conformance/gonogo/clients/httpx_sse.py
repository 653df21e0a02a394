"""httpx-sse reads recorded streams, as applications that handle server-sent events themselves do."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

from gonogo.clients.breakage import Breakage, Client, NotInstalled
from gonogo.clients.recording import BASE_URL, expect_turns, headers, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import httpx

    from gonogo.exchange import Exchange

NAME = "httpx-sse"
DONE = "[DONE]"


def require() -> ModuleType:
    """Import the library and the httpx that it is built on. Raises NotInstalled if one of them is missing."""
    try:
        import httpx  # noqa: F401, PLC0415 - an extra; imported only on use
        import httpx_sse  # noqa: PLC0415 - as above
    except ImportError:
        raise NotInstalled(NAME) from None
    return httpx_sse


@functools.lru_cache(maxsize=4096)
def stream(exchange: Exchange) -> Breakage | None:
    """Read every event up to [DONE] and parse its data as JSON; once for each exchange. Raises NotInstalled."""
    client = Client(NAME, require().__version__)
    import httpx  # noqa: PLC0415 - as above

    def answer(_: httpx.Request) -> httpx.Response:
        assert exchange.status is not None
        return httpx.Response(exchange.status, headers=headers(exchange), content=pieces(exchange))

    with httpx.Client(transport=httpx.MockTransport(answer), trust_env=False) as sender:
        return client.play(_loop(sender, exchange))


def _loop(sender: httpx.Client, exchange: Exchange) -> Iterator[str]:
    from httpx_sse import connect_sse  # noqa: PLC0415 - as above

    url = BASE_URL + exchange.request.path
    events = 0
    with connect_sse(sender, "POST", url, content=exchange.request.body) as source:
        yield "for event in source.iter_sse()"
        for events, event in enumerate(source.iter_sse(), 1):  # noqa: B007 - counted for the check after the loop
            if event.data == DONE:
                break
            yield "json.loads(event.data)"
            json.loads(event.data)
            yield "for event in source.iter_sse()"
    expect_turns(events, exchange)
