"""Restricts edits to a kind of answer: streams, complete answers, refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.faults.editing import answer, each

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Edit, JsonEdit

GENERATIONS = ("/chat/completions", "/completions")


def streams(edit: Edit) -> Edit:
    """The edit, applied only to streams of generations."""
    return lambda e: edit(e) if e.status == 200 and e.is_stream and e.request.path in GENERATIONS else e


def wholes(edit: Edit, *paths: str) -> Edit:
    """The edit, applied only to complete answers of these paths; without paths, of all generations."""
    where = paths or GENERATIONS

    def change(exchange: Exchange) -> Exchange:
        is_whole = exchange.status == 200 and not exchange.is_stream and exchange.request.path in where
        return edit(exchange) if is_whole and exchange.body.startswith(b"{") else exchange

    return change


def refusals(edit: Edit, *, among: range = range(400, 500)) -> Edit:
    """The edit, applied only to refusals with a body."""
    return lambda e: edit(e) if e.status in among and e.body else e


def all_of(*edits: Edit) -> Edit:
    """The edits, applied in order."""

    def change(exchange: Exchange) -> Exchange:
        for edit in edits:
            exchange = edit(exchange)
        return exchange

    return change


def fields(change: JsonEdit) -> Edit:
    """Edit the JSON of each complete answer and of each chunk."""
    return all_of(wholes(answer(change)), streams(each(change)))
