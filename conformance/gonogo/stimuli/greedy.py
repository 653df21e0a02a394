"""Greedy texts besides those for stop sequences: one with multi-byte characters, one with its tokens counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli.beside import is_beside
from gonogo.stimuli.bodies import post
from gonogo.stimuli.observed import same_trimmed
from gonogo.stimuli.phrases import Ask, Watch, when
from gonogo.stimuli.repeatable import GREEDY, greedy, like_greedy
from gonogo.stimuli.stimulus import Endpoint, Likeness

if TYPE_CHECKING:
    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.stimulus import Stimulus

WIDE: Body = {
    **GREEDY,
    "messages": [{"role": "user", "content": "Repeat exactly: 🙂🎉é漢字"}],
}
COUNTED: Body = {**GREEDY, "stream_options": {"include_usage": True}}


@when.phrase("a greedy chat completion of characters of several bytes is requested")
def _wide_requested() -> Ask:
    return Ask(_wide())


@when.phrase("a greedy chat completion of characters of several bytes is streamed")
def _wide_streamed() -> Ask:
    return Ask(_wide(streamed=True))


@when.phrase("a greedy chat completion is streamed with usage")
def _counted() -> Ask:
    return Ask(like_greedy(post(Endpoint.CHAT, COUNTED, streamed=True)))


@when.phrase("any greedy text is asked for")
def _any() -> Watch:
    """Texts that are compared, and those that were first sent in parallel."""
    return Watch(lambda s: s.like is not None or is_beside(s.key), (greedy(Endpoint.CHAT),))


def _wide(*, streamed: bool = False) -> Stimulus:
    base = post(Endpoint.CHAT, WIDE)
    return replace(post(Endpoint.CHAT, WIDE, streamed=streamed), like=Likeness(base.key, same_trimmed))
