"""The record of one exchange while it is answered, for the log and the metrics. No I/O except a clock.

Any layer may add to it through `current()`; outside of an exchange, as in a test of one module, that is an unused
record.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from gonogo_server.errors import ServerError
from gonogo_server.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable


def _nobody(_seconds: float) -> None:
    """The default of `gap`, which measures nothing."""


@dataclass(slots=True)
class Exchange:
    """One request and its answer; tokens as in `usage`, times in seconds since the request began."""

    traffic: Traffic = field(default_factory=Traffic)
    gap: Callable[[float], None] = _nobody
    """Called with the seconds between two tokens of one answer."""
    begun: float = field(default_factory=perf_counter)

    model: str | None = None
    stream: bool | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    first_token_seconds: float | None = None
    finish_reasons: list[str] = field(default_factory=list)
    """The finish reasons of the choices, in the order in which they ended."""
    error: str | None = None
    """The code (or type) of the error object sent to the client."""
    failure: BaseException | None = None
    """The exception that ended a stream after it had begun."""
    last_word: Callable[[BaseException], bytes] | None = None
    """Returns the last bytes of a stream that an error ends."""
    placed: bool = False
    """Whether it counts in `Traffic.placed`."""
    repairs: dict[str, int] = field(default_factory=dict)
    """The number of repairs by the id of the broken rule."""
    provider: str | None = None
    """The upstream that answers; None for this process."""
    start_logged: bool = False
    """Whether its start was logged."""

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return perf_counter() - self.begun

    def take_place(self) -> None:
        """Count it among the running and queued requests, until `leave_place`."""
        self.placed = True
        self.traffic.placed += 1

    def leave_place(self) -> None:
        """Stop counting it, because it has been answered."""
        if self.placed:
            self.placed = False
            self.traffic.placed -= 1

    def repaired(self, rule: str) -> None:
        """Record that an upstream's answer broke a rule and was repaired."""
        self.repairs[rule] = self.repairs.get(rule, 0) + 1

    def failed(self, failure: BaseException) -> None:
        """Record the exception that ended the stream; the client gets an error event."""
        self.failure = failure
        self.error = "internal_error"
        if isinstance(failure, ServerError):
            self.error = failure.code or failure.type


_current: ContextVar[Exchange] = ContextVar("exchange")


def current() -> Exchange:
    """The record of the current exchange."""
    return _current.get(None) or Exchange()


def begin(exchange: Exchange) -> None:
    """Make `exchange` the current one, for this task and those that it starts."""
    _current.set(exchange)
