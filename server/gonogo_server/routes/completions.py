"""Completions, the older operation: continues a text."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateCompletionRequest

from gonogo_server.routes.dependencies import Incoming, parsed
from gonogo_server.routes.sending import answered

router = APIRouter()


@router.post("/completions")
async def create_completion(
    incoming: Annotated[Incoming[CreateCompletionRequest], Depends(parsed(CreateCompletionRequest))],
    request: Request,
) -> Response:
    """The continuation of a text or of several texts, whole or as a stream."""
    answering = incoming.provider.create_completion(incoming.body, incoming.context)
    return await answered(request, answering)
