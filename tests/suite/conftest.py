"""One reference server for the whole suite, and the command line run in this process."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from typing import TYPE_CHECKING

import pytest
from gonogo import serving
from gonogo.cli import app
from typer.testing import CliRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.testing import Result

    Run = Callable[..., Result]


@pytest.fixture(scope="session")
def reference_url() -> Iterator[str]:
    """The base URL of a reference server with the scripted engine, a process of its own."""
    with serving.reference_server("scripted", engine="scripted") as url:
        yield url


@pytest.fixture
def gonogo(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line with these arguments; no key is in the environment."""
    monkeypatch.delenv("GONOGO_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="gonogo")

    return run


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """Start a server that sends these bytes to everyone who asks anything, then closes; its base URL."""
    with contextlib.ExitStack() as stack:

        def start(answer: bytes) -> str:
            class Handler(socketserver.StreamRequestHandler):
                def handle(self) -> None:
                    while self.rfile.readline().strip():
                        pass
                    self.wfile.write(answer)

            server = stack.enter_context(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler))
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_address[1]}/v1"

        yield start
