"""Outputs: files that are opened before the work, and text on stdout or stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Generic, TypeVar

from gonogo.cli.printing import send_to_nowhere, write
from gonogo.errors import UsageError
from gonogo.locking import OTHERS, alone, empty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.cli.console import Console

Shown = TypeVar("Shown")
Render = Callable[[Shown], str]

STDOUT = Path("-")


@dataclass(frozen=True)
class Sinks(Generic[Shown]):
    """The opened output files, and the stream for text: stderr if stdout is one of the files."""

    files: tuple[tuple[Render[Shown], IO[str]], ...]
    text_to_stderr: bool
    appended: IO[str] | None = None
    """The file that is appended to."""
    unwritten: list[str] = field(default_factory=list)
    """A sentence for each file that could not be written."""

    def write(self, shown: Shown) -> None:
        """Write every file, even if others fail."""
        for render, file in self.files:
            replaced = file not in (self.appended, sys.stdout)
            if trouble := _written(file, render(shown), replaced=replaced):
                self.unwritten.append(trouble)

    def show(self, text: str) -> None:
        """Print plain text."""
        write([text.removesuffix("\n")], sys.stderr if self.text_to_stderr else sys.stdout)

    @property
    def console(self) -> Console:
        """A console for text with colours and tables."""
        from gonogo.cli.console import Console  # noqa: PLC0415 - plain text does not need rich

        return Console(stderr=self.text_to_stderr)


@contextlib.contextmanager
def sinks(
    *wanted: tuple[Render[Shown], Path | None], appended: tuple[Render[Shown], Path | None] | None = None
) -> Iterator[Sinks[Shown]]:
    """Open the files before the work, so that an unwritable path fails early. Raises UsageError for such a path.

    An earlier report in a file is kept until the new one is written, so that a failing run does not delete it. The
    file `appended` keeps its content. With "-" the file is stdout, and text goes to stderr. If a file cannot be
    written at the end, as on a full disk, UsageError is raised on exit, after the text has been printed.
    """
    to_stdout = [path for _, path in wanted if path == STDOUT]
    if len(to_stdout) > 1:
        raise UsageError("Only one report can go to stdout; give the others a file name.")
    with contextlib.ExitStack() as stack:
        files = [(render, _open(path, stack)) for render, path in wanted if path is not None]
        added = None
        if appended is not None and appended[1] is not None:
            added = _open(appended[1], stack)
            files.append((appended[0], added))
        opened = Sinks(tuple(files), bool(to_stdout), added)
        yield opened
        if opened.unwritten:
            raise UsageError(" ".join(opened.unwritten))


def _written(file: IO[str], text: str, *, replaced: bool) -> str | None:
    """Write a text; returns the reason if it could not be written, None if it was or if the pipe was closed."""
    try:
        if replaced:
            empty(file)
        file.write(text)
        file.flush()
    except BrokenPipeError:
        send_to_nowhere(file)
    except OSError as error:
        send_to_nowhere(file)  # closing flushes once more
        name = "stdout" if file is sys.stdout else file.name
        return f"Cannot write {name}: {error.strerror}."
    return None


def claim(path: Path) -> None:
    """Check that the file is writable, lock it against other runs, and empty it. Raises UsageError if this fails."""
    with contextlib.ExitStack() as stack:
        file = _open(path, stack)
        if not alone(file):
            raise UsageError(f"{path} {OTHERS}.")
        empty(file)


def probe(path: Path) -> None:
    """Check that the file is writable without changing it. Raises UsageError if it is not."""
    is_new = not path.exists()
    with contextlib.ExitStack() as stack:
        if not alone(_open(path, stack)):
            raise UsageError(f"{path} {OTHERS}.")
    if is_new:
        path.unlink()


def _open(path: Path, stack: contextlib.ExitStack) -> IO[str]:
    if path == STDOUT:
        return sys.stdout
    try:
        return stack.enter_context(path.open("a", encoding="utf-8", newline="\n"))
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}.") from error
