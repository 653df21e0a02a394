"""Data from earlier answers that later requests are built from.

Answers are read here to build requests, not to judge them: an unexpected answer makes the later request impossible, and
the rules about the answer itself report its defects.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gonogo import sse
from gonogo.reasons import Reason
from gonogo.stimuli import surface_text
from gonogo.stimuli.stimulus import NotPossible

if TYPE_CHECKING:
    from gonogo.exchange import Exchange


def text(exchange: Exchange) -> str:
    """The text of the first choice, or of a surface other than chat, whole or streamed. Raises NotPossible if there is
    none.
    """
    if exchange.request.operation in surface_text.READERS:
        return _text_of_surface(exchange)
    if exchange.is_stream:
        return "".join(pieces(exchange))
    _refuse_failure(exchange)
    found = [
        content
        for choice in first_choices(exchange.body.decode("utf-8", "replace"))
        if (content := _text(choice))
    ]
    if not found:
        raise NotPossible(Reason.NO_TEXT, exchange)
    return found[0]


def _text_of_surface(exchange: Exchange) -> str:
    _refuse_failure(exchange)
    events = sse.parse(exchange.body).events if exchange.is_stream else ()
    bodies = [event.data for event in events] or [exchange.body.decode("utf-8", "replace")]
    found = "".join(
        piece for body in bodies for piece in surface_text.pieces(exchange.request.operation, body)
    )
    if not found:
        raise NotPossible(Reason.NO_TEXT, exchange)
    return found


def same(base: Exchange, exchange: Exchange) -> bool:
    """Whether two answers have the same text."""
    return text(base) == text(exchange)


def same_trimmed(base: Exchange, exchange: Exchange) -> bool:
    """Whether two answers have the same text, ignoring whitespace at the ends."""
    return text(base).strip() == text(exchange).strip()


def begins(base: Exchange, exchange: Exchange) -> bool:
    """Whether the text of an answer is a beginning of the base's, ignoring whitespace at the ends."""
    return text(base).strip().startswith(text(exchange).strip())


def pieces(exchange: Exchange) -> list[str]:
    """The text of a stream's first choice in pieces. Raises NotPossible if there is none."""
    _refuse_failure(exchange)
    choices = [choice for event in sse.parse(exchange.body).events for choice in first_choices(event.data)]
    found = [piece for choice in choices if (piece := _text(choice))]
    if found:
        return found
    if any(_reasons(choice) for choice in choices):
        raise NotPossible(Reason.ALL_REASONING, exchange)
    raise NotPossible(Reason.NO_TEXT, exchange)


# The names of the context length: here and at OpenRouter, vLLM, Mistral and LM Studio, Groq, llama.cpp, Anthropic and
# LiteLLM; some put it into a nested object.
_LENGTHS = (
    "context_length", "max_model_len", "max_context_length", "context_window", "n_ctx", "n_ctx_train",
    "max_input_tokens",
)  # fmt: skip
_WITHIN = ("meta", "metadata", "top_provider")

# "maximum context length is 4096 tokens" (OpenAI, vLLM), "max_model_len=4096", "n_ctx": 4096 (llama.cpp).
_STATED = re.compile(
    r"(?:context(?:[ _](?:length|window|size))?|max_model_len|n_ctx(?:_train)?)"
    r"(?: (?:limit|is|of|only|has))*\W{0,3}?(?P<length>\d[\d,]*)"
)
_LEAST = 16  # tokens; a smaller number is not a context length


def listed_ids(listing: Exchange) -> list[str]:
    """The ids of the listed models without duplicates, those with "/" first, which some routes cannot handle.

    An id that is not text, is empty, or contains a lone surrogate is omitted, because it cannot be requested.
    """
    ids = [entry.get("id") for entry in _entries(listing)]
    named = dict.fromkeys(name for name in ids if isinstance(name, str) and name and _is_whole(name))
    return sorted(named, key=lambda name: "/" not in name)


def context_length(listing: Exchange, model: str) -> int:
    """The listed context length of a model, in tokens. Raises NotPossible if it is not listed.

    If several lengths are listed, the greatest.
    """
    lengths = [
        length for entry in _entries(listing) if entry.get("id") == model for length in _lengths(entry)
    ]
    if not lengths:
        raise NotPossible(Reason.CONTEXT_NOT_LISTED, listing)
    return max(lengths)


def _entries(listing: Exchange) -> list[dict[str, Any]]:
    body = listing.json
    data = body.get("data") if isinstance(body, dict) else None
    return [entry for entry in (data if isinstance(data, list) else []) if isinstance(entry, dict)]


def _is_whole(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def stated_length(refusal: Exchange, asked: int) -> int | None:
    """The context length in the refusal of `asked` tokens; None if it is not stated."""
    if refusal.status is None or not 400 <= refusal.status < 500:
        return None
    text = refusal.body.decode("utf-8", "replace")
    found = (int(match["length"].replace(",", "")[:12]) for match in _STATED.finditer(text))
    return next((length for length in found if _LEAST <= length < asked), None)


def _refuse_failure(exchange: Exchange) -> None:
    if exchange.failure is not None:
        raise NotPossible(Reason.NOT_WHOLE, exchange, failure=exchange.failure.message)
    if exchange.status is None or not 200 <= exchange.status < 300:
        raise NotPossible(Reason.OTHER_STATUS, exchange, status=exchange.status)


def _lengths(entry: dict[str, Any]) -> list[int]:
    inner = [part for name in _WITHIN if isinstance(part := entry.get(name), dict)]
    return [
        value
        for fields in (entry, *inner)
        for name in _LENGTHS
        if type(value := fields.get(name)) is int and value > 0
    ]


def first_choices(data: str) -> list[dict[str, Any]]:
    """The first choice in a JSON body or an event's data, as a list; empty if there is none."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return []
    choices = value.get("choices") if isinstance(value, dict) else None
    return [
        choice
        for choice in (choices if isinstance(choices, list) else [])
        if isinstance(choice, dict) and choice.get("index", 0) == 0
    ]


def _text(choice: dict[str, Any]) -> str | None:
    holder = choice.get("delta", choice.get("message"))
    value = holder.get("content") if isinstance(holder, dict) else choice.get("text")
    return value if isinstance(value, str) else None


def _reasons(choice: dict[str, Any]) -> bool:
    delta = choice.get("delta")
    return isinstance(delta, dict) and bool(delta.get("reasoning_content") or delta.get("reasoning"))
