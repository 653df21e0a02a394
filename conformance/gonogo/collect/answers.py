"""Classifies answers for scheduling: the target is alive, busy, or may be failing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.reasons import Reason
from gonogo.verdict import Because

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo.exchange import Exchange

LONGEST_WAIT = 30.0


def found_nobody(exchange: Exchange) -> bool:
    """Whether the request never reached the target, so that it had no effect and proves nothing."""
    return exchange.failure is not None and exchange.failure.kind is FailureKind.CONNECT


def accepted(exchange: Exchange) -> bool:
    """Whether the status is 2xx."""
    return exchange.status is not None and 200 <= exchange.status < 300


def lives(exchange: Exchange) -> bool:
    """Whether a sign of life got a valid answer."""
    return exchange.failure is None and (accepted(exchange) or is_busy(exchange))


def is_doubtful(exchange: Exchange) -> bool:
    """Whether a failing server could send this answer: none, an incomplete one, or a 5xx."""
    return exchange.failure is not None or exchange.status is None or exchange.status >= 500


def is_busy(exchange: Exchange) -> bool:
    """Whether the target is busy: 429, or 503 with a Retry-After."""
    return exchange.status == 429 or (exchange.status == 503 and exchange.header("retry-after") is not None)


def ran_out_of_time(exchange: Exchange) -> bool:
    """Whether the time limit of one exchange passed before the answer was complete."""
    return exchange.failure is not None and exchange.failure.kind is FailureKind.TIMEOUT


def asked_to_wait(exchange: Exchange) -> float | None:
    """The Retry-After of a 429 or 503 in seconds, at most 30; None if it has none."""
    if exchange.status not in {429, 503}:
        return None
    try:
        seconds = float(exchange.header("retry-after") or "")
    except ValueError:
        return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_WAIT)


def loss(sent: Sequence[Exchange]) -> Because:
    """Why nothing more is sent; a request that was rejected with 503 is a suspect only if all were."""
    read = [exchange for exchange in sent if exchange.status != 503]
    about = tuple(exchange.id for exchange in read or sent)
    if not read:
        return Because(Reason.TARGET_LOST_BEFORE, about=about)
    if len(read) > 1:
        return Because(Reason.TARGET_LOST_AFTER_SEVERAL, {"number": len(read)}, about)
    return Because(Reason.TARGET_LOST, about=about)
