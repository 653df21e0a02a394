"""One server for all clients, a process that serves SmolLM2 and MiniLM and requires a key; and a gateway before it."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from .flows import KEY, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator


class Served:
    """A listening server."""

    def __init__(self, base_url: str, behind: Served | None = None) -> None:
        self.base_url, self._behind = base_url, behind

    def wait_until_free(self) -> None:
        """Return once no request is open, here and behind; fails if one continues after its client has disconnected."""
        with httpx2.Client(headers={"authorization": f"Bearer {KEY}"}) as client:
            patient_until = monotonic() + PATIENCE
            while self._open(client):
                assert monotonic() < patient_until, "a request goes on although its client has gone"
        if self._behind is not None:
            self._behind.wait_until_free()

    async def seen_free(self) -> None:
        """As `wait_until_free`, for clients on an event loop, whose leftovers are collected there.

        httpx's generators cannot be closed on the waiting thread, where the garbage collector might close them.
        """
        gc.collect()
        await asyncio.to_thread(self.wait_until_free)

    def _open(self, client: httpx2.Client) -> float:
        figures = text_string_to_metric_families(client.get(httpx2.URL(self.base_url).join("/metrics")).text)
        return next(
            sample.value
            for family in figures
            for sample in family.samples
            if sample.name == "gonogo_requests_open"
        )


@contextmanager
def _serving(*arguments: str, **keys: str) -> Iterator[str]:
    """The base URL of a server with these arguments, and these keys in its environment."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GONOGO_SERVER_")}
    command = [sys.executable, "-m", "gonogo_server", *arguments, "--port", "0"]
    with subprocess.Popen(
        [*command, "--metrics", "--log-format", "off"],
        stdout=subprocess.PIPE,
        text=True,
        env=inherited | keys,
    ) as process:
        try:
            assert process.stdout is not None
            yield next(line.split()[-1] for line in process.stdout if "listening on" in line)
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


@pytest.fixture(scope="session")
def straight() -> Iterator[Served]:
    with _serving("--model", "smollm2", "--model", "minilm", GONOGO_SERVER_API_KEY=KEY) as base_url:
        yield Served(base_url)


@pytest.fixture(scope="session")
def gateway(straight: Served) -> Iterator[Served]:
    """A gateway that accepts several client keys, and has its own key for the server behind it."""
    keys = {"GONOGO_SERVER_API_KEY": f"another,{KEY}", "LAB_API_KEY": KEY}
    with _serving("--provider", f"lab={straight.base_url}", **keys) as base_url:
        yield Served(base_url, straight)


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest) -> Served:
    """The server, or the fixture that a test names instead."""
    found: Served = request.getfixturevalue(getattr(request, "param", "straight"))
    return found


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
