"""The same answers in other bytes: JSON, event framing, headers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from faults.harmless.picks import COMPARED, EVERY, JSON_ANSWERS
from gonogo.faults.catalogue.event_streams import STREAMS
from gonogo.faults.editing import both, changed, frames, header, inserted, lines, raw, rechunked
from gonogo.faults.picks import but

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.evidence import Record
    from gonogo.exchange import Exchange

    Change = Callable[[Record], Record]


def _pings(old: list[bytes]) -> list[bytes]:
    return [part for frame in old for part in (b": ping\n\n", frame)]


def _upper(exchange: Exchange) -> Exchange:
    return replace(exchange, headers=tuple((name.upper(), value) for name, value in exchange.headers))


HARMLESS: dict[str, Change] = {
    # ---- JSON and bytes
    "spaces and line ends in JSON": changed(
        JSON_ANSWERS, raw(lambda data: json.dumps(json.loads(data), indent=2).encode() + b"\n")
    ),
    "a space more in the events": changed(
        but(STREAMS, COMPARED), raw(lambda data: data.replace(b'":', b'": '))
    ),
    "one byte a piece": changed(STREAMS, rechunked(1)),
    "all in one piece": changed(STREAMS, rechunked(1_000_000)),
    "comments between events": changed(STREAMS, frames(_pings)),
    "a comment before the first event": changed(STREAMS, inserted(0, b": open\n\n")),
    "a comment inside of an event": changed(STREAMS, lines(lambda frame: b": tick\n" + frame)),
    "comments of a gateway": changed(STREAMS, inserted(0, b": OPENROUTER PROCESSING\n\n: x\n\n")),
    "a comment after the end": changed(STREAMS, raw(lambda data: data + b": bye\n\n")),
    "a comment that is cut off": changed(STREAMS, raw(lambda data: data + b": by")),
    "blank lines more than needed": changed(STREAMS, raw(lambda data: b"\n" + data + b"\n")),
    # ---- heads
    "a charset in every content type": both(
        changed(JSON_ANSWERS, header("content-type", "application/json; charset=utf-8")),
        changed(STREAMS, header("content-type", 'text/event-stream;charset="UTF-8"')),
    ),
    # In streams they break only httpx-sse: see faults.catalogue.clients.
    "media types in capitals": changed(JSON_ANSWERS, header("content-type", "Application/JSON")),
    "names of headers in capitals": changed(EVERY, _upper),
    "no Date": changed(EVERY, header("date", None)),
    "a clock that is not that of gonogo's machine": changed(
        EVERY, lambda exchange: replace(exchange, sent=(exchange.sent or 0) + 7200)
    ),
    "evidence of a version that wrote no times and looked at no connections": changed(
        EVERY, lambda exchange: replace(exchange, sent=None, hung_up=None)
    ),
    "a connection that is closed as it was said": changed(EVERY, header("connection", "close")),
    "headers of one's own": changed(EVERY, header("x-ratelimit-remaining-requests", "9999")),
}
