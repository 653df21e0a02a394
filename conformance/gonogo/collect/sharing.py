"""Requests that are sent once for several models: those that do not depend on the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.collect.plan import Plan
from gonogo.stimuli.stimulus import NotPossible, Subject

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gonogo.exchange import Exchange
    from gonogo.stimuli.stimulus import Stimulus


def is_shared(stimulus: Stimulus, subjects: Collection[Subject], answers: Mapping[str, Exchange]) -> bool:
    """Whether one answer holds for all subjects: the request is about the endpoint, or the same for each.

    `answers` are the known exchanges, by the key of their stimulus. A request that cannot be built from them is not
    shared.
    """
    if stimulus.of_endpoint:
        return True
    if any(need.key not in answers for need in stimulus.needs):
        return False
    try:
        return len({stimulus.build(subject, answers) for subject in subjects}) == 1
    except NotPossible:
        return False


def shared(asked: Plan) -> Plan:
    """The stimuli of a plan that are sent once for all models, as far as this is known before the first answer."""
    two = [Subject(model, "embedder") for model in ("one", "another")]
    return Plan(tuple(stimulus for stimulus in asked.stimuli if is_shared(stimulus, two, {})))
