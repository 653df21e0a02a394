"""The plain chat completion without the key of the run, and with a wrong one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.redaction import WRONG_KEY
from gonogo.stimuli.bodies import post
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.stimulus import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.stimulus import Stimulus, Subject

_PLAIN = post(Endpoint.CHAT, {"max_tokens": 1}, valid=False)


@when.phrase("a chat completion is requested without a key")
def _without() -> Ask:
    return Ask(_with("without a key", lambda request: replace(request, anonymous=True)))


@when.phrase("a chat completion is requested with a wrong key")
def _wrong() -> Ask:
    return Ask(
        _with(
            "with a wrong key",
            lambda request: replace(request, headers=(*request.headers, ("authorization", WRONG_KEY))),
        )
    )


def _with(name: str, change: Callable[[Request], Request]) -> Stimulus:
    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        return change(_PLAIN.build(subject, answers))

    return replace(_PLAIN, key=f"{Endpoint.CHAT} {name}", build=build, of_endpoint=True)
