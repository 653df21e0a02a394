"""The connections of Ray's HTTP proxy: those of `gonogo serve`, with its limits and its errors.

The proxy runs uvicorn, which takes httptools where it is installed: that loses the body of a request that offers an
upgrade to HTTP/2 (findings/uvicorn-body-of-an-upgrade-offer.sh), knows no limit for slow heads, and refuses in plain
text. Ray Serve has no option for it, but calls what RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH names before it listens.
"""

from __future__ import annotations

from typing import Any

import uvicorn.config

from gonogo_server.connection.protocol import Limits, limited
from gonogo_server.settings import read


def install() -> list[Any]:
    """Have uvicorn in this process use them, within the limits of the variables; no middleware for Ray Serve.

    Raises `BadSettings`.
    """
    settings = read({})
    made = limited(Limits(settings.head_timeout, settings.max_connections))
    uvicorn.config.HTTP_PROTOCOLS["auto"] = made  # type: ignore[assignment]  # a class will do as well as its path
    return []
