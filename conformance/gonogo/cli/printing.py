"""Plain lines on stdout or stderr; the reader may close the pipe early."""

import contextlib
import os
import sys
from collections.abc import Iterable
from typing import IO

from gonogo.report.wording import visible


def say(sentence: str) -> None:
    """Print one sentence on stderr; text from a target in it cannot control a terminal or a CI run."""
    write([visible(sentence)], sys.stderr)


def show(lines: Iterable[str]) -> None:
    """Print lines on stdout."""
    write(lines, sys.stdout)


def write(lines: Iterable[str], stream: IO[str]) -> None:
    """Print lines; if the reader has left (`| head`), the rest is dropped and the exit status stays."""
    try:
        for line in lines:
            stream.write(f"{line}\n")
        stream.flush()
    except BrokenPipeError:
        send_to_nowhere(stream)


def send_to_nowhere(stream: IO[str]) -> None:
    """Discard what is still written to a stream, including what it has buffered."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
