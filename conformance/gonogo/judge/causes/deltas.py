"""Defects of deltas: pieces that are repeated, doubled or lost."""

from __future__ import annotations

from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from gonogo.judge.causes.diagnosis import Diagnosis, Sighting, among
from gonogo.judge.causes.observations import pieces, quoted, whole_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.judge.causes.observations import Observations

OF_STREAMED_TEXT = (
    "text.*",
    "stop.stream.*",
    "stop.completions.stream*",
    "structured.*",
    "chat.stream.text",
    "completions.stream.carries_text",
    "logprobs.*",
    "tools.stream.arguments*",
    "sampling.effect.*",
    "completions.echo.stream*",
    "clients.*",
)
"""Rules about the joined text of a stream's deltas."""


def _cumulative(observed: Observations) -> Sighting | None:
    def repeats(stream: Exchange) -> str | None:
        found = pieces(stream)
        if len(found) < 3 or not all(
            later.startswith(one) and later != one for one, later in pairwise(found)
        ):
            return None
        return f"the deltas of one stream are {', '.join(map(quoted, found[:3]))}, …"

    return among(observed.streams, repeats)


def _of_pairs(told: Callable[[str, list[str]], str | None]) -> Callable[[Observations], Sighting | None]:
    """Recognise a fault by the pairs of complete and streamed greedy texts: each pair must show it."""

    def look(observed: Observations) -> Sighting | None:
        seen = None
        exchanges = []
        for whole, streamed in observed.pairs():
            text, parts = whole_text(whole).strip(), pieces(streamed)
            if not text or not parts or "".join(parts).strip() == text:
                continue
            said = told(text, parts)
            if said is None:
                return None
            seen = seen or said
            exchanges += [streamed.id, whole.id]
        if seen is None:
            return None
        rest = [stream.id for stream in observed.streams]
        return Sighting(seen, tuple(dict.fromkeys([*exchanges, *rest])))

    return look


def _first_lost(text: str, parts: list[str]) -> str | None:
    streamed = "".join(parts).strip()
    if not text.endswith(streamed):
        return None
    return f"the stream begins with {quoted(streamed)}, the whole text with {quoted(text)}"


def _last_lost(text: str, parts: list[str]) -> str | None:
    streamed = "".join(parts).strip()
    if not text.startswith(streamed):
        return None
    return f"the stream ends with {_ending(streamed)}, the whole text with {_ending(text)}"


def _twice(text: str, parts: list[str]) -> str | None:
    streamed = "".join(parts)
    # The texts are equal up to the second of the two, so that an endless stream is not joined again for each piece.
    same = takewhile(lambda pair: pair[0] == pair[1], zip(streamed.strip(), text, strict=False))
    alike = len(streamed) - len(streamed.lstrip()) + sum(1 for _ in same)
    end = 0
    for one, other in pairwise(parts):
        end += len(one)
        if end - len(one) + len(one.rstrip()) > alike:
            break
        if one == other and (streamed[: end - len(one)] + streamed[end:]).strip() == text:
            return f"the piece {quoted(one)} is sent twice"
    if len(parts) > 1 and parts[0::2] == parts[1::2]:
        return f"every piece is sent twice, such as {quoted(parts[0])}"
    return None


def _ending(text: str) -> str:
    return quoted(text if len(text) <= 30 else "…" + text[-30:])


DIAGNOSES = (
    Diagnosis(
        "cumulative-deltas",
        "Deltas are cumulative: each repeats the text so far",
        "every client concatenates deltas and shows the text repeatedly",
        OF_STREAMED_TEXT,
        _cumulative,
    ),
    Diagnosis(
        "first-piece-lost",
        "Streams lack the first piece of the text",
        "every streaming client loses the beginning of the text",
        OF_STREAMED_TEXT,
        _of_pairs(_first_lost),
    ),
    Diagnosis(
        "last-piece-lost",
        "Streams lack the last piece of the text",
        "every streaming client loses the end of the text",
        OF_STREAMED_TEXT,
        _of_pairs(_last_lost),
    ),
    Diagnosis(
        "piece-twice",
        "Streams send a piece of the text twice",
        "every streaming client shows it twice",
        OF_STREAMED_TEXT,
        _of_pairs(_twice),
    ),
)
