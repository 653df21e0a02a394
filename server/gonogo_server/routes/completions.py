"""Completions, the older operation: continues a text."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateCompletionRequest

from gonogo_server.routes.dependencies import Asking, asked
from gonogo_server.routes.sending import answered

router = APIRouter()


@router.post("/completions")
async def create_completion(
    asking: Annotated[Asking[CreateCompletionRequest], Depends(asked(CreateCompletionRequest))],
    request: Request,
) -> Response:
    """The continuation of a text or of several texts, whole or as a stream."""
    answering = asking.provider.create_completion(asking.body, asking.context)
    return await answered(request, answering)
