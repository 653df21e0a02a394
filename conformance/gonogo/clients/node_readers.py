"""The Node readers by name, and the answers that each can read; node/lane.mjs implements them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gonogo.clients.bytes_say import values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange

NODE_READERS: Mapping[str, tuple[str, str]] = {
    "openai_node.models": ("openai-node", "openai"),
    "openai_node.chat": ("openai-node", "openai"),
    "openai_node.chat_stream": ("openai-node", "openai"),
    "openai_node.completions": ("openai-node", "openai"),
    "openai_node.completions_stream": ("openai-node", "openai"),
    "openai_node.embeddings": ("openai-node", "openai"),
    "ai_sdk.chat": ("AI SDK", "ai"),
    "ai_sdk.chat_stream": ("AI SDK", "ai"),
    "ai_sdk.errors": ("AI SDK", "ai"),
    "openai_node.responses": ("openai-node", "openai"),
    "openai_node.responses_stream": ("openai-node", "openai"),
    "anthropic_node.messages": ("@anthropic-ai/sdk", "@anthropic-ai/sdk"),
    "anthropic_node.messages_stream": ("@anthropic-ai/sdk", "@anthropic-ai/sdk"),
    "ai_sdk.messages": ("AI SDK with @ai-sdk/anthropic", "@ai-sdk/anthropic"),
    "ai_sdk.messages_stream": ("AI SDK with @ai-sdk/anthropic", "@ai-sdk/anthropic"),
    "ai_sdk.responses": ("AI SDK with @ai-sdk/openai", "@ai-sdk/openai"),
    "ai_sdk.responses_stream": ("AI SDK with @ai-sdk/openai", "@ai-sdk/openai"),
}
"""For each reader the name of its client, and the package with the client's version."""

_CHAT = "/chat/completions"
# By the path of the request, and whether it requested a stream.
_ACCEPTED: Mapping[tuple[str, bool], tuple[str, ...]] = {
    ("/models", False): ("openai_node.models",),
    (_CHAT, False): ("openai_node.chat", "ai_sdk.chat"),
    (_CHAT, True): ("openai_node.chat_stream", "ai_sdk.chat_stream"),
    ("/completions", False): ("openai_node.completions",),
    ("/completions", True): ("openai_node.completions_stream",),
    ("/embeddings", False): ("openai_node.embeddings",),
    ("/responses", False): ("openai_node.responses", "ai_sdk.responses"),
    ("/responses", True): ("openai_node.responses_stream", "ai_sdk.responses_stream"),
    ("/messages", False): ("anthropic_node.messages", "ai_sdk.messages"),
    ("/messages", True): ("anthropic_node.messages_stream", "ai_sdk.messages_stream"),
}
# A vendor-specific item or event, which Open Responses allows with a prefix and a colon: openai-node's helper throws
# at such an event, and the AI SDK at such an item, from any server.
_EXTENSION = re.compile(rb'"type"\s*:\s*"[\w.-]+:')
# Open Responses' name for reasoning text; openai-node 7.55 throws at each unknown event.
_OPEN_REASONING = re.compile(rb'"type"\s*:\s*"response\.reasoning\.(delta|done)"')
_OF_MESSAGES = frozenset(
    {
        *("message", "message_start", "message_delta", "message_stop", "ping", "error"),
        *("content_block_start", "content_block_delta", "content_block_stop"),
        *("text", "thinking", "redacted_thinking", "tool_use"),
        *("text_delta", "input_json_delta", "thinking_delta", "signature_delta", "citations_delta"),
    }
)
"""The types that the AI SDK knows of events, blocks and deltas."""
_MOST_STATUS = 599  # of the responses of fetch


def fitting_node(exchange: Exchange) -> tuple[str, ...]:
    """The names of the readers for an answer; none if it is incomplete, or no client would request it."""
    if exchange.status is None or exchange.failure is not None or exchange.status > _MOST_STATUS:
        return ()
    path, fields = exchange.request.operation, exchange.request.fields
    if exchange.status >= 400:
        return ("ai_sdk.errors",) if path == _CHAT else ()
    if not 200 <= exchange.status < 300:
        return ()
    known = _ACCEPTED.get(
        ("/models" if path.startswith("/models/") else path, fields.get("stream") is True), ()
    )
    if path == "/responses":
        known = tuple(name for name in known if _reads_responses(name, exchange))
    if path == "/messages":
        known = tuple(name for name in known if _reads_messages(name, exchange))
    return tuple(name for name in known if _asks_so(name, fields))


def _reads_responses(name: str, exchange: Exchange) -> bool:
    """Whether a client reads such a response from any server; if not, the server is not at fault."""
    if _EXTENSION.search(exchange.body):
        return False
    return name != "openai_node.responses_stream" or not _OPEN_REASONING.search(exchange.body)


def _reads_messages(name: str, exchange: Exchange) -> bool:
    """Whether a client reads such messages from any server; if not, the server is not at fault."""
    if name.startswith("anthropic_node."):
        # It compares the media type case-sensitively, which RFC 9110 8.3.1 does not allow.
        return all(
            value == value.lower() for field, value in exchange.headers if field.lower() == "content-type"
        )
    return all(map(_is_known_to_ai_sdk, values(exchange.body)))


def _is_known_to_ai_sdk(value: Mapping[str, Any]) -> bool:
    """Whether it has only known types of events, blocks and deltas, signed thinking, and no text in a block's start."""
    blocks = value.get("content") if value.get("type") == "message" else [value.get("content_block")]
    found = [block for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    delta = value.get("delta")
    kinds = [value.get("type"), *(block.get("type") for block in found)]
    kinds += [delta.get("type")] if isinstance(delta, dict) else []
    return (
        all(kind in _OF_MESSAGES for kind in kinds if isinstance(kind, str))
        and not any(block.get("type") == "thinking" and "signature" not in block for block in found)
        and not (value.get("type") == "content_block_start" and any(block.get("text") for block in found))
    )


def _asks_so(name: str, fields: Mapping[str, Any]) -> bool:
    """Whether the client can send such a request."""
    if name == "openai_node.embeddings":
        return fields.get("encoding_format") in ("float", "base64")  # the client always sends `stream`
    if not name.startswith("ai_sdk."):
        return True
    # The AI SDK requests one choice, and supports only functions as tools.
    tools = fields.get("tools")
    functions = all(isinstance(tool, dict) and _is_function(tool) for tool in tools) if tools else True
    return fields.get("n") in (None, 1) and functions


def _is_function(tool: Mapping[str, Any]) -> bool:
    """Whether the application runs the tool: a function, or a tool of the Messages API without a provider's type."""
    return tool.get("type") == "function" or "input_schema" in tool
