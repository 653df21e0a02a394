"""Times in the form of the API: integer seconds since 1970."""

from __future__ import annotations

import math
from typing import Final

EARLIEST: Final = 1_000_000_000
LATEST: Final = 4_000_000_000
_UNITS: Final = (1, 10**3, 10**6, 10**9)  # seconds, and other units that servers send


def in_seconds(value: object, otherwise: int) -> int:
    """A time in whole seconds, from a fraction, text, or milli-, micro- or nanoseconds; otherwise `otherwise`.

    Only times between 2001 and 2096 are plausible.
    """
    number = _number(value)
    if number is None:
        return otherwise
    return next((s for unit in _UNITS if EARLIEST <= (s := int(number // unit)) <= LATEST), otherwise)


def _number(value: object) -> float | int | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value
