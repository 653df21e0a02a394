"""Checks on the list of models and its entries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gonogo.judge import kinds, reading
from gonogo.judge.checks.acceptance import accepted, ending, expect_kind
from gonogo.judge.checks.bodies import EARLIEST, LATEST
from gonogo.judge.outcome import Deviation, saw, unanswered, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason
from gonogo.stimuli.surfaces import NO_SUCH_ROUTE

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Object


DESCRIBING = ("object", "created", "owned_by")
"""The fields other than the id that a listed and a retrieved model share."""


@check("the operation exists", Of.ANY)
def there(exchange: Exchange) -> Outcome:
    """Without a list no model can be chosen."""
    status = exchange.status
    if status in NO_SUCH_ROUTE:
        return Deviation("a list of models", f"the status is {status}")
    if status is None or not accepted(exchange):
        raise unanswered(exchange)
    expect_kind(exchange)
    return saw("list of models", exchange)


@check("no two models have the same id")
def unique_ids(exchange: Exchange) -> Outcome:
    """Each id names one model."""
    ids = [entry["id"] for entry in _entries(exchange) if isinstance(entry.get("id"), str)]
    twice = [name for name in ids if ids.count(name) > 1]
    if twice:
        return Deviation("each id once", f"{twice[0]!r} is listed {ids.count(twice[0])} times")
    return saw("listed model with an id", exchange, count=len(ids))


@check("every model has a creation time in seconds")
def created_in_seconds(exchange: Exchange) -> Outcome:
    """Unix seconds; 0 and -1, which some servers send for unknown times, are undecided."""
    seen = 0
    for entry in _entries(exchange):
        created = reading.count(entry.get("created"))
        if created is None:
            continue
        if created > LATEST:
            return Deviation("a Unix time in seconds", f'"created" of {entry.get("id")!r} is {created}')
        seen += created >= EARLIEST
    return saw("listed model with a time in seconds", exchange, count=seen)


@compare("the lists have the same ids and times")
def lists_agree(*exchanges: Exchange) -> Outcome:
    """`created` belongs to the model, not to the time of the request."""
    first, second = ({str(entry.get("id")): entry.get("created") for entry in _entries(e)} for e in exchanges)
    if first == second:
        known = sum(reading.count(created) is not None for created in first.values())
        return saw("listed model with a time", *exchanges, count=known)
    changed = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    return Deviation("the same list twice", f"id or created changed for {', '.join(changed[:5])}")


@compare("the retrieved model is the listed one")
def retrieved_as_listed(*exchanges: Exchange) -> Outcome:
    """The same id, object, created and owned_by as in the list."""
    listing, retrieval = exchanges
    model = reading.answer(retrieval)
    listed = next((e for e in _entries(listing) if e.get("id") == model.get("id")), None)
    if listed is None:
        raise undecided(Reason.NOT_LISTED, listing, retrieval, model=repr(model.get("id")))
    differing = [name for name in DESCRIBING if listed.get(name) != model.get(name)]
    if differing:
        name = differing[0]
        return Deviation(f"as listed, {reading.field(listed, name)}", reading.field(model, name))
    shared = [name for name in DESCRIBING if model.get(name) is not None]
    return saw("field of the model as listed", retrieval, count=len(shared))


@check("the retrieved model has the requested id")
def retrieved_as_asked(retrieval: Exchange) -> Outcome:
    """The answer names the model in the path."""
    asked = _asked(retrieval)
    model = reading.answer(retrieval)
    if model.get("id") == asked:
        return saw('"id"', retrieval)
    return Deviation(f'"id" is {json.dumps(asked)}', reading.field(model, "id"))


@compare("the listed model can be retrieved", Of.ANY)
def listed_can_be_retrieved(*exchanges: Exchange) -> Outcome:
    """GET /models/{model} accepts every id that GET /models lists."""
    listing, retrieval, *others = exchanges
    asked = _asked(retrieval)
    if asked not in _listed(listing):
        raise undecided(Reason.NOT_LISTED, listing, model=repr(asked))
    answer = _better([retrieval, *(other for other in others if _asked(other) == asked)])
    if _is_lost(answer):
        shown = ((retrieval.id, ending(retrieval)), (listing.id, "the list has it"))
        return Deviation(f"the model {asked!r}, which is listed", ending(retrieval), also=shown)
    return _retrieved(answer)


@compare("each of them can be retrieved", Of.ANY)
def each_can_be_retrieved(*exchanges: Exchange) -> Outcome:
    """All requested retrievals, in one finding.

    If "/" is accepted only unencoded, retrievals with an encoded "/" are ignored.
    """
    listing, *retrievals = exchanges
    listed = _listed(listing)
    forms: dict[str, list[Exchange]] = {}
    for retrieval in retrievals:
        if _asked(retrieval) in listed:
            forms.setdefault(_asked(retrieval), []).append(retrieval)
    as_it_is = any(accepted(_better(tried)) and not accepted(tried[0]) for tried in forms.values())
    lost = {
        name: tried[0]
        for name, tried in forms.items()
        if _is_lost(_better(tried)) and not (as_it_is and "/" in name and len(tried) == 1)
    }
    if lost:
        shown = tuple((exchange.id, f"{name!r}: {ending(exchange)}") for name, exchange in lost.items())
        found = f"{len(lost)} of {len(forms)} cannot be retrieved: {', '.join(map(repr, lost))}"
        return Deviation("each listed model that was asked for", found, also=shown)
    answers = [_better(tried) for tried in forms.values()]
    found_there = [answer for answer in answers if accepted(answer) and kinds.of_its_kind(answer)]
    if not answers:
        raise undecided(Reason.NOT_LISTED, listing, model=repr(_asked(retrievals[0])))
    return saw("retrieved model", *found_there) if found_there else _retrieved(answers[0])


@compare("the model that answers is listed")
def answering_model_is_listed(*exchanges: Exchange) -> Outcome:
    """The model that was requested, and that answered, is in the list."""
    listing, chat = exchanges
    asked = chat.request.fields.get("model")
    listed = reading.answer(listing).get("data")
    if not isinstance(listed, list):
        raise undecided(Reason.FIELD_NOT, listing, field="data", kind="a list")
    if any(entry.get("id") == asked for entry in reading.objects(listed)):
        if not kinds.of_its_kind(chat):
            raise undecided(Reason.WRONG_KIND, chat, kind=kinds.name(chat))
        return saw("model that is listed and answers", listing, chat)
    return Deviation(f"{asked!r} among the listed ids", "it answers, and is not listed")


def _listed(listing: Exchange) -> list[object]:
    """The ids of the list. Raises Stop if there is none."""
    if listing.status in NO_SUCH_ROUTE:
        raise undecided(Reason.NO_LIST, listing, status=listing.status)
    if not accepted(listing):
        raise unanswered(listing)
    return [entry.get("id") for entry in _entries(listing)]


def _better(tried: list[Exchange]) -> Exchange:
    """The first accepted one of the retrievals of one id, with "/" encoded or not, else the first."""
    return next(filter(accepted, tried), tried[0])


def _retrieved(retrieval: Exchange) -> Outcome:
    """The retrieved model. Raises Stop if it is unreadable."""
    if not accepted(retrieval) or retrieval.failure is not None:
        raise unanswered(retrieval)
    if not kinds.of_its_kind(retrieval):
        raise undecided(Reason.WRONG_KIND, retrieval, kind=kinds.name(retrieval))
    return saw(kinds.name(retrieval), retrieval)


def _is_lost(retrieval: Exchange) -> bool:
    """Whether the model was not found; a refused key, a time-out or a missing answer proves nothing."""
    return not accepted(retrieval) and retrieval.status not in {None, 401, 403, 429, 503}


def _asked(retrieval: Exchange) -> str:
    return unquote(retrieval.request.path.removeprefix("/models/"))


def _entries(exchange: Exchange) -> list[Object]:
    entries = reading.objects(reading.answer(exchange).get("data"))
    if not entries:
        raise undecided(Reason.NO_MODELS, exchange)
    return entries
