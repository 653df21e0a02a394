"""The readers by name, and the answers that each can read.

A name is the id of the rule without "clients."; embeddings have a reader and no rule yet. Each rule selects its answers
(features/clients.feature); `fitting` runs before there are verdicts, and includes a few more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.clients import anthropic_python, httpx_sse, openai_python, openai_responses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.clients.breakage import Breakage
    from gonogo.exchange import Exchange

    Reader = Callable[[Exchange], Breakage | None]

READERS: Mapping[str, Reader] = {
    "openai_python.models": openai_python.models,
    "openai_python.chat": openai_python.chat,
    "openai_python.chat_stream": openai_python.chat_stream,
    "openai_python.completions": openai_python.completions,
    "openai_python.completions_stream": openai_python.completions_stream,
    "openai_python.embeddings": openai_python.embeddings,
    "openai_python.responses": openai_responses.responses,
    "openai_python.responses_stream": openai_responses.responses_stream,
    "openai_python.errors": openai_python.errors,
    "anthropic_python.messages": anthropic_python.messages,
    "anthropic_python.messages_stream": anthropic_python.messages_stream,
    "httpx_sse.stream": httpx_sse.stream,
}

# By the path of the request, and whether it requested a stream.
_ACCEPTED: Mapping[tuple[str, bool], tuple[str, ...]] = {
    ("/models", False): ("openai_python.models",),
    ("/chat/completions", False): ("openai_python.chat",),
    ("/chat/completions", True): ("openai_python.chat_stream", "httpx_sse.stream"),
    ("/completions", False): ("openai_python.completions",),
    ("/completions", True): ("openai_python.completions_stream", "httpx_sse.stream"),
    ("/responses", False): ("openai_python.responses",),
    ("/responses", True): ("openai_python.responses_stream",),
    ("/messages", False): ("anthropic_python.messages",),
    ("/messages", True): ("anthropic_python.messages_stream",),
}


def fitting(exchange: Exchange) -> tuple[str, ...]:
    """The names of the readers for an answer; none if it is incomplete, or no client would request it."""
    if exchange.status is None or exchange.failure is not None:
        return ()
    asked = exchange.request.operation
    if exchange.status >= 400:
        # Errors of the Messages API have another envelope.
        return () if asked.startswith("/messages") else ("openai_python.errors",)
    path = "/models" if asked.startswith("/models/") else asked
    streamed = exchange.request.fields.get("stream") is True
    return _ACCEPTED.get((path, streamed), ()) if 200 <= exchange.status < 300 else ()
