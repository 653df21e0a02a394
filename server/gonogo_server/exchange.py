"""Notes about one exchange while it is answered, for the log and the metrics. No I/O except a clock.

Whoever knows something calls `current()` and notes it there; outside of an exchange, as in a test of one module,
that is an unused record.
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
    """For gaps that are not measured."""


@dataclass(slots=True)
class Exchange:
    """One request and its answer; tokens as `usage` counts them, seconds since the request began."""

    traffic: Traffic = field(default_factory=Traffic)
    gap: Callable[[float], None] = _nobody
    """Is told the seconds between two tokens of one answer."""
    begun: float = field(default_factory=perf_counter)

    model: str | None = None
    stream: bool | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    first_token_seconds: float | None = None
    finish_reasons: list[str] = field(default_factory=list)
    """Of each choice, in the order in which they ended."""
    error: str | None = None
    """The code (or type) of the error object that the client was sent."""
    failure: BaseException | None = None
    """What broke off a stream that had begun."""
    last_word: Callable[[BaseException], bytes] | None = None
    """What a stream that has begun says where an error breaks it off."""
    placed: bool = False
    """Whether it is counted as `Traffic.placed`."""
    repairs: dict[str, int] = field(default_factory=dict)
    """How many times the answer was repaired, by the ids of the rules that it broke."""
    provider: str | None = None
    """The upstream that answers; None: this process."""
    told: bool = False
    """Whether the log has been told that it started."""

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return perf_counter() - self.begun

    def take_place(self) -> None:
        """Count it among the requests that run or wait, until `leave_place`."""
        self.placed = True
        self.traffic.placed += 1

    def leave_place(self) -> None:
        """It has been answered."""
        if self.placed:
            self.placed = False
            self.traffic.placed -= 1

    def repaired(self, rule: str) -> None:
        """Note that an upstream's answer broke a rule, and was repaired."""
        self.repairs[rule] = self.repairs.get(rule, 0) + 1

    def failed(self, failure: BaseException) -> None:
        """Note what broke off the stream; the client is sent an error event."""
        self.failure = failure
        self.error = "internal_error"
        if isinstance(failure, ServerError):
            self.error = failure.code or failure.type


_current: ContextVar[Exchange] = ContextVar("exchange")


def current() -> Exchange:
    """The record of the exchange that is being answered here."""
    return _current.get(None) or Exchange()


def begin(exchange: Exchange) -> None:
    """Make `exchange` the current one, for this task and those that it starts."""
    _current.set(exchange)
