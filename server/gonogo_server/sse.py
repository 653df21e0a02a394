"""Server-sent events: one data line each, `[DONE]` last; events of Responses and Messages have names. No I/O.

Source: WHATWG HTML, "Server-sent events"; OpenAI API reference, "Streaming events".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi.sse import format_sse_event
from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

MEDIA_TYPE: Final = "text/event-stream"
HEADERS: Final = {
    "cache-control": "no-cache",
    # nginx and similar proxies buffer a response unless this header forbids it.
    "x-accel-buffering": "no",
}
WAITING: Final = format_sse_event(comment="waiting for the first token")
"""A comment, which clients ignore: it keeps clients and proxies from timing out."""
DONE: Final = format_sse_event(data_str="[DONE]")


def event(payload: BaseModel) -> bytes:
    """One event with the payload as JSON; absent fields stay absent."""
    return format_sse_event(data_str=payload.model_dump_json(by_alias=True))


def named(payload: Mapping[str, object]) -> bytes:
    """One event with the payload as JSON; its name is the payload's `type`."""
    return b"event: %b\ndata: %b\n\n" % (str(payload["type"]).encode(), to_json(payload))
