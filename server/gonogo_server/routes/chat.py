"""Chat completions."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from gonogo_wire import CreateChatCompletionRequest

from gonogo_server import asked
from gonogo_server.engine.base import Generation
from gonogo_server.form import ChatForm, Heading
from gonogo_server.generate import generate, respond
from gonogo_server.messages import plain_messages
from gonogo_server.routes.dependencies import EngineDependency, json_body
from gonogo_server.validate import check_chat, served_as, token_limit

router = APIRouter()


@router.post("/chat/completions")
async def create_chat_completion(
    body: Annotated[CreateChatCompletionRequest, Depends(json_body(CreateChatCompletionRequest))],
    request: Request,
    engine: EngineDependency,
) -> Response:
    """The next message of a conversation, whole or as a stream; without a limit up to the model's context."""
    check_chat(body)
    messages = plain_messages(body.messages)
    card = served_as("chat", engine, body.model)
    prompt = await engine.chat_prompt(card.id, messages)
    limit = token_limit(card, prompt, asked.chat_limit(body), "messages")
    generation = Generation(prompt, limit, asked.sampling(body))
    steps = generate(engine, card.id, [generation], asked.stops(body))
    form = ChatForm(Heading(card.id, include_usage=asked.include_usage(body)))
    return await respond(request, steps, form, stream=bool(body.stream))
