"""Choices of whole answers: indexes, messages, reasons to finish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.counts import generated, text
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check, compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange


@check("the choices are numbered from 0")
def numbered(exchange: Exchange) -> Deviation | None:
    """Indexes 0 to n - 1, each once, in whatever order."""
    indexes = [reading.count(choice.get("index")) for choice in reading.choices(exchange)]
    known = [index for index in indexes if index is not None]
    if len(known) < len(indexes):
        raise Undecided(f"a choice of {exchange.id} has no index")
    if sorted(known) == list(range(len(known))):
        return None
    return Deviation(f"indexes 0 to {len(known) - 1}", f"the indexes are {', '.join(map(str, known))}")


@check("there is one choice, where no more were asked for")
def one_choice(exchange: Exchange) -> Deviation | None:
    """One choice of one prompt is the default."""
    asked = exchange.request.fields
    if asked.get("n") not in (None, 1) or isinstance(asked.get("prompt"), list):
        raise Undecided(f"{exchange.id} asks for more")
    choices = reading.answer(exchange).get("choices")
    if not isinstance(choices, list):
        raise Undecided(f"{exchange.id} has no list of choices")
    return None if len(choices) == 1 else Deviation("one choice", f"there are {len(choices)}")


@check("no message has an empty list of tool calls")
def no_empty_tool_calls(exchange: Exchange) -> Deviation | None:
    """No calls, no list: clients take an empty one for a turn of tools (github/copilot-sdk#616)."""
    for choice in reading.choices(exchange):
        message = choice.get("message")
        if isinstance(message, dict) and message.get("tool_calls") == []:
            return Deviation('no "tool_calls", or null', '"tool_calls" is []')
    return None


@compare('the limit of {limit:d} tokens cuts the last short, for the reason "length"', Of.BEGUN)
def length_at_limit(*exchanges: Exchange, limit: int) -> Deviation | None:
    """Text cut off by the limit says so.

    The first answer, of the same greedy text, shows that there was more to say: a model that ends by itself with the
    last token that it may use says "stop", and rightly.
    """
    longer, limited = exchanges
    if generated(longer) <= limit:
        raise Undecided(f"the model has no more to say than {generated(longer)} tokens")
    if generated(limited) < limit:
        raise Undecided(f"the model stopped after {generated(limited)} of {limit} tokens")
    return not_length(_reasons(limited), limit)


@compare("where the whole answer has text, the stream has text")
def streams_text(*exchanges: Exchange) -> Deviation | None:
    """Deltas carry the text (madroidmaq/mlx-omni-server#2)."""
    whole, streamed = exchanges[0], exchanges[-1]
    if not text(whole):
        raise Undecided(f"{whole.id} carries no text")
    reading.ended(streamed)
    if text(streamed):
        return None
    _refuse_other_words(streamed)
    return Deviation("text in the deltas", "every delta is empty")


def _refuse_other_words(streamed: Exchange) -> None:
    """Undecided where the deltas carry words of another kind: reasoning, a refusal, a call of a tool."""
    for choices in reading.by_choice(streamed).values():
        for _, choice in choices:
            others = {name for name, value in reading.delta(choice).items() if value} - {"role", "content"}
            if others:
                raise Undecided(f"the deltas of {streamed.id} carry {', '.join(sorted(others))}")


def not_length(reasons: list[object], limit: int) -> Deviation | None:
    """A deviation where any reason is a valid one other than "length"; the rest is another rule's."""
    valid = [reason for reason in reasons if isinstance(reason, str) and reason]
    if not valid:
        raise Undecided("no finish_reason was given")
    wrong = [reason for reason in valid if reason != "length"]
    if not wrong:
        return None
    return Deviation(
        'finish_reason "length"', f"finish_reason is {wrong[0]!r} after {limit} of {limit} tokens"
    )


def _reasons(exchange: Exchange) -> list[object]:
    if not exchange.is_stream:
        return [choice.get("finish_reason") for choice in reading.choices(exchange)]
    return [
        choice.get("finish_reason")
        for choices in reading.by_choice(exchange).values()
        for _, choice in choices
    ]
