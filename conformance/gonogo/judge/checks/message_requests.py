"""Checks on requests of the Messages API: both key headers, both versions, Claude Code's fields, and refusals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gonogo.judge import kinds, reading
from gonogo.judge.checks.acceptance import (
    accepted,
    expect_kind,
    expect_plain,
    refusal,
    timed_out,
    turned_away,
)
from gonogo.judge.outcome import Deviation, Stop, refused, saw, unanswered, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

TYPES: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""The error types by status."""
_OF_SYSTEM: Final = re.compile(r"\brole\b.*\bsystem\b|\bsystem\b.*\brole\b", re.IGNORECASE | re.DOTALL)
_OF_THINKING: Final = re.compile(r"thinking|adaptive|effort", re.IGNORECASE)
_NOT_SUPPORTED: Final = re.compile(r"not (?:currently )?supported|unsupported", re.IGNORECASE)
_NO_COUNT: Final = re.compile(
    r"(?:not|n't) (?:currently |yet )?(?:supported?|implemented|available)|unsupported|unavailable",
    re.IGNORECASE,
)


@compare("a key in x-api-key is accepted like one in Authorization", Of.ANY)
def either_key(plain: Exchange, without: Exchange, bearer: Exchange, own: Exchange) -> Outcome:
    """The exchanges are a plain chat, one without a key, and a message with each header.

    A key that chat accepts in Authorization is valid. If no key is required, both headers prove nothing. The last
    request has an invalid body, for which it must be refused.
    """
    if accepted(plain) and bearer.status in {401, 403} and own.status not in {401, 403, None}:
        return Deviation("no refusal of the key, which chat accepts in Authorization", refusal(bearer))
    expect_plain(bearer)
    if own.status in {401, 403}:
        return Deviation("no refusal of the key, as with Authorization", refusal(own))
    expect_plain(plain)
    if accepted(without):
        raise refused(Reason.NO_KEY_NEEDED, without, status=without.status)
    if own.status is None or own.status >= 500 or turned_away(own):
        raise unanswered(own)
    return saw(f"status {own.status}", own)


@compare("the newer version is accepted like the older", Of.ANY)
def either_version(older: Exchange, *newer: Exchange) -> Outcome:
    """A refusal of the newer version for another reason is undecided."""
    expect_plain(older)
    taken = [exchange for exchange in newer if accepted(exchange)]
    if taken:
        return saw("answer to a request with the newer version", *taken)
    told = [exchange for exchange in newer if _speaks_of_version(exchange)]
    if told:
        return Deviation("a status of 2xx, as with the older version", refusal(told[0]))
    raise undecided(Reason.REFUSED_FOR_OTHER, *newer, param="something else than its version")


@compare("the request of Claude Code is accepted", Of.ANY)
def of_claude_code(plain: Exchange, other: Exchange) -> Outcome:
    """Unknown fields and values are ignored; another rule checks the role system.

    The official API refuses adaptive thinking for a model without it. Gateways that translate the request name the
    translated parameter: LiteLLM reports that the model does not support "reasoning.effort".
    """
    expect_plain(plain)
    if accepted(other):
        expect_kind(other)
        return saw(kinds.name(other), other)
    if turned_away(other) or timed_out(other) or other.status is None or other.status in {401, 403}:
        raise unanswered(other)
    if _OF_SYSTEM.search(_message(other)):
        raise undecided(Reason.REFUSED_FOR_OTHER, other, param="a message of role system")
    if _speaks_of_version(other):
        raise undecided(Reason.REFUSED_FOR_OTHER, other, param="its version")
    if other.status == 400 and _OF_THINKING.search(_message(other)):
        raise refused(Reason.UNSUPPORTED_BY_MODEL, other, param="thinking", status=other.status)
    return Deviation("a status of 2xx, as for the plain message", refusal(other))


@compare("a message of role system is accepted, or refused as not supported", Of.ANY)
def system_role(plain: Exchange, other: Exchange) -> Outcome:
    """A refusal has status 400 and words after which Claude Code retries without the role."""
    expect_plain(plain)
    if accepted(other):
        expect_kind(other)
        return saw(kinds.name(other), other)
    said = _message(other)
    if other.status is None or not _OF_SYSTEM.search(said):
        raise unanswered(other)
    if other.status == 400 and _NOT_SUPPORTED.search(said):
        return saw("refusal of the role as not supported", other)
    return Deviation('an answer, or 400 that says that the role system is "not supported"', refusal(other))


@check("the refusal is JSON with the error object of messages", Of.REFUSED)
def envelope(exchange: Exchange) -> Outcome:
    """{"type": "error", "error": {…}}."""
    expected = '{"type": "error", "error": {…}}'
    try:
        body = reading.answer(exchange)
    except Stop:
        shown = exchange.body[:80].decode("utf-8", "backslashreplace")
        return Deviation(expected, f"the body is {shown!r}" if shown else "the body is empty").located(
            exchange, 0
        )
    if not isinstance(body.get("error"), dict):
        return Deviation(expected, reading.field(body, "error")).located(exchange, 0)
    if body.get("type") != "error":
        return Deviation(expected, reading.field(body, "type")).located(exchange, 0)
    return saw("error object", exchange)


@check("the error type matches the status", Of.REFUSED)
def type_of_status(exchange: Exchange) -> Outcome:
    """The type is that of the API's list; a status that is not in the list is ignored."""
    error = reading.answer(exchange).get("error")
    if not isinstance(error, dict):
        raise undecided(Reason.NO_ERROR_OBJECT, exchange)
    if not isinstance(error.get("type"), str):
        raise undecided(Reason.FIELD_NOT, exchange, field="error.type", kind="a string")
    expected = TYPES.get(exchange.status or 0)
    if expected is None:
        raise undecided(Reason.OTHER_STATUS, exchange, status=exchange.status)
    if error.get("type") != expected:
        return Deviation(f'"type": "{expected}" with {exchange.status}', reading.field(error, "type"))
    return saw("type of an error", exchange)


@compare("the count is accepted without a limit", Of.ANY)
def counted(plain: Exchange, count: Exchange) -> Outcome:
    """A count generates nothing and has no limit; a server without counts reports a missing route, or refuses counts.

    A refusal proves nothing if the same message is refused, or if it is about counts in general.
    """
    status = count.status
    if accepted(count):
        expect_kind(count)
        return saw(kinds.name(count), count)
    if status == 501:
        raise refused(Reason.REFUSED, count, status=status)
    if status is None or status >= 500 or status in {401, 403, 408, 499} or turned_away(count):
        raise unanswered(count)
    expect_plain(plain)
    if _NO_COUNT.search(_message(count)):
        raise refused(Reason.REFUSED, count, status=status)
    return Deviation("a count", refusal(count))


def _speaks_of_version(exchange: Exchange) -> bool:
    return exchange.status is not None and "version" in _message(exchange).lower()


def _message(exchange: Exchange) -> str:
    """The whole message of a refusal."""
    return exchange.body.decode("utf-8", "replace")
