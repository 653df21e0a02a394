"""The outcome of a replay: the client reads the answer, breaks, or is not installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 240  # characters of an exception's message; some quote the whole answer


@dataclass(frozen=True, slots=True)
class Breakage:
    """A client that could not read an answer: its name and version, and the symptom."""

    client: str
    version: str
    how: str

    def __str__(self) -> str:
        return f"{self.client} {self.version}: {self.how}"


class NotInstalled(Exception):  # noqa: N818 - a precondition that did not hold, not an error
    """The client is not installed; the message has the install command."""

    def __init__(self, client: str) -> None:
        super().__init__(f'{client} is not installed: install "gonogo[clients]"')
        self.client = client


@dataclass(frozen=True, slots=True)
class NotRun:
    """A client that was not run, or returned no result; `why` is a clause. Nothing follows from it about the answer."""

    why: str


class LostStreamError(Exception):
    """Raised by our loop, not by a client: a stream ended without an iteration or an error."""


@dataclass(frozen=True, slots=True)
class Client:
    """The name and version of a client, for its reports."""

    name: str
    version: str

    def play(self, lines: Iterable[str]) -> Breakage | None:
        """Run an application line by line; the breakage is the first exception.

        `lines` yields the code that it runs next, as text, so that the exception can be located. Any exception counts:
        the answer must satisfy the client, and nothing more.
        """
        line = ""
        try:
            for line in lines:  # noqa: B007 - only the last one is used
                pass
        except LostStreamError as lost:
            return self.breaks(str(lost))
        except Exception as error:  # noqa: BLE001 - any exception that an application would get
            message = shortened(str(error))
            return self.breaks(f"{type(error).__name__} in {line}{': ' if message else ''}{message}")
        return None

    def breaks(self, how: str) -> Breakage:
        """A breakage of this client."""
        return Breakage(self.name, self.version, how)


def shortened(message: str) -> str:
    """The message of an exception on one line, shortened if it quotes the whole answer."""
    text = " ".join(message.split())
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
