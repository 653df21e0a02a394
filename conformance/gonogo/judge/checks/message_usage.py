"""Checks on the tokens of a message: of its prompt, its answer, and compared with count_tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.judge import messages, reading
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


ESTIMATED: Final = 4
"""The tolerance in tokens, the size of a turn's markup (guide, Token counting: the count is "an estimate")."""


@check("no more tokens were generated than the request allows", Of.BEGUN)
def within_limit(exchange: Exchange) -> Outcome:
    """max_tokens is a limit, thinking included."""
    limit = reading.count(exchange.request.fields.get("max_tokens"))
    assert limit is not None, "the request is ours"
    found = messages.output_tokens(exchange)
    if found > limit:
        return Deviation(f"at most {limit} output_tokens", f"output_tokens is {found}")
    return saw("output_tokens", exchange)


@check("the tokens of the prompt are counted", Of.BEGUN)
def prompt_counted(exchange: Exchange) -> Outcome:
    """Every prompt of the suite has tokens; a stream may report them only at its end."""
    if messages.prompt_tokens(exchange) > 0:
        return saw("input_tokens", exchange)
    messages.ended(exchange)
    return Deviation("input_tokens above 0, or tokens of a cache", "input_tokens is 0")


@check("the tokens of the answer are counted", Of.BEGUN)
def answer_counted(exchange: Exchange) -> Outcome:
    """Generated text has tokens; a stream reports them at its end."""
    if not any(block.text("text") for block in messages.blocks(exchange)):
        raise undecided(Reason.NO_TEXT, exchange)
    if messages.output_tokens(exchange) > 0:
        return saw("output_tokens", exchange)
    messages.ended(exchange)
    return Deviation("output_tokens above 0", "output_tokens is 0")


@compare("the tokens of the message are counted as before", Of.BEGUN)
def prompt_counts_agree(*exchanges: Exchange) -> Outcome:
    """One prompt always has the same number of tokens, cached or not, complete or streamed."""
    counts = [messages.prompt_tokens(exchange) for exchange in exchanges]
    if 0 in counts:
        raise undecided(Reason.NO_COUNT, *exchanges, field="input_tokens")
    if len(set(counts)) == 1:
        return saw("tokens of the prompt", *exchanges)
    for exchange in exchanges:
        messages.ended(exchange)
    return Deviation(
        f"the {counts[0]} tokens of the prompt that the first answer counts",
        "the counts, with the tokens of caches, are " + " and then ".join(map(str, counts)),
    )


@compare("the count is that of the usage of the same message")
def count_agrees(message: Exchange, counted: Exchange) -> Outcome:
    """The count, an estimate, is close to the sum of input_tokens and both cache counts in the usage."""
    expected = messages.prompt_tokens(message)
    found = reading.count(reading.answer(counted).get("input_tokens"))
    if found is None:
        raise undecided(Reason.FIELD_NOT, counted, field="input_tokens", kind="a whole number")
    if not expected:
        raise undecided(Reason.NO_COUNT, message, field="input_tokens")
    if abs(found - expected) <= ESTIMATED:
        return saw("count of tokens", message, counted)
    return Deviation(
        f"about {expected} input_tokens, as the usage has with its caches", f"input_tokens is {found}"
    )
