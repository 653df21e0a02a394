"""What becomes of a request that asks for more than there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge import reading
from gonogo.judge.checks.acceptance import accepted, ending
from gonogo.judge.checks.framing import no_error_event
from gonogo.judge.checks.refusals import code_is, not_accepted, not_failing, not_of_the_model
from gonogo.judge.outcome import Deviation, Undecided, answered_with
from gonogo.judge.steps import Of, check

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

TOO_LARGE = 413


@check("the request fails the server neither at once nor in its stream", Of.ANY)
def not_failing_late(exchange: Exchange) -> Deviation | None:
    """Accepted or refused; what is accepted is not broken off, and brings no error instead of text."""
    failure = exchange.failure
    if not accepted(exchange):
        return not_failing(exchange)
    if failure is not None and failure.kind is FailureKind.TIMEOUT:
        raise Undecided(f"{exchange.id}: {failure.message}")
    if failure is not None:
        return Deviation("an answer, or a refusal", ending(exchange))
    return no_error_event(exchange)


@check("the prompt is refused, or counted whole", Of.ANY)
def refused_or_whole(exchange: Exchange) -> Deviation | None:
    """A prompt that was cut to the context has fewer tokens than it had words, and each of them is one or more."""
    if not accepted(exchange):
        return not_accepted(exchange)
    usage = reading.usage(reading.answer(exchange)) or {}
    counted = reading.count(usage.get("prompt_tokens"))
    if not counted:
        raise Undecided(f"{exchange.id} was accepted, and does not count the tokens of its prompt")
    words = _words(exchange)
    if counted < words:
        return Deviation(
            f"a refusal, or {words} prompt tokens and more", f"{counted} prompt tokens are counted"
        )
    raise Undecided(f"{exchange.id} was accepted whole: the context is longer than the list of models says")


@check("the refusal says that the context is exceeded", Of.REFUSED)
def says_context(exchange: Exchange) -> Deviation | None:
    """The code that agents branch on; a limit on bytes (413) has nothing to do with it."""
    if exchange.status == TOO_LARGE:
        raise Undecided(answered_with(exchange))
    not_of_the_model(exchange)
    return code_is(exchange, "context_length_exceeded")


def _words(exchange: Exchange) -> int:
    """How many words the one message of the request has."""
    messages = reading.objects(exchange.request.fields.get("messages"))
    return sum(len(str(message.get("content")).split()) for message in messages)
