"""Reads responses: the final object, its items, its texts and its calls. The last event of a stream has the same object
as a complete answer, so that rules about the object check both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.judge import named_events, reading
from gonogo.judge.once import once
from gonogo.judge.outcome import undecided
from gonogo.judge.surfaces import CALLS, LENGTH, READERS, STOP, Told
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.exchange import Exchange
    from gonogo.judge.named_events import Named
    from gonogo.judge.reading import Object

PATH: Final = "/responses"
ENDS: Final = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
}
"""The events that end a stream, and the status of the response in each."""
TEXT_DELTA: Final = "response.output_text.delta"
LIMITED: Final = "max_output_tokens"


def end(exchange: Exchange) -> Named:
    """The first event that ends the stream. Raises Stop if there is none."""
    found = next((event for event in named_events.events(exchange) if event.type in ENDS), None)
    if found is None:
        reading.unfailed(exchange)
        raise undecided(Reason.NO_END, exchange)
    return found


@once
def final(exchange: Exchange) -> Object:
    """The final response: the complete answer, or that in the last event. Raises Stop if there is none."""
    if not exchange.is_stream:
        return reading.answer(exchange)
    found = end(exchange).value.get("response")
    if not isinstance(found, dict):
        raise undecided(Reason.FIELD_NOT, exchange, field="response", kind="an object")
    return found


def output(exchange: Exchange) -> list[Object]:
    """The items of the final response. Raises Stop if they are not a list."""
    found = final(exchange).get("output")
    if not isinstance(found, list):
        raise undecided(Reason.FIELD_NOT, exchange, field="output", kind="a list")
    return reading.objects(found)


def items(exchange: Exchange, kind: str) -> list[Object]:
    """The items of one type. Raises Stop if there is none."""
    found = [item for item in output(exchange) if item.get("type") == kind]
    if not found:
        raise undecided(Reason.NO_ITEM, exchange, kind=kind)
    return found


def parts(item: Object) -> list[Object]:
    """The parts of an item's content that are objects."""
    return reading.objects(item.get("content"))


def texts(item: Object) -> Iterator[str]:
    """The texts of an item, one for each part: text, refusal, reasoning, or the arguments of a call."""
    for part in (*parts(item), *reading.objects(item.get("summary"))):
        for name in ("text", "refusal"):
            if isinstance(value := part.get(name), str):
                yield value
    if isinstance(value := item.get("arguments"), str):
        yield value


def is_cut(exchange: Exchange) -> bool:
    """Whether the response is marked as incomplete."""
    return final(exchange).get("status") == "incomplete"


def cut_reason(exchange: Exchange) -> object:
    """The reason in incomplete_details; None if there is none."""
    details = final(exchange).get("incomplete_details")
    return details.get("reason") if isinstance(details, dict) else None


def is_limited(exchange: Exchange) -> bool:
    """Whether only the limit can have truncated the response: there is no filter and no failure."""
    return final(exchange).get("status") in (None, "completed") or cut_reason(exchange) == LIMITED


def uncut(exchange: Exchange) -> None:
    """Raise Stop if the response was truncated, marked or not, so that a missing part might have followed."""
    limit, counted = reading.count(exchange.request.fields.get(LIMITED)), reading.usage(final(exchange)) or {}
    made = reading.count(counted.get("output_tokens"))
    if limit is not None and made is not None and made >= limit:
        raise undecided(Reason.CUT_OFF, exchange, finish_reason=LIMITED)
    if is_cut(exchange):
        raise undecided(Reason.CUT_OFF, exchange, finish_reason=cut_reason(exchange) or "incomplete")


def counts(exchange: Exchange) -> Object:
    """The final usage. Raises Stop if there is none."""
    found = reading.usage(final(exchange))
    if found is None:
        raise undecided(Reason.NO_USAGE, exchange)
    return found


def count(exchange: Exchange, name: str) -> int:
    """One number of the usage. Raises Stop if it is not a number."""
    found = reading.count(counts(exchange).get(name))
    if found is None:
        raise undecided(Reason.FIELD_NOT, exchange, field=name, kind="a whole number")
    return found


def _text(exchange: Exchange) -> str:
    """The text of all messages of the final response; other rules compare it with the deltas."""
    messages = [item for item in output(exchange) if item.get("type") == "message"]
    spoken = [part for item in messages for part in parts(item) if part.get("type") == "output_text"]
    found = [part.get("text") for part in spoken]
    if not all(isinstance(piece, str) for piece in found):
        raise undecided(Reason.FIELD_NOT, exchange, field="text", kind="a string")
    return "".join(map(str, found))


def _reason(response: Object) -> str | None:
    """The reason why the response ended as a chat finish reason; None if it has none."""
    if response.get("status") == "incomplete":
        details = response.get("incomplete_details")
        return LENGTH if isinstance(details, dict) and details.get("reason") == LIMITED else None
    if response.get("status") != "completed":
        return None
    called = any(item.get("type") == "function_call" for item in reading.objects(response.get("output")))
    return CALLS if called else STOP


def told(exchange: Exchange) -> Told:
    """The answer in the common form of all surfaces. Raises Stop if it is unreadable."""
    response = final(exchange)
    counted = reading.usage(response) or {}
    return Told(
        _text(exchange),
        _reason(response),
        reading.count(counted.get("input_tokens")),
        reading.count(counted.get("output_tokens")),
    )


READERS[PATH] = told
