"""Sampling requests whose answers are compared with greedy text, or whose bodies are long."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli.bodies import post
from gonogo.stimuli.observed import begins, same, text
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.repeatable import GREEDY, like_greedy
from gonogo.stimuli.stimulus import Endpoint, Likeness, NotPossible
from gonogo.stimuli.stopping import NEVER, across_a_border, is_cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.stimulus import Stimulus, Subject

ANY_ID = "1000"
"""A token id that exists in every large vocabulary and ends a text in none."""

FORCED: Body = {**GREEDY, "max_tokens": 3, "logit_bias": {ANY_ID: 100}}
NUCLEUS: Body = {"temperature": 1, "top_p": 0.000001, "max_tokens": 8}
SEEDED: Body = {"temperature": 1, "seed": -(2**63), "max_tokens": 12}

# A question with any number of answers. What a model knows by heart (numbers, planets) is repeated even at a high
# temperature. For every third token of SmolLM2's answer, another token is at least half as likely.
OPEN: Body = {
    "messages": [{"role": "user", "content": "Describe a strange animal that nobody has seen."}],
    "max_tokens": 48,
}
MEASURED: Body = OPEN | {"temperature": 0, "logprobs": True, "top_logprobs": 5}

# The maximum that the contract allows (16 pairs, names of 64 characters, values of 512), and one more of each.
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
    """A request whose key has a name instead of a long body."""
    return replace(post(Endpoint.CHAT, body, valid=valid), key=f"{Endpoint.CHAT} with {name}")


def _drawn() -> Stimulus:
    drawn = post(Endpoint.CHAT, SEEDED)
    return replace(drawn, like=Likeness(drawn.key, same))


def _cool() -> Stimulus:
    cool = post(Endpoint.CHAT, OPEN | {"temperature": 0})
    return replace(cool, like=Likeness(cool.key, same))


COOL = _cool()
HOT = post(Endpoint.CHAT, OPEN | {"temperature": 2})


def _stop(parts: list[str]) -> str:
    """A part of the text, or a string that never occurs: the log probabilities are of use anyway."""
    try:
        return across_a_border(parts)
    except NotPossible:
        return NEVER


def _measured() -> Stimulus:
    """The greedy answer with log probabilities, up to a stop sequence at three quarters of its text."""
    plain = post(Endpoint.CHAT, MEASURED)

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        said = text(answers[COOL.key])
        late = len(said) * 3 // 4
        request = plain.build(subject, answers)
        body = json.loads(request.body) | {"stop": _stop([said[:late], said[late:]])}
        return replace(request, body=json.dumps(body, ensure_ascii=False).encode())

    key = f"{plain.key} stopped late in its text"
    return replace(plain, key=key, build=build, needs=(COOL,), like=Likeness(COOL.key, is_cut))


SEED = _drawn()

REQUESTS: dict[str, Stimulus] = {
    "a greedy chat completion is requested with one token forced": post(Endpoint.CHAT, FORCED),
    "a chat completion is drawn from a nucleus of one token": like_greedy(
        post(Endpoint.CHAT, NUCLEUS), begins
    ),
    "a chat completion is drawn with a seed": SEED,
    "a chat completion is drawn with that seed once more": SEED.repeated(2),
    "a greedy chat completion of an open question is requested": COOL,
    "a chat completion of an open question is drawn at temperature 2": HOT,
    "a chat completion of that question is drawn at temperature 2 once more": HOT.repeated(2),
    "that greedy chat completion is requested with log probabilities and a late part of its text as stop": (
        _measured()
    ),
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
