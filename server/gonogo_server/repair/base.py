"""The interfaces of repairs, stages and joiners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Operation = Literal["chat", "completion", "embedding"]

Document: TypeAlias = dict[str, Any]
"""A JSON object, of a body or of an event."""

Noted: TypeAlias = "Callable[[str], None]"
"""Called with the id of a rule once per repair; every edit of a document must call it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the client asked, as far as it decides what a right answer is."""

    operation: Operation
    model: str
    """As the client named it."""
    stream: bool = False
    include_usage: bool = False
    choices: int = 1
    """How many the answer has: prompts times n."""
    logprobs: bool = False
    tools: bool = False
    fresh_id: str = ""
    """The id of an answer that came without one."""
    now: int = 0
    """Seconds since 1970, for an answer that does not tell when it was created."""
    inputs: int | None = None
    """How many vectors the answer has; None: that is not known."""
    base64: bool = False
    """Whether vectors were requested as base64."""


class Stage(Protocol):
    """Repairs one kind of mistake in a stream. It is new for each stream, and asked in order.

    A chunk that is right is returned as it came, the same object: its bytes are passed on then. Every edit is noted.
    """

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """What goes on in place of a chunk: usually that one, edited where it has to be."""

    def end(self) -> Iterable[Document]:
        """What goes on after the last chunk of a stream that ended as it should."""


class Joiner(Protocol):
    """Makes one answer of those to several requests; what goes in is repaired."""

    def chunk(self, source: int, chunk: Document) -> Iterable[Document]:
        """What goes on for a chunk of the answer to request number `source` (from 0)."""

    def end(self) -> Iterable[Document]:
        """What goes on once all answers have ended as they should."""

    def whole(self, bodies: Sequence[Document]) -> Document:
        """One body, of those to all requests in order."""
