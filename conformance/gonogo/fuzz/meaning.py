"""Classifies a generated request by the contract, independent of the generator's intention."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from gonogo.fuzz.contract import admits, admits_closed
from gonogo.fuzz.plain import is_plain_message, is_plain_response
from gonogo.fuzz.tame import (
    CHAT,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    INPUT_TOKENS,
    MESSAGES,
    RESPONSES,
)
from gonogo.stimuli.fuzzed import Meant

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 16_384  # bytes; a longer prompt may not fit the model's context


def meaning(path: str, body: bytes, *, embeds: bool) -> Meant:
    """The required behaviour for a JSON body that is posted to `path`.

    A body is odd if the schemas allow it and a server may still refuse it: unknown fields, violated constraints that
    are only in prose, model-dependent values, and undescribed nulls. `embeds` is whether the target has an embedding
    model.
    """
    try:
        value = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return Meant.INVALID
    if not admits(path).is_valid(value):
        return Meant.ODD if admits(path).is_valid(_without_nulls(value)) else Meant.INVALID
    admitted = len(body) <= LONG and admits_closed(path).is_valid(value)
    if path == EMBEDDINGS and not embeds:
        admitted = False
    return Meant.VALID if admitted and not any(odd(value) for odd in _ODD[path]) else Meant.ODD


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value without null fields: in a request, null means absent."""
    if isinstance(value, dict):
        return {name: _without_nulls(child) for name, child in value.items() if child is not None}
    if isinstance(value, list):
        return [_without_nulls(child) for child in value]
    return value


def _is_uneven(body: dict[str, Any]) -> bool:
    """Whether the messages deviate from: instructions, then user and assistant in turn, the user last."""
    messages = body["messages"]
    turns = messages[1:] if messages[0]["role"] == "system" else messages
    due = ["user", "assistant"] * len(turns)
    return (
        len(turns) % 2 == 0
        or [turn["role"] for turn in turns] != due[: len(turns)]
        or not all(_is_text(message) for message in messages)
    )


def _is_text(message: dict[str, Any]) -> bool:
    """Whether a message is plain text."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text"}]
    return content is not None and not message.get("tool_calls") and all(p["type"] == "text" for p in parts)


def _depends_on_tokens(body: dict[str, Any]) -> bool:
    return bool(body.get("logit_bias"))


def _asks_for_form(body: dict[str, Any]) -> bool:
    """Whether it requests a schema, of which servers may support a part, or JSON that the prompt does not mention."""
    form = body.get("response_format")
    return isinstance(form, dict) and form["type"] != "text"


def _has_tools(body: dict[str, Any]) -> bool:
    """Whether it has tools, whose names may repeat and whose schemas may be nonsense, or a tool choice."""
    return body.get("tools") is not None or isinstance(body.get("tool_choice"), dict)


def _thinks(body: dict[str, Any]) -> bool:
    return body.get("reasoning_effort") is not None


def _contradicts(body: dict[str, Any]) -> bool:
    """Whether it has fields that the contract does not allow together."""
    needs_logprobs = body.get("top_logprobs") is not None and not body.get("logprobs")
    needs_stream = body.get("stream_options") is not None and not body.get("stream")
    needs_tools = body.get("tool_choice") not in (None, "none") and not body.get("tools")
    best = body.get("best_of")
    too_few = best is not None and (best < (body.get("n") or 1) or bool(body.get("stream")))
    return needs_logprobs or needs_stream or needs_tools or too_few


def _inserts_and_echoes(body: dict[str, Any]) -> bool:
    """Whether it has an echo with a suffix, for which no schema defines the text."""
    return body.get("suffix") is not None and bool(body.get("echo"))


def _is_no_text(body: dict[str, Any]) -> bool:
    """Whether the prompt has tokens, which a model may lack, or is empty, which some models cannot continue."""
    prompt = body["prompt"]
    texts = prompt if isinstance(prompt, list) else [prompt]
    return not all(isinstance(text, str) and text for text in texts)


def _is_no_plain_input(body: dict[str, Any]) -> bool:
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    return not all(isinstance(text, str) for text in texts) or body.get("dimensions") is not None


_ODD: dict[str, tuple[Callable[[dict[str, Any]], bool], ...]] = {
    CHAT: (_is_uneven, _depends_on_tokens, _asks_for_form, _has_tools, _thinks, _contradicts),
    COMPLETIONS: (_depends_on_tokens, _contradicts, _inserts_and_echoes, _is_no_text),
    EMBEDDINGS: (_is_no_plain_input,),
    **dict.fromkeys((RESPONSES, INPUT_TOKENS), (lambda body: not is_plain_response(body),)),
    **dict.fromkeys((MESSAGES, COUNT_TOKENS), (lambda body: not is_plain_message(body),)),
}
