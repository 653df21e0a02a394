"""Embeddings: a vector for each input."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateEmbeddingRequest

from gonogo_server.answers.embedding_form import embedding_list, shortened
from gonogo_server.answers.respond import while_connected
from gonogo_server.engine.base import Engine
from gonogo_server.exchange import current
from gonogo_server.requests import params
from gonogo_server.requests.checks import served_as
from gonogo_server.requests.embedding_inputs import read_inputs
from gonogo_server.requests.token_ids import with_vocabulary
from gonogo_server.routes.dependencies import EngineDependency, json_body

router = APIRouter()


@router.post("/embeddings")
async def create_embedding(
    body: Annotated[CreateEmbeddingRequest, Depends(json_body(CreateEmbeddingRequest))],
    request: Request,
    engine: EngineDependency,
) -> Response:
    """The vectors of all inputs, of length 1 each; `user` has no effect."""
    written = await while_connected(request, _embed(engine, body))
    return Response(written, media_type="application/json")


async def _embed(engine: Engine, body: CreateEmbeddingRequest) -> str:
    card = await with_vocabulary(engine, served_as("embedding", engine, body.model))
    inputs = await read_inputs(engine, card, body)
    tokens = current().prompt_tokens = sum(len(ids) for ids in inputs)
    vectors = await engine.embed(card.id, inputs)

    def write() -> str:
        dimensions = params.dimensions(body)
        fitting = vectors if dimensions is None else shortened(vectors, dimensions)
        return embedding_list(card.id, fitting, tokens, params.encoding(body)).model_dump_json()

    # A million numbers take a second to write, in which others are to be answered.
    return await asyncio.to_thread(write)
