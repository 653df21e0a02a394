"""Choices of whole answers: indexes, messages, reasons to finish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.counts import text
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import check, compare

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
    body = exchange.request.json
    asked = body if isinstance(body, dict) else {}
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


@check('the limit of {limit:d} tokens is given as the reason "length"')
def length_at_limit(exchange: Exchange, limit: int) -> Deviation | None:
    """Text cut off by the limit says so; undecided where the model ended before it."""
    usage = reading.usage(reading.answer(exchange))
    generated = None if usage is None else reading.count(usage.get("completion_tokens"))
    if generated is None:
        raise Undecided(f"{exchange.id} does not say how many tokens it took")
    if generated < limit:
        raise Undecided(f"the model stopped after {generated} of {limit} tokens")
    return not_length([choice.get("finish_reason") for choice in reading.choices(exchange)], limit)


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
