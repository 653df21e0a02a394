"""Checks whether a request was accepted: by its status, and by an answer of the operation's kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge import kinds, reading
from gonogo.judge.outcome import (
    Deviation,
    Stop,
    refused,
    saw,
    unanswered,
    undecided,
    unhelpful_status,
)
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

UNSUPPORTED = frozenset({"unsupported_parameter", "unsupported_value"})
"""The API's error codes for a parameter, or a value of it, that the model does not support."""
OF_THE_MODEL = frozenset(
    {"temperature", "top_p", "presence_penalty", "frequency_penalty", "stop", "n"}
    | {"logit_bias", "logprobs", "top_logprobs"}
)
"""Parameters that some models of the official API lack: reasoning models sample at temperature 1 and have no stop
sequences."""


@check("the answer's status is {status:d}")
def status_is(exchange: Exchange, status: int) -> Outcome:
    """The status is exactly this successful one, with an answer of the operation's kind."""
    if exchange.status == status:
        expect_kind(exchange)
        return saw(f"status {status}", exchange)
    return Deviation(f"status {status}", f"the status is {exchange.status}")


@compare("the last is accepted like the first", Of.ANY)
def accepted_like_the_first(*exchanges: Exchange) -> Outcome:
    """A variation that the contract allows is accepted if the plain request is.

    A model may lack a sampling parameter, if the refusal has the right code and names it.
    """
    first, last = exchanges[0], exchanges[-1]
    expect_plain(first)
    if accepted(last):
        expect_kind(last)
        return saw(kinds.name(last), last)
    if turned_away(last) or timed_out(last):
        raise unanswered(last)
    if (name := _lacked(last)) is not None:
        raise refused(Reason.UNSUPPORTED_BY_MODEL, last, param=name, status=last.status)
    return Deviation("a status of 2xx, as for the plain request", refusal(last))


@compare("the last is accepted like the first, or refused with 400 by the name {name}", Of.ANY)
def accepted_or_named(*exchanges: Exchange, name: str) -> Outcome:
    """If the official API refuses the value, a refusal that names the parameter is accepted."""
    first, last = exchanges[0], exchanges[-1]
    expect_plain(first)
    if last.status == 400 and _param(last) == name:
        return saw("refusal that names the parameter", last)
    return accepted_like_the_first(*exchanges)


@compare("if the first is accepted, so is the last", Of.ANY)
def taken_like_the_first(*exchanges: Exchange) -> Outcome:
    """A variation of an optional feature is accepted if the feature is."""
    expect_offered(exchanges[0])
    return accepted_like_the_first(*exchanges)


@compare("if the first is accepted, the last is accepted and streamed", Of.ANY)
def streamed_like_the_first(*exchanges: Exchange) -> Outcome:
    """A request with stream true is answered with an event stream, not with the whole answer."""
    expect_plain(exchanges[0])
    last = exchanges[-1]
    if accepted(last) and not last.is_stream:
        actual = last.header("content-type")
        return Deviation("Content-Type: text/event-stream", f"Content-Type is {actual or 'absent'}").located(
            last, 0
        )
    return taken_like_the_first(*exchanges)


@check("no valid request is answered with a server error", Of.ANY)
def no_server_error(exchange: Exchange) -> Outcome:
    """500 to 599 are failures of the server; 501 means not implemented (RFC 9110)."""
    status = exchange.status
    # OpenAI's list of errors has 503 for overload, without a required Retry-After.
    if status is None or status == 503:
        raise unanswered(exchange)
    if status < 500 or status == 501:
        return saw(f"status {status}", exchange)
    return Deviation("a status below 500", refusal(exchange))


@check("no valid request is rejected with 503 without Retry-After", Of.ANY)
def says_for_how_long(exchange: Exchange) -> Outcome:
    """A busy target sends Retry-After (RFC 9110 section 10.2.3)."""
    if exchange.status is None:
        raise unanswered(exchange)
    if exchange.status == 503 and exchange.header("retry-after") is None:
        return Deviation("a Retry-After beside the 503", f"there is none: {refusal(exchange)}")
    return saw(f"status {exchange.status}", exchange)


