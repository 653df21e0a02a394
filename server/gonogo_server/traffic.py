"""Current activity of a server, for shutdown and metrics. No I/O."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Traffic:
    """Counted on the event loop; probes (health, metrics) are omitted."""

    open: int = 0
    """Requests that were begun and are not answered to their end."""
    placed: int = 0
    """Those of them that are there as a whole, and have a place among the running and waiting ones."""
    arriving_bytes: int = 0
    """Of bodies that are not there as a whole."""
    waiting: int = 0
    """Generations that were requested and have no token yet: they are queued, or their prompt is being read."""
    draining: bool = False
    """Whether new requests are refused, as the server is about to stop."""

    @contextmanager
    def exchange(self) -> Iterator[None]:
        """Count what runs within as one open request."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1
