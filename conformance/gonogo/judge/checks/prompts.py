"""Checks on completion prompts: one choice for each, in order, counted, and echoed if requested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.acceptance import accepted, expect_plain
from gonogo.judge.checks.counts import generated, part_counts, prompt_tokens
from gonogo.judge.checks.refusals import not_of_the_model, param_names
from gonogo.judge.outcome import Deviation, saw, unanswered, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Object


@check("there is a choice for each prompt")
def choice_for_each(exchange: Exchange) -> Outcome:
    """The number of choices is the number of prompts times `n`."""
    expected = _asked_for(exchange)
    choices = reading.answer(exchange).get("choices")
    if not isinstance(choices, list):
        raise undecided(Reason.FIELD_NOT, exchange, field="choices", kind="a list")
    found = len(choices)
    if found != expected:
        return Deviation(f"{expected} choices", f"there are {found}")
    texts = [_text(choice, exchange) for choice in reading.choices(exchange)]
    if len(texts) < expected:
        raise undecided(Reason.FEWER_CHOICES, exchange, found=len(texts), number=expected)
    return saw("choice with text", exchange, count=len(texts))


@check("the stream has a choice for each prompt", Of.BEGUN)
def choice_for_each_streamed(exchange: Exchange) -> Outcome:
    """The number of indexes in the chunks is the number of prompts times `n`."""
    expected = _asked_for(exchange)
    found = len(reading.by_choice(exchange))
    if found == expected:
        return saw("streamed choice", exchange, count=found)
    reading.ended(exchange)
    return Deviation(f"chunks of {expected} choices", f"there are chunks of {found}")


@check("each choice begins with the prompt of its index")
def in_order(exchange: Exchange) -> Outcome:
    """Echoed prompts show which choice answers which; undecided without an echo."""
    prompts = _prompts(exchange)
    choices = reading.choices(exchange)
    if {choice.get("index") for choice in choices} != set(range(len(prompts))):
        raise undecided(Reason.NOT_NUMBERED, exchange)
    for choice in choices:
        index, text = choice["index"], _text(choice, exchange)
        echoed = [number for number, prompt in enumerate(prompts) if text.lstrip().startswith(prompt)]
        if not echoed:
            raise undecided(Reason.NO_ECHO, exchange)
        if index not in echoed:
            return Deviation(
                f"the prompt of index {echoed[0]} in the choice of that index", f"it is in choice {index}"
            )
    return saw("choice that begins with its prompt", exchange, count=len(choices))


@check("the text begins with the prompt")
def echoed(exchange: Exchange) -> Outcome:
    """Echo returns the prompt before the text, or is refused."""
    text = _text(reading.choices(exchange)[0], exchange)
    prompt = _prompts(exchange)[0]
    if text.lstrip().startswith(prompt.lstrip()):
        return saw("text that begins with the prompt", exchange)
    return Deviation(f"text that begins with {prompt!r}", f"the text is {text!r}")


@check("the log probabilities cover the prompt")
def prompt_covered(exchange: Exchange) -> Outcome:
    """There are more entries than generated tokens (EleutherAI/lm-evaluation-harness#1411)."""
    entries, most = len(_array(exchange, "tokens")), generated(exchange)
    if entries > most:
        return saw("log probability of a prompt token", exchange, count=entries - most)
    return Deviation(f"more than {most} entries, those of the prompt among them", f"there are {entries}")


@check("the log probability of the first token is null")
def first_is_null(exchange: Exchange) -> Outcome:
    """The first token of a prompt has no predecessor, and therefore no log probability."""
    values = _array(exchange, "token_logprobs")
    if len(values) <= generated(exchange):
        raise undecided(Reason.PROMPT_NOT_COVERED, exchange)
    if values[0] is None:
        return saw("null for the first token", exchange)
    return Deviation("null for the first token", f"it is {values[0]!r}")


@check("the prompt counts {number:d} tokens, give or take {most:d}")
def counted(exchange: Exchange, number: int, most: int) -> Outcome:
    """The number of prompt tokens is that of the given tokens, except those that begin every text."""
    found = prompt_tokens(exchange)
    if abs(found - number) <= most:
        return saw("prompt_tokens", exchange)
    return Deviation(f"prompt_tokens {number}, give or take {most}", f"prompt_tokens is {found}")


@compare("the last counts about {factor:d} times the prompt tokens of the first")
def counted_for_each(*exchanges: Exchange, factor: int) -> Outcome:
    """Every prompt of a list is counted, with a tolerance of one token each."""
    once, several = prompt_tokens(exchanges[0]), prompt_tokens(exchanges[-1])
    if abs(several - factor * once) > factor:
        return Deviation(f"prompt_tokens about {factor * once}", f"prompt_tokens is {several}")
    if not once or not several:
        raise undecided(Reason.NO_COUNT, exchanges[-1 if once else 0], field="prompt_tokens")
    return saw("prompt_tokens", exchanges[0], exchanges[-1])


@compare("the {part} counts as tokens of the prompt, or is refused by its name", Of.ANY)
def counts_or_named(plain: Exchange, last: Exchange, part: str) -> Outcome:
    """An accepted part makes the prompt longer than without it; a refused one is named."""
    if accepted(last):
        return _counted(plain, last, part)
    if last.status is None or last.status in {401, 403, 429} or last.status >= 500:
        raise unanswered(last)
    not_of_the_model(last)
    return param_names(last, part)


def _counted(plain: Exchange, last: Exchange, part: str) -> Outcome:
    for exchange in (plain, last):
        if exchange.failure is not None:
            raise unanswered(exchange)
    expect_plain(plain)
    return part_counts(plain, last, part=part)


def _asked_for(exchange: Exchange) -> int:
    body = _body(exchange)
    return len(_prompts(exchange)) * (reading.count(body.get("n")) or 1)


def _prompts(exchange: Exchange) -> list[str]:
    """The prompts of the request; for tokens, their numbers as text."""
    prompt = _body(exchange).get("prompt")
    if not isinstance(prompt, list):
        return [str(prompt)]
    if prompt and isinstance(prompt[0], int):
        return [str(prompt)]
    return [str(item) for item in prompt]


def _body(exchange: Exchange) -> Object:
    body = exchange.request.json
    assert isinstance(body, dict)
    return body


def _text(choice: Object, exchange: Exchange) -> str:
    text = choice.get("text")
    if not isinstance(text, str):
        raise undecided(Reason.FIELD_NOT, exchange, field="choices[].text", kind="a string")
    return text


def _array(exchange: Exchange, name: str) -> list[object]:
    logprobs = reading.choices(exchange)[0].get("logprobs")
    if not isinstance(logprobs, dict):
        raise undecided(Reason.NO_LOGPROBS, exchange)
    found = logprobs.get(name)
    if not isinstance(found, list) or not found:
        raise undecided(Reason.LOGPROBS_OF_OTHER_FORM, exchange, field=name)
    return found
