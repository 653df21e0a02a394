"""A forwarded stream of a response. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gonogo_server import sse
from gonogo_server.surfaces.relaying import Relay, count
from gonogo_server.surfaces.responses.writer import ResponseWriter, failed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Document = dict[str, Any]


class ResponseRelay(Relay):
    """Forwards one response. `echo` is for a response that fails before its first event; see `ResponseWriter`."""

    lasts: ClassVar = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})
    errors: ClassVar = frozenset({"response.failed", "error"})

    def __init__(self, echo: Mapping[str, Any], hide: Iterable[str] = ()) -> None:
        super().__init__(hide)
        self._echo = echo
        self._response: Document | None = None
        self._number = -1

    def failure(self, error: BaseException) -> bytes:
        """A `response.failed` with the response as it was last seen."""
        if self._response is None:
            return ResponseWriter(self._echo).failure(error)
        told = {**self._response, "status": "failed", "error": failed(error)}
        return sse.named({"type": "response.failed", "sequence_number": self._number + 1, "response": told})

    def seen(self, event: Document) -> None:
        """Remember the response, the sequence number, and the usage."""
        if type(number := event.get("sequence_number")) is int:
            self._number = max(self._number, number)
        if isinstance(response := event.get("response"), dict):
            self._response = response
            if isinstance(usage := response.get("usage"), dict):
                self.prompt_tokens = count(usage.get("input_tokens"))
                self.completion_tokens = count(usage.get("output_tokens"))
