"""Checks on complete answers: media type, JSON, and requirements on fields beyond their schemas."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.outcome import Deviation, Stop, saw, undecided
from gonogo.judge.steps import Of, admit, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

# The seconds of 2001-09-09 and of 2096-10-02: times in milliseconds or days are outside this range.
EARLIEST, LATEST = 1_000_000_000, 4_000_000_000
SHOWN = 3
"""The most answers with the same id that are listed; there can be dozens."""
APART = 600
"""The most seconds between the time in an answer and its Date: more than any queued request of the suite takes."""


@check('the answer\'s content type is "{media_type}"')
def media_type_is(exchange: Exchange, media_type: str) -> Outcome:
    """The media type without parameters (RFC 9110 section 8.3)."""
    if exchange.media_type == media_type:
        return saw(f"Content-Type {media_type}", exchange)
    actual = exchange.header("content-type")
    return Deviation(f"Content-Type: {media_type}", f"Content-Type is {actual or 'absent'}")


@check("the answer is one JSON object")
def one_json_object(exchange: Exchange) -> Outcome:
    """The body parses as one JSON object; NaN, Infinity and anything after it are not JSON (RFC 8259)."""
    try:
        value = reading.parse(exchange.body)
    except ValueError as error:
        return Deviation("one JSON object", f"the body is not JSON: {error}").located(exchange, 0)
    if isinstance(value, dict):
        return saw("JSON object", exchange)
    return Deviation("one JSON object", f"the body is {reading.kind(value)}").located(exchange, 0)


@check('"{field}" in the answer is a string that is not empty')
def not_empty(exchange: Exchange, field: str) -> Outcome:
    """An id or model is not an empty string."""
    value = reading.answer(exchange).get(field)
    if not isinstance(value, str):
        raise undecided(Reason.FIELD_NOT, exchange, field=field, kind="a string")
    if not value:
        return Deviation("a string that is not empty", f'"{field}" is ""')
    return saw(f'"{field}"', exchange)


@check('"{field}" in the answer is a time in seconds')
def unix_seconds(exchange: Exchange, field: str) -> Outcome:
    """A Unix time between 2001 and 2096, so that milliseconds are detected."""
    return out_of_time(reading.answer(exchange).get(field), field, exchange) or saw(f'"{field}"', exchange)


def out_of_time(value: object, field: str, exchange: Exchange) -> Deviation | None:
    """A deviation if an integer is not a plausible Unix time in seconds."""
    seconds = reading.count(value)
    if seconds is None:
        raise undecided(Reason.FIELD_NOT, exchange, field=field, kind="a whole number")
    if EARLIEST <= seconds <= LATEST:
        return None
    return Deviation("a Unix time in seconds", f'"{field}" is {seconds}')


@check('"{field}" in the answer is about the time in its Date')
def answered_now(exchange: Exchange, field: str) -> Outcome:
    """The time is compared with the target's clock, or with the recorder's if the target sends no Date."""
    return late(reading.answer(exchange).get(field), field, exchange) or saw(
        f'"{field}" beside a Date', exchange
    )


def late(value: object, field: str, exchange: Exchange) -> Deviation | None:
    """A deviation if a time is far from that of the answer. Raises Stop if the latter is unknown.

    The time of the answer is its header Date. Without one, the recorder's clock gives the time of the request; if both
    exist and differ, one of the two is wrong, and it is unknown which.
    """
    if out_of_time(value, field, exchange) is not None:
        raise undecided(Reason.FIELD_NOT, exchange, field=field, kind="a Unix time in seconds")
    date, sent = _date(exchange), exchange.sent
    if date is None and sent is None:
        raise undecided(Reason.NO_DATE, exchange)
    seconds = reading.count(value) or 0
    if date is None:
        if _is_about(seconds, sent, exchange):
            return None
        return Deviation(f"a time near {int(sent or 0)}, when it was asked for", f'"{field}" is {seconds}')
    if abs(seconds - date) > APART:
        return Deviation(f"a time near {int(date)}, that of the answer's Date", f'"{field}" is {seconds}')
    if sent is not None and not _is_about(date, sent, exchange):
        raise undecided(Reason.CLOCKS_DIFFER, exchange, seconds=abs(round(date - sent)))
    return None


def _date(exchange: Exchange) -> float | None:
    """The time of the header Date; None if it is missing or invalid."""
    try:
        return parsedate_to_datetime(exchange.header("date") or "").timestamp()
    except ValueError:
        return None


def _is_about(moment: float, sent: float | None, exchange: Exchange) -> bool:
    """Whether a time was between the request and the end of its answer by the recorder's clock."""
    return sent is not None and sent - APART <= moment <= sent + exchange.seconds + APART


@compare('no two answers have the same "{field}"', Of.ANY)
def differs(*exchanges: Exchange, field: str) -> Outcome:
    """An identifier is never used twice, neither for equal nor for different requests."""
    found: dict[str, list[Exchange]] = {}
    open_: list[Stop] = []
    for exchange in exchanges:
        try:
            admit(exchange, Of.ACCEPTED)
            found.setdefault(_string(exchange, field), []).append(exchange)
        except Stop as stop:
            open_.append(stop)
    shared = max(found.items(), key=lambda each: len(each[1]), default=("", []))
    if len(shared[1]) > 1:
        name, holders = shared
        held = tuple((exchange.id, f'"{field}" is {name!r}') for exchange in holders[:SHOWN])
        share = f'{len(holders)} answers share the "{field}" {name!r}'
        return Deviation(f'another "{field}" for each answer', share, also=held)
    if len(found) < 2:
        raise open_[0] if open_ else undecided(Reason.NOTHING_SEEN, *exchanges, what="second answer")
    return saw(f'"{field}"', *(exchange for (exchange,) in found.values()))


@compare('"{field}" is the same in the answers')
def agrees(*exchanges: Exchange, field: str) -> Outcome:
    """The same request has the same value in this field."""
    values = [_string(exchange, field) for exchange in exchanges]
    if len(set(values)) == 1:
        return saw(f'"{field}"', *exchanges)
    return Deviation(f'the same "{field}"', f'"{field}" is {" and then ".join(map(repr, values))}')


@check("the answer has a header {name}", Of.ANSWERED)
def has_header(exchange: Exchange, name: str) -> Outcome:
    """The header field is present and not empty."""
    if exchange.header(name):
        return saw(f"header {name}", exchange)
    return Deviation(f"a header {name}", f"there is no {name}")


def _string(exchange: Exchange, field: str) -> str:
    value = (
        reading.chunks(exchange)[0].value.get(field)
        if exchange.is_stream
        else reading.answer(exchange).get(field)
    )
    if not isinstance(value, str):
        raise undecided(Reason.FIELD_NOT, exchange, field=field, kind="a string")
    return value
