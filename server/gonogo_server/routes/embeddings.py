"""Embeddings: the operation is there, no model for it is yet."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from gonogo_wire import CreateEmbeddingRequest

from gonogo_server.errors import BadRequest
from gonogo_server.routes.dependencies import EngineDependency, json_body
from gonogo_server.validate import served_as

router = APIRouter()


@router.post("/embeddings")
async def create_embedding(
    body: Annotated[CreateEmbeddingRequest, Depends(json_body(CreateEmbeddingRequest))],
    engine: EngineDependency,
) -> Response:
    """Refuses every model: one that is served as unfit, any other as unknown."""
    served_as("embedding", engine, body.model)
    raise BadRequest("Embeddings are not supported here yet.", param="model", code="model_not_supported")
