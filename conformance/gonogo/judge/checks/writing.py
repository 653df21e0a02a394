"""How answers are written, whatever they say: the characters of their bytes, and the names of their fields."""

from __future__ import annotations

import json
from email.message import Message
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

JSON = "application/json"


@check("no other charset than that of the bytes is named", Of.ANY)
def charset_right(exchange: Exchange) -> Deviation | None:
    """Another name is let pass where it makes the same text of the bytes, as of plain ASCII most do."""
    if exchange.media_type != JSON and not exchange.is_stream:
        raise Undecided(f"{exchange.id} is neither JSON nor a stream")
    head = Message()
    head["content-type"] = exchange.header("content-type") or ""
    charset = head.get_content_charset("utf-8")
    try:
        text = exchange.body.decode()
    except UnicodeDecodeError:
        raise Undecided(f"the body of {exchange.id} is not UTF-8") from None
    try:
        same = exchange.body.decode(charset) == text
    except (LookupError, ValueError):
        same = False
    return None if same else Deviation("the charset utf-8, or none", f"the charset is {charset}")


@check("no object has two fields of one name", Of.ANY)
def names_differ(exchange: Exchange) -> Deviation | None:
    """In the body, or in the data of each event; what is no JSON is for other rules to say."""
    texts = [exchange.body.decode("utf-8", "replace")] if exchange.media_type == JSON else []
    if exchange.is_stream:
        texts = [event.data for event in reading.stream(exchange).events]
    if not texts:
        raise Undecided(f"{exchange.id} carries no JSON")
    twice = next((name for text in texts if (name := _twice(text)) is not None), None)
    return None if twice is None else Deviation("each name once in an object", f'"{twice}" is there twice')


def _twice(text: str) -> str | None:
    """A name that an object has twice."""
    found: list[str] = []

    def note(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            found.append(next(name for name in names if names.count(name) > 1))
        return {}

    try:
        json.loads(text, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return None
    return found[0] if found else None
