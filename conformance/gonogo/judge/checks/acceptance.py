"""Whether a request was taken: what a status says, before anything is read of the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge import reading
from gonogo.judge.outcome import Deviation, Refused, Undecided, answered_with
from gonogo.judge.steps import Of, check, compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

UNSUPPORTED = frozenset({"unsupported_parameter", "unsupported_value"})
"""The codes by which the API says that a model does not have a parameter, or not this value of it."""
OF_THE_MODEL = frozenset(
    {"temperature", "top_p", "presence_penalty", "frequency_penalty", "stop", "n"}
    | {"logit_bias", "logprobs", "top_logprobs"}
)
"""What models of the API itself lack: those that reason draw at temperature 1 and know no stop sequences."""


@check("the answer's status is {status:d}")
def status_is(exchange: Exchange, status: int) -> Deviation | None:
    """One status exactly, among the successful ones."""
    if exchange.status == status:
        return None
    return Deviation(f"status {status}", f"the status is {exchange.status}")


@compare("the last is accepted like the first", Of.ANY)
def accepted_like_the_first(*exchanges: Exchange) -> Deviation | None:
    """A variation that the contract allows is not refused where the plain request is taken.

    A model may lack a parameter of sampling, where the refusal says so by its code and name.
    """
    first, last = exchanges[0], exchanges[-1]
    if not accepted(first):
        raise Undecided(f"the plain request was not accepted either: {said_instead(first)}")
    if accepted(last):
        return None
    if turned_away(last) or (last.failure is not None and last.failure.kind is FailureKind.TIMEOUT):
        raise Undecided(said_instead(last))
    if (name := _lacked(last)) is not None:
        raise Refused(f"refused with 400, as the model does not support this of {name} ({last.id})")
    return Deviation("a status of 2xx, as for the plain request", _refusal(last))


@compare("where the first is taken, the last is taken too", Of.ANY)
def taken_like_the_first(*exchanges: Exchange) -> Deviation | None:
    """A variation of something that a target need not do: where it does it, it does this too."""
    first = exchanges[0]
    if first.status is not None and (first.status in range(400, 500) or first.status == 501):
        if first.status in {401, 403} or turned_away(first):
            raise Undecided(answered_with(first))
        raise Refused(f"the plain form is refused with {first.status} ({first.id})")
    return accepted_like_the_first(*exchanges)


@check("no valid request is answered with a server error", Of.ANY)
def no_server_error(exchange: Exchange) -> Deviation | None:
    """500 to 599 are the server's own failures; 501 says plainly that something is not there (RFC 9110)."""
    status = exchange.status
    if status is None:
        raise Undecided(said_instead(exchange))
    if status < 500 or status == 501:
        return None
    # OpenAI's own list of errors has 503 for a moment of overload, and promises no Retry-After with it.
    if status == 503:
        raise Undecided(answered_with(exchange))
    return Deviation("a status below 500", _refusal(exchange))


@check("no valid request is turned away with 503 for an unknown time", Of.ANY)
def says_for_how_long(exchange: Exchange) -> Deviation | None:
    """A target that has no time now says when it will have some (RFC 9110 section 10.2.3)."""
    if exchange.status != 503 or exchange.header("retry-after") is not None:
        return None
    return Deviation("a Retry-After beside the 503", f"there is none: {_refusal(exchange)}")


@check("the connection holds until the answer is complete", Of.ANY)
def complete(exchange: Exchange) -> Deviation | None:
    """An answer that began, or should have begun, is not cut off (RFC 9112 section 8)."""
    failure = exchange.failure
    if failure is None:
        return None
    if failure.kind in {FailureKind.TIMEOUT, FailureKind.TOO_LARGE}:
        raise Undecided(f"{exchange.id}: {failure.message}")
    return Deviation("a complete answer", f"{failure.message} after {len(exchange.body)} bytes of body")


@check("the answer comes within the time limit", Of.ANY)
def in_time(exchange: Exchange) -> Deviation | None:
    """The limit of --timeout is generous for a handful of tokens."""
    failure = exchange.failure
    if failure is None or failure.kind is not FailureKind.TIMEOUT:
        return None
    begun = "the answer had not begun" if exchange.status is None else "the answer was not complete"
    return Deviation("a complete answer within --timeout", f"after {failure.at:.1f} s {begun}")


def accepted(exchange: Exchange) -> bool:
    """Whether the status is 2xx."""
    return exchange.status is not None and 200 <= exchange.status < 300


def turned_away(exchange: Exchange) -> bool:
    """Whether the answer speaks of the moment and not of the request: 429 or 503, however long it takes."""
    return exchange.status in {429, 503}


def busy(exchange: Exchange) -> bool:
    """Whether somebody is there who has no time: 429, or 503 with a Retry-After; gateways of the dead say 503."""
    return exchange.status == 429 or (exchange.status == 503 and exchange.header("retry-after") is not None)


def options(exchange: Exchange) -> dict[str, object]:
    """The fields of a request but for those that hold what is to be answered; none where it is no object."""
    asked = exchange.request.fields
    return {name: value for name, value in asked.items() if name not in {"messages", "prompt", "input"}}


def _lacked(exchange: Exchange) -> str | None:
    """The parameter of the request that a refusal says the model does not support; null is none of its values."""
    if exchange.status != 400:
        return None
    try:
        error = reading.answer(exchange).get("error")
    except Undecided:
        return None
    if not isinstance(error, dict) or error.get("code") not in UNSUPPORTED:
        return None
    name = error.get("param")
    return name if name in OF_THE_MODEL and options(exchange).get(name) is not None else None


def ending(exchange: Exchange) -> str:
    """How the exchange ended, in a few words."""
    if exchange.failure is not None:
        return exchange.failure.message
    return f"status {exchange.status}"


def said_instead(exchange: Exchange) -> str:
    """How the exchange ended, by its id, and what its reader can do."""
    if exchange.status is None or exchange.failure is not None:
        return f"{exchange.id}: {ending(exchange)}"
    return answered_with(exchange)


def _refusal(exchange: Exchange) -> str:
    """The status and the beginning of what was said with it."""
    said = exchange.body[:200].decode("utf-8", "backslashreplace").strip()
    status = ending(exchange) if exchange.status is None else f"status {exchange.status}"
    return f"{status}: {said}" if said else status
