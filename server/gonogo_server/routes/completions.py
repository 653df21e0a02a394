"""Completions, the older operation: a text goes on."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateCompletionRequest

from gonogo_server.answers.form import CompletionForm, Heading
from gonogo_server.answers.generate import Ask, generate
from gonogo_server.answers.respond import respond, while_connected
from gonogo_server.engine.base import Engine, Generation, ModelCard
from gonogo_server.requests import params
from gonogo_server.requests.checks import check_choices, check_completion, served_as, token_limit
from gonogo_server.requests.prompts import read_prompt
from gonogo_server.requests.token_ids import bias_pairs, with_vocabulary
from gonogo_server.routes.beside import beside
from gonogo_server.routes.dependencies import EngineDependency, json_body

if TYPE_CHECKING:
    from gonogo_server.settings import Settings

router = APIRouter()


@router.post("/completions")
async def create_completion(
    body: Annotated[CreateCompletionRequest, Depends(json_body(CreateCompletionRequest))],
    request: Request,
    engine: EngineDependency,
) -> Response:
    """What follows a text, or each of several texts, whole or as a stream."""
    await beside(request, check_completion, body)
    check_choices(len(params.prompts(body)), params.candidates(body))
    card = served_as("chat", engine, body.model)
    # What needs the model may have to wait for it.
    steps = generate(engine, card.id, await while_connected(request, _ask(request, engine, card, body)))
    heading = Heading(
        card.id,
        include_usage=params.include_usage(body),
        logprobs=params.completion_logprobs(body) is not None,
    )
    return await respond(
        request,
        steps,
        CompletionForm(heading),
        stream=bool(body.stream),
        patience=request.app.state.settings.early_headers,
    )


async def _ask(request: Request, engine: Engine, card: ModelCard, body: CreateCompletionRequest) -> Ask:
    settings: Settings = request.app.state.settings
    card = await with_vocabulary(engine, card)
    sampling = params.sampling(body, await beside(request, bias_pairs, card, params.logit_bias(body)))
    n, best_of = params.choices(body), params.candidates(body)
    logprobs = params.completion_logprobs(body)
    if logprobs is None and best_of > n:
        logprobs = 0  # the best ones are found by them
    suffix, limit = params.suffix(body), params.completion_limit(body, settings.max_tokens_default)
    prompts = [await read_prompt(engine, card, given, suffix) for given in params.prompts(body)]
    generations = [
        Generation(
            prompt.tokens,
            token_limit(card, prompt.tokens, limit, "prompt"),
            sampling,
            logprobs,
        )
        for prompt in prompts
    ]
    echoed = [prompt.text for prompt in prompts] if params.echo(body) else None
    return Ask(generations, params.stops(body), n, best_of, echoed)
