"""Fields against the contract's schemas.

A rule owns the fields that it names, so that one wrong field is one finding.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from gonogo.judge import reading, shape
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.judge.shape import Misfit

    Owns = Callable[[Misfit], bool]


@check('"{field}" in the answer fits {component:w}')
def answer_field_fits(exchange: Exchange, field: str, component: str) -> Deviation | None:
    """The field of a whole answer, and everything inside it; a missing field fits nothing."""
    return _answer(exchange, component, lambda misfit: shape.owned(misfit, field))


@check('"{field}" in the answer, apart from {others:json}, fits {component:w}')
def answer_field_fits_apart(
    exchange: Exchange, field: str, others: list[str], component: str
) -> Deviation | None:
    """As above, less the parts that other rules own."""
    return _answer(exchange, component, lambda m: shape.owned(m, field) and not _any_owned(m, others))


@check("nothing else in the answer breaks {component:w} than {others:json}")
def answer_rest_fits(exchange: Exchange, component: str, others: list[str]) -> Deviation | None:
    """Every field that no other rule owns."""
    return _answer(exchange, component, lambda misfit: not _any_owned(misfit, others))


@check('"{field}" in the refusal fits {component:w}', Of.REFUSED)
def refusal_field_fits(exchange: Exchange, field: str, component: str) -> Deviation | None:
    """The field of an error answer; the object around it is another rule's matter."""
    value = reading.answer(exchange)
    parent = field.rpartition(".")[0]
    if parent and not isinstance(value.get(parent), dict):
        raise Undecided(f'"{parent}" of {exchange.id} is not an object')
    return _answer(exchange, component, lambda misfit: misfit.field == field)


@check('"{field}" in every chunk fits {component:w}', Of.BEGUN)
def chunk_field_fits(exchange: Exchange, field: str, component: str) -> Deviation | None:
    """The field of each chunk, and everything inside it."""
    return _chunks(exchange, component, lambda misfit: shape.owned(misfit, field))


@check('"{field}" in every chunk, apart from {others:json}, fits {component:w}', Of.BEGUN)
def chunk_field_fits_apart(
    exchange: Exchange, field: str, others: list[str], component: str
) -> Deviation | None:
    """As above, less the parts that other rules own."""
    return _chunks(exchange, component, lambda m: shape.owned(m, field) and not _any_owned(m, others))


@check("nothing else in any chunk breaks {component:w} than {others:json}", Of.BEGUN)
def chunk_rest_fits(exchange: Exchange, component: str, others: list[str]) -> Deviation | None:
    """Every field of a chunk that no other rule owns."""
    return _chunks(exchange, component, lambda misfit: not _any_owned(misfit, others))


@check("no optional field in the answer but {others:json} is null against {component:w}")
def answer_has_no_idle_null(exchange: Exchange, others: list[str], component: str) -> Deviation | None:
    """What may be absent, and has no null in the schema, is absent."""
    return _answer(exchange, component, lambda misfit: misfit.field not in others, idle_nulls=True)


@check("no optional field in any chunk is null against {component:w}", Of.BEGUN)
def chunk_has_no_idle_null(exchange: Exchange, component: str) -> Deviation | None:
    """As for whole answers."""
    return _chunks(exchange, component, lambda _: True, idle_nulls=True)


def _answer(exchange: Exchange, component: str, owns: Owns, *, idle_nulls: bool = False) -> Deviation | None:
    for misfit in _answer_misfits(exchange, component):
        if owns(misfit) and misfit.idle_null is idle_nulls:
            return _deviation(misfit, component)
    return None


def _chunks(exchange: Exchange, component: str, owns: Owns, *, idle_nulls: bool = False) -> Deviation | None:
    for chunk, misfits in _chunk_misfits(exchange, component):
        for misfit in misfits:
            if owns(misfit) and misfit.idle_null is idle_nulls:
                return _deviation(misfit, component).at(exchange, chunk.offset, chunk.end)
    return None


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
    return Deviation(f"{where} as {component} describes it", f"{where}: {misfit.message}")
