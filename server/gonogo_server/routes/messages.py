"""Messages."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CountMessageTokensRequest, CreateMessageRequest

from gonogo_server.routes.dependencies import Asking, asked
from gonogo_server.routes.sending import answered

router = APIRouter()


@router.post("/messages")
async def create_message(
    asking: Annotated[Asking[CreateMessageRequest], Depends(asked(CreateMessageRequest, tolerant=True))],
    request: Request,
) -> Response:
    """The next message of a conversation, whole or as a stream."""
    return await answered(request, asking.provider.create_message(asking.body, asking.context))


@router.post("/messages/count_tokens")
async def count_message_tokens(
    asking: Annotated[
        Asking[CountMessageTokensRequest], Depends(asked(CountMessageTokensRequest, tolerant=True))
    ],
    request: Request,
) -> Response:
    """The number of tokens in a conversation."""
    return await answered(request, asking.provider.count_message_tokens(asking.body, asking.context))
