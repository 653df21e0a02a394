"""`gonogo serve --fault` as a process: a client that is tested against it meets the fault."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result


PATIENCE = 60.0  # seconds after which a hanging process is killed
SCRIPTED = ("--engine", "scripted", "--port", "0")


@contextmanager
def broken(fault: str) -> Iterator[tuple[str, list[str]]]:
    """The base URL of a server with the fault, and its output so far."""
    command = [sys.executable, "-m", "gonogo", "serve", *SCRIPTED, "--fault", fault]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said: list[str] = []
        try:
            for line in process.stdout:
                said.append(line.rstrip("\n"))
                if found := re.search(r"listening on (http://\S+)", line):
                    yield found[1], said
                    break
            else:
                pytest.fail(f"it did not listen: {said}")
        finally:
            process.terminate()
            process.wait(PATIENCE)


def test_a_fault_of_listed_models_and_one_of_embeddings_show_without_naming_a_model() -> None:
    with broken("models listed without an id") as (url, _):
        first, second = httpx2.get(f"{url}/models").json()["data"]
    assert ("id" in first, "id" in second) == (True, False)
    with broken("embeddings without usage") as (url, _):
        listed = httpx2.get(f"{url}/models").json()["data"]
        embedder = next(entry["id"] for entry in listed if entry["type"] == "embedding")
        answer = httpx2.post(f"{url}/embeddings", json={"model": embedder, "input": "Hello"}).json()
    assert sorted(answer) == ["data", "model", "object"]


def test_a_fault_about_keys_says_that_a_key_has_to_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = "gonogo serve: this fault needs a server with a key: set GONOGO_SERVER_API_KEY"
    monkeypatch.delenv("GONOGO_SERVER_API_KEY", raising=False)
    with broken("keys.wrong.code") as (_, said):
        assert needed in said
    monkeypatch.setenv("GONOGO_SERVER_API_KEY", "sesame")
    with broken("keys.wrong.code") as (_, said):
        assert needed not in said


@pytest.mark.parametrize("arguments", [["--port"], ["--port", "x"], ["--host"]])
def test_without_a_fault_a_wrong_value_is_reported_by_the_server_that_has_all_options(
    arguments: list[str], gonogo: Callable[..., Result]
) -> None:
    done = gonogo("serve", *arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"gonogo serve: argument {arguments[0]}: ")
    assert done.stderr.endswith(". gonogo serve --help lists the options.\n")


@pytest.mark.parametrize("port", [None, 99999])
def test_an_unavailable_address_is_one_sentence_and_code_2(port: int | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        asked = port or taken.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "gonogo",
            "serve",
            "--engine",
            "scripted",
            "--fault",
            "chat.stream.done",
        ]
        done = subprocess.run(
            [*command, "--port", str(asked)], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        rf"Cannot listen on 127\.0\.0\.1 port {asked}: [^.]+\. "
        r"Choose another address with --host and --port \(0 picks a free port\)\.\n",
        done.stderr,
    )


def test_a_stop_while_it_starts_leaves_no_server_behind() -> None:
    """The correct server writes its first line to a pipe that only it and the broken one hold."""
    code = (
        "import os, signal\n"
        "from contextlib import contextmanager\n"
        "from gonogo import serving\n"
        "from gonogo.cli import main\n"
        "started = serving.started\n"
        "@contextmanager\n"
        "def stopped(arguments):\n"
        "    with started(arguments) as url:\n"
        "        print(url, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        yield url\n"
        "serving.started = stopped\n"
        f"import sys; sys.argv = ['gonogo', 'serve', '--fault', 'chat.stream.done', *{SCRIPTED!r}]\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 130
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{done.stdout.strip()}/models")
