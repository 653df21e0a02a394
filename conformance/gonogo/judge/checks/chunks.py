"""Chunks in their order: what stays the same, what comes once, and what comes last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.bodies import out_of_time
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Chunk, Object


@check('"{field}" is the same in every chunk', Of.BEGUN)
def same_in_every_chunk(exchange: Exchange, field: str) -> Deviation | None:
    """One value through the whole stream; chunks that lack the field are another rule's matter."""
    first: object = None
    for chunk in reading.chunks(exchange):
        value = chunk.value.get(field)
        if value is None:
            continue
        first = value if first is None else first
        if value != first:
            return Deviation(f'"{field}" {first!r} throughout', f'"{field}" becomes {value!r}').at(
                exchange, chunk.offset, chunk.end
            )
    if first is None:
        raise Undecided(f'no chunk of {exchange.id} has "{field}"')
    return None


@check('"{field}" in every chunk is a string that is not empty', Of.BEGUN)
def never_empty(exchange: Exchange, field: str) -> Deviation | None:
    """An empty id or model names nothing."""
    for chunk in reading.chunks(exchange):
        if chunk.value.get(field) == "":
            return Deviation("a string that is not empty", f'"{field}" is ""').at(
                exchange, chunk.offset, chunk.end
            )
    return None


@check('"{field}" in every chunk is a time in seconds', Of.BEGUN)
def chunk_time(exchange: Exchange, field: str) -> Deviation | None:
    """A Unix time between 2001 and 2096."""
    for chunk in reading.chunks(exchange):
        deviation = out_of_time(chunk.value.get(field), field, exchange)
        if deviation is not None:
            return deviation.at(exchange, chunk.offset, chunk.end)
    return None


@check("every chunk but the usage chunk has a choice", Of.BEGUN)
def has_choices(exchange: Exchange) -> Deviation | None:
    """Code that reads choices[0] of each chunk is everywhere (simonw/llm#294)."""
    for chunk in reading.chunks(exchange):
        if chunk.value.get("choices") == [] and reading.usage(chunk.value) is None:
            return Deviation("at least one choice", '"choices" is [] in a chunk without usage').at(
                exchange, chunk.offset, chunk.end
            )
    return None


@check('the first delta of each choice has the role "assistant"', Of.BEGUN)
def role_first(exchange: Exchange) -> Deviation | None:
    """The recorded streams begin each choice with it; some clients drop what comes without."""
    for index, choices in sorted(reading.by_choice(exchange).items()):
        chunk, choice = choices[0]
        if not isinstance(choice.get("delta"), dict):
            raise Undecided(f"the first chunk of choice {index} has no delta")
        role = reading.delta(choice).get("role")
        if role != "assistant":
            actual = f"the role {role!r}" if role else "no role"
            return Deviation(
                '"role": "assistant" in the first delta', f"the first delta of choice {index} has {actual}"
            ).at(exchange, chunk.offset, chunk.end)
    return None


@check("no later delta has a role", Of.BEGUN)
def role_once(exchange: Exchange) -> Deviation | None:
    """Clients that put deltas together get "assistantassistant" (BerriAI/litellm PR#9986)."""
    for index, choices in sorted(reading.by_choice(exchange).items()):
        later = [(chunk, choice) for chunk, choice in choices[1:] if reading.delta(choice).get("role")]
        if later:
            chunk, _ = later[0]
            return Deviation(
                "a role in the first delta only",
                f"choice {index} repeats the role in {len(later)} later deltas",
            ).at(exchange, chunk.offset, chunk.end)
    return None


@check("the first delta of each choice with text has no null content", Of.BEGUN)
def first_content_not_null(exchange: Exchange) -> Deviation | None:
    """Null is legal, and some clients fail on it (sgl-project/sglang PR#2026).

    The API itself begins a choice with null where a refusal or calls follow, and no text.
    """
    for choices in reading.by_choice(exchange).values():
        chunk, choice = choices[0]
        delta = reading.delta(choice)
        has_text = any(_adds_text(later) for _, later in choices)
        if has_text and "content" in delta and delta["content"] is None:
            return Deviation('"content": ""', '"content" is null').at(exchange, chunk.offset, chunk.end)
    return None


@check("no delta has an empty list of tool calls", Of.BEGUN)
def no_empty_tool_calls(exchange: Exchange) -> Deviation | None:
    """No calls, no list (spring-projects/spring-ai#6441)."""
    for chunk, choice in _choices(exchange):
        if reading.delta(choice).get("tool_calls") == []:
            return Deviation('no "tool_calls"', '"tool_calls" is []').at(exchange, chunk.offset, chunk.end)
    return None


