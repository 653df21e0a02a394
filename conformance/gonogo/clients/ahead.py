"""The replay process, started early: it imports the clients while the command imports its own modules.

It ends with this process, because its input closes.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

# -P: do not import from the current folder.
COMMAND = (sys.executable, "-P", "-m", "gonogo.clients.child")

_STARTED: list[subprocess.Popen[str]] = []


def start(
    command: tuple[str, ...] = COMMAND, environment: dict[str, str] | None = None
) -> subprocess.Popen[str] | None:
    """A process of that command, with pipes to it; None if it cannot be started.

    It has this process' environment, unless another is given.
    """
    with suppress(OSError):
        return subprocess.Popen(  # noqa: S603 - our own command, and no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            encoding="ascii",
            errors="replace",
        )
    return None


def start_ahead() -> None:
    """Start the replay process; `take` returns it."""
    child = start()
    if child is not None:
        _STARTED.append(child)


def end_unused() -> None:
    """Stop a process that was started ahead and not used."""
    while _STARTED:
        with _STARTED.pop() as child:  # leaving the context closes its pipes and waits for it to end
            child.kill()


def take(command: tuple[str, ...] = COMMAND) -> subprocess.Popen[str] | None:
    """The process that was started ahead, if it was not taken yet; else a new one."""
    if command == COMMAND and _STARTED:
        return _STARTED.pop()
    return start(command)
