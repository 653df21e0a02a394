"""Runs the generations of a request on an engine in parallel, and counts their tokens."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gonogo_server.answers.best import best
from gonogo_server.answers.echo import read_echo
from gonogo_server.answers.merge import merge
from gonogo_server.answers.plan import Plan
from gonogo_server.answers.stream import Answer, Counted, Started
from gonogo_server.answers.thinking_budget import pieces
from gonogo_server.answers.timing import timed
from gonogo_server.exchange import current

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence

    from gonogo_server.answers.stream import Echo, Reason, Step
    from gonogo_server.engine.base import Engine, Generation


@dataclass(frozen=True, slots=True)
class Ask:
    """The answers that a request wants from an engine for each of `generations`, whose `max_tokens` may be 0."""

    generations: Sequence[Generation]
    stops: Sequence[str] = ()
    n: int = 1
    """Answers returned for each generation."""
    best_of: int = 1
    """Answers generated for each generation, at least `n`."""
    echoed: Sequence[str] | None = None
    """The texts of the prompts, if they are to be returned before the answers."""
    plan: Plan = field(default_factory=Plan)
    """How tool calls and reasoning are separated from the text of each answer."""


async def generate(engine: Engine, model: str, ask: Ask) -> AsyncGenerator[list[Step], None]:
    """The steps of all answers, which are generated at the same time; closing the generator stops them.

    Steps that are available at the same moment come in one list.

    Answer j to generation i has the index i * n + j, and the seed + j if the generation has a seed. Raises what the
    engine raises.
    """
    current().prompt_tokens = sum(len(generation.prompt) for generation in ask.generations)
    echoes = await _echoes(engine, model, ask)
    wanted = [
        (
            replace(nth_seed(generation, nth), first=i == nth == 0),
            _reading(ask, i * ask.best_of + nth, echoes.get(i)),
        )
        for i, generation in enumerate(ask.generations)
        for nth in range(ask.best_of)
    ]
    answers = [answer for _, answer in wanted]
    async with aclosing(merge([_answer(engine, model, *one, ask.plan) for one in wanted])) as generated:
        if ask.best_of > ask.n:
            yield best([step async for steps in generated for step in steps], ask.n, ask.best_of)
        else:
            begun: set[int] = set()
            async for steps in generated:
                if ordered := [*in_order(steps, begun)]:
                    yield ordered
    yield [_counted(ask, answers)]


def in_order(steps: Iterable[Step], begun: set[int]) -> Iterator[Step]:
    """The steps, reordered so that answers start in the order of their indexes; `begun` holds those that have started.

    The stream() of openai-python 3.51 appends choices to a list as they start, and fails if a later one starts first.
    """
    for step in steps:
        if not isinstance(step, Started):
            yield step
            continue
        ahead = [index for index in range(step.index + 1) if index not in begun]
        begun.update(ahead)
        yield from map(Started, ahead)


def nth_seed(generation: Generation, nth: int) -> Generation:
    """The generation with the seed of the answer of this number: seed + `nth`, wrapped to a signed 64-bit integer."""
    seed = generation.sampling.seed
    if seed is None or nth == 0:
        return generation
    circular = (seed + nth + 2**63) % 2**64 - 2**63
    return replace(generation, sampling=replace(generation.sampling, seed=circular))


def _reading(ask: Ask, index: int, echo: Echo | None) -> Answer:
    ends_in: Reason = "stop" if ask.plan.named else "tool_calls"
    return Answer(index, ask.stops, echo, ask.plan.tool_filter(), ends_in, ask.plan.reasoning_filter())


async def _answer(
    engine: Engine, model: str, generation: Generation, answer: Answer, plan: Plan
) -> AsyncGenerator[list[Step], None]:
    if generation.max_tokens == 0:
        yield answer.skip()
        return
    async with aclosing(timed(pieces(engine, model, generation, answer, plan))) as made:
        async for piece in made:
            if steps := answer.take(piece):
                yield steps
            if answer.finished:
                break
    answer.end()


async def _echoes(engine: Engine, model: str, ask: Ask) -> Mapping[int, Echo]:
    """The echo of each generation, by its number."""

    async def read(number: int, text: str) -> AsyncGenerator[list[tuple[int, Echo]], None]:
        generation = ask.generations[number]
        yield [(number, await read_echo(engine, model, generation.prompt, text, generation.logprobs))]

    sources = [read(number, text) for number, text in enumerate(ask.echoed or ())]
    async with aclosing(merge(sources)) as echoes:
        return dict([pair async for pairs in echoes for pair in pairs])


def _counted(ask: Ask, answers: Sequence[Answer]) -> Counted:
    """The counts; each prompt counts once, and as cached only as far as it was cached for all of its answers."""
    cached = [answer.cached for answer in answers]
    return Counted(
        sum(len(generation.prompt) for generation in ask.generations),
        sum(answer.tokens for answer in answers),
        sum(min(cached[first : first + ask.best_of]) for first in range(0, len(cached), ask.best_of)),
        sum(answer.reasoning_tokens for answer in answers) if ask.plan.reasoning else None,
    )
