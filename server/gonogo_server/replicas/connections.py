"""Gives Ray's HTTP proxy the connections of `gonogo serve`, with their limits and errors.

The proxy runs uvicorn, which uses httptools if it is installed. httptools loses the body of a request that offers an
upgrade to HTTP/2 (findings/uvicorn-body-of-an-upgrade-offer.sh), has no time limit for heads, and answers errors in
plain text. Ray Serve has no option for it, but calls the function in RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH before
it listens.
"""

from __future__ import annotations

from typing import Any

import uvicorn.config

from gonogo_server.connection.protocol import Limits, limited
from gonogo_server.settings import read


def install() -> list[Any]:
    """Make uvicorn in this process use them, with the limits of the environment variables.

    Returns no middleware for Ray Serve. Raises `BadSettings`.
    """
    settings = read({})
    made = limited(Limits(settings.head_timeout, settings.max_connections))
    uvicorn.config.HTTP_PROTOCOLS["auto"] = made  # type: ignore[assignment]  # a class works as well as its path
    return []
