"""The HTTP protocol of Ray's proxy; without Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvicorn
import uvicorn.config
from gonogo_server.connection.protocol import Connection, Limits
from gonogo_server.replicas.connections import install
from starlette.applications import Starlette

if TYPE_CHECKING:
    import pytest


def test_a_server_that_uvicorn_chooses_the_parser_of_has_our_connections_with_the_limits_of_the_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uvicorn.config, "HTTP_PROTOCOLS", dict(uvicorn.config.HTTP_PROTOCOLS))
    monkeypatch.setenv("GONOGO_SERVER_HEAD_TIMEOUT", "3")
    monkeypatch.setenv("GONOGO_SERVER_MAX_CONNECTIONS", "7")
    assert install() == []
    config = uvicorn.Config(Starlette(), log_config=None)
    config.load()
    protocol = config.http_protocol_class
    assert issubclass(protocol, Connection)
    assert protocol.limits == Limits(3, 7)
