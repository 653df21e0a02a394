"""What the events of both surfaces have in common. No I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from gonogo_server import sse
from gonogo_server.surfaces.blocks import Blocks, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.answers.stream import Counted, Step
    from gonogo_server.surfaces.blocks import Ended, Event

    Document = dict[str, Any]


class BlockWriter(ABC):
    """Tells one answer, block by block."""

    ping: ClassVar[bytes]
    """Said while there is nothing else to say."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._opened = False
        self._kind = Kind.TEXT
        """Of the block that is open, or was last."""
        self._ended: Ended | None = None
        self._counted: Counted | None = None

    @property
    def tokens(self) -> int:
        """How many tokens the answer has; 0 as long as they are not counted."""
        return self._counted.completion_tokens if self._counted else 0

    def events(self, steps: Iterable[Step]) -> bytes:
        """The events of these steps, one after the other."""
        told = self._opening()
        for event in self._blocks.take(steps):
            told += self._tell(event)
        return b"".join(map(self._written, told))

    def waiting(self) -> bytes:
        """The first events, and then pings."""
        return b"".join(map(self._written, self._opening())) or self.ping

    def end(self) -> bytes:
        """Nothing: the last event says it."""
        return b""

    def _opening(self) -> list[Document]:
        """The first events, once."""
        if self._opened:
            return []
        self._opened = True
        return self._begin()

    @abstractmethod
    def _begin(self) -> list[Document]:
        """The first events."""

    @abstractmethod
    def _tell(self, event: Event) -> list[Document]:
        """The events for one of a block."""

    def _written(self, event: Document) -> bytes:
        return sse.named(event)
