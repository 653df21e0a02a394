"""Chat completions."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateChatCompletionRequest

from gonogo_server.routes.dependencies import Asking, asked
from gonogo_server.routes.sending import answered

router = APIRouter()


@router.post("/chat/completions")
async def create_chat_completion(
    asking: Annotated[Asking[CreateChatCompletionRequest], Depends(asked(CreateChatCompletionRequest))],
    request: Request,
) -> Response:
    """The next message of a conversation, whole or as a stream."""
    answering = asking.provider.create_chat_completion(asking.body, asking.context)
    return await answered(request, answering)
