"""Checks on the charset of an answer, and the field names in its JSON."""

from __future__ import annotations

import codecs
import json
from email.message import Message
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.outcome import Deviation, saw, unanswered, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

JSON = "application/json"


@check("no other charset than that of the bytes is named", Of.ANY)
def charset_right(exchange: Exchange) -> Outcome:
    """Another charset is accepted if it decodes the bytes to the same text, as most charsets do for ASCII."""
    if exchange.status is None:
        raise unanswered(exchange)
    if exchange.media_type != JSON and not exchange.is_stream:
        raise undecided(Reason.NO_JSON, exchange)
    if not exchange.body:
        raise undecided(Reason.NO_BODY, exchange)
    head = Message()
    head["content-type"] = exchange.header("content-type") or ""
    charset = head.get_content_charset("utf-8")
    try:
        text = exchange.body.decode()
    except UnicodeDecodeError:
        raise undecided(Reason.NOT_UTF8, exchange) from None
    try:
        same = exchange.body.decode(charset) == text
    except (LookupError, ValueError):
        same = False
    if not same:
        return Deviation("the charset utf-8, or none", f"the charset is {charset}")
    if codecs.lookup(charset).name != "utf-8" and text.isascii():
        raise undecided(Reason.ALL_ASCII, exchange)
    return saw("body that its charset decodes as UTF-8 does", exchange)


@check("no object has two fields of one name", Of.ANY)
def names_differ(exchange: Exchange) -> Outcome:
    """In the body, or in the data of each event; other rules check data that is not JSON."""
    if exchange.status is None:
        raise unanswered(exchange)
    texts = [exchange.body.decode("utf-8", "replace")] if exchange.media_type == JSON else []
    if exchange.is_stream:
        texts = [event.data for event in reading.stream(exchange).events]
    if not texts:
        raise undecided(Reason.NO_JSON, exchange)
    objects = [names for text in texts for names in _objects(text)]
    for names in objects:
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            return Deviation("each name once in an object", f'"{twice}" is there twice')
    return saw("JSON object with fields", exchange, count=sum(map(bool, objects)))


def _objects(text: str) -> list[list[str]]:
    """The names of each object's fields, inner objects first; none if the text is not JSON."""
    found: list[list[str]] = []

    def note(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found.append([name for name, _ in pairs])
        return {}

    try:
        json.loads(text, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return []
    return found
