"""Generated text within its limits: up to the end, a stop sequence or the token limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ideal.language import END, Drawn

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Generated:
    """The tokens of the text, the finish reason, and the number of generated tokens."""

    drawn: tuple[Drawn, ...]
    finish: str
    count: int

    @property
    def text(self) -> str:
        """The tokens as text."""
        return "".join(token.text for token in self.drawn)

    @property
    def likelihood(self) -> float:
        """The sum of the log probabilities."""
        return sum(token.logprob for token in self.drawn)


def generate(speech: Iterable[Drawn], limit: int | None, stops: list[str]) -> Generated:
    """Take tokens from the speech until it ends, a stop sequence appears, or the limit is reached."""
    drawn: list[Drawn] = []
    text = ""
    for number, token in enumerate(speech):
        if limit is not None and number >= limit:
            return Generated(tuple(drawn), "length", number)
        if token.token == END:
            return Generated(tuple(drawn), "stop", number + 1)
        drawn.append(token)
        text += token.text
        if found := [stop for stop in stops if stop in text]:
            end = min(text.index(stop) for stop in found)  # a token is a character
            return Generated(tuple(drawn[:end]), "stop", number + 1)
    raise AssertionError("a speech ends with END")


def stop_sequences(stop: str | list[str] | None) -> list[str]:
    """The stop sequences as a list, in whichever form they were given."""
    return [stop] if isinstance(stop, str) else stop or []
