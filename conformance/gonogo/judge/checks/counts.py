"""Checks on usage: token counts are consistent, within the limit, and equal in all forms of one request."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.acceptance import accepted
from gonogo.judge.outcome import Deviation, Stop, saw, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.judge.surfaces import READERS
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Object

PARTS = {
    "prompt_tokens": ("cached_tokens", "audio_tokens"),
    "completion_tokens": ("reasoning_tokens", "audio_tokens"),
}
SURFACES = frozenset({"/responses", "/messages"})
"""Paths whose answers have their own readers."""
MOST_WORDS = 2
"""The most words in one token: some vocabularies have tokens of two words."""
UNPROMPTED = frozenset(
    {
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "n",
        "seed",
        "stop",
        "logit_bias",
        "logprobs",
    }
    | {"top_logprobs", "presence_penalty", "frequency_penalty", "stream", "user", "metadata", "store"}
    | {"service_tier", "safety_identifier", "prompt_cache_key"}
)
"""Members of a request that no template reads."""
FIELDS = ("prompt_tokens", "completion_tokens", "total_tokens")


@check("the answer carries usage")
def has_usage(exchange: Exchange) -> Outcome:
    """OpenAI always sends usage, although its schema does not require it. An empty object is not usage."""
    answer = reading.answer(exchange)
    value = answer.get("usage")
    if isinstance(value, dict):
        return saw("field of usage", exchange, count=len(value))
    what = "null" if value is None else repr(value)
    return Deviation('a "usage" object', f'"usage" is {what if "usage" in answer else "missing"}')


@check("the total is the sum of prompt and completion tokens", Of.BEGUN)
def total_is_sum(exchange: Exchange) -> Outcome:
    """total_tokens = prompt_tokens + completion_tokens."""
    usage = _usage(exchange)
    prompt, completion, total = (_count(usage, name, exchange) for name in FIELDS)
    if total == prompt + completion:
        return saw("total_tokens", exchange)
    return Deviation(
        f"total_tokens {prompt} + {completion} = {prompt + completion}", f"total_tokens is {total}"
    )


@check("prompt tokens were counted", Of.BEGUN)
def prompt_counted(exchange: Exchange) -> Outcome:
    """Every prompt of the suite has tokens; the schema rule checks negative counts."""
    prompt = _count(_usage(exchange), "prompt_tokens", exchange)
    if prompt == 0:
        return Deviation("prompt_tokens above 0", "prompt_tokens is 0")
    return saw("prompt_tokens", exchange)


@check("no part of the token counts exceeds its total", Of.BEGUN)
def parts_within(exchange: Exchange) -> Outcome:
    """Cached tokens are part of the prompt, reasoning tokens part of the completion; other details may be anything.

    The schema rule checks negative totals.
    """
    usage, seen = _counts(exchange) or {}, 0
    for whole, parts in PARTS.items():
        details, most = usage.get(f"{whole}_details"), reading.count(usage.get(whole))
        for name in parts:
            part = reading.count(details.get(name)) if isinstance(details, dict) else None
            if part is None or most is None or most < 0:
                continue
            if part > most:
                return Deviation(f"{name} of at most the {most} of {whole}", f"{name} is {part}")
            seen += 1
    if not seen:
        raise undecided(Reason.NO_DETAILS, exchange)
    return saw("part of a token count", exchange, count=seen)


@check("no more than {limit:d} completion tokens were generated", Of.BEGUN)
def within_limit(exchange: Exchange, limit: int) -> Outcome:
    """The token limit is kept; without counts, more than two words for each token exceed it."""
    echoed = exchange.request.fields.get("echo") is True
    if (
        not echoed
        and _counts(exchange) is None
        and (words := len(text(exchange).split())) > limit * MOST_WORDS
    ):
        return Deviation(f"at most {limit} completion tokens", f"the text has {words} words")
    completion = _count(_usage(exchange), "completion_tokens", exchange)
    if completion <= limit:
        return saw("completion_tokens", exchange)
    return Deviation(f"at most {limit} completion tokens", f"completion_tokens is {completion}")


@check("of the limits {older:d} and {newer:d} the newer one applies", Of.BEGUN)
def newer_limit_holds(exchange: Exchange, older: int, newer: int) -> Outcome:
    """If neither limit is kept, all limits are ignored, which other rules check."""
    completion = _count(_usage(exchange), "completion_tokens", exchange)
    if completion > older:
        raise undecided(Reason.LIMIT_PASSED, exchange, found=completion, limit=older)
    return within_limit(exchange, newer)


@check("completion tokens are counted if there is text", Of.BEGUN)
def completion_counted(exchange: Exchange) -> Outcome:
    """Generated text has a token count above 0."""
    if not text(exchange):
        raise undecided(Reason.NO_TEXT, exchange)
    completion = _count(_usage(exchange), "completion_tokens", exchange)
    if completion == 0:
        return Deviation("completion_tokens above 0", "completion_tokens is 0")
    return saw("completion_tokens", exchange)


@compare("prompt tokens agree", Of.BEGUN)
def prompt_tokens_agree(*exchanges: Exchange) -> Outcome:
    """The same prompt has the same number of tokens in every form of the request."""
    counts = [_count(_usage(exchange), "prompt_tokens", exchange) for exchange in exchanges]
    if len(set(counts)) == 1:
        return saw("prompt_tokens", *exchanges)
    return Deviation("the same prompt_tokens", "prompt_tokens is " + " and then ".join(map(str, counts)))


@compare("prompt tokens differ by {most:d} at most", Of.BEGUN)
def prompt_tokens_near(*exchanges: Exchange, most: int) -> Outcome:
    """Two forms of one prompt; a template may add a line break around one of them."""
    counts = [_count(_usage(exchange), "prompt_tokens", exchange) for exchange in exchanges]
    if max(counts) - min(counts) <= most:
        return saw("prompt_tokens", *exchanges)
    return Deviation(
        f"prompt_tokens {counts[0]}, give or take {most}",
        "prompt_tokens is " + " and then ".join(map(str, counts)),
    )


@compare("the {part} counts as tokens of the prompt")
def part_counts(*exchanges: Exchange, part: str) -> Outcome:
    """The prompt has more tokens with the part than without it; if not, the part was ignored."""
    without, both = map(prompt_tokens, exchanges)
    if without == 0:
        raise undecided(Reason.NO_COUNT, exchanges[0], field="prompt_tokens")
    if both > without:
        return saw("prompt_tokens", *exchanges)
    return Deviation(f"more than the {without} prompt tokens without the {part}", f"prompt_tokens is {both}")


@compare("each prompt always has the same number of tokens", Of.ANY)
def one_number_each(*exchanges: Exchange) -> Outcome:
    """Caching and parallel requests do not change the count; it may include the prompt once for each choice."""
    counted: dict[str, list[tuple[Exchange, int]]] = {}
    for exchange in exchanges:
        if (count := _prompt_count(exchange)) is not None:
            counted.setdefault(_prompt(exchange), []).append((exchange, count))
    repeated = [found for found in counted.values() if len(found) > 1]
    for found in repeated:
        usual = Counter(count for _, count in found).most_common(1)[0][0]
        other = next((pair for pair in found if pair[1] != usual), None)
        if other is not None:
            first = next(exchange for exchange, count in found if count == usual)
            places = [(other[0].id, f"prompt_tokens is {other[1]}"), (first.id, f"prompt_tokens is {usual}")]
            return Deviation(
                f"the {usual} prompt_tokens of another answer",
                f"prompt_tokens is {other[1]}",
                also=tuple(places),
            )
    return saw("prompt_tokens", *(exchange for found in repeated for exchange, _ in found))


def _prompt(exchange: Exchange) -> str:
    """Everything in a request that may become part of the prompt, as text; null fields are omitted."""
    asked = exchange.request.fields
    return json.dumps(
        [(name, asked[name]) for name in sorted(asked.keys() - UNPROMPTED) if asked[name] is not None]
    )


def _prompt_count(exchange: Exchange) -> int | None:
    """prompt_tokens of an answer with one choice; None if they are missing, or 0, which another rule checks."""
    several = exchange.request.fields.get("n") not in {None, 1}
    if not accepted(exchange) or exchange.failure is not None or several:
        return None
    try:
        return prompt_tokens(exchange) or None
    except Stop:
        return None


def generated(exchange: Exchange) -> int:
    """completion_tokens of a complete answer, or of the last usage of a stream. Raises Stop if they are missing."""
    return _count(_usage(exchange), "completion_tokens", exchange)


def prompt_tokens(exchange: Exchange) -> int:
    """prompt_tokens of a complete answer, or of the last usage of a stream. Raises Stop if they are missing."""
    return _count(_usage(exchange), "prompt_tokens", exchange)


def refuse_reasoning(exchange: Exchange) -> None:
    """Raise Stop if there are reasoning tokens, whose number varies."""
    if b'"reasoning' in exchange.body and b'"reasoning_tokens":0' not in exchange.body.replace(b" ", b""):
        raise undecided(Reason.REASONING, exchange)


def text(exchange: Exchange) -> str:
    """The text of the first choice, of a whole answer or joined from the deltas of a stream.

    Raises Stop if it is not a string or in another field: schema rules check that. Surfaces other than chat have their
    own readers.
    """
    if exchange.request.operation in SURFACES:
        return READERS[exchange.request.operation](exchange).text
    if exchange.is_stream:
        choices = reading.by_choice(exchange).get(0, [])
        return "".join(_piece(exchange, choice) for _, choice in choices if not _adds_nothing(choice))
    return _piece(exchange, reading.choices(exchange)[0])


def all_of_it(exchange: Exchange) -> None:
    """Raise Stop if a missing part of a stream might have followed; never for a complete answer."""
    if exchange.is_stream:
        reading.ended(exchange)


def _adds_nothing(choice: Object) -> bool:
    """Whether the delta of a chunk is null or missing, which is wrong but loses no text."""
    return all(choice.get(name) is None for name in ("delta", "message", "text"))


def _piece(exchange: Exchange, choice: Object) -> str:
    value = choice.get("text")
    for name in {"message", "delta"} & choice.keys():
        holder = choice[name]
        value = holder.get("content") or "" if isinstance(holder, dict) else None
    if not isinstance(value, str):
        raise undecided(
            Reason.FIELD_NOT, exchange, field="content" if "text" not in choice else "text", kind="a string"
        )
    return value


def piece(choice: Object) -> str:
    """The text of a choice in a complete answer or a chunk; "" if it has none, or if it is not a string."""
    holder = next((choice[name] for name in ("message", "delta") if isinstance(choice.get(name), dict)), None)
    value = choice.get("text") if holder is None else holder.get("content")
    return value if isinstance(value, str) else ""


def _usage(exchange: Exchange) -> Object:
    """The usage of a whole answer, or the last one of a stream."""
    found = _counts(exchange)
    if found is None:
        all_of_it(exchange)
        raise undecided(Reason.NO_USAGE, exchange)
    return found


def _counts(exchange: Exchange) -> Object | None:
    values = (
        [chunk.value for chunk in reading.chunks(exchange)]
        if exchange.is_stream
        else [reading.answer(exchange)]
    )
    return next((usage for value in reversed(values) if (usage := reading.usage(value)) is not None), None)


def _count(usage: Object, name: str, exchange: Exchange) -> int:
    value = reading.count(usage.get(name))
    if value is None:
        raise undecided(Reason.FIELD_NOT, exchange, field=name, kind="a whole number")
    return value
