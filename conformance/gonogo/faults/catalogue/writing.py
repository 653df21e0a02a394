"""Faults of the encoding of answers: the charset, and duplicate field names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.faults.editing import changed, header, raw
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import asked, either, streamed, whole

if TYPE_CHECKING:
    from gonogo.faults.editing import Change

CHATS = whole("/chat/completions")
STREAMS = either(streamed("/chat/completions"), streamed("/completions"))
COUNTED = asked('POST /chat/completions {"stream":true,"stream_options":{"include_usage":true}}')
JSON, STREAM = "application/json", "text/event-stream"


def _twice(data: bytes) -> bytes:
    return data.replace(b'"object":', b'"object":"x","object":')


FAULTS: tuple[Fault, ...] = (
    fault(
        "JSON that is called Latin-1",
        "the default of older frameworks, over bytes in UTF-8",
        "http.utf8",
        changed(CHATS, header("content-type", f"{JSON}; charset=ISO-8859-1")),
    ),
    fault(
        "a stream that is called Windows-1252",
        "the default of a system, over bytes in UTF-8",
        "http.utf8",
        changed(STREAMS, header("content-type", f"{STREAM}; charset=windows-1252")),
    ),
    fault(
        "an unknown charset",
        "the database's name of it",
        "http.utf8",
        changed(CHATS, header("content-type", f"{JSON}; charset=utf8mb4")),
    ),
    fault(
        "a field that is written twice",
        "a proxy that adds to the text of JSON",
        "http.names",
        changed(CHATS, raw(_twice)),
    ),
    fault(
        "a field that is written twice in every chunk",
        "a proxy that adds to the text of JSON",
        "http.names",
        changed(COUNTED, raw(_twice)),
    ),
)

HARMLESS: dict[str, Change] = {
    "UTF-8 by its other name": changed(CHATS, header("content-type", f'{JSON};charset="UTF8"')),
    "ASCII that is called so": changed(
        asked("GET /models"), header("content-type", f"{JSON}; charset=us-ascii")
    ),
}
