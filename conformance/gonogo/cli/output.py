"""Where things are printed: a console that survives a closed pipe, report files opened before the work."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Generic, TypeVar

import rich.console
from rich.markup import escape

from gonogo.errors import UsageError
from gonogo.report import json, junit, markdown, sarif
from gonogo.report.model import Gate, Report

Shown = TypeVar("Shown")
Render = Callable[[Shown], str]

STDOUT = Path("-")
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable in which GitHub names the file whose Markdown it shows on the page of a run."""
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


@dataclass(frozen=True)
class Sinks(Generic[Shown]):
    """The files that show something, open for writing, and the console for its text."""

    files: tuple[tuple[Render[Shown], IO[str]], ...]
    console: Console

    def write(self, shown: Shown) -> None:
        """Write every file."""
        for render, file in self.files:
            with contextlib.suppress(BrokenPipeError):
                file.write(render(shown))
                file.flush()


@contextlib.contextmanager
def sinks(
    *wanted: tuple[Render[Shown], Path | None], appended: tuple[Render[Shown], Path | None] | None = None
) -> Iterator[Sinks[Shown]]:
    """Open the files at once, so that a path that cannot be written costs no work; raises UsageError for one.

    With "-" the file is stdout, and the text goes to stderr. The file `appended` keeps what is in it.
    """
    to_stdout = [path for _, path in wanted if path == STDOUT]
    if len(to_stdout) > 1:
        raise UsageError("Only one report can go to stdout; give the other a file name.")
    with contextlib.ExitStack() as stack:
        files = [(render, _open(path, stack)) for render, path in wanted if path is not None]
        if appended is not None and appended[1] is not None:
            files.append((appended[0], _open(appended[1], stack, "a")))
        yield Sinks(tuple(files), Console(stderr=bool(to_stdout)))


def report_sinks(
    *,
    json_file: Path | None,
    junit_file: Path | None,
    sarif_file: Path | None,
    markdown_file: Path | None,
) -> contextlib.AbstractContextManager[Sinks[Report]]:
    """The files of a report, and GitHub's step summary where the environment names one; see `sinks`."""
    summary = os.environ.get(STEP_SUMMARY)
    return sinks(
        (json.render, json_file),
        (junit.render, junit_file),
        (sarif.render, sarif_file),
        (markdown.render, markdown_file),
        appended=(markdown.render, Path(summary) if summary else None),
    )


def claim(path: Path) -> None:
    """Make sure that the file can be written, and empty it; raises UsageError where it cannot."""
    with contextlib.ExitStack() as stack:
        _open(path, stack)


def probe(path: Path) -> None:
    """Make sure that the file can be written, and leave all as it is; raises UsageError where it cannot."""
    is_new = not path.exists()
    with contextlib.ExitStack() as stack:
        _open(path, stack, "a")
    if is_new:
        path.unlink()


def _open(path: Path, stack: contextlib.ExitStack, mode: str = "w") -> IO[str]:
    if path == STDOUT:
        return sys.stdout
    try:
        return stack.enter_context(path.open(mode, encoding="utf-8", newline="\n"))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
