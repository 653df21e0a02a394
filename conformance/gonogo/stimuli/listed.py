"""Listed models to retrieve: the served one and a few others, ids with "/" first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from gonogo.exchange import Request
from gonogo.reasons import Reason
from gonogo.stimuli.bodies import list_models, retrieve_model
from gonogo.stimuli.observed import listed_ids
from gonogo.stimuli.phrases import Ask, Watch, when
from gonogo.stimuli.stimulus import Endpoint, NotPossible, Stimulus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange
    from gonogo.stimuli.stimulus import Subject

OTHERS = 3
"""The number of other listed models that are retrieved: some gateways list hundreds."""

SERVED = retrieve_model()
LISTING = list_models()


def other(place: int) -> Stimulus:
    """The retrieval of another listed model; `place` counts from 1, ids with "/" first.

    Building it raises NotPossible if the list is too short.
    """

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        listing = answers[LISTING.key]
        others = [model for model in listed_ids(listing) if model != subject.model]
        if len(others) < place:
            raise NotPossible(Reason.FEWER_MODELS, listing)
        return retrieve_model(others[place - 1]).build(subject, answers)

    return replace(SERVED, key=f"{Endpoint.MODEL} listed {place}", build=build, needs=(LISTING,))


def unquoted() -> Stimulus:
    """The retrieval of a model with "/" in its id, unencoded, preferably the served one.

    Building it raises NotPossible if no id has one.
    """

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        listing = answers[LISTING.key]
        models = [model for model in (subject.model, *listed_ids(listing)) if "/" in model]
        if not models:
            raise NotPossible(Reason.NO_SLASH, listing)
        return Request("GET", "/models/" + quote(models[0]))

    key = f'{Endpoint.MODEL} with "/" in its id as it is'
    return replace(SERVED, key=key, build=build, needs=(LISTING,))


UNQUOTED = unquoted()
RETRIEVALS = (SERVED, *(other(place) for place in range(1, OTHERS + 1)), UNQUOTED)


@when.phrase("the served model is retrieved")
def _served() -> Ask:
    return Ask(SERVED)


@when.phrase("any model is retrieved by its id as it is")
def _unquoted() -> Watch:
    """Without needs: if no id has a "/", there is no such request, and none is missing."""
    return Watch(lambda stimulus: stimulus.key == UNQUOTED.key, ())


@when.phrase("any listed model is retrieved")
def _few() -> Watch:
    return Watch(lambda stimulus: stimulus.valid and stimulus.endpoint is Endpoint.MODEL, RETRIEVALS)
