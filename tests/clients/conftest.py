"""One server for all clients: a process that serves SmolLM2 and MiniLM, and wants a key."""

from __future__ import annotations

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
    """A server that listens."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def wait_until_free(self) -> None:
        """Come back once no request is open; fails where one goes on although its client has gone."""
        with httpx2.Client(headers={"authorization": f"Bearer {KEY}"}) as client:
            patient_until = monotonic() + PATIENCE
            while self._open(client):
                assert monotonic() < patient_until, "a request goes on although its client has gone"

    def _open(self, client: httpx2.Client) -> float:
        figures = text_string_to_metric_families(client.get(httpx2.URL(self.base_url).join("/metrics")).text)
        return next(
            sample.value
            for family in figures
            for sample in family.samples
            if sample.name == "gonogo_requests_open"
        )


@contextmanager
def _serving() -> Iterator[Served]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GONOGO_SERVER_")}
    command = [
        sys.executable,
        "-m",
        "gonogo_server",
        "--model",
        "smollm2",
        "--model",
        "minilm",
        "--port",
        "0",
    ]
    with subprocess.Popen(
        [*command, "--metrics", "--log-format", "off"],
        stdout=subprocess.PIPE,
        text=True,
        env=inherited | {"GONOGO_SERVER_API_KEY": KEY},
    ) as process:
        try:
            assert process.stdout is not None
            yield Served(next(line.split()[-1] for line in process.stdout if "listening on" in line))
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with _serving() as server:
        yield server


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
