"""Chat completions by the engine of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.answers.form import ChatForm, Heading
from gonogo_server.answers.generate import Ask, generate
from gonogo_server.answers.plan import Plan, assembled
from gonogo_server.answers.respond import respond
from gonogo_server.engine.base import Engine, Generation, ModelCard, ToolStyle
from gonogo_server.errors import BadRequest, TooLong
from gonogo_server.filters.reasoning_mode import ReasoningMode
from gonogo_server.requests import params
from gonogo_server.requests.checks import check_chat, check_effort, served_as, token_limit
from gonogo_server.requests.messages import plain_messages, with_instruction, without_system
from gonogo_server.requests.token_ids import bias_pairs, with_vocabulary

if TYPE_CHECKING:
    from gonogo_wire import CreateChatCompletionRequest

    from gonogo_server.answers.written import Answer
    from gonogo_server.providers.base import Context
    from gonogo_server.providers.local.means import Means


async def chat_completion(means: Means, body: CreateChatCompletionRequest, context: Context) -> Answer:
    """The next message of a conversation, whole or as a stream; without a limit up to the model's context."""
    await context.beside(check_chat, body)
    card = served_as("chat", means.engine, body.model)
    # What needs the model may have to wait for it.
    wanted = await ask(
        means, context, card, body, limit=params.chat_limit(body), default=means.settings.max_tokens_default
    )
    steps = generate(means.engine, card.id, wanted)
    heading = Heading(
        card.id,
        include_usage=params.include_usage(body),
        logprobs=params.chat_logprobs(body) is not None,
    )
    return await respond(
        steps,
        ChatForm(heading),
        stream=bool(body.stream),
        patience=means.settings.early_headers,
    )


async def ask(
    means: Means,
    context: Context,
    card: ModelCard,
    body: CreateChatCompletionRequest,
    *,
    limit: int | None,
    default: int | None,
    budget: int | None = None,
) -> Ask:
    """What the request wants of the engine; `limit` and `default` as in `token_limit`, `budget` of the reasoning."""
    engine = means.engine
    card = await with_vocabulary(engine, card)
    sampling = params.sampling(body, await context.beside(bias_pairs, card, params.logit_bias(body)))
    effort, style = params.effort(body), await engine.reasoning_style(card.id)
    check_effort(effort, style)
    wanted = await _plan(
        means,
        context,
        body,
        await engine.tool_style(card.id),
        ReasoningMode(style, effort, budget=budget) if style else None,
    )
    if len(body.messages) > card.context_length:
        raise TooLong(card.context_length, param="messages")  # as each of them takes a token at least
    prompt = await _prompt(context, engine, card.id, body, wanted)
    if style and await engine.opens_reasoning(card.id, prompt):
        wanted = wanted.opened()
    most = token_limit(card, prompt, limit, "messages", default)
    generation = Generation(prompt, most, sampling, params.chat_logprobs(body), wanted.grammar)
    n = params.choices(body)
    return Ask([generation], params.stops(body), n, best_of=n, plan=wanted)


async def _plan(
    means: Means,
    context: Context,
    body: CreateChatCompletionRequest,
    style: ToolStyle | None,
    mode: ReasoningMode | None,
) -> Plan:
    """The plan of the answer, whose schemas were tried where they do no harm."""
    compiler = means.compiler
    brought = await context.beside(compiler.brought, body)
    made, grammar = await context.beside(assembled, *await compiler.forms(body, brought), style, mode)
    if grammar is not None and brought is not None:  # rules of ours alone always fit
        await compiler.fits(grammar, brought)
    return made


async def _prompt(
    context: Context, engine: Engine, model: str, body: CreateChatCompletionRequest, wanted: Plan
) -> tuple[int, ...]:
    """The conversation, with what the model has to be told; some templates take no system message."""
    effort, variables = wanted.reasoning.effort if wanted.reasoning else None, params.template_variables(body)
    messages = await context.beside(plain_messages, body.messages, knows_tools=wanted.knows_tools)
    told = with_instruction(messages, wanted.instruction)
    try:
        return await engine.chat_prompt(model, told, wanted.tools, effort, variables)
    except TooLong as error:
        raise error.about("messages") from None
    except BadRequest:
        if len(told) == len(messages):
            raise
        return await engine.chat_prompt(model, without_system(told), wanted.tools, effort, variables)
