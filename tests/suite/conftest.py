"""One reference server for the whole suite, and the command line run in this process."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from gonogo import evidence, running, serving
from gonogo.cli import app
from gonogo.collection import Approach
from gonogo.exchange import Chunk
from gonogo.rules import load
from gonogo.running import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]


@pytest.fixture(scope="session")
def reference_url() -> Iterator[str]:
    """The base URL of a reference server with the scripted engine, in its own process."""
    with serving.reference_server("scripted", engine="scripted") as url:
        yield url


_LEFT_OUT = ("GONOGO_API_KEY", "OPENAI_API_KEY", "GONOGO_NODE_MODULES", "GITHUB_STEP_SUMMARY")


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="gonogo")


@pytest.fixture
def gonogo(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line with these arguments, without keys, Node packages and GitHub variables."""
    for variable in _LEFT_OUT:
        monkeypatch.delenv(variable, raising=False)
    return _run


@dataclass(frozen=True)
class Checked:
    """The output of a run, and the files that it wrote."""

    result: Result
    evidence: Path
    report: Path


@pytest.fixture(scope="session")
def whole_run(reference_url: str, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """A run of all rules on the reference server. It takes seconds, so all tests of one process share it."""
    folder = tmp_path_factory.mktemp("whole")
    stored, report = folder / "e.jsonl", folder / "r.json"
    with pytest.MonkeyPatch.context() as environment:
        for variable in _LEFT_OUT:
            environment.delenv(variable, raising=False)
        result = _run("check", reference_url, "--evidence", stored, "--json", report)
    return Checked(result, stored, report)


@pytest.fixture(scope="session")
def clean_evidence(reference_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of a run on the reference server: the rules under models, and chat.stream.done."""
    path = tmp_path_factory.mktemp("evidence") / "clean.jsonl"
    few = Selection(only=("models", "chat.stream.done"))
    running.check(Approach(reference_url, evidence=path), few, load())
    return path


@pytest.fixture(scope="session")
def broken_evidence(clean_evidence: Path) -> Path:
    """The same record without the terminator of each stream: chat.stream.done fails."""
    record = evidence.read(clean_evidence)
    cut = [
        replace(exchange, chunks=(Chunk(0.1, exchange.body.replace(b"data: [DONE]\n\n", b"")),))
        for exchange in record.exchanges
    ]
    path = clean_evidence.with_name("broken.jsonl")
    evidence.write(path, replace(record, exchanges=tuple(cut)))
    return path


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """Start a server that sends these bytes to every client, then closes; returns its base URL."""
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
