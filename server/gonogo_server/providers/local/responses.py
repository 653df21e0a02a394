"""Responses by the engine of this process: a chat completion in another form."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic_core import to_json

from gonogo_server.answers.generate import generate
from gonogo_server.answers.written import Body
from gonogo_server.providers.local.chat import ask
from gonogo_server.providers.local.stored_responses import Saving, items_of, turns_before
from gonogo_server.requests.checks import check_chat, served_as
from gonogo_server.requests.params import chat_limit, given
from gonogo_server.surfaces.naming import named
from gonogo_server.surfaces.respond import respond
from gonogo_server.surfaces.responses.echo import echo
from gonogo_server.surfaces.responses.to_chat import translated
from gonogo_server.surfaces.responses.writer import ResponseWriter

if TYPE_CHECKING:
    from gonogo_wire import CreateResponseRequest

    from gonogo_server.answers.generate import Ask
    from gonogo_server.answers.written import Answer
    from gonogo_server.providers.base import Context
    from gonogo_server.providers.local.means import Means
    from gonogo_server.providers.local.stored_responses import Turns
    from gonogo_server.surfaces.responses.to_chat import Translated


async def response(means: Means, body: CreateResponseRequest, context: Context) -> Answer:
    """The response, whole or as a stream."""
    model, wanted = await _ask(means, body, context)
    store = means.store if given(body.store, True) else None  # noqa: FBT003 - the API's default
    telling = ResponseWriter(await context.beside(echo, body, stored=store is not None))
    return await respond(
        generate(means.engine, model, wanted),
        telling,
        stream=body.stream is True,
        patience=means.settings.early_headers,
        save=None if store is None else Saving(store, body, context, telling).save,
    )


async def input_tokens(means: Means, body: CreateResponseRequest, context: Context) -> Body:
    """How many tokens the prompt of the same request has."""
    _, wanted = await _ask(means, body, context)
    return Body(
        to_json({"object": "response.input_tokens", "input_tokens": len(wanted.generations[0].prompt)})
    )


async def _ask(means: Means, body: CreateResponseRequest, context: Context) -> tuple[str, Ask]:
    turns = await turns_before(means.store, body, context)
    # A short request may continue a long conversation.
    size = sum(len(before) + len(said) for before, said in turns or ())
    context = replace(context, body_bytes=context.body_bytes + size)
    wanted = await context.beside(_translated, body, turns)
    with named(wanted.names):
        await context.beside(check_chat, wanted.chat)
        card = served_as("chat", means.engine, wanted.chat.model)
        limit, default = chat_limit(wanted.chat), means.settings.max_tokens_default
        return card.id, await ask(means, context, card, wanted.chat, limit=limit, default=default)


def _translated(body: CreateResponseRequest, turns: Turns | None) -> Translated:
    return translated(body, None if turns is None else items_of(turns, body.model))
