"""The Then vocabulary: registers checks, with the answers to which each applies.

A check reads one exchange at a time, or with `compare` all exchanges of a rule at once. Most apply only to accepted
requests, and the judge filters the other answers: refused ones are unsupported, failed ones undecided.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge.outcome import Stop, refused, undecided, unhelpful_status
from gonogo.reasons import Reason
from gonogo.stimuli.surfaces import NO_SUCH_ROUTE
from gonogo.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

    Run = Callable[..., Outcome]


class Of(StrEnum):
    """The answers that a check applies to."""

    ACCEPTED = "accepted"  # answered with 2xx, and complete
    BEGUN = "begun"  # answered with 2xx, even if the body was cut off
    REFUSED = "refused"  # answered with 4xx or 5xx
    ANSWERED = "answered"  # any status, body complete
    ANY = "any"  # any outcome


@dataclass(frozen=True, slots=True)
class Check:
    """A function from an exchange (or several) and the phrase's values to an outcome."""

    run: Run
    of: Of
    several: bool


then: Vocabulary[Check] = Vocabulary()


def check(pattern: str, of: Of = Of.ACCEPTED) -> Callable[[Run], Run]:
    """Register a function of one exchange under a phrase."""

    def register(run: Run) -> Run:
        then.add(pattern, Check(run, of, several=False))
        return run

    return register


def compare(pattern: str, of: Of = Of.ACCEPTED) -> Callable[[Run], Run]:
    """Register a function of all the rule's exchanges, in the order of its When steps."""

    def register(run: Run) -> Run:
        then.add(pattern, Check(run, of, several=True))
        return run

    return register


@dataclass(frozen=True, eq=False, slots=True)
class Bound:
    """A check with the values of its phrase; compared by identity."""

    check: Check
    values: dict[str, object]

    def __call__(self, *exchanges: Exchange) -> Outcome:
        """Run the check; the outcome of a Stop is the result."""
        try:
            for exchange in exchanges:
                admit(exchange, self.check.of)
            return self.check.run(*exchanges, **self.values)
        except Stop as stop:
            return stop.outcome


def admit(exchange: Exchange, of: Of) -> None:
    """Return if the check applies to the exchange. Raises Stop with the outcome otherwise."""
    if of is Of.ANY:
        return
    status, failure = exchange.status, exchange.failure
    readable = of is Of.BEGUN and status is not None
    if failure is not None and (not readable or failure.kind is FailureKind.TOO_LARGE):
        raise undecided(Reason.NOT_WHOLE, exchange, failure=failure.message)
    if status is None or of is Of.ANSWERED:
        return
    if status in {401, 403, 429}:
        raise unhelpful_status(exchange)
    if of is Of.REFUSED:
        if status < 400:
            raise undecided(Reason.NOT_REFUSED, exchange, status=status)
        return
    if status in NO_SUCH_ROUTE and exchange.request.path == "/models":
        raise undecided(Reason.NO_LIST, exchange, status=status)
    if 400 <= status < 500 or status == 501:
        raise refused(Reason.REFUSED, exchange, status=status)
    if not 200 <= status < 300:
        raise unhelpful_status(exchange)
