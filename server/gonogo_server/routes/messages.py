"""Messages."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CountMessageTokensRequest, CreateMessageRequest

from gonogo_server.routes.dependencies import Incoming, parsed
from gonogo_server.routes.sending import answered

router = APIRouter()


@router.post("/messages")
async def create_message(
    incoming: Annotated[Incoming[CreateMessageRequest], Depends(parsed(CreateMessageRequest, tolerant=True))],
    request: Request,
) -> Response:
    """The next message of a conversation, whole or as a stream."""
    return await answered(request, incoming.provider.create_message(incoming.body, incoming.context))


@router.post("/messages/count_tokens")
async def count_message_tokens(
    incoming: Annotated[
        Incoming[CountMessageTokensRequest], Depends(parsed(CountMessageTokensRequest, tolerant=True))
    ],
    request: Request,
) -> Response:
    """The number of tokens in a conversation."""
    return await answered(request, incoming.provider.count_message_tokens(incoming.body, incoming.context))
