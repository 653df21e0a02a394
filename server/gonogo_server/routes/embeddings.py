"""Embeddings: a vector for each input."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateEmbeddingRequest

from gonogo_server.routes.dependencies import Incoming, parsed
from gonogo_server.routes.sending import answered

router = APIRouter()


@router.post("/embeddings")
async def create_embedding(
    incoming: Annotated[Incoming[CreateEmbeddingRequest], Depends(parsed(CreateEmbeddingRequest))],
    request: Request,
) -> Response:
    """The vectors of all inputs."""
    answering = incoming.provider.create_embeddings(incoming.body, incoming.context)
    return await answered(request, answering)
