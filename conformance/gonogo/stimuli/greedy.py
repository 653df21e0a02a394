"""Greedy texts beside those that stop sequences are cut out of: one of wide characters, one with its tokens counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.stimuli.bodies import post
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.stimulus import Endpoint
from gonogo.stimuli.stopping import GREEDY

if TYPE_CHECKING:
    from gonogo.stimuli.bodies import Body

WIDE: Body = {
    **GREEDY,
    "messages": [{"role": "user", "content": "Repeat exactly: 🙂🎉é漢字"}],
}
COUNTED: Body = {**GREEDY, "stream_options": {"include_usage": True}}


@when.phrase("a greedy chat completion of characters of several bytes is requested")
def _wide_requested() -> Ask:
    return Ask(post(Endpoint.CHAT, WIDE, alone=True))


@when.phrase("a greedy chat completion of characters of several bytes is streamed")
def _wide_streamed() -> Ask:
    return Ask(post(Endpoint.CHAT, WIDE, streamed=True, alone=True))


@when.phrase("a greedy chat completion is streamed with usage")
def _counted() -> Ask:
    return Ask(post(Endpoint.CHAT, COUNTED, streamed=True, alone=True))
