"""A recorded answer in the form that a client's transport needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.clients.breakage import LostStreamError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.exchange import Exchange

BASE_URL = "http://recorded.invalid/v1"  # RFC 2606: a reserved name

# The recorder has already decoded codings and framing; with these headers, clients would decode them again.
_FRAMING = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def headers(exchange: Exchange) -> list[tuple[bytes, bytes]]:
    """The header fields of the answer as bytes, without those that describe the framing of its body."""
    return [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in exchange.headers
        if name.lower() not in _FRAMING
    ]


def pieces(exchange: Exchange) -> Iterator[bytes]:
    """The body in the recorded chunks."""
    for chunk in exchange.chunks:
        yield chunk.data


def expect_turns(turns: int, exchange: Exchange) -> None:
    """Raise LostStreamError if a loop over the stream had no iteration although the body has an object."""
    if turns == 0 and b"{" in exchange.body:
        raise LostStreamError(f"delivers nothing from {len(exchange.body)} bytes, without an exception")
