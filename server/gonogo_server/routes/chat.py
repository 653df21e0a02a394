"""Chat completions."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateChatCompletionRequest

from gonogo_server.answers.form import ChatForm, Heading
from gonogo_server.answers.generate import Ask, generate
from gonogo_server.answers.respond import respond, while_connected
from gonogo_server.engine.base import Engine, Generation, ModelCard, ToolStyle
from gonogo_server.errors import BadRequest
from gonogo_server.requests import asked
from gonogo_server.requests.messages import plain_messages, with_instruction, without_system
from gonogo_server.requests.token_ids import bias_pairs, with_vocabulary
from gonogo_server.requests.validate import check_chat, check_effort, served_as, token_limit
from gonogo_server.routes.dependencies import EngineDependency, json_body
from gonogo_server.schemas.compiler import Compiler
from gonogo_server.settings import Settings
from gonogo_server.tools.plan import Plan, assembled
from gonogo_server.tools.thought import Thinking

router = APIRouter()


@router.post("/chat/completions")
async def create_chat_completion(
    body: Annotated[CreateChatCompletionRequest, Depends(json_body(CreateChatCompletionRequest))],
    request: Request,
    engine: EngineDependency,
) -> Response:
    """The next message of a conversation, whole or as a stream; without a limit up to the model's context."""
    check_chat(body)
    card = served_as("chat", engine, body.model)
    # What needs the model may have to wait for it.
    asking = _ask(engine, card, body, request.app.state.settings, request.app.state.compiler)
    steps = generate(engine, card.id, await while_connected(request, asking))
    heading = Heading(
        card.id,
        include_usage=asked.include_usage(body),
        logprobs=asked.chat_logprobs(body) is not None,
    )
    return await respond(request, steps, ChatForm(heading), stream=bool(body.stream))


async def _ask(
    engine: Engine,
    card: ModelCard,
    body: CreateChatCompletionRequest,
    settings: Settings,
    compiler: Compiler,
) -> Ask:
    card = await with_vocabulary(engine, card)
    sampling = asked.sampling(body, bias_pairs(card, asked.logit_bias(body)))
    effort, style = asked.effort(body), await engine.reasoning_style(card.id)
    check_effort(effort, style)
    wanted = await _plan(
        compiler, body, await engine.tool_style(card.id), Thinking(style, effort) if style else None
    )
    prompt = await _prompt(engine, card.id, body, wanted)
    if style and await engine.opens_reasoning(card.id, prompt):
        wanted = wanted.opened()
    limit = token_limit(card, prompt, asked.chat_limit(body), "messages", settings.max_tokens_default)
    generation = Generation(prompt, limit, sampling, asked.chat_logprobs(body), wanted.grammar)
    n = asked.choices(body)
    return Ask([generation], asked.stops(body), n, best_of=n, plan=wanted)


async def _plan(
    compiler: Compiler, body: CreateChatCompletionRequest, style: ToolStyle | None, how: Thinking | None
) -> Plan:
    """The plan of the answer, whose schemas were tried where they do no harm."""
    made, grammar = assembled(*await compiler.forms(body), style, how)
    if grammar is not None:
        await compiler.fits(grammar, body)
    return made


async def _prompt(
    engine: Engine, model: str, body: CreateChatCompletionRequest, wanted: Plan
) -> tuple[int, ...]:
    """The conversation, with what the model has to be told; some templates take no system message."""
    effort, variables = wanted.thinking.effort if wanted.thinking else None, asked.template_variables(body)
    messages = plain_messages(body.messages, knows_tools=wanted.knows_tools)
    told = with_instruction(messages, wanted.instruction)
    try:
        return await engine.chat_prompt(model, told, wanted.tools, effort, variables)
    except BadRequest:
        if len(told) == len(messages):
            raise
        return await engine.chat_prompt(model, without_system(told), wanted.tools, effort, variables)
