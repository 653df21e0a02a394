"""Finish reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.errors import UpstreamError
from gonogo_server.repair.stages.naming import both, of_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gonogo_server.repair.base import Document, Noted, Requested

RULES: Final = both("finish_reason")
KNOWN: Final = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})

_MEANT: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("eos", "eos_token", "end", "end_turn", "end_of_text", "stop_sequence", "stop_token", "stop_str"),
        "stop",
    ),
    **dict.fromkeys(("complete", "completed", "done", "finished"), "stop"),
    **dict.fromkeys(("max_tokens", "max_length", "max_new_tokens", "max_output_tokens", "limit"), "length"),
    **dict.fromkeys(("tool_use", "tool_call", "toolcalls"), "tool_calls"),
    **dict.fromkeys(("safety", "content_filtered", "refusal", "prohibited_content"), "content_filter"),
}
"""Unambiguous words of other APIs, in lower case."""

_FAILED: Final = frozenset({"error", "abort", "aborted", "cancelled", "canceled", "timeout"})


def meant(reason: object) -> str | None:
    """The contract's word for a finish reason; None if there is none yet.

    Raises UpstreamError if the answer failed, or for an unknown reason.
    """
    if reason is None or reason == "":
        return None
    word = reason.lower() if isinstance(reason, str) else ""
    found = word if word in KNOWN else _MEANT.get(word.replace("-", "_"))
    if found is not None:
        return found
    if word in _FAILED:
        raise UpstreamError("The upstream aborted its answer: try again.", code="upstream_gave_up")
    raise UpstreamError("The upstream's finish reason is not defined by the API.", code="upstream_unreadable")


class Reasons:
    """Writes null if there is no reason, and the contract's word for synonyms."""

    def __init__(self, requested: Requested, noted: Noted) -> None:
        self._requested, self._noted = requested, noted

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk with the contract's finish reasons."""
        edited = False
        for choice in chunk["choices"]:
            reason = choice["finish_reason"]
            if reason is None or (type(reason) is str and reason in KNOWN):
                continue
            choice["finish_reason"] = meant(reason)
            self._noted(of_stream(self._requested, "finish_reason"))
            edited = True
        return ({**chunk} if edited else chunk,)

    def end(self) -> Iterable[Document]:
        """Nothing more."""
        return ()
