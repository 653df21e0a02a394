"""Answers of a given form: text that is JSON, and that the schema of the request admits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jsonschema_rs

from gonogo.judge import calls, reading
from gonogo.judge.checks.counts import text
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

WRAPPINGS = ("<think", "`")
"""What may stand before the object in an answer that is cut short: a thought, or a fence that the server takes off
where it sees both ends of it (llama.cpp).
"""


@check("the text is JSON that the schema admits", Of.BEGUN)
def schema_kept(exchange: Exchange) -> Deviation | None:
    """A server that takes a schema holds the model to it, or refuses; a constant is not met by luck."""
    said = _said(exchange)
    try:
        value = reading.parse(said)
    except ValueError:
        return Deviation("JSON that the schema admits", f"the text is {said[:80]!r}")
    error = next(_validator(exchange).iter_errors(value), None)
    if error is None:
        return None
    return Deviation("JSON that the schema admits", f"the text is {said[:80]!r}: {error.message}")


@check("the text is a JSON object", Of.BEGUN)
def is_object(exchange: Exchange) -> Deviation | None:
    """No fence around it, and nothing after it."""
    said = _said(exchange)
    try:
        value = reading.parse(said)
    except ValueError:
        value = None
    return None if isinstance(value, dict) else Deviation("a JSON object", f"the text is {said[:80]!r}")


@check("the text begins as a JSON object")
def begins_as_object(exchange: Exchange) -> Deviation | None:
    """The first character shows whether the model is held to the form, however early the limit cuts it off."""
    said = text(exchange).lstrip()
    if not said or said.startswith(WRAPPINGS) or "content_filter" in calls.finish_reasons(exchange):
        raise Undecided(f"an object may still come after the text of {exchange.id}, {said[:80]!r}")
    if said.startswith("{"):
        return None
    return Deviation('text that begins with "{"', f"the text is {said[:80]!r}")


def _said(exchange: Exchange) -> str:
    """The whole text; Undecided where there is none, or not all of it came."""
    calls.uncut(exchange)
    if exchange.is_stream:
        reading.ended(exchange)
    said = text(exchange)
    if not said:
        raise Undecided(f"{exchange.id} carries no text")
    return said


def _validator(exchange: Exchange) -> jsonschema_rs.Validator:
    form = exchange.request.fields["response_format"]
    return jsonschema_rs.validator_for(form["json_schema"]["schema"])
