"""Requests for how tokens are drawn, where an answer is compared with greedy text or a body is long."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli.bodies import post
from gonogo.stimuli.observed import begins, same
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.stimulus import Endpoint, Likeness
from gonogo.stimuli.stopping import GREEDY, like_greedy

if TYPE_CHECKING:
    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.stimulus import Stimulus

ANY_ID = "1000"
"""The id of a token of every vocabulary of some size, and in none the one that ends a text."""

FORCED: Body = {**GREEDY, "max_tokens": 3, "logit_bias": {ANY_ID: 100}}
NUCLEUS: Body = {"temperature": 1, "top_p": 0.000001, "max_tokens": 8}
SEEDED: Body = {"temperature": 1, "seed": -(2**63), "max_tokens": 12}

# The most that the contract allows: 16 pairs, names of 64 characters and notes of 512; and one more of each.
_ALLOWED: Body = {
    "metadata": {f"{number:064}": "n" * 512 for number in range(16)},
    "service_tier": "auto",
    "safety_identifier": "s" * 64,
    "prompt_cache_key": "gonogo",
    "max_tokens": 2,
}
_BEYOND: Body = {
    "metadata": {f"{number:065}": "n" * 513 for number in range(17)},
    "service_tier": "gonogo",
    "max_tokens": 2,
}


def _named(body: Body, name: str, *, valid: bool = True) -> Stimulus:
    """A request whose key has a name in the place of a long body."""
    return replace(post(Endpoint.CHAT, body, valid=valid), key=f"{Endpoint.CHAT} with {name}")


def _drawn() -> Stimulus:
    drawn = post(Endpoint.CHAT, SEEDED)
    return replace(drawn, like=Likeness(drawn.key, same))


SEED = _drawn()

REQUESTS: dict[str, Stimulus] = {
    "a greedy chat completion is requested with one token forced": post(Endpoint.CHAT, FORCED),
    "a chat completion is drawn from a nucleus of one token": like_greedy(
        post(Endpoint.CHAT, NUCLEUS), begins
    ),
    "a chat completion is drawn with a seed": SEED,
    "a chat completion is drawn with that seed once more": SEED.repeated(2),
    "a chat completion is requested with bookkeeping at its limits": _named(
        _ALLOWED, "bookkeeping at its limits"
    ),
    "a chat completion is wrongly requested with bookkeeping beyond its limits": _named(
        _BEYOND, "bookkeeping beyond its limits", valid=False
    ),
}


def _register() -> None:
    for phrase, stimulus in REQUESTS.items():
        when.add(phrase, lambda stimulus=stimulus: Ask(stimulus))


_register()
