"""Checks fields against the contract's schemas.

Each field is checked by the rule that names it, so that one wrong field is one finding. A rule passes only if its
field was present; null counts as present if the schema requires the field, and as absent if it is optional.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import gonogo_contract

from gonogo.judge import kinds, reading, shape
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.shape import Misfit

    Owns = Callable[[Misfit], bool]


@check('"{field}" in the answer fits {component:w}')
def answer_field_fits(exchange: Exchange, field: str, component: str) -> Outcome:
    """The field of a complete answer, and everything inside it; a missing field does not match."""
    deviation = _answer(exchange, component, lambda misfit: shape.owned(misfit, field))
    return deviation or _saw_field(exchange, field, component)


@check('"{field}" in the answer, apart from {others:json}, fits {component:w}')
def answer_field_fits_apart(exchange: Exchange, field: str, others: list[str], component: str) -> Outcome:
    """As above, without the parts that other rules check; an empty array has none of them."""
    deviation = _answer(exchange, component, lambda m: shape.owned(m, field) and not _any_owned(m, others))
    if deviation is not None:
        return deviation
    seen = sum(found != [] for found in _found(reading.answer(exchange), field, component))
    return saw(_named(field, component), exchange, count=seen)


@check("every field of the answer except {others:json} fits {component:w}")
def answer_rest_fits(exchange: Exchange, component: str, others: list[str]) -> Outcome:
    """Every field that no other rule checks."""
    deviation = _answer(exchange, component, lambda misfit: not _any_owned(misfit, others))
    return deviation or _saw_answer(exchange, component)


@check('"{field}" in the refusal fits {component:w}', Of.REFUSED)
def refusal_field_fits(exchange: Exchange, field: str, component: str) -> Outcome:
    """The field of an error answer; another rule checks the object around it."""
    value = reading.answer(exchange)
    parent = field.rpartition(".")[0]
    if parent and not isinstance(value.get(parent), dict):
        raise undecided(Reason.FIELD_NOT, exchange, field=parent, kind="an object")
    deviation = _answer(exchange, component, lambda misfit: misfit.field == field)
    return deviation or _saw_field(exchange, field, component)


@check('"{field}" in every chunk fits {component:w}', Of.BEGUN)
def chunk_field_fits(exchange: Exchange, field: str, component: str) -> Outcome:
    """The field of each chunk, and everything inside it."""
    deviation = _chunks(exchange, component, lambda misfit: shape.owned(misfit, field))
    return deviation or _saw_field_in_chunks(exchange, field, component)


@check('"{field}" in every chunk, apart from {others:json}, fits {component:w}', Of.BEGUN)
def chunk_field_fits_apart(exchange: Exchange, field: str, others: list[str], component: str) -> Outcome:
    """As above, without the parts that other rules own."""
    deviation = _chunks(exchange, component, lambda m: shape.owned(m, field) and not _any_owned(m, others))
    return deviation or _saw_field_in_chunks(exchange, field, component)


@check("every field of every chunk except {others:json} fits {component:w}", Of.BEGUN)
def chunk_rest_fits(exchange: Exchange, component: str, others: list[str]) -> Outcome:
    """Every field of a chunk that no other rule checks."""
    deviation = _chunks(exchange, component, lambda misfit: not _any_owned(misfit, others))
    return deviation or _saw_chunks(exchange, component)


@check("no optional field of the answer except {others:json} is null unless {component:w} allows it")
def answer_has_no_idle_null(exchange: Exchange, others: list[str], component: str) -> Outcome:
    """Optional fields whose schema does not allow null are absent rather than null."""
    deviation = _answer(exchange, component, lambda misfit: misfit.field not in others, idle_nulls=True)
    return deviation or _saw_answer(exchange, component)


@check("no optional field of any chunk is null unless {component:w} allows it", Of.BEGUN)
def chunk_has_no_idle_null(exchange: Exchange, component: str) -> Outcome:
    """As for complete answers."""
    deviation = _chunks(exchange, component, lambda _: True, idle_nulls=True)
    return deviation or _saw_chunks(exchange, component)


def _answer(exchange: Exchange, component: str, owns: Owns, *, idle_nulls: bool = False) -> Deviation | None:
    for misfit in _answer_misfits(exchange, component):
        if owns(misfit) and misfit.idle_null is idle_nulls:
            return _deviation(misfit, component)
    return None


def _chunks(exchange: Exchange, component: str, owns: Owns, *, idle_nulls: bool = False) -> Deviation | None:
    for chunk, misfits in _chunk_misfits(exchange, component):
        for misfit in misfits:
            if owns(misfit) and misfit.idle_null is idle_nulls:
                return _deviation(misfit, component).located(exchange, chunk.offset, chunk.end)
    return None


def _saw_field(exchange: Exchange, field: str, component: str) -> Outcome:
    seen = len(_found(reading.answer(exchange), field, component))
    return saw(_named(field, component), exchange, count=seen)


def _saw_field_in_chunks(exchange: Exchange, field: str, component: str) -> Outcome:
    seen = sum(bool(_found(chunk.value, field, component)) for chunk in reading.chunks(exchange))
    return saw(f"chunk with {_named(field, component)}", exchange, count=seen)


def _saw_answer(exchange: Exchange, component: str) -> Outcome:
    """Kept if the answer is of its operation's kind: other rules report most missing fields."""
    if not kinds.of_its_kind(exchange):
        raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))
    return saw(f"answer validated against {component}", exchange)


