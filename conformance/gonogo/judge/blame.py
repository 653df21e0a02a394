"""Limits the requests that a failed sign of life may blame: none that was refused with 503."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli.life import is_sign_of_life, key_after, suspects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange
    from gonogo.stimuli.stimulus import Stimulus

UNAVAILABLE = 503


def fairly(by_key: Mapping[str, Exchange], stimuli: Mapping[str, Stimulus]) -> Mapping[str, Exchange]:
    """The same exchanges, with the key of each sign of life limited to the requests that it may blame.

    Both mappings are by the key of the stimulus, the exchanges in the order in which they were recorded. A sign of life
    with 503 blames no request if the requests before it were also rejected with 503, or if earlier valid requests to
    its path were.
    """
    away = {key for key, exchange in by_key.items() if exchange.status == UNAVAILABLE}
    if not away:
        return by_key
    place = {key: number for number, key in enumerate(by_key)}
    valid = {key for key in away if key in stimuli and stimuli[key].valid}

    def fair(sign: Exchange) -> Exchange:
        named = suspects(sign.stimulus)
        accused = [key for key in named if key not in away]
        if sign.status == UNAVAILABLE:
            begun = min((place[key] for key in named if key in place), default=0)
            if any(place[key] < begun and by_key[key].request.path == sign.request.path for key in valid):
                accused = []
        else:
            accused = accused or named
        return sign if accused == named else replace(sign, stimulus=key_after(accused))

    return {key: fair(found) if is_sign_of_life(key) else found for key, found in by_key.items()}
