"""The record of a stored response. No I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """A response of `owner`.

    `input` is the array of its request's own input items and `response` the response object, both as JSON; `previous`
    is the id of the response that it continues.
    """

    id: str
    owner: str
    previous: str | None
    input: str
    response: str

    @property
    def size(self) -> int:
        """The size of its texts in bytes."""
        return len(self.input.encode()) + len(self.response.encode())
