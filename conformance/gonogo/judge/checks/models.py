"""The list of models and its entries."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from gonogo.judge import reading
from gonogo.judge.checks.acceptance import accepted, ending, said_instead
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check, compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Object


@check("no two models have the same id")
def unique_ids(exchange: Exchange) -> Deviation | None:
    """An id names one model."""
    ids = [entry["id"] for entry in _entries(exchange) if isinstance(entry.get("id"), str)]
    twice = [name for name in ids if ids.count(name) > 1]
    return Deviation("each id once", f"{twice[0]!r} is listed {ids.count(twice[0])} times") if twice else None


@check("every model was created at a time in seconds")
def created_in_seconds(exchange: Exchange) -> Deviation | None:
    """Unix seconds; 0 and -1 are known stand-ins for "not known" and let pass."""
    for entry in _entries(exchange):
        created = reading.count(entry.get("created"))
        if created is not None and created > 4_000_000_000:
            return Deviation("a Unix time in seconds", f'"created" of {entry.get("id")!r} is {created}')
    return None


@compare("the lists agree in ids and times")
def lists_agree(*exchanges: Exchange) -> Deviation | None:
    """`created` belongs to the model, not to the moment of asking."""
    first, second = ({entry.get("id"): entry.get("created") for entry in _entries(e)} for e in exchanges)
    if first == second:
        return None
    changed = sorted(
        str(name) for name in first.keys() | second.keys() if first.get(name) != second.get(name)
    )
    return Deviation("the same list twice", f"id or created changed for {', '.join(changed[:5])}")


@compare("the retrieved model is the listed one")
def retrieved_as_listed(*exchanges: Exchange) -> Deviation | None:
    """The same id, object, created and owned_by as in the list."""
    listing, retrieval = exchanges
    model = reading.answer(retrieval)
    listed = next((e for e in _entries(listing) if e.get("id") == model.get("id")), None)
    if listed is None:
        raise Undecided(
            f"{retrieval.id} is no model of the list in {listing.id}: {reading.field(model, 'id')}"
        )
    differing = [f for f in ("object", "created", "owned_by") if listed.get(f) != model.get(f)]
    if not differing:
        return None
    field = differing[0]
    return Deviation(f"as listed, {reading.field(listed, field)}", reading.field(model, field))


@compare("the retrieved model has the id that was asked for")
def retrieved_as_asked(*exchanges: Exchange) -> Deviation | None:
    """The answer names the model in the path."""
    retrieval = exchanges[-1]
    asked = _asked(retrieval)
    model = reading.answer(retrieval)
    return None if model.get("id") == asked else Deviation(f'"id" {asked!r}', reading.field(model, "id"))


@compare("the listed model can be retrieved", Of.ANY)
def listed_can_be_retrieved(*exchanges: Exchange) -> Deviation | None:
    """GET /models/{model} knows what GET /models lists."""
    listing, retrieval = exchanges
    asked = _asked(retrieval)
    if not accepted(listing) or all(entry.get("id") != asked for entry in _entries(listing)):
        raise Undecided(f"{asked!r} is not listed, so it need not be retrievable")
    if retrieval.status is None or retrieval.status in {401, 403, 429, 503}:
        raise Undecided(said_instead(retrieval))
    if accepted(retrieval):
        return None
    return Deviation(f"the model {asked!r}, which is listed", ending(retrieval))


@compare("the model that answers is listed")
def answering_model_is_listed(*exchanges: Exchange) -> Deviation | None:
    """The model that was asked for, and answered, is in the list."""
    listing, chat = exchanges
    asked = chat.request.fields.get("model")
    listed = reading.answer(listing).get("data")
    if not isinstance(listed, list):
        raise Undecided(f"{listing.id} has no list of models")
    if any(entry.get("id") == asked for entry in reading.objects(listed)):
        return None
    return Deviation(f"{asked!r} among the listed ids", "it answers, and is not listed")


def _asked(retrieval: Exchange) -> str:
    return unquote(retrieval.request.path.removeprefix("/models/"))


def _entries(exchange: Exchange) -> list[Object]:
    entries = reading.objects(reading.answer(exchange).get("data"))
    if not entries:
        raise Undecided(f"{exchange.id} lists no models")
    return entries
