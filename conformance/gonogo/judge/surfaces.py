"""Reads an answer of any surface: the text, the finish reason, and the token counts. A surface is a row of `READERS`.
Rules that compare surfaces use it, and rules about any text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from gonogo.judge.outcome import Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange

Value = TypeVar("Value")

STOP: Final = "stop"
LENGTH: Final = "length"
CALLS: Final = "tool_calls"
"""The chat finish reasons."""
GOES_ON: Final = frozenset(",;:-–—、，；：")  # noqa: RUF001 - of other scripts
"""Characters besides letters and digits with which no complete text ends."""


@dataclass(frozen=True, slots=True)
class Told:
    """The text, the finish reason in chat's terms, and the input and output tokens; None for missing values."""

    text: str
    reason: str | None
    input_tokens: int | None
    output_tokens: int | None


def or_none(read: Callable[[Exchange], Value], exchange: Exchange) -> Value | None:
    """The result of `read`; None if the answer is unreadable."""
    try:
        return read(exchange)
    except Stop:
        return None


def may_have_ended(text: str) -> bool:
    """Whether a text at its token limit may be complete: it ends with a sentence, a bracket, an emoji, or "the end"."""
    said = text.rstrip().casefold()
    return said.endswith("the end") or not (said[-1:].isalnum() or said[-1:] in GOES_ON)


READERS: dict[str, Callable[[Exchange], Told]] = {}
"""The reader of complete and streamed answers by the path of the operation. Raises Stop for unreadable answers."""
