"""A request for a response or a message, translated into a chat request, and how the answer is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonogo_server.surfaces.chat_request import chat_request

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gonogo_wire import CreateChatCompletionRequest

    from gonogo_server.presets import Limit
    from gonogo_server.surfaces.respond import Telling


@dataclass(frozen=True, slots=True)
class Translation:
    """One translated request."""

    chat: CreateChatCompletionRequest
    """The chat request without limit and stop sequences."""
    names: Mapping[str, str]
    """The client's field names by those of `chat`, for errors."""
    telling: Telling
    """Writes the answer."""
    limit: int | None = None
    """Maximum number of tokens of the answer."""
    stops: tuple[str, ...] = ()
    """Stop sequences; see `ChatAnswer`."""
    unasked: Collection[str] = field(default=frozenset())
    """Fields of `chat` that the client did not send; the upstream uses its own defaults."""

    clip: Callable[[], None] | None = None
    """Called before the upstream is asked again without a limit, because its context is shorter; None: it is not."""

    @property
    def stream(self) -> bool:
        """Whether the client asked for a stream."""
        return self.chat.stream is True

    def request(self, limit_name: Limit, *, counted: bool, effort: bool = True) -> dict[str, Any]:
        """The request body for the upstream; see `chat_request`.

        `effort`: whether the upstream accepts `reasoning_effort`. If it does not, "none" is omitted.
        """
        drops = set(self.unasked)
        if not effort and self.chat.reasoning_effort == "none":
            drops.add("reasoning_effort")
        return chat_request(
            self.chat, limit=self.limit, limit_name=limit_name, counted=counted, unasked=drops
        )
