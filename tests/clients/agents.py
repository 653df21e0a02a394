"""Runs the command of an agent for one turn, in a home and a working folder of its own."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from .scripted import serving, translating

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

RANG: Final = "it-rang"
"""What the command prints that the agent is asked to run."""
DONE: Final = "The bell rang."
"""The answer that ends the turn."""
PROMPT: Final = "Ring the bell."
CONTEXT: Final = 2**20
"""Bytes, which are the tokens of the scripted engine: agents send 40 to 50 KB with their first request."""
NOWHERE: Final = "http://127.0.0.1:9"
"""A proxy that does not exist, for requests beyond loopback."""
PATIENCE: Final = 120.0


@contextmanager
def reached(answer: Callable[[str], str], *, translated: bool) -> Iterator[str]:
    """The base URL of a server that answers from a script, or of a gateway in front of its chat alone."""
    with (
        serving(answer, CONTEXT) as server,
        translating(server) if translated else nullcontext(server) as base_url,
    ):
        yield base_url


def events(command: Sequence[str], variables: Mapping[str, str], folder: Path) -> list[dict[str, Any]]:
    """The events that the command prints as JSON lines. The working folder, `folder`/work, has to stay empty."""
    home, work = folder / "home", folder / "work"
    home.mkdir(exist_ok=True)
    work.mkdir()
    environment = {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "TMPDIR": str(folder),
        "HTTPS_PROXY": NOWHERE,
        "HTTP_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1",
        **variables,
    }
    ran = subprocess.run(
        command,
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert list(work.iterdir()) == []
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
