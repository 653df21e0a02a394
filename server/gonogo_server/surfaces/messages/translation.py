"""Translation of a request for a message into a chat request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.requests.params import effort
from gonogo_server.surfaces.messages.to_chat import translated
from gonogo_server.surfaces.messages.writer import MessageWriter
from gonogo_server.surfaces.translation import Translation

if TYPE_CHECKING:
    from gonogo_wire import CreateMessageRequest


def translation(body: CreateMessageRequest) -> Translation:
    """The translated request. Raises `BadRequest`, with `param`, for what a chat completion cannot express."""
    wanted = translated(body, images=True)
    limits = dict.fromkeys(("max_tokens", "max_completion_tokens"), "max_tokens")
    telling = MessageWriter(body.model, shows_thinking=wanted.shows_thinking)
    return Translation(
        wanted.chat,
        {**wanted.names, **limits, "stream_options": "stream"},
        telling,
        body.max_tokens,
        wanted.stops,
        # Clients ask any model for 32,000 tokens.
        clip=telling.clip,
        # Claude Code sends an effort to every model. "none" is no hint: it turns the thinking off.
        effort_is_hint=effort(wanted.chat) not in (None, "none"),
    )
