"""Shared parts of the tests of operations: a server as a process, and everything that is logged."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from .limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Event = dict[str, Any]


PATIENCE = 60.0
"""Seconds after which a hanging process is killed; no test waits for this limit."""

CLIENTS = ("httpx2", "httpcore2", "uvicorn.access")
"""Loggers of the tests' HTTP client, and one that `serve` turns off."""


class Logged:
    """The events of the server, oldest first, and the output of all loggers as one text."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    @property
    def events(self) -> list[Event]:
        return [record.msg for record in self._caplog.records if isinstance(record.msg, dict)]

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event["event"] == name]

    def of(self, request_id: str) -> list[Event]:
        return [event for event in self.events if event.get("request_id") == request_id]

    @property
    def text(self) -> str:
        records = [record for record in self._caplog.records if not record.name.startswith(CLIENTS)]
        return "\n".join(f"{record.getMessage()} {record.__dict__}" for record in records)


class Process:
    """A listening server process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.base_url = next(line.split()[-1] for line in process.stdout if "listening on" in line)

    def send(self, sent: signal.Signals) -> None:
        self._process.send_signal(sent)

    def lines(self) -> Iterator[str]:
        """The lines of its stderr, as they come."""
        assert self._process.stderr is not None
        return iter(self._process.stderr)

    def end(self) -> int:
        """The exit code, after it has ended by itself."""
        return self._process.wait(PATIENCE)

    def stop(self) -> tuple[str, str]:
        """Its stdout and stderr until SIGTERM ended it with exit code 0."""
        self.send(signal.SIGTERM)
        written = self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0, written
        return written


@pytest.fixture
def serving() -> Callable[..., AbstractContextManager[Process]]:
    """Starts the server on the scripted engine; settings without an option are given by name."""

    @contextmanager
    def serve(*options: str, **variables: str) -> Iterator[Process]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("GONOGO_SERVER_")
        }
        env = inherited | {f"GONOGO_SERVER_{name.upper()}": value for name, value in variables.items()}
        command = [sys.executable, "-m", "gonogo_server", "--engine", "scripted", "--port", "0", *options]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
        ) as process:
            try:
                yield Process(process)
            finally:
                process.kill()

    return serve


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Logged:
    caplog.set_level(logging.DEBUG)
    return Logged(caplog)


@pytest.fixture
def until() -> Callable[[Callable[[], object]], Any]:
    """Lets the server run until a condition holds; the fixture of the server bounds the wait."""

    async def wait(condition: Callable[[], object]) -> None:
        while not condition():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)

    return wait


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Limits of FAR seconds that end when the test says so, not by the clock of a loaded machine."""
    limits = Limits()
    monkeypatch.setattr(asyncio, "timeout", partial(limits.timeout, asyncio.timeout))
    return limits
