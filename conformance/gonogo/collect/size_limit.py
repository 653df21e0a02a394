"""A limit on the total size of all answers, for endpoints whose answers do not end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.errors import UsageError
from gonogo.reasons import Reason
from gonogo.verdict import Because

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.collect.roles import Recorder
    from gonogo.exchange import Exchange, Request

_UNITS = {
    "": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}


def parse_bytes(text: str) -> int:
    """The bytes of "64MiB", "64MB" or "64000000". Raises UsageError for anything else, including 0."""
    found = re.fullmatch(r"(\d{1,15})\s?([KMG]i?B)?", text.strip())
    number = int(found[1]) * _UNITS[found[2] or ""] if found else 0
    if not number:
        raise UsageError(f'--max-bytes "{text}" is not a size; give bytes, such as 64000000, 64MB or 64MiB.')
    return number


@dataclass
class SizeLimited:
    """A recorder that ends the run once the bodies of all answers have more than `most` bytes together.

    Bodies count as they are stored.
    """

    recorder: Recorder
    most: int
    end: Callable[[Because], None]
    used: int = 0

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
        """Record, and count the bytes of the body."""
        exchange = await self.recorder.record(request, id=id, stimulus=stimulus)
        self.used += len(exchange.body)
        if self.used > self.most:
            self.end(Because(Reason.OUT_OF_ROOM))
        return exchange
