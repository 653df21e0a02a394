"""Checks on requests beyond a limit: more tokens, or a longer prompt, than the context allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.acceptance import accepted, ending, timed_out
from gonogo.judge.checks.framing import no_error_event
from gonogo.judge.checks.refusals import code_is, not_accepted, not_failing, not_of_the_model
from gonogo.judge.outcome import Deviation, Kept, saw, unanswered, undecided, unhelpful_status
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

TOO_LARGE = 413


@compare("the last causes neither a server error nor a cut-off answer", Of.ANY)
def answered_or_refused(plain: Exchange, exchange: Exchange) -> Outcome:
    """Accepted or refused; if the plain stream fails as well, the limit is not the cause."""
    outcome = _not_failing(exchange)
    if isinstance(outcome, Deviation) and not _is_whole(plain):
        raise undecided(Reason.PLAIN_REFUSED, plain, exchange, ending=ending(plain))
    return outcome


@compare("the last is refused before its stream begins, or has no error in it", Of.ANY)
def not_failing_late(plain: Exchange, exchange: Exchange) -> Outcome:
    """An error event before any text is a refusal that came after the status was sent."""
    status = exchange.status
    if status is not None and 400 <= status < 500 and status not in {401, 403, 429}:
        return saw(f"status {status}", exchange)
    if not accepted(exchange):
        raise unanswered(exchange)
    outcome = no_error_event(exchange)
    if isinstance(outcome, Deviation) and not (_is_whole(plain) and isinstance(no_error_event(plain), Kept)):
        how = "an error in its stream" if _is_whole(plain) else ending(plain)
        raise undecided(Reason.PLAIN_REFUSED, plain, exchange, ending=how)
    return outcome


def _is_whole(plain: Exchange) -> bool:
    return accepted(plain) and plain.failure is None


def _not_failing(exchange: Exchange) -> Outcome:
    if not accepted(exchange):
        return not_failing(exchange)
    if timed_out(exchange):
        raise undecided(Reason.TIMED_OUT, exchange, failure=ending(exchange))
    if exchange.failure is not None:
        return Deviation("an answer, or a refusal", ending(exchange))
    outcome = no_error_event(exchange)
    return saw(f"status {exchange.status}", exchange) if isinstance(outcome, Deviation) else outcome


@check("the prompt is refused, or counted completely", Of.ANY)
def refused_or_whole(exchange: Exchange) -> Outcome:
    """A truncated prompt has fewer tokens than words, and every word has at least one token."""
    if not accepted(exchange):
        return not_accepted(exchange)
    usage = reading.usage(reading.answer(exchange))
    if usage is None:
        raise undecided(Reason.NO_USAGE, exchange)
    counted = reading.count(usage.get("prompt_tokens"))
    if not counted:
        raise undecided(Reason.NO_COUNT, exchange, field="prompt_tokens")
    words = _words(exchange)
    if counted < words:
        return Deviation(
            f"a refusal, or {words} prompt tokens and more", f"{counted} prompt tokens are counted"
        )
    raise undecided(Reason.CONTEXT_LONGER, exchange)


@check("the refusal has the code context_length_exceeded", Of.REFUSED)
def says_context(exchange: Exchange) -> Outcome:
    """Agents branch on this code; a size limit in bytes (413) is a different error."""
    if exchange.status == TOO_LARGE:
        raise unhelpful_status(exchange)
    not_of_the_model(exchange)
    return code_is(exchange, "context_length_exceeded")


def _words(exchange: Exchange) -> int:
    """The number of words in the only message of the request."""
    messages = reading.objects(exchange.request.fields.get("messages"))
    return sum(len(str(message.get("content")).split()) for message in messages)
