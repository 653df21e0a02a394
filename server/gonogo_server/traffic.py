"""Current activity of a server, for shutdown and metrics. No I/O."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Traffic:
    """Counters, changed on the event loop only; probes (health, metrics) are not counted."""

    open: int = 0
    """Requests that have begun and are not fully answered."""
    placed: int = 0
    """Open requests that were received completely: they are running or queued."""
    arriving_bytes: int = 0
    """Bytes of bodies that were not received completely."""
    waiting: int = 0
    """Generations without a token: queued or in prefill."""
    draining: bool = False
    """Whether new requests are refused because the server is about to stop."""

    @contextmanager
    def exchange(self) -> Iterator[None]:
        """Count one open request within the context."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1
