"""Checks whether a response has the requested calls, text formats, echoed fields, and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import kinds, reading, responses
from gonogo.judge.checks.acceptance import (
    accepted,
    accepted_like_the_first,
    expect_kind,
    expect_offered,
    timed_out,
    turned_away,
)
from gonogo.judge.checks.structured import BEGINNINGS, admitted
from gonogo.judge.outcome import Deviation, saw, unanswered, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason
from gonogo.stimuli.response_requests import AS_STRING, IN_PARTS, MADE_UP

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Object


@check("the response calls a function", Of.BEGUN)
def calls_function(exchange: Exchange) -> Outcome:
    """A forced call is a separate item; text in its place is not run."""
    if _calls(exchange):
        return saw("call of a function", exchange, count=len(_calls(exchange)))
    responses.uncut(exchange)
    output = responses.output(exchange)
    types = ", ".join(str(item.get("type")) for item in output) or "nothing"
    return Deviation("an item of the type function_call", f"the output has {types}")


@check("the response has output", Of.BEGUN)
def has_output(exchange: Exchange) -> Outcome:
    """At least one item: clients read an empty answer as a finished one. A truncated answer may have none yet."""
    found = responses.output(exchange)
    if found:
        return saw("item of the output", exchange, count=len(found))
    responses.uncut(exchange)
    return Deviation("an item in the output", "the output is empty")


@check('only the function "{name}" is called', Of.BEGUN)
def calls_only(exchange: Exchange, name: str) -> Outcome:
    """The named function is called although another is offered too; another rule checks calls without a name."""
    found = [call for call in _calls(exchange) if isinstance(call.get("name"), str)]
    if not found:
        raise undecided(Reason.NO_CALL, exchange)
    other = next((call for call in found if call["name"] not in (name, "")), None)
    if other is None:
        return saw("call of the function", exchange, count=len(found))
    return Deviation(f'a call of "{name}"', reading.field(other, "name"))


@check("the text of the response is JSON that the schema admits", Of.BEGUN)
def schema_kept(exchange: Exchange) -> Outcome:
    """A server that accepts a schema enforces it, or refuses; a constant does not occur by chance.

    The beginning of a truncated text shows whether it is JSON.
    """
    said = responses.told(exchange).text
    if not said.strip():
        responses.uncut(exchange)
        raise undecided(Reason.NO_TEXT, exchange)
    if said.lstrip().startswith(BEGINNINGS) or not responses.is_limited(exchange):
        responses.uncut(exchange)
    try:
        value = reading.parse(said)
    except ValueError:
        return Deviation("JSON that the schema admits", f"the text is {said[:80]!r}")
    return admitted(exchange, said, value, exchange.request.fields["text"]["format"]["schema"])


@check('"{field}" in the response equals that of the request', Of.BEGUN)
def echoed(exchange: Exchange, field: str) -> Outcome:
    """The response shows the parameters that the server used."""
    wanted, found = exchange.request.fields.get(field), responses.final(exchange)
    if field not in found:
        raise undecided(Reason.FIELD_NOT, exchange, field=field, kind="in the response")
    if found[field] == wanted:
        return saw(f'"{field}"', exchange)
    return Deviation(reading.field(exchange.request.fields, field), reading.field(found, field))


@compare("the count equals usage.input_tokens")
def count_agrees(response: Exchange, counted: Exchange) -> Outcome:
    """The same input has the same number of tokens before and after the answer."""
    asked = responses.count(response, "input_tokens")
    found = reading.count(reading.answer(counted).get("input_tokens"))
    if found is None:
        raise undecided(Reason.FIELD_NOT, counted, field="input_tokens", kind="a whole number")
    if not asked:
        raise undecided(Reason.NO_COUNT, response, field="input_tokens")
    if found == asked:
        return saw("input_tokens", response, counted)
    return Deviation(f"input_tokens {asked}, as in the usage of the response", f"input_tokens is {found}")


@check("the answer is a token count")
def is_count(exchange: Exchange) -> Outcome:
    """An object with the right name and an integer number of tokens."""
    found = reading.answer(exchange)
    if found.get("object") != "response.input_tokens":
        return Deviation('"object" "response.input_tokens"', reading.field(found, "object"))
    if (reading.count(found.get("input_tokens")) or 0) < 1:
        return Deviation("input_tokens above 0", reading.field(found, "input_tokens"))
    return saw("count of tokens", exchange)


@compare("if the call is accepted, so is its result", Of.ANY)
def taken_back(forced: Exchange, *sent: Exchange) -> Outcome:
    """In either form of the result; another rule compares the two."""
    parts, string = _sent(sent)
    if any(item.get("call_id") == MADE_UP for item in reading.objects(parts.request.fields.get("input"))):
        raise undecided(Reason.NO_CALL, forced)
    expect_offered(forced)
    taken = [exchange for exchange in sent if accepted(exchange)]
    if taken:
        expect_kind(taken[0])
        return saw(kinds.name(taken[0]), taken[0])
    if string is None:
        raise unanswered(parts)
    return accepted_like_the_first(forced, string)


@compare("a result that is accepted as a string is accepted in parts", Of.ANY)
def taken_in_parts(forced: Exchange, *sent: Exchange) -> Outcome:
    """A refusal of both forms is about something else than the parts."""
    parts, string = _sent(sent)
    expect_offered(forced)
    if accepted(parts):
        expect_kind(parts)
        return saw(kinds.name(parts), parts)
    if string is None or turned_away(parts) or timed_out(parts):
        raise unanswered(parts)
    return accepted_like_the_first(string, parts)


def _sent(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, Exchange | None]:
    """A result in parts, and the same as a string if that was sent. Raises Stop without the first."""
    found = {exchange.stimulus: exchange for exchange in exchanges}
    if IN_PARTS.key not in found:
        raise undecided(Reason.NOT_RECORDED, *exchanges)
    return found[IN_PARTS.key], found.get(AS_STRING.key)


@check("the unknown previous response is refused", Of.ANY)
def not_forgotten(exchange: Exchange) -> Outcome:
    """A server that cannot find the earlier response must refuse; otherwise it would answer another conversation."""
    if exchange.status is None or exchange.status >= 500 or turned_away(exchange):
        raise unanswered(exchange)
    if not accepted(exchange):
        return saw(f"status {exchange.status}", exchange)
    return Deviation("a refusal of a response that nobody knows", f"the status is {exchange.status}")


def _calls(exchange: Exchange) -> list[Object]:
    return [item for item in responses.output(exchange) if item.get("type") == "function_call"]
