"""What is stored of a response. No I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """A response of `owner`.

    `input` is the array of the items of its own request and `response` its object, both as JSON; `previous` is the id
    of the response that it continues.
    """

    id: str
    owner: str
    previous: str | None
    input: str
    response: str

    @property
    def size(self) -> int:
        """Bytes of its texts."""
        return len(self.input.encode()) + len(self.response.encode())
