"""The interfaces of repairs, stages and joiners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Operation = Literal["chat", "completion", "embedding"]

Document: TypeAlias = dict[str, Any]
"""A JSON object: a body or the data of an event."""

Noted: TypeAlias = "Callable[[str], None]"
"""Called with the id of a rule once per repair; every edit of a document must call it."""


@dataclass(frozen=True, slots=True)
class Requested:
    """The parts of the client's request that determine a correct answer."""

    operation: Operation
    model: str
    """The model name in the client's request."""
    stream: bool = False
    include_usage: bool = False
    choices: int = 1
    """The number of choices: prompts times n."""
    logprobs: bool = False
    tools: bool = False
    fresh_id: str = ""
    """The id for an answer that has none."""
    now: int = 0
    """Seconds since 1970, for an answer without a creation time."""
    inputs: int | None = None
    """The expected number of vectors; None if unknown."""
    base64: bool = False
    """Whether vectors were requested as base64."""


class Stage(Protocol):
    """Repairs one kind of mistake in a stream. Each stream has its own stages, called in order.

    A correct chunk is returned as the same object, so that its bytes are passed on unchanged. Every edit is noted.
    """

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunks that replace a chunk: usually the same one, edited if necessary."""

    def end(self) -> Iterable[Document]:
        """The chunks after the last one of a stream that ended normally."""


class Joiner(Protocol):
    """Joins the answers to several requests into one; its input is already repaired."""

    def chunk(self, source: int, chunk: Document) -> Iterable[Document]:
        """The chunks to send for a chunk of the answer to request number `source` (from 0)."""

    def end(self) -> Iterable[Document]:
        """The chunks to send after all answers have ended normally."""

    def whole(self, bodies: Sequence[Document]) -> Document:
        """One body from the bodies of all requests, in order."""
