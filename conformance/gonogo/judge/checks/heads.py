"""Checks on requests with unusual headers, methods, paths and sizes, and on the headers of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import header
from gonogo.judge import kinds
from gonogo.judge.checks.acceptance import accepted, ending, timed_out, turned_away
from gonogo.judge.outcome import Deviation, saw, unanswered, undecided, unhelpful_status
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

ANYBODY = "*"
UNCOVERED = frozenset({"authorization"})
"""Headers that "*" does not include, with or without credentials (Fetch standard, CORS-preflight fetch)."""
IDENTITY = "identity"


@check("the answer is not a server error, except 501", Of.ANY)
def harmless(exchange: Exchange) -> Outcome:
    """Neither 5xx, apart from 501, nor a connection that is closed before the status."""
    status = exchange.status
    if status is None:
        if timed_out(exchange):
            raise undecided(Reason.TIMED_OUT, exchange, failure=ending(exchange))
        return Deviation("an answer", ending(exchange))
    if status in {401, 403} or turned_away(exchange):
        raise unhelpful_status(exchange)
    if status >= 500 and status != 501:
        return Deviation("a status below 500", f"status {status}")
    # No kind of answer is expected for HEAD, OPTIONS, and GET with a trailing slash.
    if exchange.request.method == "POST" and accepted(exchange) and not kinds.of_its_kind(exchange):
        raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))
    return saw(f"status {status}", exchange)


@check("the page may send the headers of openai-node", Of.ANSWERED)
def allowed(exchange: Exchange) -> Outcome:
    """The status, origin and headers that let a browser send the request, by the Fetch standard.

    Browsers never send a key with a preflight, so requiring one blocks every page.
    """
    if exchange.status is None or turned_away(exchange):
        raise unanswered(exchange)
    if not accepted(exchange):
        return Deviation("a status of 2xx", f"status {exchange.status}")
    origin = header(exchange.request.headers, "origin")
    given = exchange.header("access-control-allow-origin")
    if given not in (ANYBODY, origin):
        return Deviation(f"Access-Control-Allow-Origin: {origin} or *", f"it is {given or 'absent'}")
    wanted = _names(header(exchange.request.headers, "access-control-request-headers"))
    listed = _names(exchange.header("access-control-allow-headers"))
    missing = sorted((wanted & UNCOVERED if ANYBODY in listed else wanted) - listed)
    if not missing:
        return saw("header that the page may send", exchange, count=len(wanted))
    covered = ", which * does not stand for" if ANYBODY in listed else ""
    return Deviation(
        "every header that was asked for in Access-Control-Allow-Headers", f"without {missing[0]}{covered}"
    )


@check("the answer states its length in one way only", Of.ANY)
def one_length(exchange: Exchange) -> Outcome:
    """Content-Length or Transfer-Encoding: with both, two parsers can disagree about the end of the answer."""
    if exchange.status is None:
        raise unanswered(exchange)
    length, coding = exchange.header("content-length"), exchange.header("transfer-encoding")
    if length is None or coding is None:
        present = int(length is not None or coding is not None)
        return saw("Content-Length or Transfer-Encoding", exchange, count=present)
    return Deviation(
        "Content-Length or Transfer-Encoding", f"Content-Length is {length}, Transfer-Encoding {coding}"
    )


@check("the connection stays open, or the answer announces its end", Of.ANSWERED)
def connection_kept(exchange: Exchange) -> Outcome:
    """HTTP/1.1 keeps connections open; a server that closes one announces it (RFC 9112 section 9.3)."""
    if not accepted(exchange):
        raise unanswered(exchange)
    if exchange.hung_up is None:
        raise undecided(Reason.NOT_WATCHED, exchange)
    if exchange.hung_up:
        return Deviation('"Connection: close", or a connection that stays open', "it was closed without that")
    return saw("answer whose connection was looked at", exchange)


@check("the body has no content coding that was not requested", Of.ANY)
def uncoded(exchange: Exchange) -> Outcome:
    """There is no content coding if the client accepts none; HEAD and answers without a body are ignored."""
    if exchange.status is None:
        raise unanswered(exchange)
    asked = header(exchange.request.headers, "accept-encoding") or IDENTITY
    coding = exchange.header("content-encoding")
    if coding is None or coding.strip().lower() in ("", IDENTITY):
        return saw("answer without a content coding", exchange)
    if asked != IDENTITY:
        raise undecided(Reason.NOTHING_SEEN, exchange, what="answer to a request for no coding")
    return Deviation("no Content-Encoding, as identity was asked for", f"Content-Encoding is {coding}")


@check("a refusal with 405 has a header allow", Of.ANSWERED)
def allow_given(exchange: Exchange) -> Outcome:
    """A refusal with another status need not name the methods."""
    if exchange.status in {401, 403} or turned_away(exchange):
        raise unhelpful_status(exchange)
    if exchange.status != 405:
        raise undecided(Reason.NOT_405, exchange, status=exchange.status)
    allow = exchange.header("allow")
    if allow is None:
        return Deviation("a header Allow", "there is none")
    return saw("method in Allow", exchange, count=len(_names(allow)))


def _names(value: str | None) -> set[str]:
    return {name.strip().lower() for name in (value or "").split(",")} - {""}
