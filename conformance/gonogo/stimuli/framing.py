"""A short chat completion with unusual HTTP framing, which a server may refuse (411, 426)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli.bodies import post
from gonogo.stimuli.stimulus import Endpoint, Risk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.stimulus import Stimulus, Subject

CHUNKED = (("transfer-encoding", "chunked"),)
UPGRADING = (
    ("connection", "Upgrade, HTTP2-Settings"),
    ("upgrade", "h2c"),
    ("http2-settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"),
)
"""The headers of the first request of Java's HTTP client to an unknown server."""

SHARED_ID = (("x-request-id", "gonogo-one-id-for-two"),)
_FRAMINGS = {
    f"{Endpoint.CHAT} in chunks": CHUNKED,
    f"{Endpoint.CHAT} with an offer to upgrade": UPGRADING,
    f"{Endpoint.CHAT} with a request id": SHARED_ID,
    f"{Endpoint.CHAT} with the request id of another": SHARED_ID,
}


def is_framed(key: str) -> bool:
    """Whether the key belongs to a chat completion in one of these framings."""
    return key in _FRAMINGS


def framed(headers: tuple[tuple[str, str], ...], number: int = 0) -> Stimulus:
    """The chat completion with the headers of a framing; `number` selects among those with the same headers."""
    plain = post(Endpoint.CHAT, {"max_tokens": 2}, valid=False, risk=Risk.MILD)

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        request = plain.build(subject, answers)
        return replace(request, headers=(*request.headers, *headers))

    key = [key for key, fields in _FRAMINGS.items() if fields == headers][number]
    return replace(plain, key=key, build=build, of_endpoint=True)
