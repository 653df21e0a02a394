"""Models."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import ModelList

from gonogo_server.providers.base import Context
from gonogo_server.providers.registry import Registry
from gonogo_server.routes.dependencies import context, provider_name, registry
from gonogo_server.routes.sending import while_connected

router = APIRouter()

Providers = Annotated[Registry, Depends(registry)]
Name = Annotated[str | None, Depends(provider_name)]
InContext = Annotated[Context, Depends(context)]


@router.api_route("/models", methods=["GET", "HEAD"])
async def list_models(request: Request, providers: Providers, name: Name, context: InContext) -> Response:
    """All served models, in the configured order."""
    models = await while_connected(request, providers.list_models(name, context))
    listed = ModelList(object="list", data=list(models))
    return Response(listed.model_dump_json(by_alias=True), media_type="application/json")


@router.api_route("/models/{model:path}", methods=["GET", "HEAD"])
async def retrieve_model(
    model: str, request: Request, providers: Providers, name: Name, context: InContext
) -> Response:
    """One model; its id may contain slashes, percent-encoded or not."""
    found = await while_connected(request, providers.retrieve_model(name, model, context))
    return Response(found.model_dump_json(by_alias=True), media_type="application/json")
