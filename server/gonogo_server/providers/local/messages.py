"""Messages by the engine of this process: a chat completion in another form."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic_core import to_json

from gonogo_server.answers.generate import generate
from gonogo_server.answers.written import Body
from gonogo_server.providers.local.chat import ask
from gonogo_server.requests import params
from gonogo_server.requests.checks import check_chat, served_as
from gonogo_server.surfaces.messages.to_chat import translated
from gonogo_server.surfaces.messages.writer import MessageWriter
from gonogo_server.surfaces.naming import named
from gonogo_server.surfaces.respond import respond

if TYPE_CHECKING:
    from gonogo_wire import CountMessageTokensRequest, CreateChatCompletionRequest, CreateMessageRequest

    from gonogo_server.answers.generate import Ask
    from gonogo_server.answers.written import Answer
    from gonogo_server.providers.base import Context
    from gonogo_server.providers.local.means import Means
    from gonogo_server.surfaces.messages.to_chat import Translated


async def message(means: Means, body: CreateMessageRequest, context: Context) -> Answer:
    """The message, whole or as a stream.

    A limit beyond the model's context is taken, as clients ask for 32,000 tokens of any model: the stop reason says
    which limit it was.
    """
    wanted = await context.beside(translated, body)
    model, made = await _ask(means, wanted, context, limit=body.max_tokens)
    (generation,) = made.generations
    telling = MessageWriter(
        model,
        len(generation.prompt),
        shows_thinking=wanted.shows_thinking,
        clipped=generation.max_tokens < body.max_tokens,
    )
    return await respond(
        generate(means.engine, model, replace(made, stops=wanted.stops)),
        telling,
        stream=body.stream is True,
        patience=means.settings.early_headers,
    )


async def token_count(means: Means, body: CountMessageTokensRequest, context: Context) -> Body:
    """How many tokens the prompt of the same request has."""
    _, made = await _ask(means, await context.beside(translated, body), context, limit=1)
    return Body(to_json({"input_tokens": len(made.generations[0].prompt)}))


async def _ask(means: Means, wanted: Translated, context: Context, limit: int) -> tuple[str, Ask]:
    with named(wanted.names):
        await context.beside(check_chat, wanted.chat)
        card = served_as("chat", means.engine, wanted.chat.model)
        style = await means.engine.reasoning_style(card.id)
        chat = wanted.chat if style and style.efforts else _without_effort(wanted.chat)
        return card.id, await ask(means, context, card, chat, limit=None, default=limit, budget=wanted.budget)


def _without_effort(chat: CreateChatCompletionRequest) -> CreateChatCompletionRequest:
    """The same without an effort: Claude Code sends one to every model. "none" stays, it turns the thinking off."""
    if params.effort(chat) in (None, "none"):
        return chat
    return chat.model_copy(update={"reasoning_effort": None})
