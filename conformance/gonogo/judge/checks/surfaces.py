"""Compares the same prompt on several surfaces: one engine serves them, so that greedy answers are equal. The exchanges
of such a rule are the greedy answers of chat, streamed and whole, and then those of the other surface. A surface whose
own two texts differ proves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import calls, messages, reading, responses
from gonogo.judge.checks import counts
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, compare
from gonogo.judge.surfaces import LENGTH, READERS, STOP, Told, or_none
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

NAMES = {"/chat/completions": "chat", "/responses": "responses", "/messages": "messages"}


def _chat(exchange: Exchange) -> Told:
    """A chat completion; missing values are None."""
    reasons = [reason for reason in calls.finish_reasons(exchange) if reason in (STOP, LENGTH)]
    reason = str(reasons[-1]) if reasons else None
    return Told(
        counts.text(exchange),
        reason,
        or_none(counts.prompt_tokens, exchange),
        or_none(counts.generated, exchange),
    )


READERS["/chat/completions"] = _chat
INPUTS: Mapping[str, Callable[[Exchange], int]] = {
    responses.PATH: lambda exchange: responses.count(exchange, "input_tokens"),
    messages.PATH: messages.prompt_tokens,
}
"""The readers of the input tokens on each other surface. They raise Stop if the tokens are not counted."""


@compare("the other surface says the same whole and streamed, as chat does", Of.BEGUN)
def same_streamed(*exchanges: Exchange) -> Outcome:
    """Chat shows that greedy text is repeatable; both forms of the other surface have the same text."""
    chat_stream, chat, streamed, whole = exchanges
    reading.unfailed(chat_stream)
    reading.ended(streamed)
    for exchange in (chat, whole, streamed):
        if not _trimmed(exchange):
            raise undecided(Reason.NO_TEXT, exchange)
    if _trimmed(chat_stream) != _trimmed(chat):
        raise undecided(Reason.NOT_REPEATED, chat_stream, chat)
    if _trimmed(streamed) == _trimmed(whole):
        return saw("character of the text", streamed, whole, count=len(_trimmed(whole)))
    return Deviation(
        f"the text of the stream, {_trimmed(streamed)!r}", f"the whole text is {_trimmed(whole)!r}"
    )


@compare("the text is the same on both surfaces", Of.BEGUN)
def same_text(*exchanges: Exchange) -> Outcome:
    """Equal except for spaces at the ends. A truncated text may be shorter, because reasoning takes tokens too."""
    one, other = _repeated(exchanges)
    if _trimmed(one) == _trimmed(other):
        return saw("character of the text", one, other, count=len(_trimmed(one)))
    for shorter, longer in ((one, other), (other, one)):
        if read(shorter).reason == LENGTH and _trimmed(longer).startswith(_trimmed(shorter)):
            raise undecided(Reason.CUT_EARLIER, shorter, longer)
    return _differ(one, other, lambda told: repr(told.text.strip()), "the text")


@compare("the reason to end is the same on both surfaces", Of.BEGUN)
def same_reason(*exchanges: Exchange) -> Outcome:
    """The same text has the same reason."""
    one, other = _alike(exchanges)
    streamed, limit = exchanges[0], _limit(one)
    first, second = read(one).reason, read(other).reason
    if first is None or second is None:
        raise undecided(Reason.NO_FINISH_REASON, one, other)
    if read(streamed).reason is None:
        reading.ended(streamed)
        raise undecided(Reason.NO_FINISH_REASON, streamed)
    if read(streamed).reason != first:
        raise undecided(Reason.CHAT_REASONS_DIFFER, streamed, one)
    if first == STOP and limit is not None and (read(one).output_tokens or 0) >= limit:
        raise undecided(Reason.LIMIT_REACHED, one, limit=limit)
    if first == second:
        return saw("reason to end", one, other)
    return _differ(one, other, lambda told: str(told.reason), "the reason to end")


@compare("the input has as many tokens on both surfaces", Of.BEGUN)
def same_input(*exchanges: Exchange) -> Outcome:
    """The same prompt has the same number of input tokens, because the template is the same."""
    return _same_count(exchanges, lambda told: told.input_tokens, "the count of the input")


@compare("the output has as many tokens on both surfaces", Of.BEGUN)
def same_output(*exchanges: Exchange) -> Outcome:
    """The same text has the same number of output tokens."""
    return _same_count(exchanges, lambda told: told.output_tokens, "the count of the output")


@compare("the longer {part} counts as tokens of the input")
def part_counted(shorter: Exchange, longer: Exchange, part: str) -> Outcome:
    """Both requests have the part, so that it replaces a default in both; a longer part has more tokens."""
    few, many = (INPUTS[exchange.request.operation](exchange) for exchange in (shorter, longer))
    if not few or not many:
        raise undecided(Reason.NO_COUNT, shorter, longer, field="input_tokens")
    if many > few:
        return saw("count of the input", shorter, longer)
    return Deviation(f"more than the {few} input_tokens of the shorter {part}", f"input_tokens is {many}")


def read(exchange: Exchange) -> Told:
    """The content of the answer. Raises Stop if it cannot be read."""
    return READERS[exchange.request.operation](exchange)


def _same_count(exchanges: tuple[Exchange, ...], count: Callable[[Told], int | None], what: str) -> Outcome:
    one, other = _alike(exchanges)
    if not count(read(one)) or not count(read(other)):
        raise undecided(Reason.NO_USAGE, one, other)
    if count(read(one)) == count(read(other)):
        return saw("count of tokens", one, other)
    return _differ(one, other, lambda told: str(count(told)), what)


def _differ(one: Exchange, other: Exchange, shown: Callable[[Told], str], what: str) -> Deviation:
    """How the second surface differs from the first."""
    first, second = (NAMES[exchange.request.operation] for exchange in (one, other))
    return Deviation(f"{what} of {first}, {shown(read(one))}", f"{what} of {second} is {shown(read(other))}")


def _repeated(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, Exchange]:
    """A complete answer of each surface. Raises Stop if the text of one of them is not repeatable or is empty."""
    chat_stream, chat, other_stream, other = exchanges
    for streamed, whole in ((chat_stream, chat), (other_stream, other)):
        reading.unfailed(streamed)
        if not _trimmed(whole):
            raise undecided(Reason.NO_TEXT, whole)
        if _trimmed(streamed) != _trimmed(whole):
            raise undecided(Reason.NOT_REPEATED, streamed, whole)
    _refuse_other_wish(chat, other)
    return chat, other


def _refuse_other_wish(chat: Exchange, other: Exchange) -> None:
    """Raise Stop if the chat request has more parameters than the other one, for example by --extra-body."""
    more = chat.request.fields.keys() - {
        "model",
        "messages",
        "temperature",
        "max_tokens",
        "max_completion_tokens",
    }
    if more:
        raise undecided(Reason.ASKED_FOR_MORE, chat, other, fields=", ".join(sorted(more)))


def _limit(chat: Exchange) -> int | None:
    """The token limit of a chat request, under either name."""
    asked = chat.request.fields
    return reading.count(asked.get("max_completion_tokens", asked.get("max_tokens")))


def _alike(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, Exchange]:
    one, other = _repeated(exchanges)
    if _trimmed(one) != _trimmed(other):
        raise undecided(Reason.TEXTS_OF_SURFACES_DIFFER, one, other)
    return one, other


def _trimmed(exchange: Exchange) -> str:
    return read(exchange).text.strip()
