"""Defects of streams: framing and ends; `deltas` covers the text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge import kinds, reading
from gonogo.judge.causes import deltas
from gonogo.judge.causes.diagnosis import Diagnosis, Sighting, among, broken, ignoring
from gonogo.judge.causes.observations import GENERATIONS, quoted, succeeded
from gonogo.judge.outcome import Stop, position
from gonogo.stimuli.fuzzed import is_fuzzed

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.causes.observations import Observations
    from gonogo.verdict import Judgement

FEWEST = 3
"""The minimum number of streams of an operation that must all fail."""

OF_FRAMES = (
    "stream.*",
    "chat.stream.*",
    "completions.stream.*",
    "*.streamed",
    "completions.prompt.stream",
    "tools.stream.*",
    "stop.stream.*",
    "stop.completions.stream*",
    "text.*",
    "logprobs.*",
    "structured.*",
    "sampling.effect.*",
    "completions.echo.stream*",
    "http.complete",
    "clients.*",
)
"""Rules about events, independent of their data."""


def _two_in_one(observed: Observations) -> Sighting | None:
    for stream in _event_streams(observed):
        for event in reading.stream(stream).events:
            number = _values(event.data)
            if number > 1:
                hit = [s.id for s in _event_streams(observed) if _has_several(s)]
                what = "a chunk and [DONE]" if event.data.endswith(reading.DONE) else "JSON values"
                seen = f"the data of one event holds {number} values: {what}"
                ordered = dict.fromkeys([stream.id, *hit])
                return Sighting(seen, tuple(ordered), position(stream, event.offset, event.end))
    return None


def _has_several(stream: Exchange) -> bool:
    return any(_values(event.data) > 1 for event in reading.stream(stream).events)


def _values(data: str) -> int:
    """The number of consecutive JSON values in the data, including [DONE]; 0 if it has anything else."""
    decoder, rest = json.JSONDecoder(), data.strip().removesuffix(reading.DONE).strip()
    number = int(data.strip().endswith(reading.DONE))
    rest = rest.replace("\ndata:", "\n")
    while rest:
        try:
            _, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError):
            return 0
        number, rest = number + 1, rest[end:].strip()
    return number


def _event_streams(observed: Observations) -> list[Exchange]:
    return [exchange for exchange in observed.accepted if exchange.is_stream and exchange.body]


def _one_index(observed: Observations) -> Sighting | None:
    def finishes_often(stream: Exchange) -> str | None:
        fields = stream.request.fields
        prompts = fields.get("prompt")
        several = isinstance(prompts, list) and any(isinstance(prompt, str | list) for prompt in prompts)
        asked = (reading.count(fields.get("n")) or 1) * (
            len(prompts) if several and isinstance(prompts, list) else 1
        )
        try:
            found = reading.by_choice(stream)
        except Stop:
            return None
        if asked < 2 or len(found) != 1:
            return None
        (index, choices), *_ = found.items()
        ends = sum(choice.get("finish_reason") not in (None, "") for _, choice in choices)
        if ends != asked:
            return None
        return f"{asked} choices were requested, and the only index is {index}, which finishes {ends} times"

    return among(observed.streams, finishes_often)


def _cut(observed: Observations) -> Sighting | None:
    def ends_early(stream: Exchange) -> str | None:
        if stream.failure is not None and stream.failure.kind is FailureKind.TIMEOUT:
            return None  # reading stopped before its end
        events = reading.stream(stream).events
        if not events or reading.has_error(stream) or any(event.data == reading.DONE for event in events):
            return None
        try:
            chunks = reading.chunks(stream)
        except Stop:
            return None
        if any(choice.get("finish_reason") for chunk in chunks for choice in chunk.choices):
            return None
        how = stream.failure.message if stream.failure is not None else "the response just ends"
        return f"after {len(chunks)} chunks {how}, without a finish_reason, [DONE] or an error event"

    return among(observed.streams, ends_early)


def _json_lines(observed: Observations) -> Sighting | None:
    def bare(exchange: Exchange) -> str | None:
        if exchange.request.fields.get("stream") is not True or b"data:" in exchange.body:
            return None
        lines = [line for line in exchange.body.splitlines() if line.strip() and line.strip() != b"[DONE]"]
        if len(lines) < 2 or not all(line.lstrip().startswith(b"{") for line in lines):
            return None
        return f"{len(lines)} lines of JSON without data: before them"

    return among(observed.accepted, bare)


def _whole_for_stream(observed: Observations) -> Sighting | None:
    def is_whole(exchange: Exchange) -> str | None:
        if (
            exchange.request.fields.get("stream") is not True
            or exchange.is_stream
            or not kinds.of_its_kind(exchange)
        ):
            return None
        return "stream true was accepted, but the answer is one JSON object"

    return among(observed.accepted, is_whole)


def _all_fail(observed: Observations) -> Sighting | None:
    """Every stream of an operation failed, while its complete answers succeeded."""
    failed = [exchange for path in GENERATIONS for exchange in _failures(observed, path)]
    if not failed:
        return None
    first = failed[0]
    how = first.failure.message if first.failure is not None else f"status {first.status}"
    return Sighting(f"all {len(failed)} streams failed ({how})", tuple(e.id for e in failed))


def _failures(observed: Observations, path: str) -> list[Exchange]:
    """The streams of an operation if all of them failed and its complete answers succeeded; else none."""
    asked = [
        exchange
        for exchange in observed.exchanges.values()
        if exchange.request.path == path
        and exchange.request.fields.get("stream") is True
        and not is_fuzzed(exchange.stimulus)
    ]
    failed = [exchange for exchange in asked if _failed(exchange)]
    works = any(exchange.request.path == path for exchange in observed.wholes)
    whole = any(succeeded(exchange) and not _failed(exchange) for exchange in asked)
    return failed if len(failed) >= FEWEST and works and not whole else []


def _failed(exchange: Exchange) -> bool:
    if exchange.status is None or exchange.status >= 500:
        return True
    return exchange.is_stream and succeeded(exchange) and reading.has_error(exchange)


def _empty_first(observed: Observations) -> Sighting | None:
    def begins_empty(stream: Exchange) -> str | None:
        first = reading.chunks(stream)[0].value
        if first.get("choices") == [] and first.get("id") == "":
            return 'the first chunk has "choices": [] and an empty id'
        return None

    return among(observed.streams, begins_empty)


def _finish_in_every_chunk(observed: Observations) -> Sighting | None:
    def always(stream: Exchange) -> str | None:
        reasons = [
            choice.get("finish_reason") for chunk in reading.chunks(stream) for choice in chunk.choices
        ]
        if len(reasons) < 3 or not all(isinstance(reason, str) and reason for reason in reasons):
            return None
        return f"all {len(reasons)} chunks of one stream have a finish_reason, the first {quoted(str(reasons[0]))}"

    return among(observed.streams, always)


def _counted_with_choices(observed: Observations, judgement: Judgement) -> bool:
    """A chunk has usage and choices."""
    chunks = reading.chunks(observed.shown(judgement))
    return any(reading.usage(chunk.value) is not None and bool(chunk.choices) for chunk in chunks)


DIAGNOSES = (
    Diagnosis(
        "all-streams-fail",
        "Every stream fails, but whole answers work",
        "every streaming client",
        ("*stream*", "text.*", "structured.*", "http.*", "clients.*", "tools.*", "errors.token_limit.*"),
        _all_fail,
    ),
    Diagnosis(
        "json-lines",
        "Streams are JSON lines instead of server-sent events",
        "every SSE client: openai-python and openai-node deliver nothing",
        OF_FRAMES,
        _json_lines,
    ),
    Diagnosis(
        "stream-ignored",
        "stream true is accepted and ignored",
        "openai-python, openai-node, litellm and @ai-sdk/openai silently deliver nothing; the others raise",
        (*OF_FRAMES, "*.stream*", "*.refused.stream_*", "errors.status.stream_string"),
        ignoring(_whole_for_stream, "stream", "stream_options"),
    ),
    Diagnosis(
        "two-events-in-one",
        "One event contains two chunks",
        "every client parses the data of an event as one JSON value and raises",
        (*OF_FRAMES, "http.names"),
        _two_in_one,
    ),
    Diagnosis(
        "empty-first-chunk",
        "The first chunk has no choices, id and model",
        "code that reads choices[0] of each chunk (simonw/llm#294)",
        ("chat.stream.*", "completions.stream.*", "clients.*"),
        _empty_first,
    ),
    Diagnosis(
        "stream-cut",
        "Streams end without a finish reason and without [DONE]",
        (
            "clients cannot tell a truncated stream from a complete one "
            "(huggingface/text-generation-inference#1896)"
        ),
        OF_FRAMES,
        _cut,
    ),
    *deltas.DIAGNOSES,
    Diagnosis(
        "one-index",
        "All choices of a stream have the same index",
        "clients join the texts of all choices into one",
        (
            "choices.*.streamed",
            "completions.prompt.stream",
            "*.stream.finish_once",
            "*.stream.finish_last",
            "*.stream.role_once",
            "*.stream.length",
            "choices.*.usage",
            "clients.*",
        ),
        _one_index,
    ),
    Diagnosis(
        "finish-in-every-chunk",
        "Every chunk has a finish reason",
        "clients that stop reading at the finish reason lose the rest of the text",
        ("*.stream.finish_*", "*.stream.length", "clients.*"),
        _finish_in_every_chunk,
    ),
    Diagnosis(
        "done-missing",
        "Streams end without [DONE]",
        "clients wait while the connection stays open, and cannot detect a truncated stream",
        (
            "*.stream.done",
            "stream.json",
            "stream.fields",
            "stream.no_empty_events",
            "clients.*",
            "stream.complete_events",
        ),
        broken("*.stream.done", unless=("*.stream.events", "*.stream.finish_once")),
    ),
    Diagnosis(
        "role-in-every-delta",
        "Deltas repeat the role",
        'clients that concatenate strings get "assistantassistant" (BerriAI/litellm PR#9986)',
        ("*.stream.role_once", "clients.*"),
        broken("*.stream.role_once", unless=("*.stream.role_first",)),
    ),
    Diagnosis(
        "usage-beside-choices",
        "The usage chunk of a stream has choices",
        "clients that wait for a chunk without choices report no usage",
        ("*.stream.usage", "*.stream.usage_last", "*.stream.usage_once", "tools.stream.usage"),
        broken("*.stream.usage", found=_counted_with_choices),
    ),
)
