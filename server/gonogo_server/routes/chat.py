"""Chat completions."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateChatCompletionRequest

from gonogo_server.routes.dependencies import Incoming, parsed
from gonogo_server.routes.sending import answered

router = APIRouter()


@router.post("/chat/completions")
async def create_chat_completion(
    incoming: Annotated[Incoming[CreateChatCompletionRequest], Depends(parsed(CreateChatCompletionRequest))],
    request: Request,
) -> Response:
    """The next message of a conversation, whole or as a stream."""
    answering = incoming.provider.create_chat_completion(incoming.body, incoming.context)
    return await answered(request, answering)
