"""The parameters of a request with the API's defaults: null and absent mean the same. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

from pydantic import MISSING

from gonogo_server.engine.base import Sampling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonogo_wire import CreateChatCompletionRequest, CreateCompletionRequest, CreateEmbeddingRequest

    from gonogo_server.engine.base import Effort

    Request = CreateChatCompletionRequest | CreateCompletionRequest

Value = TypeVar("Value")
Default = TypeVar("Default")

COMPLETION_TOKENS: Final = 16
"""The token limit of a completion whose request sets none."""


def chat_limit(body: CreateChatCompletionRequest) -> int | None:
    """The maximum number of tokens to generate; None: as many as fit. The newer name wins if both are given."""
    return given(body.max_completion_tokens, given(body.max_tokens, None))


def completion_limit(body: CreateCompletionRequest, default: int | None = None) -> int:
    """The maximum number of tokens to generate; `default` also limits a request without a limit."""
    usual = COMPLETION_TOKENS if default is None else min(COMPLETION_TOKENS, default)
    # The model fills in the schema's default.
    return given(body.max_tokens if "max_tokens" in body.model_fields_set else None, usual)


def choices(body: Request) -> int:
    """The number of answers to return for each prompt."""
    return given(body.n, 1)


def candidates(body: CreateCompletionRequest) -> int:
    """The number of answers to generate for each prompt; the likeliest are returned."""
    # The model fills in the schema's default of 1, which is valid only for an `n` of 1.
    best_of = body.best_of if "best_of" in body.model_fields_set else None
    return given(best_of, choices(body))


def chat_logprobs(body: CreateChatCompletionRequest) -> int | None:
    """How many of the likeliest tokens to report at each position; None: no log probabilities."""
    return given(body.top_logprobs, 0) if given(body.logprobs, None) else None


def completion_logprobs(body: CreateCompletionRequest) -> int | None:
    """How many of the likeliest tokens to report at each position; None: no log probabilities."""
    return given(body.logprobs, None)


def echo(body: CreateCompletionRequest) -> bool:
    """Whether to return the prompt before the answer."""
    return bool(given(body.echo, None))


def effort(body: CreateChatCompletionRequest) -> Effort | None:
    """The reasoning effort; None: the model's default."""
    return given(body.reasoning_effort, None)


def template_variables(body: CreateChatCompletionRequest) -> Mapping[str, Any]:
    """The request's variables for the chat template, by name; may be empty."""
    return given(body.chat_template_kwargs, {})


def dimensions(body: CreateEmbeddingRequest) -> int | None:
    """The length of the vectors; None: the model's own."""
    return given(body.dimensions, None)


def inputs(body: CreateEmbeddingRequest) -> int:
    """The number of inputs: texts or lists of tokens."""
    given = body.input
    return 1 if isinstance(given, str) or isinstance(given[0], int) else len(given)


def encoding(body: CreateEmbeddingRequest) -> Literal["float", "base64"]:
    """The encoding of the vectors."""
    return given(body.encoding_format, "float")


def sampling(body: Request, logit_bias: tuple[tuple[int, float], ...]) -> Sampling:
    """The sampling parameters; `logit_bias` has token ids already, because reading them needs the vocabulary."""
    return Sampling(
        temperature=float(given(body.temperature, 1.0)),
        top_p=float(given(body.top_p, 1.0)),
        seed=given(body.seed, None),
        presence_penalty=float(given(body.presence_penalty, 0.0)),
        frequency_penalty=float(given(body.frequency_penalty, 0.0)),
        logit_bias=logit_bias,
    )


def logit_bias(body: Request) -> Mapping[str, int]:
    """The values to add to the logits of tokens; the keys are token ids in decimal digits."""
    return given(body.logit_bias, {})


def stops(body: Request) -> Sequence[str]:
    """The stop strings; may be empty."""
    stop = given(body.stop, [])
    return [stop] if isinstance(stop, str) else stop


def include_usage(body: Request) -> bool:
    """Whether a stream ends with the token counts."""
    options = given(body.stream_options, None)
    return options is not None and given(options.include_usage, None) is True


def prompts(body: CreateCompletionRequest) -> Sequence[str | Sequence[int]]:
    """The prompts, each a text or token ids (at least one); null means an empty text, the beginning of a document."""
    prompt = body.prompt
    if prompt is None or isinstance(prompt, str):
        return [prompt or ""]
    if isinstance(prompt[0], int):
        return [cast("Sequence[int]", prompt)]
    return cast("Sequence[str | Sequence[int]]", prompt)


def suffix(body: CreateCompletionRequest) -> str:
    """The text after the completion; may be empty."""
    return given(body.suffix, "")


def given(value: Value | MISSING | None, default: Default) -> Value | Default:
    """The value, or `default` if it is null or omitted."""
    return default if value is MISSING or value is None else value
