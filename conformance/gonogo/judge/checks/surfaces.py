"""Compares the same prompt on several surfaces: one engine serves them, so that greedy answers are equal. The exchanges
of such a rule are the greedy answers of chat, streamed and whole, and then those of the other surface. A surface whose
own two texts differ proves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import calls, messages, reading, responses
from gonogo.judge.checks import counts
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, admit, compare
from gonogo.judge.surfaces import LENGTH, READERS, STOP, Told, or_none
from gonogo.reasons import Reason
from gonogo.stimuli.bodies import LIMITS

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


@compare("the text is the same whole and streamed, as on chat", Of.BEGUN)
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


@compare("the input count or the text differs from that without the {part}", Of.ANY)
def part_reaches(streamed: Exchange, plain: Exchange, given: Exchange, part: str) -> Outcome:
    """The first two are greedy and without the part, the last has it.

    A template may put a default in place of a missing part, with as many tokens by chance; a server may count the
    user's words only. So an equal count is a fault only if the text is equal, too, on a server that repeats its texts.
    """
    for exchange in (plain, given):
        admit(exchange, Of.BEGUN)
    without, with_it = (INPUTS[exchange.request.operation](exchange) for exchange in (plain, given))
    if not without or not with_it:
        raise undecided(Reason.NO_COUNT, plain, given, field="input_tokens")
    if without != with_it:
        return saw("count of the input", plain, given)
    admit(streamed, Of.BEGUN)
    reading.ended(streamed)
    if _trimmed(streamed) != _trimmed(plain):
        raise undecided(Reason.NOT_REPEATED, streamed, plain)
    if not _is_beginning(plain, given):
        return saw("text", plain, given)
    expected = f"another count of the input, or another text, than without the {part}"
    return Deviation(expected, f"input_tokens is {with_it} with and without it, and the text is the same")


def _is_beginning(plain: Exchange, given: Exchange) -> bool:
    """Whether the second text is the first, or as much of it as its limit allows.

    Raises Stop if either is empty, or if one begins the other for another reason.
    """
    whole, part = _trimmed(plain), _trimmed(given)
    if not whole or not part:
        raise undecided(Reason.NO_TEXT, plain if not whole else given)
    if whole == part or not (whole.startswith(part) or part.startswith(whole)):
        return whole == part
    told, limit = read(given), _limit(given)
    if len(part) > len(whole) or not (told.reason == LENGTH or (limit and told.output_tokens == limit)):
        raise undecided(Reason.TEXT_CHANGED, plain, given)
    return True


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


def _limit(exchange: Exchange) -> int | None:
    """The token limit of a request, under any of its names."""
    asked = exchange.request.fields
    return next((reading.count(asked[name]) for name in LIMITS if name in asked), None)


def _alike(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, Exchange]:
    one, other = _repeated(exchanges)
    if _trimmed(one) != _trimmed(other):
        raise undecided(Reason.TEXTS_OF_SURFACES_DIFFER, one, other)
    return one, other


def _trimmed(exchange: Exchange) -> str:
    return read(exchange).text.strip()
