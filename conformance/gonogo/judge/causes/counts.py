"""Defects of token counts, ids and creation times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.causes.diagnosis import Diagnosis, Sighting, broken
from gonogo.judge.causes.observations import GENERATIONS, body
from gonogo.judge.outcome import Stop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gonogo.exchange import Exchange
    from gonogo.judge.causes.observations import Observations
    from gonogo.judge.reading import Object
    from gonogo.verdict import Judgement

OF_COUNTS = (
    "*.usage*",
    "*usage",
    "text.same_count",
    "*.same.input",
    "*.same.output",
    "completions.prompt.*",
    "completions.echo.*",
    "completions.suffix.*",
    "chat.request.*_rendered",
    "chat.request.picture_seen",
    "tools.history.parts_rendered",
    "logprobs.*.count",
    "*.limit.*",
    "*.stream.limit",
    "*.stream.length",
    "stop.*.usage",
    "sampling.effect.both_limits",
    "errors.context.whole",
)
ENOUGH = 5
"""Answers to different requests whose usage is compared."""


def _usages(observed: Observations) -> Iterator[list[tuple[Exchange, Object]]]:
    """The usage of each answer with usage, grouped by operation."""
    for path in GENERATIONS:
        answers = [e for e in observed.answers if e.request.path == path]
        yield [(exchange, usage) for exchange in answers if (usage := _usage(exchange)) is not None]


def _usage(exchange: Exchange) -> Object | None:
    try:
        values = [c.value for c in reading.chunks(exchange)] if exchange.is_stream else [body(exchange)]
    except Stop:
        return None
    found = [usage for value in values if (usage := reading.usage(value)) is not None]
    return found[-1] if found else None


def _missing(observed: Observations) -> Sighting | None:
    """No complete answer, and no stream that requested it, has usage."""
    asked = [*observed.wholes, *(stream for stream in observed.streams if _asks(stream))]
    if len(asked) < ENOUGH or any(_usage(exchange) is not None for exchange in asked):
        return None
    return Sighting(f"none of {len(asked)} answers has a usage object", tuple(e.id for e in asked))


def _asks(stream: Exchange) -> bool:
    options = stream.request.fields.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _zero(observed: Observations) -> Sighting | None:
    seen = [(e, usage) for found in _usages(observed) if _counts(found) == {(0, 0)} for e, usage in found]
    if len(seen) < ENOUGH:
        return None
    return Sighting(f"all {len(seen)} answers with usage count 0 tokens", tuple(e.id for e, _ in seen))


def constant(observed: Observations) -> Sighting | None:
    """Different prompts of one operation always have the same counts."""
    seen: list[str] = []
    where: list[str] = []
    for found in _usages(observed):
        counts, prompts = _counts(found), {_prompt(exchange) for exchange, _ in found}
        if len(found) >= ENOUGH and len(counts) == 1 and len(prompts) >= ENOUGH:
            ((prompt, completion),) = counts
            seen.append(f"all {len(found)} answers count {prompt} prompt and {completion} completion tokens")
            where += [exchange.id for exchange, _ in found]
    return Sighting(seen[0], tuple(where)) if seen else None


def _counts(found: Iterable[tuple[Exchange, Object]]) -> set[tuple[int | None, int | None]]:
    return {
        (reading.count(usage.get("prompt_tokens")), reading.count(usage.get("completion_tokens")))
        for _, usage in found
    }


def _prompt(exchange: Exchange) -> str:
    return str(exchange.request.fields.get("messages", exchange.request.fields.get("prompt")))


def _one_id(observed: Observations) -> Sighting | None:
    found = [(e, body(e).get("id") if not e.is_stream else _first_id(e)) for e in observed.answers]
    named = [(exchange, name) for exchange, name in found if isinstance(name, str) and name]
    if len(named) < ENOUGH or len({name for _, name in named}) != 1:
        return None
    return Sighting(f"all {len(named)} answers have the id {named[0][1]!r}", tuple(e.id for e, _ in named))


def _first_id(stream: Exchange) -> object:
    try:
        return reading.chunks(stream)[0].value.get("id")
    except Stop:
        return None


def _times_changed(observed: Observations, judgement: Judgement) -> bool:
    """Two model lists have the same ids and different creation times."""
    lists = [
        {str(entry.get("id")): entry.get("created") for entry in reading.objects(body(exchange).get("data"))}
        for exchange in (observed.exchanges[piece.exchange] for piece in judgement.evidence)
    ]
    return len(lists) > 1 and lists[0].keys() == lists[1].keys() and lists[0] != lists[1]


DIAGNOSES = (
    Diagnosis(
        "usage-missing",
        "Answers have no usage",
        "budgets and context managers cannot see limits approach",
        OF_COUNTS,
        _missing,
    ),
    Diagnosis(
        "usage-zero",
        "Usage counts 0 tokens",
        "budgets and context managers cannot see limits approach",
        OF_COUNTS,
        _zero,
    ),
    Diagnosis(
        "usage-constant",
        "Usage is the same for every request",
        "budgets and context managers count wrong numbers",
        OF_COUNTS,
        constant,
    ),
    Diagnosis(
        "one-id",
        "All answers have the same id",
        "clients that key messages by id overwrite one message with the next",
        ("*.id_unique", "tools.call.id_unique"),
        _one_id,
    ),
    Diagnosis(
        "created-is-now",
        "The creation time of listed models is the time of the request",
        "caches keyed by creation time never hit",
        ("models.list.stable", "models.retrieve.agrees"),
        broken("models.list.stable", found=_times_changed),
    ),
)
