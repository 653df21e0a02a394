"""Prompts of completions: one choice for each, in order, counted, and given back where they are echoed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.acceptance import accepted, said_instead
from gonogo.judge.checks.counts import generated, part_counts, prompt_tokens
from gonogo.judge.checks.refusals import not_of_the_model, param_names
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check, compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Object


@check("there is a choice for each prompt")
def choice_for_each(exchange: Exchange) -> Deviation | None:
    """As many choices as prompts, times `n`."""
    expected = _asked_for(exchange)
    choices = reading.answer(exchange).get("choices")
    if not isinstance(choices, list):
        raise Undecided(f"{exchange.id} has no list of choices")
    found = len(choices)
    return None if found == expected else Deviation(f"{expected} choices", f"there are {found}")


@check("the stream has a choice for each prompt", Of.BEGUN)
def choice_for_each_streamed(exchange: Exchange) -> Deviation | None:
    """Chunks of as many indexes as there are prompts, times `n`."""
    expected = _asked_for(exchange)
    found = len(reading.by_choice(exchange))
    if found == expected:
        return None
    reading.ended(exchange)
    return Deviation(f"chunks of {expected} choices", f"there are chunks of {found}")


@check("each choice begins with the prompt of its index")
def in_order(exchange: Exchange) -> Deviation | None:
    """Echoed prompts show which choice answers which; undecided where nothing is echoed."""
    prompts = _prompts(exchange)
    choices = reading.choices(exchange)
    if {choice.get("index") for choice in choices} != set(range(len(prompts))):
        raise Undecided(f"the choices of {exchange.id} are not numbered from 0")
    for choice in choices:
        index, text = choice["index"], _text(choice, exchange)
        echoed = [number for number, prompt in enumerate(prompts) if text.lstrip().startswith(prompt)]
        if not echoed:
            raise Undecided(f"a choice of {exchange.id} begins with no prompt, though an echo was asked for")
        if index not in echoed:
            return Deviation(
                f"the prompt of index {echoed[0]} in the choice of that index", f"it is in choice {index}"
            )
    return None


@check("the text begins with the prompt")
def echoed(exchange: Exchange) -> Deviation | None:
    """Echo returns the prompt before the text, or is refused."""
    text = _text(reading.choices(exchange)[0], exchange)
    prompt = _prompts(exchange)[0]
    if text.lstrip().startswith(prompt.lstrip()):
        return None
    return Deviation(f"text that begins with {prompt!r}", f"the text is {text!r}")


@check("the log probabilities cover the prompt")
def prompt_covered(exchange: Exchange) -> Deviation | None:
    """More entries than tokens were generated (EleutherAI/lm-evaluation-harness#1411)."""
    entries, most = len(_array(exchange, "tokens")), generated(exchange)
    if entries > most:
        return None
    return Deviation(f"more than {most} entries, those of the prompt among them", f"there are {entries}")


@check("the log probability of the first token is null")
def first_is_null(exchange: Exchange) -> Deviation | None:
    """Nothing comes before the first token of a prompt that it could follow from."""
    values = _array(exchange, "token_logprobs")
    if len(values) <= generated(exchange):
        raise Undecided(f"the log probabilities of {exchange.id} do not cover the prompt")
    return None if values[0] is None else Deviation("null for the first token", f"it is {values[0]!r}")


@check("the prompt counts {number:d} tokens, give or take {most:d}")
def counted(exchange: Exchange, number: int, most: int) -> Deviation | None:
    """Tokens that were given are the tokens of the prompt, but for those that begin every text."""
    found = prompt_tokens(exchange)
    if abs(found - number) <= most:
        return None
    return Deviation(f"prompt_tokens {number}, give or take {most}", f"prompt_tokens is {found}")


@compare("the last counts about {factor:d} times the prompt tokens of the first")
def counted_for_each(*exchanges: Exchange, factor: int) -> Deviation | None:
    """Every prompt of a list is counted; give or take a token for each."""
    once, several = prompt_tokens(exchanges[0]), prompt_tokens(exchanges[-1])
    if abs(several - factor * once) <= factor:
        return None
    return Deviation(f"prompt_tokens about {factor * once}", f"prompt_tokens is {several}")


@compare("the {part} counts as tokens of the prompt, or is refused by its name", Of.ANY)
def counts_or_named(plain: Exchange, last: Exchange, part: str) -> Deviation | None:
    """What is taken is read, so that the prompt is longer than without it; what is not taken is named."""
    if accepted(last):
        return _counted(plain, last, part)
    if last.status is None or last.status in {401, 403, 429} or last.status >= 500:
        raise Undecided(said_instead(last))
    not_of_the_model(last)
    return param_names(last, part)


def _counted(plain: Exchange, last: Exchange, part: str) -> Deviation | None:
    for exchange in (plain, last):
        if exchange.failure is not None or not accepted(exchange):
            raise Undecided(said_instead(exchange))
    return part_counts(plain, last, part=part)


def _asked_for(exchange: Exchange) -> int:
    body = _body(exchange)
    return len(_prompts(exchange)) * (reading.count(body.get("n")) or 1)


def _prompts(exchange: Exchange) -> list[str]:
    """The prompts as they were asked; for tokens, their numbers as text."""
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
        raise Undecided(f"a choice of {exchange.id} has no text that is a string")
    return text


def _array(exchange: Exchange, name: str) -> list[object]:
    logprobs = reading.choices(exchange)[0].get("logprobs")
    found = logprobs.get(name) if isinstance(logprobs, dict) else None
    if not isinstance(found, list) or not found:
        raise Undecided(f"{exchange.id} has no log probabilities in the form of completions")
    return found
