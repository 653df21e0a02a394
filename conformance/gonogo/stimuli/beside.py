"""Requests that were sent in parallel, and again alone because their text was not as expected.

The later exchange is the one that rules look at. The earlier one is known to a judge by its own key.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli import bodies
from gonogo.stimuli.stimulus import Endpoint

if TYPE_CHECKING:
    from gonogo.stimuli.stimulus import Stimulus

PREFIX = "beside others "


def key_beside(key: str) -> str:
    """The key of what was sent beside others, before the stimulus of this key was sent by itself."""
    return PREFIX + key


def is_beside(key: str) -> bool:
    """Whether a key is one of these."""
    return key.startswith(PREFIX)


def key_alone(key: str) -> str:
    """The key of the same request by itself."""
    return key.removeprefix(PREFIX)


def trace(key: str) -> Stimulus:
    """What a judge sees in the place of such an exchange: nobody's valid request but its own rule's."""
    return replace(bodies.list_models(), key=key, endpoint=Endpoint.OTHER, valid=False)
