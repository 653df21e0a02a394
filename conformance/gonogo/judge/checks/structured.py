"""Checks on structured outputs: the text is JSON and matches the schema of the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jsonschema_rs

from gonogo.judge import calls, reading
from gonogo.judge.checks.counts import all_of_it, text
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Object

BEGINNINGS: Final = ("{", "`", "<")
"""Possible beginnings of a truncated answer in the requested format: the object, a code fence, or a thinking tag."""
WRAPPINGS = ("<think", "`")
"""Text that may precede the object in a truncated answer: thinking, or a code fence, which llama.cpp removes only if it
is complete.
"""


@check("the text is JSON that matches the schema", Of.BEGUN)
def schema_kept(exchange: Exchange) -> Outcome:
    """A server that accepts a schema enforces it, or refuses; a constant does not occur by chance."""
    said = _said(exchange)
    try:
        value = reading.parse(said)
    except ValueError:
        all_of_it(exchange)
        return Deviation("JSON that the schema admits", f"the text is {said[:80]!r}")
    return admitted(exchange, said, value, _schema(exchange))


@check("the text is JSON", Of.BEGUN)
def is_json(exchange: Exchange) -> Outcome:
    """The text is JSON, independent of the schema."""
    said = _said(exchange)
    try:
        reading.parse(said)
    except ValueError:
        all_of_it(exchange)
        return Deviation("JSON", f"the text is {said[:80]!r}")
    return saw("JSON as the text", exchange)


@check("if the text is JSON, it matches the schema", Of.BEGUN)
def json_admitted(exchange: Exchange) -> Outcome:
    """Undecided if the text is not JSON, which another rule checks."""
    said = _said(exchange)
    try:
        value = reading.parse(said)
    except ValueError as error:
        raise undecided(Reason.NO_JSON, exchange) from error
    return admitted(exchange, said, value, _schema(exchange))


@check("the text is a JSON object", Of.BEGUN)
def is_object(exchange: Exchange) -> Outcome:
    """No code fence around it, and nothing after it."""
    said = _said(exchange)
    try:
        value = reading.parse(said)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return saw("JSON object as the text", exchange)
    all_of_it(exchange)
    return Deviation("a JSON object", f"the text is {said[:80]!r}")


@check("the text begins as a JSON object")
def begins_as_object(exchange: Exchange) -> Outcome:
    """The first character shows whether the format is enforced, even if the limit truncates the text."""
    said = text(exchange).lstrip()
    if not said:
        raise undecided(Reason.NO_TEXT, exchange)
    if "content_filter" in calls.finish_reasons(exchange):
        raise undecided(Reason.CUT_OFF, exchange, finish_reason="content_filter")
    if said.startswith(WRAPPINGS):
        raise undecided(Reason.MAY_STILL_COME, exchange)
    if said.startswith("{"):
        return saw('text that begins with "{"', exchange)
    return Deviation('text that begins with "{"', f"the text is {said[:80]!r}")


def admitted(exchange: Exchange, said: str, value: object, schema: Object) -> Outcome:
    """Whether a schema of the request admits a value, on any surface; `said` is its text."""
    error = next(jsonschema_rs.validator_for(schema).iter_errors(value), None)
    if error is None:
        return saw("JSON that the schema admits", exchange)
    return Deviation("JSON that the schema admits", f"the text is {said[:80]!r}: {error.message}")


def _said(exchange: Exchange) -> str:
    """The complete text. Raises Stop if there is none, or it was truncated."""
    calls.uncut(exchange)
    if exchange.is_stream:
        reading.unfailed(exchange)
    said = text(exchange)
    if not said:
        raise undecided(Reason.NO_TEXT, exchange)
    return said


def _schema(exchange: Exchange) -> Object:
    schema: Object = exchange.request.fields["response_format"]["json_schema"]["schema"]
    return schema
