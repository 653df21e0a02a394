"""Adapts generated requests so that they can be sent to a language model.

The generated requests name a model that does not exist, most have no token limit, some ask for 128 choices, and
integers are written as 883.0. A value that breaks the contract is never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gonogo.stimuli.stimulus import Subject

TOKENS = 4
"""The most tokens of an answer; each may be a chunk."""
CHOICES = 2
PROMPTS = 2
BRAKES = [" ", "a", "e", "o"]
"""Stop strings for requests with a deliberately wrong token limit."""

CHAT, COMPLETIONS, EMBEDDINGS = "/chat/completions", "/completions", "/embeddings"
RESPONSES, INPUT_TOKENS = "/responses", "/responses/input_tokens"
MESSAGES, COUNT_TOKENS = "/messages", "/messages/count_tokens"
STREAMING = frozenset({CHAT, COMPLETIONS, RESPONSES, MESSAGES})
"""The paths whose answers may be streams."""
GENERATING = STREAMING | {EMBEDDINGS, INPUT_TOKENS, COUNT_TOKENS}
"""The operations for which a target with keys must require one: many have public model lists."""

_LIMITS = {
    CHAT: ("max_completion_tokens", "max_tokens"),
    COMPLETIONS: ("max_tokens",),
    RESPONSES: ("max_output_tokens",),
    MESSAGES: ("max_tokens",),
}
_LEAST = {RESPONSES: 16}  # contract minimum of the limit
_REQUIRED = frozenset(
    {MESSAGES}
)  # the contract requires the limit for these paths: a missing one is deliberately wrong
_STOPS = {CHAT: "stop", COMPLETIONS: "stop", MESSAGES: "stop_sequences"}
_MOST = {"n": 128, "best_of": 20}  # contract maximum; larger ones are kept
_EXACT = 2**53  # from here on a float is not an exact integer


def tame(path: str, value: object, subject: Subject) -> object:
    """The body to send to `path` in place of `value`; values other than objects are unchanged."""
    value = _whole(value)
    if not isinstance(value, dict):
        return value
    body = dict(value)
    if isinstance(body.get("model"), str) and body["model"]:
        embedding = path == EMBEDDINGS and subject.embedding_model is not None
        body["model"] = subject.embedding_model if embedding else subject.model
    if path in _LIMITS:
        _limit_choices(body)
        _limit_tokens(path, body)
        _agree(path, body)
    return body


def most_tokens(path: str, body: object) -> int:
    """The maximum number of tokens that a conforming server generates for this body; 0 if it refuses it."""
    if path not in _LIMITS or not isinstance(body, dict):
        return 0
    limits = [number for name in _LIMITS[path] if (number := _number(body.get(name))) is not None]
    choices = max(_number(body.get("n")) or 1, _number(body.get("best_of")) or 1)
    prompts = body.get("prompt")
    texts = len(prompts) if isinstance(prompts, list) and _number(next(iter(prompts), 0)) is None else 1
    return max(limits[0] if limits else 0, 0) * choices * max(texts, 1)


def _whole(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value with 883 in place of 883.0, which is an integer in JSON Schema but not for strict parsers."""
    if isinstance(value, dict):
        return {name: _whole(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_whole(child) for child in value]
    if isinstance(value, float) and abs(value) < _EXACT and value.is_integer():
        return int(value)
    return value


def _limit_choices(body: dict[str, Any]) -> None:
    for name, most in _MOST.items():
        number = _number(body.get(name))
        if number is not None and CHOICES < number <= most:
            body[name] = CHOICES
    prompts = body.get("prompt")
    if isinstance(prompts, list) and not all(_number(prompt) is not None for prompt in prompts):
        body["prompt"] = prompts[:PROMPTS]


def _limit_tokens(path: str, body: dict[str, Any]) -> None:
    """Lower the limit to a few tokens, or add one; stop strings end an answer with a deliberately wrong limit."""
    names, most = _LIMITS[path], _LEAST.get(path, TOKENS)
    for name in names:
        number = _number(body.get(name))
        if number is not None and number > most:
            body[name] = most
    if any((_number(body.get(name)) or 0) > 0 for name in names):
        return
    free = [name for name in reversed(names) if name not in body] or [n for n in names if body[n] is None]
    if path in _REQUIRED:
        free = []
    if free:
        body[free[0]] = most
    stop = _STOPS.get(path)
    wrong = any(name not in free and (path in _REQUIRED or body.get(name) is not None) for name in names)
    if wrong and stop and body.get(stop) is None:
        body[stop] = BRAKES


def _agree(path: str, body: dict[str, Any]) -> None:
    """Add or remove fields that the contract, in prose, requires together."""
    if isinstance(body.get("stream_options"), dict) and not body.get("stream"):
        body["stream"] = True
    if path == CHAT and _number(body.get("top_logprobs")) is not None and not body.get("logprobs"):
        body["logprobs"] = True
    if body.get("tool_choice") in ("auto", "required") and not body.get("tools"):
        del body["tool_choice"]
    best, choices = _number(body.get("best_of")), _number(body.get("n"))
    if best is not None and body.get("stream") is True:
        del body["best_of"]
    elif best is not None and 0 <= best < (choices or 1) <= CHOICES:
        body["best_of"] = choices or 1
    _address(body.get("messages"))


def _address(messages: object) -> None:
    """Turn a conversation of instructions only into a user message: chat templates need one."""
    last = messages[-1] if isinstance(messages, list) and messages else None
    if isinstance(last, dict) and last.get("role") in ("system", "developer"):
        last["role"] = "user"


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
