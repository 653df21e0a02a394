"""Models: what is served."""

from fastapi import APIRouter, Response
from gonogo_wire import Model, ModelList

from gonogo_server.engine.base import ModelCard
from gonogo_server.requests.checks import served
from gonogo_server.routes.dependencies import EngineDependency

router = APIRouter()


@router.api_route("/models", methods=["GET", "HEAD"])
async def list_models(engine: EngineDependency) -> Response:
    """Every model that is served, in the configured order."""
    listed = ModelList(object="list", data=[_model(card) for card in engine.cards()])
    return Response(listed.model_dump_json(by_alias=True), media_type="application/json")


@router.api_route("/models/{model:path}", methods=["GET", "HEAD"])
async def retrieve_model(model: str, engine: EngineDependency) -> Response:
    """One of them; its id may contain slashes, percent-encoded or plain."""
    card = _model(served(engine, model))
    return Response(card.model_dump_json(by_alias=True), media_type="application/json")


def _model(card: ModelCard) -> Model:
    return Model(
        id=card.id,
        object="model",
        created=card.created,
        owned_by="local",
        type=card.type,
        context_length=card.context_length,
        loaded=card.loaded,
    )
