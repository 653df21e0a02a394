"""How a target says no: the status, and the error envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge import reading
from gonogo.judge.checks.acceptance import UNSUPPORTED, ending, options, said_instead, turned_away
from gonogo.judge.checks.bodies import media_type_is
from gonogo.judge.outcome import Deviation, Refused, Undecided, answered_with
from gonogo.judge.steps import Of, check, compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange


@check("the request is refused with 4xx", Of.ANY)
def refused(exchange: Exchange) -> Deviation | None:
    """A client's error has a client's status; not 200, not 5xx, not a dropped connection."""
    return _status_deviation(exchange, range(400, 500), "a status of 4xx")


@check("the request is refused with 4xx or 501", Of.ANY)
def refused_or_not_implemented(exchange: Exchange) -> Deviation | None:
    """501 is how a server says that it knows the method nowhere (RFC 9110 section 15.6.2)."""
    return None if exchange.status == 501 else refused(exchange)


@check("the request is not accepted", Of.ANY)
def not_accepted(exchange: Exchange) -> Deviation | None:
    """Refused with 4xx; where the server failed instead, that is another rule's matter."""
    if exchange.status is None or exchange.status >= 500:
        raise Undecided(said_instead(exchange))
    return refused(exchange)


@check("the request does not fail the server", Of.ANY)
def not_failing(exchange: Exchange) -> Deviation | None:
    """Accepted or refused, but neither 5xx nor a dropped connection."""
    return _status_deviation(exchange, range(200, 500), "a status below 500")


@check("the status of the refusal is {statuses}", Of.REFUSED)
def refusal_status(exchange: Exchange, statuses: str) -> Deviation | None:
    """One of the statuses named; a server error that is not among them is another rule's matter."""
    actual = exchange.status
    assert actual is not None
    if str(actual) in statuses.split(" or "):
        return None
    if actual >= 500:
        raise Undecided(answered_with(exchange))
    return Deviation(f"status {statuses}", f"the status is {actual}")


@check("the refusal is JSON with an error object", Of.REFUSED)
def has_envelope(exchange: Exchange) -> Deviation | None:
    """{"error": {…}}: neither a string, nor "detail", nor the fields at the top."""
    try:
        body = reading.answer(exchange)
    except Undecided:
        shown = exchange.body[:80].decode("utf-8", "backslashreplace")
        return Deviation('{"error": {…}}', f"the body is {shown!r}" if shown else "the body is empty").at(
            exchange, 0
        )
    error = body.get("error")
    if isinstance(error, dict):
        return None
    if error is None:
        return Deviation('{"error": {…}}', f"the body has {', '.join(map(repr, body)) or 'no fields'}").at(
            exchange, 0
        )
    return Deviation('"error" as an object', reading.field(body, "error")).at(exchange, 0)


@check('the refusal\'s content type is "{media_type}"', Of.REFUSED)
def refusal_media_type(exchange: Exchange, media_type: str) -> Deviation | None:
    """As for whole answers; an empty body has no type to have."""
    if not exchange.body:
        raise Undecided(f"the body of {exchange.id} is empty")
    return media_type_is(exchange, media_type)


@check("the message says something", Of.REFUSED)
def message_not_empty(exchange: Exchange) -> Deviation | None:
    """An error without words helps nobody."""
    message = _error(exchange).get("message")
    if not isinstance(message, str):
        raise Undecided(f"the error of {exchange.id} has no message")
    return None if message.strip() else Deviation("a message", '"message" is empty')


@check('the code is "{code}"', Of.REFUSED)
def code_is(exchange: Exchange, code: str) -> Deviation | None:
    """The machine-readable code that clients branch on."""
    error = _error_of_client(exchange)
    if error.get("code") in UNSUPPORTED - {code}:
        _expect_name(exchange, error, ())
    return None if error.get("code") == code else Deviation(f'"code" "{code}"', reading.field(error, "code"))


@check("the param names {name}", Of.REFUSED)
def param_names(exchange: Exchange, name: str) -> Deviation | None:
    """The parameter at fault, or a path that begins with it."""
    return names_one(exchange, (name,))


def names_one(exchange: Exchange, names: tuple[str, ...]) -> Deviation | None:
    """One of the parameters, or a path that begins with it."""
    error = _error_of_client(exchange)
    actual = error.get("param")
    paths = tuple(name + mark for name in names for mark in "[.")
    if isinstance(actual, str) and (actual in names or actual.startswith(paths)):
        return None
    _expect_name(exchange, error, names)
    return Deviation(f'"param" "{names[0]}"', reading.field(error, "param"))


def _expect_name(exchange: Exchange, error: reading.Object, names: tuple[str, ...]) -> None:
    """Raise Undecided where the refusal speaks of another field of the request, as of a model that lacks it."""
    other = error.get("param")
    if isinstance(other, str) and other not in names and other in options(exchange):
        raise Undecided(f"{exchange.id} was refused for {other!r}, and nothing was said of the rest")


def not_of_the_model(exchange: Exchange) -> None:
    """Raise Refused where the refusal blames the model: one for embeddings generates nothing, whatever is asked."""
    if _error_of_client(exchange).get("param") == "model":
        raise Refused(f"refused with {exchange.status}, as the model cannot do this at all ({exchange.id})")


@compare("the statuses agree", Of.ANSWERED)
def statuses_agree(*exchanges: Exchange) -> Deviation | None:
    """What is known before the first token has its status, whether a stream was asked for or not."""
    statuses = [exchange.status for exchange in exchanges]
    if any(status in {None, 401, 403} for status in statuses) or any(map(turned_away, exchanges)):
        raise Undecided("one of the requests was not answered")
    if len(set(statuses)) == 1:
        return None
    return Deviation(f"status {statuses[0]}, as without stream", f"the status is {statuses[1]}")


def _error(exchange: Exchange) -> reading.Object:
    error = reading.answer(exchange).get("error")
    if not isinstance(error, dict):
        raise Undecided(f"{exchange.id} has no error object")
    return error


def _error_of_client(exchange: Exchange) -> reading.Object:
    """The error of a refusal with 4xx; a server that failed did not come to see whose error it is."""
    if exchange.status is not None and exchange.status >= 500:
        raise Undecided(answered_with(exchange))
    return _error(exchange)


def _status_deviation(exchange: Exchange, good: range, expected: str) -> Deviation | None:
    status, failure = exchange.status, exchange.failure
    if status is None:
        if failure is not None and failure.kind is FailureKind.TIMEOUT:
            raise Undecided(f"{exchange.id}: {failure.message}")
        return Deviation(expected, ending(exchange))
    if status in {401, 403, 501} or turned_away(exchange):
        raise Undecided(answered_with(exchange))
    if status in good:
        return None
    said = exchange.body[:120].decode("utf-8", "backslashreplace").strip()
    return Deviation(expected, f"the status is {status}: {said}" if said else f"the status is {status}")
