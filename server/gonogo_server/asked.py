"""What a request asks for, with the defaults of the API filled in: null and absent mean the same. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import MISSING

from gonogo_server.engine.base import Sampling
from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_wire import CreateChatCompletionRequest, CreateCompletionRequest

    Request = CreateChatCompletionRequest | CreateCompletionRequest

Value = TypeVar("Value")
Default = TypeVar("Default")

COMPLETION_TOKENS: Final = 16
"""How many tokens a completion has where the request sets no limit."""


def chat_limit(body: CreateChatCompletionRequest) -> int | None:
    """The most tokens to generate; None: as many as fit. The newer name wins where both are given."""
    return _given(body.max_completion_tokens, _given(body.max_tokens, None))


def completion_limit(body: CreateCompletionRequest) -> int:
    """The most tokens to generate."""
    return _given(body.max_tokens, COMPLETION_TOKENS)


def sampling(body: Request) -> Sampling:
    """How tokens are drawn."""
    return Sampling(
        temperature=float(_given(body.temperature, 1.0)),
        top_p=float(_given(body.top_p, 1.0)),
        seed=_given(body.seed, None),
    )


def stops(body: Request) -> Sequence[str]:
    """The stop strings, perhaps none."""
    stop = _given(body.stop, [])
    return [stop] if isinstance(stop, str) else stop


def include_usage(body: Request) -> bool:
    """Whether a stream ends with the token counts."""
    options = _given(body.stream_options, None)
    return options is not None and _given(options.include_usage, None) is True


def texts(body: CreateCompletionRequest) -> Sequence[str]:
    """The prompts. Raises `BadRequest` for token ids and for null, which need the model's vocabulary."""
    if isinstance(body.prompt, str):
        return [body.prompt]
    several = [text for text in body.prompt or [] if isinstance(text, str)]
    if not several:
        raise BadRequest(
            "The prompt must be a string or an array of strings: tokens and null are not supported yet.",
            param="prompt",
            code="unsupported_value",
        )
    return several


def _given(value: Value | MISSING | None, default: Default) -> Value | Default:
    return default if value is MISSING or value is None else value
