"""Checks on refusals: the status and the error object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gonogo.judge import kinds, reading
from gonogo.judge.checks.acceptance import UNSUPPORTED, ending, expect_kind, options, timed_out, turned_away
from gonogo.judge.checks.bodies import media_type_is
from gonogo.judge.outcome import (
    Deviation,
    Stop,
    saw,
    unanswered,
    undecided,
    unhelpful_status,
)
from gonogo.judge.outcome import (
    refused as refused_with,
)
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


# In the formats of Python, Node, Java, Go and Rust; in JSON a line end is \\n.
TRACE = re.compile(
    r"Traceback \(most recent call last\)"
    r'|File \\?"[^"\n]+\.py\\?", line \d+'
    r"|(?:\n|\\n)\s+at [\w.$<>\[\] ]+ ?\([^()\n]+:\d+(?::\d+)?\)"
    r"|goroutine \d+ \["
    r"|thread '[^']*' panicked at"
)
# Folders of users' and programs' files. API paths and pointers into a request do not match.
PATH = re.compile(
    r"(?<![\w/.:-])"
    r"(?:/(?:home|Users|root|usr|opt|srv|var|tmp|workspace|Library)/[\w.@+-]+/|[A-Z]:\\{1,2}[\w. -]+\\{1,2})"
    r"[\w.@+/\\-]+"
)


@check("the request is refused with 4xx", Of.ANY)
def refused(exchange: Exchange) -> Outcome:
    """An invalid request gets a 4xx; not 200, not 5xx, not a closed connection."""
    return _status_deviation(exchange, range(400, 500), "a status of 4xx")


@check("the request is refused with 4xx or 501", Of.ANY)
def refused_or_not_implemented(exchange: Exchange) -> Outcome:
    """501 means that the server implements the method nowhere (RFC 9110 section 15.6.2)."""
    return saw("status 501", exchange) if exchange.status == 501 else refused(exchange)


@check("the request is not accepted", Of.ANY)
def not_accepted(exchange: Exchange) -> Outcome:
    """Refused with 4xx; another rule checks server errors."""
    if exchange.status is None or exchange.status >= 500:
        raise unanswered(exchange)
    return refused(exchange)


@check("the request does not fail the server", Of.ANY)
def not_failing(exchange: Exchange) -> Outcome:
    """Accepted or refused, but neither 5xx nor a dropped connection."""
    return _status_deviation(exchange, range(200, 500), "a status below 500")


@check("the status of the refusal is {statuses}", Of.REFUSED)
def refusal_status(exchange: Exchange, statuses: str) -> Outcome:
    """One of the named statuses; another rule checks other server errors."""
    actual = exchange.status
    assert actual is not None
    if str(actual) in statuses.split(" or "):
        return saw(f"status {actual}", exchange)
    if actual >= 500:
        raise unhelpful_status(exchange)
    return Deviation(f"status {statuses}", f"the status is {actual}")


@check("the refusal is JSON with an error object", Of.REFUSED)
def has_envelope(exchange: Exchange) -> Outcome:
    """{"error": {…}}: neither a string, nor "detail", nor the fields at the top level."""
    try:
        body = reading.answer(exchange)
    except Stop:
        shown = exchange.body[:80].decode("utf-8", "backslashreplace")
        return Deviation(
            '{"error": {…}}', f"the body is {shown!r}" if shown else "the body is empty"
        ).located(exchange, 0)
    error = body.get("error")
    if isinstance(error, dict):
        return saw("error object", exchange)
    if error is None:
        return Deviation(
            '{"error": {…}}', f"the body has {', '.join(map(repr, body)) or 'no fields'}"
        ).located(exchange, 0)
    return Deviation('"error" as an object', reading.field(body, "error")).located(exchange, 0)


@check('the refusal\'s content type is "{media_type}"', Of.REFUSED)
def refusal_media_type(exchange: Exchange, media_type: str) -> Outcome:
    """As for complete answers; an empty body has no media type."""
    if not exchange.body:
        raise undecided(Reason.NO_BODY, exchange)
    return media_type_is(exchange, media_type)


@check("the message is not empty", Of.REFUSED)
def message_not_empty(exchange: Exchange) -> Outcome:
    """An error must have a message."""
    message = _error(exchange).get("message")
    if not isinstance(message, str):
        raise undecided(Reason.NO_ERROR_MESSAGE, exchange)
    if not message.strip():
        return Deviation("a message", '"message" is empty')
    return saw("error message", exchange)


@check("no stack trace is in the refusal", Of.REFUSED)
def no_trace(exchange: Exchange) -> Outcome:
    """No stack trace, as frameworks show in debug mode: file names and lines of the server's code."""
    if not exchange.body:
        raise undecided(Reason.NO_BODY, exchange)
    said = exchange.body.decode("utf-8", "replace")
    found = TRACE.search(said)
    if found is None:
        return saw("refusal without a stack trace", exchange)
    start = max(0, found.start() - 20)
    return Deviation("an error without lines of code", f"it has {said[start : found.end() + 60]!r}")


