"""Checks on streamed responses except the order of events: their presence, the beginning, and failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import named_events, reading, responses
from gonogo.judge.checks.responses import COMPONENT
from gonogo.judge.outcome import Deviation, Stop, saw, undecided
from gonogo.judge.response_events import ERROR, FAILED
from gonogo.judge.response_steps import STEPS, Step
from gonogo.judge.responses import ENDS
from gonogo.judge.shape import misfits
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.named_events import Named
    from gonogo.judge.outcome import Outcome

BEGUN = ("id", "object", "created_at", "model")
"""The fields of a response that clients read from its first event."""
WAITING = ("in_progress", "queued")
DELTAS = tuple(name for name, (step, _) in STEPS.items() if step is Step.DELTA)


@check("the stream carries events of a response", Of.BEGUN)
def carries_events(exchange: Exchange) -> Outcome:
    """A status of 200 without events, or with chat chunks, is useless to a client."""
    if exchange.media_type == "application/json":
        raise undecided(Reason.NOT_A_STREAM, exchange)
    try:
        found = named_events.events(exchange)
    except Stop:
        found = ()
    seen = sum(event.type.startswith("response.") for event in found)
    if seen:
        return saw("event of a response", exchange, count=seen)
    reading.unfailed(exchange)
    if any(event.type == ERROR for event in found):  # flat, unlike that of chat
        raise undecided(Reason.ERROR_FRAME, exchange)
    shown = exchange.body[:80].decode("utf-8", "replace")
    actual = f"the stream begins with {shown!r}" if shown else "the body is empty"
    return Deviation("events whose types begin with response.", actual).located(exchange, 0)


@check("response.created has id, object, created_at and model", Of.BEGUN)
def created_fits(exchange: Exchange) -> Outcome:
    """Id, model, object and creation time are valid; other fields may follow at the end."""
    event = _created(exchange)
    found = event.value.get("response")
    if not isinstance(found, dict):
        shown = reading.field(event.value, "response")
        return Deviation('a "response" in response.created', shown).located(exchange, event.offset, event.end)
    for misfit in misfits(COMPONENT, found):
        if misfit.field in BEGUN:
            expected = f"{misfit.pointer} as {COMPONENT} describes it"
            return Deviation(expected, f"{misfit.pointer}: {misfit.message}").located(
                exchange, event.offset, event.end
            )
    return saw("response that was created", exchange)


@check("response.created has the status in_progress or queued, and no output", Of.BEGUN)
def created_is_empty(exchange: Exchange) -> Outcome:
    """The status is in progress or queued, and there are no items."""
    event = _created(exchange)
    found = event.value.get("response")
    if not isinstance(found, dict):
        raise undecided(Reason.FIELD_NOT, exchange, field="response", kind="an object")
    problem = None
    if found.get("status") not in WAITING:
        problem = reading.field(found, "status")
    elif found.get("output") != []:
        problem = reading.field(found, "output")
    if problem is None:
        return saw("response that was created", exchange)
    return Deviation('the status "in_progress" and an empty list of output', problem).located(
        exchange, event.offset, event.end
    )


@check("every delta is a string", Of.BEGUN)
def deltas_are_text(exchange: Exchange) -> Outcome:
    """Clients concatenate them."""
    found = [event for event in named_events.events(exchange) if event.type in DELTAS]
    for event in found:
        if not isinstance(event.value.get("delta"), str):
            return Deviation("a string as delta", reading.field(event.value, "delta")).located(
                exchange, event.offset, event.end
            )
    return saw("delta", exchange, count=len(found))


@check('every output_text.delta has an array "{field}"', Of.BEGUN)
def deltas_have(exchange: Exchange, field: str) -> Outcome:
    """The field is empty if it was not requested."""
    found = [event for event in named_events.events(exchange) if event.type == responses.TEXT_DELTA]
    for event in found:
        if not isinstance(event.value.get(field), list):
            return Deviation(f'a list "{field}"', reading.field(event.value, field)).located(
                exchange, event.offset, event.end
            )
    return saw("delta of a text", exchange, count=len(found))


@check("the stream does not fail", Of.BEGUN)
def not_failing(exchange: Exchange) -> Outcome:
    """A valid request does not fail; an error in a stream is a late server error."""
    found = named_events.events(exchange)
    for event in found:
        if event.type in (ERROR, FAILED) or event.value.get("error"):
            shown = exchange.body[event.offset : event.end][:160].decode("utf-8", "replace").strip()
            return Deviation("a stream without an error", shown).located(exchange, event.offset, event.end)
    return saw("event without an error", exchange, count=len(found))


@check("the connection is released after the terminal event", Of.BEGUN)
def ends_after_end(exchange: Exchange) -> Outcome:
    """The connection's response ends; otherwise clients that read to the end wait."""
    if all(event.type not in ENDS for event in named_events.events(exchange)):
        raise undecided(Reason.NO_END, exchange)
    if exchange.failure is None:
        return saw("end of the stream after the end of the response", exchange)
    return Deviation("the end of the stream", f"after the last event {exchange.failure.message}")


def _created(exchange: Exchange) -> Named:
    found = (event for event in named_events.events(exchange) if event.type == "response.created")
    event = next(found, None)
    if event is None:
        raise undecided(Reason.NOTHING_SEEN, exchange, what="response.created")
    return event
