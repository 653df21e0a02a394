"""Checks on named events: their names, and the order that the state machine of a surface allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import named_events, reading
from gonogo.judge.named_events import MACHINES, UNNAMED
from gonogo.judge.outcome import Deviation, saw
from gonogo.judge.steps import Of, check

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


@check("the name of each event is its type", Of.BEGUN)
def named_by_type(exchange: Exchange) -> Outcome:
    """Readers of server-sent events dispatch by the name, readers of JSON by the type."""
    found = [event for event in named_events.events(exchange) if event.type]
    for event in found:
        if event.name != event.type:
            actual = (
                "the event has no name" if event.name == UNNAMED else f'the event is named "{event.name}"'
            )
            return Deviation(f'an event named "{event.type}", as its type', actual).located(
                exchange, event.offset, event.end
            )
    return saw("event named by its type", exchange, count=len(found))


@check("the data of each event has a type", Of.BEGUN)
def has_type(exchange: Exchange) -> Outcome:
    """All clients distinguish events by their type. Data that is not a JSON object has none; [DONE] is ignored."""
    for sent in reading.stream(exchange).events:
        if sent.data not in ("", reading.DONE) and reading.object_of(sent.data) is None:
            return Deviation('"type" in the data', f"the data is {sent.data[:80]!r}").located(
                exchange, sent.offset, sent.end
            )
    found = named_events.events(exchange)
    for event in found:
        if not event.type:
            return Deviation('"type" in the data', reading.field(event.value, "type")).located(
                exchange, event.offset, event.end
            )
    return saw("event with a type", exchange, count=len(found))


@check("the order of the events shows no {kinds}", Of.BEGUN)
def no_slip(exchange: Exchange, kinds: str) -> Outcome:
    """The state machine of the surface reports no slip of these kinds."""
    machine = MACHINES[exchange.request.operation]
    what = machine.kinds[kinds]
    course = machine.read(exchange)
    slips = course.slips.get(kinds, [])
    if not slips:
        if kinds in machine.at_end:
            reading.unfailed(exchange)
        return saw(what, exchange, count=course.kept[kinds])
    if kinds in machine.at_end:
        reading.ended(exchange)
    first = slips[0]
    times = f", and {len(slips) - 1} times more" if len(slips) > 1 else ""
    return Deviation(first.expected, first.found + times).located(
        exchange, first.event.offset, first.event.end
    )
