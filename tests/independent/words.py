"""The text of the plain server: words of a fixed vocabulary, one per token."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

LONGEST = 40
"""Maximum tokens of an answer."""

WORDS = (
    *("bread", "butter", "cheese", "door", "egg", "flour", "glass", "honey", "iron", "jam", "kettle", "lamp"),
    *("milk", "nail", "oven", "plate", "quill", "rope", "salt", "table", "urn", "vase"),
    *("water", "yeast", "zinc", "café", "naïve", "über", "漢字", "🙂"),
    *("north", "south", "east", "west", "red", "green", "blue"),
)


@dataclass(frozen=True)
class Said:
    """One choice: its text in pieces, its finish reason, and its token count."""

    pieces: list[str]
    reason: str
    tokens: int

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def say(prompt: str, body: dict[str, Any], chance: random.Random) -> Said:
    """Words after a prompt, one per token, up to the limit, a stop sequence, or this server's own end."""
    limit = body.get("max_completion_tokens", body.get("max_tokens", LONGEST))
    given = body.get("stop", [])
    stops = [given] if isinstance(given, str) else given
    pieces: list[str] = []
    while len(pieces) < min(limit, LONGEST):
        pieces.append(_word(prompt, len(pieces), body, chance))
        text = "".join(pieces)
        places = [text.index(stop) for stop in stops if stop in text]
        if places:
            return Said(_cut(pieces, min(places)), "stop", len(pieces))
    return Said(pieces, "stop" if limit > LONGEST else "length", len(pieces))


def _word(prompt: str, place: int, body: dict[str, Any], chance: random.Random) -> str:
    """One of five words, which depend on prompt and position; the first is as likely as the other four together."""
    digest = hashlib.sha256(f"{prompt}/{place}".encode()).digest()
    words = [WORDS[byte % len(WORDS)] for byte in digest[:5]]
    temperature, nucleus = body.get("temperature", 1), body.get("top_p", 1)
    chosen = words[0]
    if temperature > 0:
        weights = [share ** (1 / max(temperature, 0.01)) for share in (0.5, 0.2, 0.1, 0.1, 0.1)]
        total, kept, mass = sum(weights), 0, 0.0
        while kept < len(weights) and (kept == 0 or mass < nucleus):
            mass += weights[kept] / total
            kept += 1
        chosen = chance.choices(words[:kept], weights[:kept])[0]
    return chosen if place == 0 else " " + chosen


def _cut(pieces: list[str], end: int) -> list[str]:
    found = []
    for piece in pieces:
        if end > 0:
            found.append(piece[:end])
        end -= len(piece)
    return found


def count(text: str) -> int:
    """The number of tokens of a prompt: words, and the marks between them."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def of_tokens(numbers: list[int]) -> str:
    """The text of tokens, which are numbers of words."""
    return " ".join(WORDS[number % len(WORDS)] for number in numbers)
