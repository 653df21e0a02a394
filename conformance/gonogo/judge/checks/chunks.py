"""Chunks in order: constant fields, unique fields, and the last chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.bodies import late, out_of_time
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Chunk, Object


@check('"{field}" is the same in every chunk', Of.BEGUN)
def same_in_every_chunk(exchange: Exchange, field: str) -> Outcome:
    """The field has one value in the whole stream; another rule checks chunks without it."""
    found = [chunk for chunk in reading.chunks(exchange) if chunk.value.get(field) is not None]
    for chunk in found:
        first, value = found[0].value[field], chunk.value[field]
        if value != first:
            return Deviation(f'"{field}" {first!r} throughout', f'"{field}" becomes {value!r}').located(
                exchange, chunk.offset, chunk.end
            )
    return saw(f'chunk with "{field}"', exchange, count=len(found))


@check('"{field}" in every chunk is a string that is not empty', Of.BEGUN)
def never_empty(exchange: Exchange, field: str) -> Outcome:
    """An id or model is not an empty string."""
    seen = 0
    for chunk in reading.chunks(exchange):
        if chunk.value.get(field) == "":
            return Deviation("a string that is not empty", f'"{field}" is ""').located(
                exchange, chunk.offset, chunk.end
            )
        seen += isinstance(chunk.value.get(field), str)
    return saw(f'chunk with "{field}"', exchange, count=seen)


@check('"{field}" in every chunk is a time in seconds', Of.BEGUN)
def chunk_time(exchange: Exchange, field: str) -> Outcome:
    """A Unix time between 2001 and 2096."""
    return _every(exchange, field, out_of_time, f'chunk with "{field}"')


@check('"{field}" in every chunk is about the time in the Date of the stream', Of.BEGUN)
def chunk_now(exchange: Exchange, field: str) -> Outcome:
    """The time is compared with the target's clock, or with the recorder's if the target sends no Date."""
    return _every(exchange, field, late, f'chunk with "{field}" beside a Date')


def _every(
    exchange: Exchange, field: str, wrong: Callable[[object, str, Exchange], Deviation | None], what: str
) -> Outcome:
    chunks = reading.chunks(exchange)
    for chunk in chunks:
        deviation = wrong(chunk.value.get(field), field, exchange)
        if deviation is not None:
            return deviation.located(exchange, chunk.offset, chunk.end)
    return saw(what, exchange, count=len(chunks))


@check("every chunk but the usage chunk has a choice", Of.BEGUN)
def has_choices(exchange: Exchange) -> Outcome:
    """Code that reads choices[0] of each chunk is common (simonw/llm#294)."""
    seen = 0
    for chunk in reading.chunks(exchange):
        if chunk.value.get("choices") == [] and chunk.value.get("usage") is None:
            return Deviation("at least one choice", '"choices" is [] in a chunk without usage').located(
                exchange, chunk.offset, chunk.end
            )
        seen += bool(chunk.choices)
    return saw("chunk with a choice", exchange, count=seen)


@check('the first delta of each choice has the role "assistant"', Of.BEGUN)
def role_first(exchange: Exchange) -> Outcome:
    """The recorded streams begin each choice with the role; some clients drop deltas without it."""
    by_choice = reading.by_choice(exchange)
    for index, choices in sorted(by_choice.items()):
        chunk, choice = choices[0]
        if not isinstance(choice.get("delta"), dict):
            raise undecided(Reason.NO_DELTA, exchange, index=index)
        role = reading.delta(choice).get("role")
        if role != "assistant":
            actual = f"the role {role!r}" if role else "no role"
            return Deviation(
                '"role": "assistant" in the first delta', f"the first delta of choice {index} has {actual}"
            ).located(exchange, chunk.offset, chunk.end)
    return saw("first delta with a role", exchange, count=len(by_choice))


@check("no later delta has a role", Of.BEGUN)
def role_once(exchange: Exchange) -> Outcome:
    """Clients that concatenate deltas get "assistantassistant" (BerriAI/litellm PR#9986)."""
    seen = 0
    for index, choices in sorted(reading.by_choice(exchange).items()):
        later = [(chunk, choice) for chunk, choice in choices[1:] if reading.delta(choice).get("role")]
        if later:
            chunk, _ = later[0]
            return Deviation(
                "a role in the first delta only",
                f"choice {index} repeats the role in {len(later)} later deltas",
            ).located(exchange, chunk.offset, chunk.end)
        seen += sum("delta" in choice for _, choice in choices[1:])
    return saw("later delta", exchange, count=seen)


@check("the first delta of each choice with text has no null content", Of.BEGUN)
def first_content_not_null(exchange: Exchange) -> Outcome:
    """Null is allowed, but some clients fail on it (sgl-project/sglang PR#2026).

    The official API begins a choice with null if a refusal or calls follow instead of text.
    """
    with_text = [
        choices
        for choices in reading.by_choice(exchange).values()
        if any(_adds_text(choice) for _, choice in choices)
    ]
    for choices in with_text:
        chunk, choice = choices[0]
        delta = reading.delta(choice)
        if "content" in delta and delta["content"] is None:
            return Deviation('"content": ""', '"content" is null').located(exchange, chunk.offset, chunk.end)
    return saw("choice with text", exchange, count=len(with_text))


@check("no delta has an empty list of tool calls", Of.BEGUN)
def no_empty_tool_calls(exchange: Exchange) -> Outcome:
    """Without calls there is no list (spring-projects/spring-ai#6441)."""
    seen = 0
    for chunk, choice in _choices(exchange):
        if reading.delta(choice).get("tool_calls") == []:
            return Deviation('no "tool_calls"', '"tool_calls" is []').located(
                exchange, chunk.offset, chunk.end
            )
        seen += isinstance(choice.get("delta"), dict)
    return saw("delta", exchange, count=seen)


@check("each choice finishes exactly once", Of.BEGUN)
def finishes_once(exchange: Exchange) -> Outcome:
    """One finish reason for each choice that began; another rule checks streams that were cut off."""
    reading.unfailed(exchange)
    by_choice = reading.by_choice(exchange)
    for index, choices in sorted(by_choice.items()):
        finished = [chunk for chunk, choice in choices if _finishes(choice)]
        if len(finished) != 1:
            if not finished:
                reading.ended(exchange)
            place = finished[1] if finished else choices[-1][0]
            return Deviation(
                "one finish_reason that is not null", f"choice {index} has {len(finished) or 'none'}"
            ).located(exchange, place.offset, place.end)
    return saw("finish_reason", exchange, count=len(by_choice))


@check("no choice continues after it finished", Of.BEGUN)
def nothing_after_finish(exchange: Exchange) -> Outcome:
    """Clients that stop reading at the finish reason lose later text."""
    seen = 0
    for index, choices in sorted(reading.by_choice(exchange).items()):
        finished = False
        for chunk, choice in choices:
            if finished and _adds_text(choice):
                return Deviation(
                    "no text after the finish_reason", f"choice {index} goes on after it finished"
                ).located(exchange, chunk.offset, chunk.end)
            finished = finished or _finishes(choice)
        seen += finished
    return saw("finished choice", exchange, count=seen)


@check("the chunk that finishes a choice adds no text", Of.BEGUN)
def finish_chunk_is_empty(exchange: Exchange) -> Outcome:
    """Clients that ignore the delta next to a finish reason lose it (vllm-project/vllm#35705)."""
    finishing = [(chunk, choice) for chunk, choice in _choices(exchange) if _finishes(choice)]
    for chunk, choice in finishing:
        if _adds_text(choice):
            return Deviation(
                "an empty delta beside the finish_reason", "the last text comes with it"
            ).located(exchange, chunk.offset, chunk.end)
    return saw("chunk with a finish_reason", exchange, count=len(finishing))


@check("one chunk without choices carries the usage", Of.BEGUN)
def usage_chunk(exchange: Exchange) -> Outcome:
    """stream_options.include_usage adds one chunk whose choices are an empty array; an empty object is not usage."""
    chunks = reading.chunks(exchange)
    carrying = [chunk for chunk in chunks if reading.usage(chunk.value) is not None]
    if not carrying:
        reading.ended(exchange)
        last = chunks[-1]
        return Deviation("a chunk with usage", "no chunk carries usage").located(
            exchange, last.offset, last.end
        )
    last = carrying[-1]
    choices = last.value.get("choices")
    if not isinstance(choices, list):
        raise undecided(Reason.FIELD_NOT, exchange, field="choices", kind="a list")
    if not choices:
        return saw("usage chunk", exchange, count=bool(reading.usage(last.value)))
    return Deviation(
        '"choices": [] in the chunk with usage', f"the chunk with usage has choices: {len(choices)}"
    ).located(exchange, last.offset, last.end)


@check("the usage chunk is the last before the end", Of.BEGUN)
def usage_chunk_last(exchange: Exchange) -> Outcome:
    """The usage chunk is directly before [DONE]."""
    chunks = reading.chunks(exchange)
    place = next((n for n, chunk in enumerate(chunks) if reading.usage(chunk.value) is not None), None)
    if place is None:
        reading.ended(exchange)
        raise undecided(Reason.NO_USAGE, exchange)
    later = [chunk for chunk in chunks[place:] if reading.usage(chunk.value) is None]
    if not later:
        return saw("usage chunk", exchange)
    return Deviation("usage in the last chunk", f"{len(later)} chunks follow it").located(
        exchange, later[0].offset
    )


@check("no other chunk carries usage", Of.BEGUN)
def usage_once(exchange: Exchange) -> Outcome:
    """The other chunks have null or, as in the recorded streams, no usage."""
    carrying = [chunk for chunk in reading.chunks(exchange) if reading.usage(chunk.value) is not None]
    if not carrying:
        reading.ended(exchange)
        raise undecided(Reason.NO_USAGE, exchange)
    if len(carrying) == 1:
        return saw("chunk with usage", exchange)
    first = carrying[0]
    return Deviation("one chunk with usage", f"{len(carrying)} chunks carry it").located(
        exchange, first.offset, first.end
    )


@check('no chunk has "{field}"', Of.BEGUN)
def without(exchange: Exchange, field: str) -> Outcome:
    """The field is absent after the request turned it off."""
    chunks = reading.chunks(exchange)
    for chunk in chunks:
        if chunk.value.get(field):
            return Deviation(f'no "{field}"', reading.field(chunk.value, field)).located(
                exchange, chunk.offset, chunk.end
            )
    return saw("chunk", exchange, count=len(chunks))


@check("no chunk counts tokens", Of.BEGUN)
def no_usage(exchange: Exchange) -> Outcome:
    """It was not requested, and choices[0] of a separate chunk is an IndexError (Arthur-Ficial/apfel#100)."""
    chunks = reading.chunks(exchange)
    for chunk in chunks:
        if reading.usage(chunk.value) is not None:
            where = "in a chunk with choices" if chunk.choices else "in a chunk of its own"
            return Deviation("no usage, as none was asked for", f"there is usage {where}").located(
                exchange, chunk.offset, chunk.end
            )
    return saw("chunk", exchange, count=len(chunks))


def _choices(exchange: Exchange) -> Iterator[tuple[Chunk, Object]]:
    for chunk in reading.chunks(exchange):
        for choice in chunk.choices:
            yield chunk, choice


def _finishes(choice: Object) -> bool:
    """Whether there is a finish reason; "" is not one, and another rule reports it."""
    return choice.get("finish_reason") not in (None, "")


def _adds_text(choice: Object) -> bool:
    return bool(reading.delta(choice).get("content") or choice.get("text"))
