"""Checks on the counts of a response, its limit, and its final status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading, responses
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.judge.surfaces import may_have_ended
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

STATES = {event_status: event for event, event_status in responses.ENDS.items()}
"""The final statuses of a response, and the event of each."""
DETAILS = {"input_tokens": "cached_tokens", "output_tokens": "reasoning_tokens"}


@check("the response carries usage", Of.BEGUN)
def has_usage(exchange: Exchange) -> Outcome:
    """Every finished response has it, without an option."""
    found = responses.final(exchange)
    if isinstance(found.get("usage"), dict):
        return saw("usage", exchange, count=len(found["usage"]))
    return Deviation('a "usage" object', reading.field(found, "usage"))


@check("the usage has {names}, whole numbers", Of.BEGUN)
def usage_has(exchange: Exchange, names: str) -> Outcome:
    """The usage has each of these counts; `names` are separated by commas."""
    usage = responses.counts(exchange)
    wanted = names.split(", ")
    for name in wanted:
        number = reading.count(usage.get(name))
        if number is None or number < 0:
            return Deviation(f'"{name}" as a whole number', reading.field(usage, name))
    return saw("count of tokens", exchange, count=len(wanted))


@check("the tokens of the input and of the output are counted", Of.BEGUN)
def tokens_counted(exchange: Exchange) -> Outcome:
    """Every input of the suite has tokens, and every output with a text or a call."""
    output = "".join(text for item in responses.output(exchange) for text in responses.texts(item))
    names = ("input_tokens", "output_tokens") if output else ("input_tokens",)
    for name in names:
        if responses.count(exchange, name) == 0:
            return Deviation(f"{name} above 0", f"{name} is 0")
    return saw("count above 0", exchange, count=len(names))


@check("the usage has cached_tokens and reasoning_tokens", Of.BEGUN)
def usage_details(exchange: Exchange) -> Outcome:
    """Clients add these up without checking whether they exist."""
    usage = responses.counts(exchange)
    for whole, part in DETAILS.items():
        details = usage.get(f"{whole}_details")
        if not isinstance(details, dict):
            return Deviation(f'an object "{whole}_details"', reading.field(usage, f"{whole}_details"))
        if reading.count(details.get(part)) is None:
            return Deviation(f'"{part}" as a whole number', reading.field(details, part))
    return saw("detail of the usage", exchange, count=len(DETAILS))


@check("no part of the usage is more than its whole", Of.BEGUN)
def details_within(exchange: Exchange) -> Outcome:
    """Cached tokens are part of the input tokens, reasoning tokens part of the output tokens."""
    usage, seen = responses.counts(exchange), 0
    for whole, part in DETAILS.items():
        details = usage.get(f"{whole}_details")
        number = reading.count(details.get(part)) if isinstance(details, dict) else None
        most = reading.count(usage.get(whole))
        if number is None or most is None:
            continue
        if number > most:
            return Deviation(f"{part} of at most the {most} of {whole}", f"{part} is {number}")
        seen += 1
    if not seen:
        raise undecided(Reason.NO_DETAILS, exchange)
    return saw("part of a token count", exchange, count=seen)


@check("the total is the sum of input and output tokens", Of.BEGUN)
def total_is_sum(exchange: Exchange) -> Outcome:
    """total_tokens = input_tokens + output_tokens."""
    given, made, total = (
        responses.count(exchange, f"{name}_tokens") for name in ("input", "output", "total")
    )
    if total == given + made:
        return saw("total_tokens", exchange)
    return Deviation(f"total_tokens {given} + {made} = {given + made}", f"total_tokens is {total}")


@check("the output tokens are within the limit", Of.BEGUN)
def within_limit(exchange: Exchange) -> Outcome:
    """The limit includes reasoning."""
    limit = reading.count(exchange.request.fields.get("max_output_tokens"))
    if limit is None:
        raise undecided(Reason.NO_LIMIT, exchange)
    made = responses.count(exchange, "output_tokens")
    if made <= limit:
        return saw("output_tokens", exchange)
    return Deviation(f"at most {limit} output tokens", f"output_tokens is {made}")


@check("the response that reaches its limit has the status incomplete", Of.BEGUN)
def cut_is_told(exchange: Exchange) -> Outcome:
    """A text that ends with a sentence may have ended naturally with the last allowed token.

    The official document does not require a status; without one, the reason in incomplete_details is accepted.
    """
    made = _reach_limit(exchange)
    found = responses.final(exchange)
    if found.get("status") == "incomplete":
        return saw("response that is incomplete", exchange)
    if found.get("status") == "failed" or (
        "status" not in found and responses.cut_reason(exchange) is not None
    ):
        raise undecided(Reason.FIELD_NOT, exchange, field="status", kind='"completed" or "incomplete"')
    if may_have_ended(responses.told(exchange).text):
        raise undecided(Reason.MAY_HAVE_ENDED, exchange, found=made)
    return Deviation('the status "incomplete"', reading.field(found, "status"))


@check("the response that reaches its limit gives max_output_tokens as the reason", Of.BEGUN)
def cut_has_reason(exchange: Exchange) -> Outcome:
    """The reason is in incomplete_details; another rule checks the status."""
    _reach_limit(exchange)
    if not responses.is_cut(exchange):
        raise undecided(Reason.FIELD_NOT, exchange, field="status", kind='"incomplete"')
    if responses.cut_reason(exchange) == responses.LIMITED:
        return saw("reason of a cut", exchange)
    shown = reading.field(responses.final(exchange), "incomplete_details")
    return Deviation(f'"incomplete_details" with the reason "{responses.LIMITED}"', shown)


@check("the terminal event matches the status", Of.BEGUN)
def end_fits_status(exchange: Exchange) -> Outcome:
    """Clients act on the name of the event, or on the status in it."""
    if not exchange.is_stream:
        raise undecided(Reason.NOT_A_STREAM, exchange)
    last, status = responses.end(exchange), responses.final(exchange).get("status")
    wanted = STATES.get(str(status))
    if wanted is None:
        raise undecided(Reason.FIELD_NOT, exchange, field="status", kind="that of a response that is over")
    if last.type == wanted:
        return saw("event that ends the response", exchange)
    return Deviation(f'{wanted}, as the status is "{status}"', f"the event is {last.type}").located(
        exchange, last.offset, last.end
    )


def _reach_limit(exchange: Exchange) -> int:
    """The number of output tokens, which reaches the limit. Raises Stop if it does not."""
    limit = reading.count(exchange.request.fields.get("max_output_tokens"))
    made = responses.count(exchange, "output_tokens")
    if limit is None or made < limit:
        raise undecided(Reason.LIMIT_NOT_REACHED, exchange, found=made, limit=limit)
    return made
