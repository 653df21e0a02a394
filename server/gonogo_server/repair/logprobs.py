"""Log probabilities as chats and as completions have them, made of what an upstream sent."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document


def of_chat(found: Any) -> Document | None:  # noqa: ANN401 - JSON
    """The form of chats, the same object where it is right; None where it says nothing that has a form."""
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


def of_completion(found: Any, offset: int) -> Document | None:  # noqa: ANN401 - JSON
    """The form of completions; `offset` is how many characters of the text came before."""
    if isinstance(found, dict) and "tokens" not in found and isinstance(found.get("content"), list):
        found = found["content"]
    if isinstance(found, list) and all(isinstance(entry, dict) for entry in found):
        return _columns(found, offset)
    return found if isinstance(found, dict) else None


def _tokens(entries: Any) -> list[Document] | None:  # noqa: ANN401 - JSON
    """The same list where every entry of it is whole."""
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
    missing = [top for top in right if isinstance(top, dict) and "bytes" not in top]
    if right is tops and "bytes" in entry and not missing:
        return entry
    whole = [{"bytes": None, **top} for top in right if isinstance(top, dict)]
    return {"bytes": None, **entry, "top_logprobs": whole}


def _entries(found: Document) -> list[Document]:
    """The form of completions, a token at a time."""
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


def _columns(entries: list[Document], offset: int) -> Document:
    """The form of chats, a list for each thing said of a token."""
    tokens = [str(entry.get("token", "")) for entry in entries]
    places = accumulate(map(len, tokens), initial=offset)
    return {
        "tokens": tokens,
        "token_logprobs": [entry.get("logprob") for entry in entries],
        "top_logprobs": [
            {str(top.get("token", "")): top.get("logprob") for top in entry.get("top_logprobs") or []}
            for entry in entries
        ],
        "text_offset": [place for place, _ in zip(places, tokens, strict=False)],
    }
