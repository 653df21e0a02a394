"""Generates an answer whose reasoning has a token budget: once it is used up, the server ends the reasoning.

The tokens so far and the end marker are appended to the prompt, and the model continues with its answer. This works
with every engine, whether the marker is text or a special token.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo_server.engine.base import Piece

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gonogo_server.answers.plan import Plan
    from gonogo_server.answers.stream import Answer
    from gonogo_server.engine.base import Engine, Generation


def pieces(
    engine: Engine, model: str, generation: Generation, answer: Answer, plan: Plan
) -> AsyncGenerator[Piece, None]:
    """The pieces for `answer`, which must take each before the next is requested.

    The reasoning may use all of `max_tokens` if the limit leaves no room for anything after it.
    """
    mode = plan.reasoning
    if mode is None or mode.budget is None:
        return engine.generate(model, generation)
    return _within(mode.budget, engine, model, generation, answer, plan)


async def _within(
    budget: int, engine: Engine, model: str, generation: Generation, answer: Answer, plan: Plan
) -> AsyncGenerator[Piece, None]:
    assert plan.reasoning is not None, "it has the budget"
    # The end marker between line breaks, as models are trained to write it.
    text = f"\n{plan.reasoning.style.end}\n\n"
    closing = await _tokens(engine, model, text)
    generated: list[int] = []
    async with aclosing(engine.generate(model, generation)) as reasoned:
        async for piece in reasoned:
            generated += piece.ids
            yield piece
            left = generation.max_tokens - answer.tokens - len(closing)
            if answer.reasoning and answer.reasoning_tokens >= budget and left > 0:
                break
        else:
            return
    yield Piece(text, len(closing))
    prompt = (*generation.prompt, *generated, *closing)
    answering = replace(
        generation, prompt=prompt, max_tokens=left, grammar=replace(plan, reasoning=None).grammar
    )
    async with aclosing(engine.generate(model, answering)) as rest:
        async for piece in rest:
            yield replace(piece, cached=0)  # of the request's own prompt


async def _tokens(engine: Engine, model: str, text: str) -> tuple[int, ...]:
    """The tokens of a text in the middle of another, that is, without the begin token."""
    encoded, nothing = await engine.encode(model, text), await engine.encode(model, "")
    return encoded[len(nothing) :] if encoded[: len(nothing)] == nothing else encoded
