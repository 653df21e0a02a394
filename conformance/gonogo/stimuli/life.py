"""Signs of life: a request that was answered well before, sent again after hostile ones."""

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
"""Enough for a stream that is not over with its first piece."""


def sign_of_life(known: Stimulus, after: Sequence[str]) -> Stimulus:
    """`known` once more; the key names what was sent before it."""
    return replace(known, key=key_after(after), risk=Risk.HARMLESS, needs=())


def brief(sign: Stimulus) -> Stimulus:
    """The same sign of life for one token, where it generates any: one tells as much, and is there sooner."""
    if not sign.tokens:
        return sign
    return replace(bodies.post(sign.endpoint, {"max_tokens": 1}), key=sign.key)


def key_after(sent: Sequence[str]) -> str:
    """The key of a sign of life that is requested after stimuli of these keys."""
    return PREFIX + " | ".join(sent)


def is_sign_of_life(key: str) -> bool:
    """Whether an exchange of this key was sent to see whether the target still answers."""
    return key.startswith(PREFIX)


def trace(key: str) -> Stimulus:
    """What a judge sees in the place of a recorded sign of life: nobody's valid request but its own rule's."""
    return replace(bodies.list_models(), key=key, endpoint=Endpoint.OTHER, valid=False)


def suspects(key: str) -> list[str]:
    """The keys of what was sent before a sign of life; none if it accuses nobody."""
    sent = key.removeprefix(PREFIX)
    return sent.split(" | ") if sent else []


def baselines() -> tuple[Stimulus, ...]:
    """Plain requests that a target should answer, the most telling first."""
    generations = (bodies.post(endpoint, {}) for endpoint in (Endpoint.CHAT, Endpoint.COMPLETIONS))
    return (*generations, bodies.list_models())


LEFT_PROMPT = [{"role": "user", "content": "Count from ten to twenty."}]
"""Of its own, so that a server that is stuck with this prompt still answers a sign of life."""


def leaving() -> Stimulus:
    """A stream of some length that is left after its first bytes, while nothing else is under way."""
    body = {"messages": LEFT_PROMPT, "max_tokens": LEFT_TOKENS}
    plain = bodies.post(Endpoint.CHAT, body, streamed=True, valid=False, alone=True)

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        return replace(plain.build(subject, answers), enough=1)

    return replace(plain, key=f"{Endpoint.CHAT} left in the middle of its stream", build=build)


def left_again() -> Stimulus:
    """The prompt of the stream that was left, asked once more for one token; `needs` has the one that was left."""
    plain = bodies.post(Endpoint.CHAT, {"messages": LEFT_PROMPT, "max_tokens": 1}, valid=False, alone=True)
    return replace(plain, key=f"{Endpoint.CHAT} again after its stream was left", needs=(leaving(),))
