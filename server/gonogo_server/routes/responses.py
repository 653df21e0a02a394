"""Responses."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateResponseRequest

from gonogo_server.routes.dependencies import Asking, asked
from gonogo_server.routes.sending import answered

router = APIRouter()
Asked = Annotated[Asking[CreateResponseRequest], Depends(asked(CreateResponseRequest, tolerant=True))]


@router.post("/responses")
async def create_response(asking: Asked, request: Request) -> Response:
    """The next items of a conversation, whole or as a stream."""
    return await answered(request, asking.provider.create_response(asking.body, asking.context))


@router.post("/responses/input_tokens")
async def count_response_input_tokens(asking: Asked, request: Request) -> Response:
    """How many tokens an input has."""
    return await answered(request, asking.provider.count_response_input_tokens(asking.body, asking.context))
