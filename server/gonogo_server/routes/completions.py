"""Completions, the older operation: a text goes on."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateCompletionRequest

from gonogo_server import asked
from gonogo_server.engine.base import Engine, Generation, ModelCard
from gonogo_server.errors import BadRequest
from gonogo_server.form import CompletionForm, Heading
from gonogo_server.generate import generate, respond
from gonogo_server.routes.dependencies import EngineDependency, json_body
from gonogo_server.validate import check_completion, served_as, token_limit

router = APIRouter()


@router.post("/completions")
async def create_completion(
    body: Annotated[CreateCompletionRequest, Depends(json_body(CreateCompletionRequest))],
    request: Request,
    engine: EngineDependency,
) -> Response:
    """What follows a text, or each of several texts, whole or as a stream."""
    check_completion(body)
    texts = asked.texts(body)
    card = served_as("chat", engine, body.model)
    generations = [await _generation(engine, card, text, body) for text in texts]
    steps = generate(engine, card.id, generations, asked.stops(body))
    form = CompletionForm(Heading(card.id, include_usage=asked.include_usage(body)))
    return await respond(request, steps, form, stream=bool(body.stream))


async def _generation(
    engine: Engine, card: ModelCard, text: str, body: CreateCompletionRequest
) -> Generation:
    prompt = await engine.encode(card.id, text)
    if not prompt:
        raise BadRequest(
            "The model cannot begin with an empty prompt: give at least one character.",
            param="prompt",
            code="invalid_value",
        )
    return Generation(
        prompt, token_limit(card, prompt, asked.completion_limit(body), "prompt"), asked.sampling(body)
    )
