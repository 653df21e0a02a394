"""Log probabilities in the two forms of the API: entries for chat, four parallel arrays for completions. No I/O.

Source: OpenAI API reference, "The chat completion object", "The completion object"; for tokens that are part of a
character, recorded answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_wire import ChatCompletionLogprobs, CompletionLogprobs, TokenLogprob, TopLogprob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.answers.align import Placed
    from gonogo_server.engine.base import Alternative

FLOOR: Final = -9999.0
"""The log probability of an impossible token, because JSON has no infinity."""


def chat_logprobs(tokens: Sequence[Placed]) -> ChatCompletionLogprobs:
    """An entry for each token; the joined bytes are the text, except for a character cut off at the limit."""
    return ChatCompletionLogprobs(content=[_entry(one) for one in tokens], refusal=None)


def completion_logprobs(tokens: Sequence[Placed]) -> CompletionLogprobs:
    """The arrays; null for the log probability and the alternatives of a token that has nothing before it."""
    return CompletionLogprobs(
        tokens=[_legacy_text(one.data) for one in tokens],
        token_logprobs=[None if one.token is None else _finite(one.token.chosen.logprob) for one in tokens],
        top_logprobs=[_top_by_text(one) for one in tokens],
        text_offset=[one.offset for one in tokens],
    )


def _entry(placed: Placed) -> TokenLogprob:
    assert placed.token is not None, "an answer follows something"
    return TokenLogprob(
        token=_text(placed.data),
        logprob=_finite(placed.token.chosen.logprob),
        bytes=_bytes(placed.data),
        top_logprobs=[_top(one) for one in placed.token.top_logprobs],
    )


def _top(one: Alternative) -> TopLogprob:
    return TopLogprob(token=_text(one.bytes), logprob=_finite(one.logprob), bytes=_bytes(one.bytes))


def _top_by_text(placed: Placed) -> dict[str, float] | None:
    """The most likely tokens, plus the token itself if it is not among them, as an extra entry."""
    if placed.token is None:
        return None
    found: dict[str, float] = {}
    for one in (*placed.token.top_logprobs, placed.token.chosen):
        # If two tokens have the same text, the likelier one wins; it comes first.
        found.setdefault(_legacy_text(one.bytes), _finite(one.logprob))
    return found


def _finite(logprob: float) -> float:
    """The value clamped between the floor and 0, which sums of rounded numbers can exceed."""
    return min(0.0, max(FLOOR, logprob))


def _bytes(token: bytes) -> list[int] | None:
    """The bytes; None for a special token, which adds no text."""
    return list(token) or None


def _text(token: bytes) -> str:
    r"""The token as text; bytes that are not valid UTF-8 are written as `\xf0\x9f`."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return "".join(f"\\x{byte:02x}" for byte in token)


def _legacy_text(token: bytes) -> str:
    r"""As `_text`, with a prefix that distinguishes escaped bytes from text: `bytes:\xf0\x9f`."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return f"bytes:{_text(token)}"
