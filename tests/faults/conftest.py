"""A clean run: everything that the reference server answers to everything that the rules ask."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import uvicorn
from gonogo.collect.plan import plan
from gonogo.rules import Catalogue, load
from gonogo.running import Approach, collect
from gonogo_server.app import create_app
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.evidence import Record

PATIENCE = 30.0
"""Seconds after which a run that hangs is given up; nothing waits for it."""


@contextmanager
def reference_server() -> Iterator[str]:
    """Serve the reference server's application on a free port of loopback; yields its base URL."""
    app = create_app(ScriptedEngine(("scripted", "org/scripted")), Settings())
    listener = socket.create_server(("127.0.0.1", 0))  # it queues connections from here on
    server = uvicorn.Server(uvicorn.Config(app, http="h11", lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture(scope="session")
def clean(catalogue: Catalogue) -> Record:
    with reference_server() as base_url:
        run = collect(Approach(base_url, timeout=PATIENCE), plan(catalogue))
        return asyncio.run(asyncio.wait_for(run, 2 * PATIENCE))
