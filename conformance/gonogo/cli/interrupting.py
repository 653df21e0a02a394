"""Ctrl-C and SIGTERM during a run: stop it cleanly, and print the command that continues it."""

import contextlib
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import click

from gonogo.cli.printing import say
from gonogo.collect.stopping import Stopper


@contextlib.contextmanager
def interruptible(stopper: Stopper, evidence: Path | None, base_url: str | None) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop the run cleanly: its report is written and no server is left running.

    Exits with 128 plus the number of the signal, as shells do, and prints where the evidence is. A run against a given
    base URL can be resumed.
    """

    def end(number: int, _: FrameType | None) -> None:
        if not stopper.stop(number):
            raise KeyboardInterrupt

    numbers = [number for number in (signal.SIGINT, signal.SIGTERM) if _is_heeded(number)]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    except KeyboardInterrupt as stop:
        kept = evidence is not None and evidence.exists() and evidence.stat().st_size > 0
        told = f"; the evidence recorded so far is in {evidence}" if kept else ""
        say(f"Interrupted{told}.")
        if kept and base_url:
            say(f"To continue: {shlex.join(_again(sys.argv[1:]))}")
        raise click.exceptions.Exit(128 + (stopper.number or signal.SIGINT)) from stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _again(arguments: list[str]) -> list[str]:
    """The command line that resumes a run with these arguments."""
    return ["gonogo", *arguments, *([] if "--resume" in arguments else ["--resume"])]


def _is_heeded(number: signal.Signals) -> bool:
    """Whether a signal is handled; a script that starts a background job makes it ignore SIGINT."""
    return signal.getsignal(number) is not signal.SIG_IGN
