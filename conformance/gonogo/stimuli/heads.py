"""Requests with unusual headers, paths or sizes: media types, browsers, large bodies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.exchange import Request
from gonogo.stimuli.bodies import PATHS, bare, post
from gonogo.stimuli.framing import CHUNKED, SHARED_ID, UPGRADING, framed
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.stimulus import Endpoint, Risk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange
    from gonogo.stimuli.stimulus import Stimulus, Subject

LARGE = 64 * 1024
"""The bytes of a string in a large body, which is still smaller than an image in a chat."""

ORIGIN = "https://gonogo.invalid"
ASKED = ("authorization", "content-type", "x-stainless-os")
"""Headers that a browser asks permission for; the last is one of openai-node's."""


@when.phrase('a chat completion is requested as "{media_type}"')
def _labelled(media_type: str) -> Ask:
    return Ask(labelled(media_type, valid=True))


@when.phrase('a chat completion is wrongly requested as "{media_type}"')
def _mislabelled(media_type: str) -> Ask:
    return Ask(labelled(media_type, valid=False))


@when.phrase("a chat completion is requested with a user of 64 KiB")
def _large() -> Ask:
    """The API refuses a user of that length, the schema does not; the server only has to survive it."""
    plain = post(Endpoint.CHAT, {"user": "u" * LARGE}, valid=False)
    key = f"{Endpoint.CHAT} with a user of {LARGE} bytes"
    return Ask(replace(plain, key=key, of_endpoint=True))


@when.phrase("a browser asks whether a page may request a chat completion")
def _preflight() -> Ask:
    plain = bare("OPTIONS", PATHS[Endpoint.CHAT])
    headers = (
        ("origin", ORIGIN),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", ",".join(ASKED)),
    )
    return Ask(
        replace(
            plain,
            key=f"{plain.key} from a page",
            build=lambda *_: Request("OPTIONS", PATHS[Endpoint.CHAT], headers),
        )
    )


@when.phrase("a chat completion is requested in chunks")
def _chunked() -> Ask:
    return Ask(framed(CHUNKED))


@when.phrase("a chat completion is requested with an offer to upgrade")
def _upgrading() -> Ask:
    return Ask(framed(UPGRADING))


@when.phrase("a chat completion is requested with a request id")
def _with_id() -> Ask:
    return Ask(framed(SHARED_ID))


@when.phrase("another is requested at the same time with the same request id")
def _with_same_id() -> Ask:
    return Ask(framed(SHARED_ID, 1))


def labelled(media_type: str, *, valid: bool) -> Stimulus:
    """The plain chat completion with another Content-Type; after a valid one the connection is observed."""
    plain = post(Endpoint.CHAT, {})

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        request = plain.build(subject, answers)
        return replace(request, headers=(("content-type", media_type),), lingers=valid)

    risk = Risk.HARMLESS if valid else Risk.HOSTILE
    key = f"{plain.key} as {media_type}"
    return replace(plain, key=key, build=build, valid=valid, risk=risk, of_endpoint=True)
