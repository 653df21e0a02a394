"""Where things are printed: a console that survives a closed pipe, report files opened before the work."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import rich.console
from rich.markup import escape

from gonogo.errors import UsageError
from gonogo.report import json, junit
from gonogo.report.model import Gate, Report
from gonogo.report.terminal import print_report

STDOUT = Path("-")
STATUS = {Gate.GO: 0, Gate.NO_GO: 1, Gate.NOT_JUDGED: 2}
"""The exit status of each answer."""


class Console(rich.console.Console):
    """A console whose reader may leave early (`| head`): the rest is not printed, and the status stays."""

    def on_broken_pipe(self) -> None:
        """Send what is left to nowhere."""
        stream = sys.stderr if self.stderr else sys.stdout
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say(sentence: str) -> None:
    """Print one sentence on stderr."""
    Console(stderr=True).print(escape(sentence), soft_wrap=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Sinks:
    """The report files of a run, open for writing, and the console for the text."""

    files: tuple[tuple[Callable[[Report], str], IO[str]], ...]
    console: Console

    def write(self, report: Report) -> None:
        """Write every file, then print the text."""
        for render, file in self.files:
            with contextlib.suppress(BrokenPipeError):
                file.write(render(report))
                file.flush()
        print_report(report, self.console)


@contextlib.contextmanager
def sinks(json_file: Path | None, junit_file: Path | None) -> Iterator[Sinks]:
    """Open the files at once, so that a path that cannot be written costs no run; raises UsageError for one.

    With "-" the report goes to stdout, and the text to stderr.
    """
    wanted = [(json.render, json_file), (junit.render, junit_file)]
    to_stdout = [path for _, path in wanted if path == STDOUT]
    if len(to_stdout) > 1:
        raise UsageError("Only one report can go to stdout; give the other a file name.")
    with contextlib.ExitStack() as stack:
        files = tuple((render, _open(path, stack)) for render, path in wanted if path is not None)
        yield Sinks(files, Console(stderr=bool(to_stdout)))


def claim(path: Path) -> None:
    """Make sure that the file can be written, and empty it; raises UsageError where it cannot."""
    with contextlib.ExitStack() as stack:
        _open(path, stack)


def _open(path: Path, stack: contextlib.ExitStack) -> IO[str]:
    if path == STDOUT:
        return sys.stdout
    try:
        return stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