@check("no file of the server is named in the refusal", Of.REFUSED)
def no_path(exchange: Exchange) -> Outcome:
    """No file path of the server; another rule checks stack traces, and text from the request may be repeated."""
    if not exchange.body:
        raise undecided(Reason.NO_BODY, exchange)
    said = exchange.body.decode("utf-8", "replace").replace("\\/", "/")
    asked = exchange.request.body.decode("utf-8", "replace").replace("\\/", "/")
    found = None if TRACE.search(said) else PATH.search(said)
    if found is None or found.group() in asked:
        return saw("refusal without a path", exchange)
    return Deviation("an error without names of files", f"it names {found.group()[:100]!r}")


@check('the code is "{code}"', Of.REFUSED)
def code_is(exchange: Exchange, code: str) -> Outcome:
    """Clients branch on the machine-readable code."""
    error = _error_of_client(exchange)
    if error.get("code") in UNSUPPORTED - {code}:
        _expect_name(exchange, error, ())
    if error.get("code") == code:
        return saw(f'code "{code}"', exchange)
    return Deviation(f'"code" "{code}"', reading.field(error, "code"))


@check("the param names {name}", Of.REFUSED)
def param_names(exchange: Exchange, name: str) -> Outcome:
    """The invalid parameter, or a path that begins with it."""
    return names_one(exchange, (name,))


def names_one(exchange: Exchange, names: tuple[str, ...]) -> Outcome:
    """One of the parameters, or a path that begins with it."""
    error = _error_of_client(exchange)
    actual = error.get("param")
    paths = tuple(name + mark for name in names for mark in "[.")
    if isinstance(actual, str) and (actual in names or actual.startswith(paths)):
        return saw("param", exchange)
    _expect_name(exchange, error, names)
    return Deviation(f'"param" "{names[0]}"', reading.field(error, "param"))


def _expect_name(exchange: Exchange, error: reading.Object, names: tuple[str, ...]) -> None:
    """Raise Stop if the refusal is about another field of the request, such as an unsupported one."""
    other = error.get("param")
    if isinstance(other, str) and other not in names and other in options(exchange):
        raise undecided(Reason.REFUSED_FOR_OTHER, exchange, param=other)


def not_of_the_model(exchange: Exchange) -> None:
    """Raise Stop if the model is the cause of the refusal: an embedding model refuses all generations."""
    if _error_of_client(exchange).get("param") == "model":
        raise refused_with(Reason.REFUSED_BY_MODEL, exchange, status=exchange.status)


@compare("the statuses agree", Of.ANSWERED)
def statuses_agree(*exchanges: Exchange) -> Outcome:
    """An error that is known before the first token has the same status with and without a stream."""
    for exchange in exchanges:
        if exchange.status in {None, 401, 403} or turned_away(exchange):
            raise unanswered(exchange)
    statuses = [exchange.status for exchange in exchanges]
    if len(set(statuses)) == 1:
        if (statuses[0] or 0) < 400:
            raise undecided(Reason.NOT_REFUSED, *exchanges, status=statuses[0])
        return saw(f"status {statuses[0]}", *exchanges)
    return Deviation(f"status {statuses[0]}, as without stream", f"the status is {statuses[1]}")


def _error(exchange: Exchange) -> reading.Object:
    error = reading.answer(exchange).get("error")
    if not isinstance(error, dict):
        raise undecided(Reason.NO_ERROR_OBJECT, exchange)
    return error


def _error_of_client(exchange: Exchange) -> reading.Object:
    """The error of a refusal with 4xx. Raises Stop for a 5xx, which is not about the request."""
    if exchange.status is not None and exchange.status >= 500:
        raise unhelpful_status(exchange)
    return _error(exchange)


def _status_deviation(exchange: Exchange, good: range, expected: str) -> Outcome:
    status = exchange.status
    if status is None:
        if timed_out(exchange):
            raise unanswered(exchange)
        return Deviation(expected, ending(exchange))
    if status in {401, 403, 501} or turned_away(exchange):
        raise unhelpful_status(exchange)
    if status in good:
        if not (kinds.has_list(exchange) or kinds.begins_list(exchange)):
            expect_kind(exchange)
        return saw(f"status {status}", exchange)
    said = exchange.body[:120].decode("utf-8", "backslashreplace").strip()
    return Deviation(expected, f"the status is {status}: {said}" if said else f"the status is {status}")
