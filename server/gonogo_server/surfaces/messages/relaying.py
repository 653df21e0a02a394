"""A forwarded stream of a message. No I/O."""

from __future__ import annotations

from typing import Any, ClassVar

from gonogo_server import sse
from gonogo_server.envelope import message_envelope
from gonogo_server.surfaces.relaying import Relay, count


class MessageRelay(Relay):
    """Forwards one message."""

    lasts: ClassVar = frozenset({"message_stop", "error"})
    errors: ClassVar = frozenset({"error"})

    def failure(self, error: BaseException) -> bytes:
        """The `error` event."""
        return sse.named(message_envelope(error).model_dump(exclude={"request_id"}))

    def seen(self, event: dict[str, Any]) -> None:
        """Remember the usage; the last event that has one counts."""
        holder = event.get("message") if event["type"] == "message_start" else event
        usage = holder.get("usage") if isinstance(holder, dict) else None
        if isinstance(usage, dict):
            self.prompt_tokens = count(usage.get("input_tokens")) or self.prompt_tokens
            self.completion_tokens = count(usage.get("output_tokens")) or self.completion_tokens
