"""Greedy requests: their text is repeatable, so that other texts can be compared with it exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli.bodies import post
from gonogo.stimuli.observed import same, same_trimmed
from gonogo.stimuli.stimulus import Endpoint, Likeness

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.stimulus import Stimulus

GREEDY: Body = {"temperature": 0, "max_tokens": 24}


def greedy(endpoint: Endpoint) -> Stimulus:
    """The greedy stream: stop sequences are taken from its text, and other greedy texts are compared with it."""
    stream = post(endpoint, GREEDY, streamed=True)
    return replace(stream, like=Likeness(stream.key, same))


def like_greedy(plain: Stimulus, holds: Callable[[Exchange, Exchange], bool] = same_trimmed) -> Stimulus:
    """A request whose text is compared with that of the greedy stream of its endpoint."""
    return replace(plain, like=Likeness(greedy(plain.endpoint).key, holds))


def like_chat(plain: Stimulus) -> Stimulus:
    """A request to another surface whose text is compared with that of the greedy chat."""
    return replace(plain, like=Likeness(greedy(Endpoint.CHAT).key, same_trimmed))