def _saw_chunks(exchange: Exchange, component: str) -> Outcome:
    """Kept if the chunks have choices: other rules report most missing fields."""
    seen = sum(isinstance(chunk.value.get("choices"), list) for chunk in reading.chunks(exchange))
    return saw(f"chunk validated against {component}", exchange, count=seen)


def _found(value: object, field: str, component: str) -> list[object]:
    """All values of the field; null only if the schema requires the field."""
    found = [value]
    for part in field.split("."):
        name = part.removesuffix("[]")
        found = [holder[name] for holder in reading.objects(found) if name in holder]
        if part.endswith("[]"):
            found = [item for items in found if isinstance(items, list) for item in items]
    return found if _required(component, field) else [item for item in found if item is not None]


def _named(field: str, component: str) -> str:
    return f'"{field}"' if _required(component, field) else f'"{field}" other than null'


@functools.cache
def _required(component: str, field: str) -> bool:
    """Whether the schema of the component requires the field in its parent object."""
    schema, required = gonogo_contract.document()["components"]["schemas"][component], True
    for part in field.split("."):
        schema = _followed(schema)
        name = part.removesuffix("[]")
        required = name in schema.get("required", ())
        schema = schema["properties"][name]
        if part.endswith("[]"):
            schema = _followed(schema)["items"]
    return required


def _followed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference names, possibly nullable."""
    schemas: dict[str, dict[str, Any]] = gonogo_contract.document()["components"]["schemas"]
    branches = (schema, *schema.get("anyOf", ()))
    reference = next((branch["$ref"] for branch in branches if "$ref" in branch), None)
    return schema if reference is None else schemas[reference.rpartition("/")[2]]


@functools.lru_cache(maxsize=4096)
def _answer_misfits(exchange: Exchange, component: str) -> tuple[Misfit, ...]:
    return tuple(shape.misfits(component, reading.answer(exchange)))


@functools.lru_cache(maxsize=4096)
def _chunk_misfits(
    exchange: Exchange, component: str
) -> tuple[tuple[reading.Chunk, tuple[Misfit, ...]], ...]:
    return tuple((chunk, tuple(shape.misfits(component, chunk.value))) for chunk in reading.chunks(exchange))


def _any_owned(misfit: Misfit, fields: list[str]) -> bool:
    return any(shape.owned(misfit, field) for field in fields)


def _deviation(misfit: Misfit, component: str) -> Deviation:
    where = misfit.pointer or "the value itself"
    return Deviation(f"{where} as defined by {component}", f"{where}: {misfit.message}")
