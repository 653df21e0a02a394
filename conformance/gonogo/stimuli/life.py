"""Signs of life: a request that succeeded before, sent again after hostile ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli import bodies
from gonogo.stimuli.stimulus import Endpoint, Risk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.stimulus import Stimulus, Subject

PREFIX = "alive after "

LEFT_TOKENS = 48
"""Enough for a stream that does not end with its first piece."""


def sign_of_life(known: Stimulus, after: Sequence[str]) -> Stimulus:
    """`known` sent again; its key lists the requests before it."""
    return replace(known, key=key_after(after), risk=Risk.HARMLESS, needs=())


def brief(sign: Stimulus) -> Stimulus:
    """The same sign of life limited to one token, if it generates any: that is as conclusive, and faster."""
    if not sign.tokens:
        return sign
    return replace(bodies.post(sign.endpoint, {"max_tokens": 1}), key=sign.key)


def key_after(sent: Sequence[str]) -> str:
    """The key of a sign of life after stimuli with these keys."""
    return PREFIX + " | ".join(sent)


def is_sign_of_life(key: str) -> bool:
    """Whether an exchange with this key is a sign of life."""
    return key.startswith(PREFIX)


def trace(key: str) -> Stimulus:
    """The stimulus of a recorded sign of life for a judge: not valid, so that only its own rules read it."""
    return replace(bodies.list_models(), key=key, endpoint=Endpoint.OTHER, valid=False)


def suspects(key: str) -> list[str]:
    """The keys of the stimuli before a sign of life; empty if there were none."""
    sent = key.removeprefix(PREFIX)
    return sent.split(" | ") if sent else []


def baselines() -> tuple[Stimulus, ...]:
    """Plain requests that a target should answer, the most conclusive first."""
    generations = (bodies.post(endpoint, {}) for endpoint in (Endpoint.CHAT, Endpoint.COMPLETIONS))
    return (*generations, bodies.list_models())


LEFT_PROMPT = [{"role": "user", "content": "Count from ten to twenty."}]
"""A separate prompt, so that a server that is stuck with it still answers a sign of life."""


def leaving() -> Stimulus:
    """A longer stream that the client leaves after its first bytes, while nothing else is running."""
    body = {"messages": LEFT_PROMPT, "max_tokens": LEFT_TOKENS}
    plain = bodies.post(Endpoint.CHAT, body, streamed=True, valid=False, alone=True)

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        return replace(plain.build(subject, answers), enough=1)

    return replace(plain, key=f"{Endpoint.CHAT} left in the middle of its stream", build=build)


def left_again() -> Stimulus:
    """The prompt of the abandoned stream, requested again for one token; `needs` has the abandoned one."""
    plain = bodies.post(Endpoint.CHAT, {"messages": LEFT_PROMPT, "max_tokens": 1}, valid=False, alone=True)
    return replace(plain, key=f"{Endpoint.CHAT} again after its stream was left", needs=(leaving(),))
