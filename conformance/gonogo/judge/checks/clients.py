"""Checks whether clients read the recorded answers; the clients are in `gonogo.clients`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.clients.breakage import NotInstalled, NotRun
from gonogo.clients.node_readers import NODE_READERS, fitting_node
from gonogo.clients.replaying import remembered
from gonogo.judge import kinds, reading
from gonogo.judge.checks.acceptance import accepted
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

# The reader that each phrase replays.
WHOLE: Mapping[str, str] = {
    "openai-python reads the models": "openai_python.models",
    "openai-python reads the chat completion": "openai_python.chat",
    "openai-python reads the completion": "openai_python.completions",
    "openai-python reads the embeddings": "openai_python.embeddings",
    "openai-python reads the response": "openai_python.responses",
    "anthropic-python reads the message": "anthropic_python.messages",
    "openai-node reads the models": "openai_node.models",
    "openai-node reads the chat completion": "openai_node.chat",
    "openai-node reads the completion": "openai_node.completions",
    "openai-node reads the embeddings": "openai_node.embeddings",
    "the AI SDK reads the chat completion": "ai_sdk.chat",
    "openai-node reads the response": "openai_node.responses",
    "the AI SDK reads the response": "ai_sdk.responses",
    "@anthropic-ai/sdk reads the message": "anthropic_node.messages",
    "the AI SDK reads the message": "ai_sdk.messages",
}
STREAMS: Mapping[str, str] = {
    "openai-python reads the chat completion's stream": "openai_python.chat_stream",
    "openai-python reads the completion's stream": "openai_python.completions_stream",
    "httpx-sse reads the stream": "httpx_sse.stream",
    "openai-node reads the chat completion's stream": "openai_node.chat_stream",
    "openai-node reads the completion's stream": "openai_node.completions_stream",
    "the AI SDK reads the chat completion's stream": "ai_sdk.chat_stream",
    "openai-python reads the response's stream": "openai_python.responses_stream",
    "openai-node reads the response's stream": "openai_node.responses_stream",
    "the AI SDK reads the response's stream": "ai_sdk.responses_stream",
    "anthropic-python reads the message's stream": "anthropic_python.messages_stream",
    "@anthropic-ai/sdk reads the message's stream": "anthropic_node.messages_stream",
    "the AI SDK reads the message's stream": "ai_sdk.messages_stream",
}
REFUSALS: Mapping[str, str] = {
    "openai-python reads the error": "openai_python.errors",
    "the AI SDK reads the error": "ai_sdk.errors",
}


def _reads(reader: str, *, streamed: bool = False) -> Callable[[Exchange], Outcome]:
    def run(exchange: Exchange) -> Outcome:
        if streamed:
            reading.unfailed(exchange)  # clients correctly raise on an error frame
        if reader in NODE_READERS and reader not in fitting_node(exchange):
            raise undecided(Reason.NOT_OF_CLIENT, exchange, client=NODE_READERS[reader][0])
        found = remembered(exchange, reader)
        if isinstance(found, NotInstalled):
            raise undecided(Reason.NOT_INSTALLED, exchange, told=str(found))
        if isinstance(found, NotRun):
            raise undecided(Reason.NOT_RUN, exchange, why=found.why)
        if found is not None:
            return Deviation(f"an answer that {found.client} {found.version} reads", str(found))
        if accepted(exchange) and not kinds.of_its_kind(exchange):
            raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))
        return saw("answer read without an exception", exchange)

    return run


def _register() -> None:
    for pattern, reader in WHOLE.items():
        check(pattern)(_reads(reader))
    for pattern, reader in STREAMS.items():
        check(pattern)(_reads(reader, streamed=True))
    for pattern, reader in REFUSALS.items():
        check(pattern, Of.REFUSED)(_reads(reader))


_register()
