"""Signs of life: a request that was answered well before, sent again after hostile ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli import bodies
from gonogo.stimuli.stimulus import Endpoint, Risk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo.stimuli.stimulus import Stimulus

PREFIX = "alive after "


def sign_of_life(known: Stimulus, after: Sequence[str]) -> Stimulus:
    """`known` once more; the key names what was sent before it."""
    return replace(known, key=PREFIX + " | ".join(after), risk=Risk.HARMLESS, needs=())


def is_sign_of_life(key: str) -> bool:
    """Whether an exchange of this key was sent to see whether the target still answers."""
    return key.startswith(PREFIX)


def trace(key: str) -> Stimulus:
    """What a judge sees in the place of a recorded sign of life: nobody's valid request but its own rule's."""
    return replace(bodies.list_models(), key=key, endpoint=Endpoint.OTHER, valid=False)


def suspects(key: str) -> list[str]:
    """The keys of what was sent before a sign of life."""
    return key.removeprefix(PREFIX).split(" | ")


def baselines() -> tuple[Stimulus, ...]:
    """Plain requests that a target should answer, the most telling first."""
    generations = (bodies.post(endpoint, {}) for endpoint in (Endpoint.CHAT, Endpoint.COMPLETIONS))
    return (*generations, bodies.list_models())
