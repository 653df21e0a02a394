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
"""How many tokens a completion has where the request sets no limit."""


def chat_limit(body: CreateChatCompletionRequest) -> int | None:
    """The most tokens to generate; None: as many as fit. The newer name wins where both are given."""
    return given(body.max_completion_tokens, given(body.max_tokens, None))


def completion_limit(body: CreateCompletionRequest, default: int | None = None) -> int:
    """The most tokens to generate; `default` bounds what a request without a limit gets."""
    unasked = COMPLETION_TOKENS if default is None else min(COMPLETION_TOKENS, default)
    # The model fills in the schema's default.
    return given(body.max_tokens if "max_tokens" in body.model_fields_set else None, unasked)


def choices(body: Request) -> int:
    """How many answers to each prompt are given."""
    return given(body.n, 1)


def candidates(body: CreateCompletionRequest) -> int:
    """How many answers to each prompt are generated, for the likeliest of them to be given."""
    # The model fills in the schema's default of 1, which only holds for an `n` of 1.
    asked = body.best_of if "best_of" in body.model_fields_set else None
    return given(asked, choices(body))


def chat_logprobs(body: CreateChatCompletionRequest) -> int | None:
    """How many of the likeliest tokens are reported at each place; None: no log probabilities at all."""
    return given(body.top_logprobs, 0) if given(body.logprobs, None) else None


def completion_logprobs(body: CreateCompletionRequest) -> int | None:
    """How many of the likeliest tokens are reported at each place; None: no log probabilities at all."""
    return given(body.logprobs, None)


def echo(body: CreateCompletionRequest) -> bool:
    """Whether the prompt is given back before the answer."""
    return bool(given(body.echo, None))


def effort(body: CreateChatCompletionRequest) -> Effort | None:
    """How much reasoning comes before the answer; None: the model's default."""
    return given(body.reasoning_effort, None)


def template_variables(body: CreateChatCompletionRequest) -> Mapping[str, Any]:
    """What the chat template is given by the request, by name; perhaps nothing."""
    return given(body.chat_template_kwargs, {})


def dimensions(body: CreateEmbeddingRequest) -> int | None:
    """The length of the vectors; None: as the model makes them."""
    return given(body.dimensions, None)


def inputs(body: CreateEmbeddingRequest) -> int:
    """How many texts, or lists of tokens, want a vector."""
    given = body.input
    return 1 if isinstance(given, str) or isinstance(given[0], int) else len(given)


def encoding(body: CreateEmbeddingRequest) -> Literal["float", "base64"]:
    """How vectors are written."""
    return given(body.encoding_format, "float")


def sampling(body: Request, logit_bias: tuple[tuple[int, float], ...]) -> Sampling:
    """How tokens are drawn; the ids of `logit_bias` are read by who knows the model's vocabulary."""
    return Sampling(
        temperature=float(given(body.temperature, 1.0)),
        top_p=float(given(body.top_p, 1.0)),
        seed=given(body.seed, None),
        presence_penalty=float(given(body.presence_penalty, 0.0)),
        frequency_penalty=float(given(body.frequency_penalty, 0.0)),
        logit_bias=logit_bias,
    )


def logit_bias(body: Request) -> Mapping[str, int]:
    """What is added to the logits of tokens, whose ids are written in decimal digits."""
    return given(body.logit_bias, {})


def stops(body: Request) -> Sequence[str]:
    """The stop strings, perhaps none."""
    stop = given(body.stop, [])
    return [stop] if isinstance(stop, str) else stop


def include_usage(body: Request) -> bool:
    """Whether a stream ends with the token counts."""
    options = given(body.stream_options, None)
    return options is not None and given(options.include_usage, None) is True


def prompts(body: CreateCompletionRequest) -> Sequence[str | Sequence[int]]:
    """The prompts, each a text or token ids (at least one); null is the beginning of a document, an empty text."""
    prompt = body.prompt
    if prompt is None or isinstance(prompt, str):
        return [prompt or ""]
    if isinstance(prompt[0], int):
        return [cast("Sequence[int]", prompt)]
    return cast("Sequence[str | Sequence[int]]", prompt)


def suffix(body: CreateCompletionRequest) -> str:
    """What comes after the completion, perhaps nothing."""
    return given(body.suffix, "")


def given(value: Value | MISSING | None, default: Default) -> Value | Default:
    """The value, or `default` where it is null or was omitted."""
    return default if value is MISSING or value is None else value
