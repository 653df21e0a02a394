"""Embeddings: a vector for each input."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateEmbeddingRequest

from gonogo_server.routes.dependencies import Asking, asked
from gonogo_server.routes.sending import answered

router = APIRouter()


@router.post("/embeddings")
async def create_embedding(
    asking: Annotated[Asking[CreateEmbeddingRequest], Depends(asked(CreateEmbeddingRequest))],
    request: Request,
) -> Response:
    """The vectors of all inputs."""
    answering = asking.provider.create_embeddings(asking.body, asking.context)
    return await answered(request, answering)
