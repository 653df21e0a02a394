"""Embeddings by the engine of this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gonogo_server.answers.embedding_form import embedding_list, shortened
from gonogo_server.answers.written import Body
from gonogo_server.exchange import current
from gonogo_server.requests import params
from gonogo_server.requests.checks import served_as
from gonogo_server.requests.embedding_inputs import read_inputs
from gonogo_server.requests.token_ids import with_vocabulary

if TYPE_CHECKING:
    from gonogo_wire import CreateEmbeddingRequest

    from gonogo_server.engine.base import Engine


async def embeddings(engine: Engine, body: CreateEmbeddingRequest) -> Body:
    """The vectors of all inputs, of length 1 each; `user` has no effect."""
    card = await with_vocabulary(engine, served_as("embedding", engine, body.model))
    inputs = await read_inputs(engine, card, body)
    tokens = current().prompt_tokens = sum(len(ids) for ids in inputs)
    vectors = await engine.embed(card.id, inputs)

    def write() -> str:
        dimensions = params.dimensions(body)
        fitting = vectors if dimensions is None else shortened(vectors, dimensions)
        return embedding_list(card.id, fitting, tokens, params.encoding(body)).model_dump_json()

    # A million numbers take a second to write, in which others are to be answered.
    return Body(await asyncio.to_thread(write))
