"""Refusals that a conforming server may answer with, and records with missing parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.harmless.picks import (
    CHAT_STREAMS,
    CHATS,
    COUNTED,
    EVERY,
    LIMITED_STREAM,
    OTHER_ROUTES,
    REFUSALS,
    UNKNOWN_MODEL,
)
from gonogo.exchange import FailureKind
from gonogo.faults.catalogue.event_streams import STREAMS
from gonogo.faults.editing import answer, changed, failing, header, put, refused, silent, status, unrecorded
from gonogo.faults.picks import asked, but, either
from gonogo.faults.rule_picks import last
from gonogo.stimuli.life import is_sign_of_life

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.evidence import Record
    from gonogo.exchange import Exchange

    Change = Callable[[Record], Record]


PREFLIGHT = asked("OPTIONS /chat/completions from a page")  # never has a key


def _alive(exchange: Exchange) -> bool:
    return is_sign_of_life(exchange.stimulus)


_REFUSED = refused(400)

HARMLESS: dict[str, Change] = {
    # ---- refusals of what is optional, and other ways to refuse
    "completions that are not there": changed(
        lambda e: e.stimulus.startswith("POST /completions"), refused(404)
    ),
    "completions that are not implemented": changed(
        lambda e: e.stimulus.startswith("POST /completions"), refused(501)
    ),
    "chats that are not there": changed(
        lambda e: e.stimulus.startswith("POST /chat/completions"), refused(404)
    ),
    "chats that are not there, to a wrong method too": changed(
        lambda e: e.stimulus.startswith(("POST /chat/completions", "PUT ")), refused(404)
    ),
    "streams that are refused": changed(CHAT_STREAMS, _REFUSED),
    "stream_options that are refused": changed(either(COUNTED, LIMITED_STREAM), _REFUSED),
    "messages of errors in other words": changed(
        but(REFUSALS, lambda e: e.request.path.startswith("/messages")),
        answer(put("error.message", "Nein."), put("error.type", "bad_request")),
    ),
    "paths of the API and of the request in the messages of errors": changed(
        REFUSALS,
        answer(
            put(
                "error.message",
                "POST http://h/usr/share/v1/chat/completions: /messages/0/content, ./home/a/b, n/a",
            )
        ),
    ),
    "more in the error": changed(
        REFUSALS, answer(put("error.details", {"help": "x"}), put("request_id", "x"))
    ),
    "a path as param": changed(
        asked('POST /chat/completions {"temperature":"warm"}'), answer(put("error.param", "temperature"))
    ),
    "errors of another type for a route": changed(OTHER_ROUTES, answer(put("error.code", "404"))),
    "404 for a wrong method": changed(asked("PUT /chat/completions"), status(404)),
    "501 for a wrong method": changed(asked("PUT /chat/completions"), status(501)),
    "an empty list of tools that is refused by its name": changed(
        last("tools.request.empty"),
        refused(400),
        answer(put("error.code", "empty_array"), put("error.param", "tools")),
    ),
    "a wrong request that may be under way": changed(
        last("sampling.refused.max_tokens_negative"), silent(FailureKind.TIMEOUT)
    ),
    # ---- circumstances
    "a rate limit after wrong requests": changed(_alive, refused(429)),
    "an overload after wrong requests": changed(_alive, refused(503), header("retry-after", "1")),
    "an overload at a wrong request": changed(
        either(asked('POST /chat/completions {"messages":"Hello","stream":true}'), UNKNOWN_MODEL),
        refused(503),
        header("retry-after", "1"),
    ),
    "a rate limit": changed(CHATS, refused(429, None)),
    "a rate limit for everything": changed(EVERY, refused(429)),
    "a key that is refused for everything": changed(but(EVERY, either(_alive, PREFLIGHT)), refused(401)),
    "an overload that says for how long": changed(
        asked('POST /chat/completions {"stop":"gonogo-never"}'), refused(503), header("retry-after", "1")
    ),
    "a record of part of the plan": unrecorded(lambda e: e.stimulus.startswith("POST /completions")),
    "a record of nothing": unrecorded(EVERY),
    "an answer larger than is kept": changed(CHATS, failing(FailureKind.TOO_LARGE)),
    "a stream larger than is kept": changed(STREAMS, failing(FailureKind.TOO_LARGE, keep=4)),
}
