"""Prints plain lines on stdout or stderr; the pipe may be closed early."""

import contextlib
import os
import sys
from collections.abc import Iterable
from typing import IO

from gonogo.report.wording import visible


def say(sentence: str) -> None:
    """Print one sentence on stderr; control characters from a target are made harmless for terminals and CI runs."""
    write([visible(sentence)], sys.stderr)


def show(lines: Iterable[str]) -> None:
    """Print lines on stdout."""
    write(lines, sys.stdout)


def write(lines: Iterable[str], stream: IO[str]) -> None:
    """Print lines; if the pipe is closed (`| head`), the rest is dropped and the exit status is unchanged."""
    try:
        for line in lines:
            stream.write(f"{line}\n")
        stream.flush()
    except BrokenPipeError:
        send_to_nowhere(stream)


def send_to_nowhere(stream: IO[str]) -> None:
    """Discard all further output to a stream, including its buffer."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
