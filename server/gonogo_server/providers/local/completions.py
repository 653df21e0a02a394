"""Completions by the engine of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.answers.form import CompletionForm, Heading
from gonogo_server.answers.generate import Ask, generate
from gonogo_server.answers.respond import respond
from gonogo_server.engine.base import Generation, ModelCard
from gonogo_server.requests import params
from gonogo_server.requests.checks import check_choices, check_completion, served_as, token_limit
from gonogo_server.requests.prompts import read_prompt
from gonogo_server.requests.token_ids import bias_pairs, with_vocabulary

if TYPE_CHECKING:
    from gonogo_wire import CreateCompletionRequest

    from gonogo_server.answers.written import Answer
    from gonogo_server.providers.base import Context
    from gonogo_server.providers.local.means import Means


async def completion(means: Means, body: CreateCompletionRequest, context: Context) -> Answer:
    """What follows a text, or each of several texts, whole or as a stream."""
    await context.beside(check_completion, body)
    check_choices(len(params.prompts(body)), params.candidates(body))
    card = served_as("chat", means.engine, body.model)
    # What needs the model may have to wait for it.
    steps = generate(means.engine, card.id, await _ask(means, context, card, body))
    heading = Heading(
        card.id,
        include_usage=params.include_usage(body),
        logprobs=params.completion_logprobs(body) is not None,
    )
    return await respond(
        steps,
        CompletionForm(heading),
        stream=bool(body.stream),
        patience=means.settings.early_headers,
    )


async def _ask(means: Means, context: Context, card: ModelCard, body: CreateCompletionRequest) -> Ask:
    engine, settings = means.engine, means.settings
    card = await with_vocabulary(engine, card)
    sampling = params.sampling(body, await context.beside(bias_pairs, card, params.logit_bias(body)))
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
