"""A request for a response or a message, translated into a chat request, and how the answer is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.surfaces.chat_request import chat_request

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gonogo_wire import CreateChatCompletionRequest

    from gonogo_server.errors import UpstreamError
    from gonogo_server.presets import Limit
    from gonogo_server.surfaces.respond import Telling

EFFORT: Final = "reasoning_effort"


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
    omitted: Collection[str] = field(default=frozenset())
    """Fields of `chat` that the client did not send; the upstream uses its own defaults."""

    clip: Callable[[], None] | None = None
    """Called before the upstream is asked again without a limit, because its context is shorter; None: it is not."""
    effort_is_hint: bool = False
    """Whether the effort is omitted if the upstream has none, instead of refused."""

    @property
    def stream(self) -> bool:
        """Whether the client asked for a stream."""
        return self.chat.stream is True

    def request(self, limit_name: Limit, *, counted: bool, effort: bool = True) -> dict[str, Any]:
        """The request body for the upstream; see `chat_request`.

        `effort`: whether the upstream accepts `reasoning_effort`. If it does not, "none" and a hint are omitted.
        """
        drops = set(self.omitted)
        if not effort and (self.effort_is_hint or self.chat.reasoning_effort == "none"):
            drops.add(EFFORT)
        return chat_request(
            self.chat, limit=self.limit, limit_name=limit_name, counted=counted, omitted=drops
        )

    def after(self, refusal: UpstreamError) -> Translation | None:
        """The translation to send after this refusal; None if the refusal is the answer."""
        if refusal.code == "context_length_exceeded" and self.clip is not None:
            self.clip()
            return replace(self, limit=None, clip=None)
        if self.effort_is_hint and refusal.status < 500 and EFFORT in (refusal.param or str(refusal)):
            return replace(self, omitted={*self.omitted, EFFORT}, effort_is_hint=False)
        return None