@check("the connection is open until the answer is complete", Of.ANY)
def complete(exchange: Exchange) -> Outcome:
    """The body is not cut off (RFC 9112 section 8)."""
    failure = exchange.failure
    if failure is None:
        return saw("complete answer", exchange)
    if failure.kind in {FailureKind.TIMEOUT, FailureKind.TOO_LARGE}:
        raise undecided(Reason.NOT_WHOLE, exchange, failure=failure.message)
    return Deviation("a complete answer", f"{failure.message} after {len(exchange.body)} bytes of body")


@check("the answer comes within the time limit", Of.ANY)
def in_time(exchange: Exchange) -> Outcome:
    """The limit of --timeout is generous for a handful of tokens."""
    failure = exchange.failure
    if failure is not None and failure.kind is FailureKind.TIMEOUT:
        begun = "the answer had not begun" if exchange.status is None else "the answer was not complete"
        return Deviation("a complete answer within --timeout", f"after {failure.at:.1f} s {begun}")
    if failure is not None:
        raise unanswered(exchange)
    return saw("answer within --timeout", exchange)


@check("a refusal comes within the time limit", Of.ANY)
def refused_in_time(exchange: Exchange) -> Outcome:
    """Requests that may have been accepted are ignored, because an accepted request is not a refusal."""
    if accepted(exchange):
        raise undecided(Reason.NOT_REFUSED, exchange, status=exchange.status)
    if exchange.status is None and kinds.may_be_under_way(exchange):
        raise undecided(Reason.MAY_BE_UNDER_WAY, exchange)
    return in_time(exchange)


def accepted(exchange: Exchange) -> bool:
    """Whether the status is 2xx."""
    return exchange.status is not None and 200 <= exchange.status < 300


def expect_plain(plain: Exchange) -> None:
    """Raise Stop if the plain request of a rule was not accepted with an answer of the operation's kind."""
    if not accepted(plain):
        raise undecided(Reason.PLAIN_REFUSED, plain, ending=ending(plain))
    expect_kind(plain)


def expect_offered(first: Exchange) -> None:
    """Raise Stop if the plain request of an optional feature was refused."""
    if first.status is not None and (first.status in range(400, 500) or first.status == 501):
        if first.status in {401, 403} or turned_away(first):
            raise unhelpful_status(first)
        raise refused(Reason.REFUSED_PLAIN, first, status=first.status)


def expect_kind(exchange: Exchange) -> None:
    """Raise Stop if a request was accepted and the answer is not of its operation's kind."""
    if accepted(exchange) and not kinds.of_its_kind(exchange):
        raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))


def turned_away(exchange: Exchange) -> bool:
    """Whether the answer is about the current load and not the request: 429 or 503, after any time."""
    return exchange.status in {429, 503}


def timed_out(exchange: Exchange) -> bool:
    """Whether the time limit of the exchange ran out."""
    return exchange.failure is not None and exchange.failure.kind is FailureKind.TIMEOUT


def busy(exchange: Exchange) -> bool:
    """Whether the target is busy: 429, or 503 with a Retry-After; a bare 503 may mean a dead server."""
    return exchange.status == 429 or (exchange.status == 503 and exchange.header("retry-after") is not None)


def options(exchange: Exchange) -> dict[str, object]:
    """The fields of a request except its prompt or messages; none if it is not an object."""
    asked = exchange.request.fields
    return {name: value for name, value in asked.items() if name not in {"messages", "prompt", "input"}}


def _lacked(exchange: Exchange) -> str | None:
    """The unsupported parameter according to a refusal; None if it is null."""
    if exchange.status != 400 or _error(exchange).get("code") not in UNSUPPORTED:
        return None
    name = _param(exchange)
    return name if name in OF_THE_MODEL and options(exchange).get(name) is not None else None


def _param(exchange: Exchange) -> object:
    """The `param` of a refusal, if it has one."""
    return _error(exchange).get("param")


def _error(exchange: Exchange) -> reading.Object:
    """The error object of a refusal; empty if there is none."""
    try:
        error = reading.answer(exchange).get("error")
    except Stop:
        return {}
    return error if isinstance(error, dict) else {}


def ending(exchange: Exchange) -> str:
    """How the exchange ended, in a few words."""
    if exchange.failure is not None:
        return exchange.failure.message
    return f"status {exchange.status}"


def refusal(exchange: Exchange) -> str:
    """The status and the beginning of the body."""
    said = exchange.body[:200].decode("utf-8", "backslashreplace").strip()
    status = ending(exchange) if exchange.status is None else f"status {exchange.status}"
    return f"{status}: {said}" if said else status
