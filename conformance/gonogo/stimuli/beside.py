"""Requests that were sent in parallel, and again alone because their text was not as expected.

Rules read the later exchange. A judge recognises the earlier one by its own key.
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
    """The key of the earlier, parallel exchange of the stimulus with this key."""
    return PREFIX + key


def is_beside(key: str) -> bool:
    """Whether a key is of an earlier, parallel exchange."""
    return key.startswith(PREFIX)


def key_alone(key: str) -> str:
    """The key of the same request sent alone."""
    return key.removeprefix(PREFIX)


def trace(key: str) -> Stimulus:
    """The stimulus of such an exchange for a judge: not valid, so that only its own rules read it."""
    return replace(bodies.list_models(), key=key, endpoint=Endpoint.OTHER, valid=False)
