"""Log probabilities in the two forms of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ideal.language import END

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ideal.language import Drawn


def chat_form(drawn: Sequence[Drawn], top: int) -> dict[str, Any]:
    """`{"content": [{"token", "logprob", "bytes", "top_logprobs"}], "refusal": null}`."""
    content = [
        _entry(token.token, token.logprob)
        | {"top_logprobs": [_entry(*other) for other in token.ranked[:top]]}
        for token in drawn
    ]
    return {"content": content, "refusal": None}


def completion_form(drawn: Sequence[Drawn], top: int, offset: int, *, echoed: bool = False) -> dict[str, Any]:
    """Four parallel arrays; `offset` is the position of the first token in the text, in characters.

    The first token of an `echoed` prompt has no probability, because nothing precedes it.
    """
    values: list[float | None] = [token.logprob for token in drawn]
    tops: list[dict[str, float] | None] = [
        {_text(other): logprob for other, logprob in token.ranked[:top]} for token in drawn
    ]
    if echoed and drawn:
        values[0] = tops[0] = None
    return {
        "tokens": [token.text for token in drawn],
        "token_logprobs": values,
        "top_logprobs": tops,
        "text_offset": list(range(offset, offset + len(drawn))),
    }


def _entry(token: int, logprob: float) -> dict[str, Any]:
    text = _text(token)
    return {"token": text, "logprob": logprob, "bytes": None if token == END else list(text.encode())}


def _text(token: int) -> str:
    return "<|end|>" if token == END else chr(token)
