"""What an answer says, on whichever surface it came: the text, why it ends, and what it counts.

A surface is a row of `READERS`. Rules that compare surfaces, and those about any text, read by them.
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
"""Why an answer ends, in the words of chat."""


@dataclass(frozen=True, slots=True)
class Told:
    """The text, the reason to end in the words of chat, and the tokens of the input and of the output.

    None stands for what the answer does not tell.
    """

    text: str
    reason: str | None
    input_tokens: int | None
    output_tokens: int | None


def or_none(read: Callable[[Exchange], Value], exchange: Exchange) -> Value | None:
    """What is read of an answer; None if it cannot be read."""
    try:
        return read(exchange)
    except Stop:
        return None


READERS: dict[str, Callable[[Exchange], Told]] = {}
"""What reads an answer, whole or streamed, by the path of its operation. Raises Stop if it cannot be read."""
