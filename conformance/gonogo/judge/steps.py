"""The Then vocabulary: how a check says which answers it speaks of.

A check sees one exchange at a time, or with `compare` all of a rule's at once. Most speak of accepted requests
only, and the judge keeps every other answer from them: what was refused is unsupported, what failed is undecided.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gonogo.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Deviation

    Single = Callable[..., Deviation | None]
    Several = Callable[..., Deviation | None]


class Of(StrEnum):
    """Which answers a check speaks of."""

    ACCEPTED = "accepted"  # answered with 2xx, and whole
    BEGUN = "begun"  # answered with 2xx, even where the body broke off
    REFUSED = "refused"  # answered with 4xx or 5xx
    ANSWERED = "answered"  # any status, body whole
    ANY = "any"  # whatever happened


@dataclass(frozen=True, slots=True)
class Check:
    """A function from an exchange (or several) and the phrase's values to a deviation or None."""

    run: Callable[..., Deviation | None]
    of: Of
    several: bool


then: Vocabulary[Check] = Vocabulary()


def check(pattern: str, of: Of = Of.ACCEPTED) -> Callable[[Single], Single]:
    """Register a function of one exchange under a phrase."""

    def register(run: Single) -> Single:
        then.add(pattern, Check(run, of, several=False))
        return run

    return register


def compare(pattern: str, of: Of = Of.ACCEPTED) -> Callable[[Several], Several]:
    """Register a function of all the rule's exchanges, in the order of its When steps."""

    def register(run: Several) -> Several:
        then.add(pattern, Check(run, of, several=True))
        return run

    return register


@dataclass(frozen=True, eq=False, slots=True)
class Bound:
    """A check with the values of its phrase; compared and cached by identity."""

    check: Check
    values: dict[str, object]

    def __call__(self, *exchanges: Exchange) -> Deviation | None:
        """Run it; Undecided passes through."""
        return self.check.run(*exchanges, **self.values)
