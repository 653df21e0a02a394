"""Responses."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateResponseRequest

from gonogo_server.errors import BadRequest
from gonogo_server.providers.base import Context
from gonogo_server.providers.registry import Registry
from gonogo_server.routes.dependencies import Incoming, context, parsed, provider_name, registry
from gonogo_server.routes.sending import answered

router = APIRouter()
IncomingResponse = Annotated[
    Incoming[CreateResponseRequest], Depends(parsed(CreateResponseRequest, tolerant=True))
]
Providers = Annotated[Registry, Depends(registry)]
Name = Annotated[str | None, Depends(provider_name)]
Around = Annotated[Context, Depends(context)]

AS_IT_ENDED: Final = ("stream", "starting_after", "include", "include_obfuscation")
"""Query parameters that ask for more than the whole object; they are refused."""


@router.post("/responses")
async def create_response(incoming: IncomingResponse, request: Request) -> Response:
    """The next items of a conversation, whole or as a stream."""
    return await answered(request, incoming.provider.create_response(incoming.body, incoming.context))


@router.post("/responses/input_tokens")
async def count_response_input_tokens(incoming: IncomingResponse, request: Request) -> Response:
    """The number of tokens in an input."""
    return await answered(
        request, incoming.provider.count_response_input_tokens(incoming.body, incoming.context)
    )


@router.api_route("/responses/{response_id}", methods=["GET", "HEAD"])
async def retrieve_response(
    response_id: str, request: Request, providers: Providers, name: Name, around: Around
) -> Response:
    """A stored response."""
    for field, value in request.query_params.items():
        if field.removesuffix("[]") in AS_IT_ENDED and value.lower() not in ("", "false", "0"):
            raise BadRequest(
                f"'{field}' is not supported here: a stored response is returned as one object. Remove it.",
                param=field,
                code="unsupported_parameter",
            )
    return await answered(request, providers.named(name).retrieve_response(response_id, around))


@router.delete("/responses/{response_id}")
async def delete_response(
    response_id: str, request: Request, providers: Providers, name: Name, around: Around
) -> Response:
    """Delete a stored response."""
    return await answered(request, providers.named(name).delete_response(response_id, around))
