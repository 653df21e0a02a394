"""Usage: token counts that add up, keep to the limit, and agree between the forms of one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check, compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Object

PARTS = {
    "prompt_tokens": ("cached_tokens", "audio_tokens"),
    "completion_tokens": ("reasoning_tokens", "audio_tokens"),
}
FIELDS = ("prompt_tokens", "completion_tokens", "total_tokens")


@check("the answer carries usage")
def has_usage(exchange: Exchange) -> Deviation | None:
    """OpenAI always sends it, though its schema does not require it."""
    value = reading.answer(exchange).get("usage")
    if isinstance(value, dict):
        return None
    return Deviation('a "usage" object', '"usage" is ' + ("null" if value is None else repr(value)))


@check("the total is the sum of prompt and completion tokens", Of.BEGUN)
def total_is_sum(exchange: Exchange) -> Deviation | None:
    """total_tokens = prompt_tokens + completion_tokens."""
    usage = _usage(exchange)
    prompt, completion, total = (_count(usage, name, exchange) for name in FIELDS)
    if total == prompt + completion:
        return None
    return Deviation(
        f"total_tokens {prompt} + {completion} = {prompt + completion}", f"total_tokens is {total}"
    )


@check("prompt tokens were counted", Of.BEGUN)
def prompt_counted(exchange: Exchange) -> Deviation | None:
    """No prompt of ours has no tokens; fewer than none is for the schema's rule to say."""
    prompt = _count(_usage(exchange), "prompt_tokens", exchange)
    return Deviation("prompt_tokens above 0", "prompt_tokens is 0") if prompt == 0 else None


@check("no part of the tokens is more than its whole", Of.BEGUN)
def parts_within(exchange: Exchange) -> Deviation | None:
    """What is cached is part of the prompt, and what was thought part of the completion; others count as they like."""
    usage = _usage(exchange)
    for whole, parts in PARTS.items():
        details, most = usage.get(f"{whole}_details"), reading.count(usage.get(whole))
        for name in parts:
            part = reading.count(details.get(name)) if isinstance(details, dict) else None
            if part is not None and most is not None and part > most:
                return Deviation(f"{name} of at most the {most} of {whole}", f"{name} is {part}")
    return None


@check("no more than {limit:d} completion tokens were generated", Of.BEGUN)
def within_limit(exchange: Exchange, limit: int) -> Deviation | None:
    """The token limit is a limit."""
    completion = _count(_usage(exchange), "completion_tokens", exchange)
    if completion <= limit:
        return None
    return Deviation(f"at most {limit} completion tokens", f"completion_tokens is {completion}")


@check("completion tokens were counted where there is text", Of.BEGUN)
def completion_counted(exchange: Exchange) -> Deviation | None:
    """Text that was generated took tokens."""
    if not text(exchange):
        raise Undecided(f"{exchange.id} carries no text")
    completion = _count(_usage(exchange), "completion_tokens", exchange)
    return Deviation("completion_tokens above 0", "completion_tokens is 0") if completion == 0 else None


@compare("prompt tokens agree", Of.BEGUN)
def prompt_tokens_agree(*exchanges: Exchange) -> Deviation | None:
    """The same prompt has the same number of tokens, however the answer is asked for."""
    counts = [_count(_usage(exchange), "prompt_tokens", exchange) for exchange in exchanges]
    if len(set(counts)) == 1:
        return None
    return Deviation("the same prompt_tokens", "prompt_tokens is " + " and then ".join(map(str, counts)))


@compare("prompt tokens differ by {most:d} at most", Of.BEGUN)
def prompt_tokens_near(*exchanges: Exchange, most: int) -> Deviation | None:
    """Two spellings of a prompt; a template may put a line end more around one of them."""
    counts = [_count(_usage(exchange), "prompt_tokens", exchange) for exchange in exchanges]
    if max(counts) - min(counts) <= most:
        return None
    return Deviation(
        f"prompt_tokens {counts[0]}, give or take {most}",
        "prompt_tokens is " + " and then ".join(map(str, counts)),
    )


@compare("the {part} counts as tokens of the prompt")
def part_counts(*exchanges: Exchange, part: str) -> Deviation | None:
    """With the part the prompt is longer than without it; where it is not, nobody read the part."""
    without, both = map(prompt_tokens, exchanges)
    if without == 0:
        raise Undecided(f"{exchanges[0].id} counts no tokens of a prompt")
    if both > without:
        return None
    return Deviation(f"more than the {without} prompt tokens without the {part}", f"prompt_tokens is {both}")


def generated(exchange: Exchange) -> int:
    """completion_tokens of a whole answer, or of the last usage of a stream; Undecided where there is none."""
    return _count(_usage(exchange), "completion_tokens", exchange)


def prompt_tokens(exchange: Exchange) -> int:
    """prompt_tokens of a whole answer, or of the last usage of a stream; Undecided where there is none."""
    return _count(_usage(exchange), "prompt_tokens", exchange)


def refuse_reasoning(exchange: Exchange) -> None:
    """Undecided where tokens were spent on reasoning: as many as it took this time, and none that is shown."""
    if b'"reasoning' in exchange.body and b'"reasoning_tokens":0' not in exchange.body.replace(b" ", b""):
        raise Undecided(f"{exchange.id} carries reasoning, whose tokens are counted too")


def text(exchange: Exchange) -> str:
    """The text of the first choice, of a whole answer or of a stream's deltas put together.

    Undecided where it is somewhere else than it should be, or no string: the schema's rules say so.
    """
    if exchange.is_stream:
        choices = reading.by_choice(exchange).get(0, [])
        return "".join(_piece(choice) for _, choice in choices)
    return _piece(reading.choices(exchange)[0])


def _piece(choice: Object) -> str:
    value = choice.get("text")
    for name in {"message", "delta"} & choice.keys():
        holder = choice[name]
        value = holder.get("content") or "" if isinstance(holder, dict) else None
    if not isinstance(value, str):
        raise Undecided("a choice has no text that is a string")
    return value


def _usage(exchange: Exchange) -> Object:
    """The usage of a whole answer, or the last one of a stream."""
    values = (
        [chunk.value for chunk in reading.chunks(exchange)]
        if exchange.is_stream
        else [reading.answer(exchange)]
    )
    found = [usage for value in values if (usage := reading.usage(value)) is not None]
    if not found:
        raise Undecided(f"{exchange.id} carries no usage")
    return found[-1]


def _count(usage: Object, name: str, exchange: Exchange) -> int:
    value = reading.count(usage.get(name))
    if value is None:
        raise Undecided(f'"{name}" of {exchange.id} is not a whole number')
    return value
