"""Log probabilities in the formats of chats and completions, from what an upstream sent."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document

VERY_UNLIKELY: Final = -9999.0
"""The API's value for a probability that is too small to represent."""


def of_chat(found: Any) -> Document | None:  # noqa: ANN401 - JSON
    """The form for chats; the same object if it is right, None if it cannot be converted."""
    if isinstance(found, list):
        found = {"content": found, "refusal": None}
    if not isinstance(found, dict):
        return None
    if "content" not in found and isinstance(found.get("tokens"), list):
        found = {"content": _entries(found), "refusal": None}
    lists = {name: found.get(name) for name in ("content", "refusal")}
    right = {name: None if value is None else _tokens(value) for name, value in lists.items()}
    same = all(name in found and right[name] is found[name] for name in right)
    return found if same else {**found, **right}


def of_completion(found: Any, text: str, before: int = 0) -> Document | None:  # noqa: ANN401 - JSON
    """The form for completions; the same object if it is right, None if it cannot be converted.

    `text` is the text of these tokens, and `before` the number of characters before it.
    """
    if isinstance(found, dict) and "tokens" not in found and isinstance(found.get("content"), list):
        found = found["content"]
    if isinstance(found, list) and all(isinstance(entry, dict) for entry in found):
        found = _columns(found)
    if not isinstance(found, dict):
        return None
    offsets = _offsets(found, text, before)
    return found if offsets is None else {**found, "text_offset": offsets}


def _offsets(found: Document, text: str, before: int) -> list[int] | None:
    """The right text offsets if the given ones differ; None if they agree, or if the right ones are unknown."""
    tokens, given = found.get("tokens"), found.get("text_offset")
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        return None
    if not tokens or "".join(tokens) != text:
        return None
    given = given if isinstance(given, list) and all(type(at) is int for at in given) else []
    start = given[0] if len(given) == len(tokens) and given == sorted(given) else before
    right = [start + at for at in accumulate(map(len, tokens[:-1]), initial=0)]
    return None if given == right else right


def _tokens(entries: Any) -> list[Document] | None:  # noqa: ANN401 - JSON
    """The list with complete entries; the same list if all are complete."""
    if not isinstance(entries, list):
        return None
    found = [_token(entry) for entry in entries]
    if all(new is old for new, old in zip(found, entries, strict=True)):
        return entries
    return [entry for entry in found if entry is not None]


def _token(entry: Any) -> Document | None:  # noqa: ANN401 - JSON
    if not isinstance(entry, dict):
        return None
    tops = entry.get("top_logprobs")
    right = tops if isinstance(tops, list) else []
    whole = [_top(top) for top in right if isinstance(top, dict)]
    value = _number(entry.get("logprob"))
    same = len(whole) == len(right) and all(new is old for new, old in zip(whole, right, strict=True))
    if right is tops and same and "bytes" in entry and value is entry.get("logprob"):
        return entry
    return {"bytes": None, **entry, "logprob": value, "top_logprobs": whole}


def _top(top: Document) -> Document:
    value = _number(top.get("logprob"))
    return top if "bytes" in top and value is top.get("logprob") else {"bytes": None, **top, "logprob": value}


def _number(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The value if it is a number; text is parsed, and becomes None if JSON has no such number.

    Negative infinity becomes -9999.0.
    """
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return value
        if math.isnan(value) or value == math.inf:
            return None
    return VERY_UNLIKELY if value == -math.inf else value


def _entries(found: Document) -> list[Document]:
    """Converts the form for completions to one entry per token."""
    tokens = found["tokens"]
    values, tops = (
        value
        if isinstance(value := found.get(name), list) and len(value) == len(tokens)
        else [None] * len(tokens)
        for name in ("token_logprobs", "top_logprobs")
    )
    return [
        {
            "token": token,
            "logprob": value,
            "bytes": None,
            "top_logprobs": [
                {"token": other, "logprob": logprob, "bytes": None} for other, logprob in (top or {}).items()
            ],
        }
        for token, value, top in zip(tokens, values, tops, strict=True)
    ]


def _columns(entries: list[Document]) -> Document:
    """Converts the form for chats to one list per member."""
    tokens = [str(entry.get("token", "")) for entry in entries]
    return {
        "tokens": tokens,
        "token_logprobs": [entry.get("logprob") for entry in entries],
        "top_logprobs": [
            {str(top.get("token", "")): top.get("logprob") for top in entry.get("top_logprobs") or []}
            for entry in entries
        ],
    }
