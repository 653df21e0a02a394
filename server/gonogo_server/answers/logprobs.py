"""Log probabilities in the two forms of the API: entries for chat, four parallel arrays for completions. No I/O.

Source: OpenAI API reference, "The chat completion object", "The completion object"; what both do with a token
that is part of a character is seen in recorded answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_wire import ChatCompletionLogprobs, CompletionLogprobs, TokenLogprob, TopLogprob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.answers.align import Placed
    from gonogo_server.engine.base import Alternative

FLOOR: Final = -9999.0
"""What stands for impossible: JSON has no infinity."""


def chat_logprobs(tokens: Sequence[Placed]) -> ChatCompletionLogprobs:
    """An entry for each token; their bytes joined are the text, but for a character that was cut off at the limit."""
    return ChatCompletionLogprobs(content=[_entry(one) for one in tokens], refusal=None)


def completion_logprobs(tokens: Sequence[Placed]) -> CompletionLogprobs:
    """The arrays; null for the log probability and the alternatives of a token that follows nothing."""
    return CompletionLogprobs(
        tokens=[_legacy_text(one.data) for one in tokens],
        token_logprobs=[None if one.token is None else _finite(one.token.chosen.logprob) for one in tokens],
        top_logprobs=[_likeliest(one) for one in tokens],
        text_offset=[one.offset for one in tokens],
    )


def _entry(placed: Placed) -> TokenLogprob:
    assert placed.token is not None, "an answer follows something"
    return TokenLogprob(
        token=_text(placed.data),
        logprob=_finite(placed.token.chosen.logprob),
        bytes=_bytes(placed.data),
        top_logprobs=[_top(one) for one in placed.token.likeliest],
    )


def _top(one: Alternative) -> TopLogprob:
    return TopLogprob(token=_text(one.bytes), logprob=_finite(one.logprob), bytes=_bytes(one.bytes))


def _likeliest(placed: Placed) -> dict[str, float] | None:
    """The likeliest, and the token itself where it is not among them: one more than were requested."""
    if placed.token is None:
        return None
    found: dict[str, float] = {}
    for one in (*placed.token.likeliest, placed.token.chosen):
        # Of two tokens that read the same, the likelier one comes first.
        found.setdefault(_legacy_text(one.bytes), _finite(one.logprob))
    return found


def _finite(logprob: float) -> float:
    """Between the floor and 0, which sums of rounded numbers can pass."""
    return min(0.0, max(FLOOR, logprob))


def _bytes(token: bytes) -> list[int] | None:
    """None for a special token, which adds nothing to a text."""
    return list(token) or None


def _text(token: bytes) -> str:
    r"""The token as text; one that is no text of its own is spelled as `\xf0\x9f`."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return "".join(f"\\x{byte:02x}" for byte in token)


def _legacy_text(token: bytes) -> str:
    r"""The same, but with a prefix that tells spelled bytes from text: `bytes:\xf0\x9f`."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return f"bytes:{_text(token)}"