@check("each choice finishes exactly once", Of.BEGUN)
def finishes_once(exchange: Exchange) -> Deviation | None:
    """One finish reason for each choice that began; a stream that broke off is another rule's matter."""
    reading.ended(exchange)
    for index, choices in sorted(reading.by_choice(exchange).items()):
        finished = [chunk for chunk, choice in choices if _finishes(choice)]
        if len(finished) != 1:
            place = finished[1] if finished else choices[-1][0]
            return Deviation(
                "one finish_reason that is not null", f"choice {index} has {len(finished) or 'none'}"
            ).at(exchange, place.offset, place.end)
    return None


@check("no choice goes on after it finished", Of.BEGUN)
def nothing_after_finish(exchange: Exchange) -> Deviation | None:
    """Text after the finish reason is lost on clients that stop reading there."""
    for index, choices in sorted(reading.by_choice(exchange).items()):
        finished = False
        for chunk, choice in choices:
            if finished and _adds_text(choice):
                return Deviation(
                    "no text after the finish_reason", f"choice {index} goes on after it finished"
                ).at(exchange, chunk.offset, chunk.end)
            finished = finished or _finishes(choice)
    return None


@check("the chunk that finishes a choice adds no text", Of.BEGUN)
def finish_chunk_is_empty(exchange: Exchange) -> Deviation | None:
    """Clients that ignore the delta beside a finish reason lose it (vllm-project/vllm#35705)."""
    for chunk, choice in _choices(exchange):
        if _finishes(choice) and _adds_text(choice):
            return Deviation("an empty delta beside the finish_reason", "the last text comes with it").at(
                exchange, chunk.offset, chunk.end
            )
    return None


@check("one chunk without choices carries the usage", Of.BEGUN)
def usage_chunk(exchange: Exchange) -> Deviation | None:
    """stream_options.include_usage adds one chunk whose choices are an empty array."""
    chunks = reading.chunks(exchange)
    carrying = [chunk for chunk in chunks if reading.usage(chunk.value) is not None]
    if not carrying:
        reading.ended(exchange)
        last = chunks[-1]
        return Deviation("a chunk with usage", "no chunk carries usage").at(exchange, last.offset, last.end)
    last = carrying[-1]
    choices = last.value.get("choices")
    if not isinstance(choices, list):
        raise Undecided(f"the chunk of {exchange.id} with usage has no list of choices")
    if not choices:
        return None
    return Deviation(
        '"choices": [] in the chunk with usage', f"the chunk with usage has choices: {len(choices)}"
    ).at(exchange, last.offset, last.end)


@check("the usage chunk is the last before the end", Of.BEGUN)
def usage_chunk_last(exchange: Exchange) -> Deviation | None:
    """Directly before [DONE]."""
    chunks = reading.chunks(exchange)
    place = next((n for n, chunk in enumerate(chunks) if reading.usage(chunk.value) is not None), None)
    if place is None:
        raise Undecided(f"{exchange.id} carries no usage")
    later = [chunk for chunk in chunks[place:] if reading.usage(chunk.value) is None]
    if not later:
        return None
    return Deviation("usage in the last chunk", f"{len(later)} chunks follow it").at(
        exchange, later[0].offset
    )


@check("no other chunk carries usage", Of.BEGUN)
def usage_once(exchange: Exchange) -> Deviation | None:
    """The others have null or, as the recorded streams, no usage."""
    carrying = [chunk for chunk in reading.chunks(exchange) if reading.usage(chunk.value) is not None]
    if not carrying:
        raise Undecided(f"{exchange.id} carries no usage")
    if len(carrying) == 1:
        return None
    first = carrying[0]
    return Deviation("one chunk with usage", f"{len(carrying)} chunks carry it").at(
        exchange, first.offset, first.end
    )


@check('no chunk has "{field}"', Of.BEGUN)
def without(exchange: Exchange, field: str) -> Deviation | None:
    """What was switched off does not come."""
    for chunk in reading.chunks(exchange):
        if chunk.value.get(field):
            return Deviation(f'no "{field}"', reading.field(chunk.value, field)).at(
                exchange, chunk.offset, chunk.end
            )
    return None


@check("no chunk is there for usage only", Of.BEGUN)
def no_usage_chunk(exchange: Exchange) -> Deviation | None:
    """Nobody asked for it, and choices[0] of it is an IndexError (Arthur-Ficial/apfel#100)."""
    for chunk in reading.chunks(exchange):
        if chunk.value.get("choices") == [] and reading.usage(chunk.value) is not None:
            return Deviation("no usage chunk, as none was asked for", "there is one").at(
                exchange, chunk.offset, chunk.end
            )
    return None


def _choices(exchange: Exchange) -> Iterator[tuple[Chunk, Object]]:
    for chunk in reading.chunks(exchange):
        for choice in chunk.choices:
            yield chunk, choice


def _finishes(choice: Object) -> bool:
    """Whether a reason is given; "" gives none, and is wrong by a rule of its own."""
    return choice.get("finish_reason") not in (None, "")


def _adds_text(choice: Object) -> bool:
    return bool(reading.delta(choice).get("content") or choice.get("text"))
