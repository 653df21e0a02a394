"""Validation that the schema cannot express, and unsupported features. No I/O.

A parameter is honoured or refused. A parameter for a feature that this server lacks is refused with 400 and its name,
unless its value asks only for what happens anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gonogo_wire import CreateChatCompletionRequest, CreateCompletionRequest

from gonogo_server.engine.base import EFFORTS
from gonogo_server.errors import BadRequest, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from gonogo_server.engine.base import Effort, Engine, ModelCard, ReasoningStyle

Document = dict[str, Any]

MOST_CHOICES: Final = 2048
"""Answers that one request may generate: prompts times `n`, or times `best_of`."""


def check_chat(body: CreateChatCompletionRequest) -> None:
    """Raise `BadRequest` for parameters that contradict each other or are not supported."""
    document = _given(body)
    _agree_in_chat(document)
    if "audio" in document.get("modalities", ()):
        raise BadRequest(
            "This server answers only with text: remove 'audio' from 'modalities'.",
            param="modalities",
            code="unsupported_value",
        )
    _check_common(document)


def check_completion(body: CreateCompletionRequest) -> None:
    """Raise `BadRequest` for parameters that contradict each other or are not supported."""
    document = _given(body)
    _agree_in_completion(document)
    _check_common(document)
    if document.get("suffix") and document.get("echo"):
        raise BadRequest(
            "'suffix' cannot be combined with 'echo': remove one of them.",
            param="suffix",
            code="invalid_value",
        )


def check_agreement(body: BaseModel) -> None:
    """Raise `BadRequest` for parameters that contradict each other; applies to every provider."""
    if isinstance(body, CreateChatCompletionRequest):
        _agree_in_chat(_given(body))
    elif isinstance(body, CreateCompletionRequest):
        _agree_in_completion(_given(body))


def _agree_in_chat(document: Document) -> None:
    _needs(document, "top_logprobs", "logprobs", "true")
    _needs(document, "stream_options", "stream", "true")
    if document.get("tool_choice") != "none":
        _needs(document, "tool_choice", "tools", "given")


def _agree_in_completion(document: Document) -> None:
    _needs(document, "stream_options", "stream", "true")
    _check_best_of(document)


def check_choices(prompts: int, candidates: int) -> None:
    """Raise `BadRequest` if one request would generate too many answers."""
    if prompts * candidates > MOST_CHOICES:
        raise BadRequest(
            f"{prompts} prompts with {candidates} answers each exceed the limit of {MOST_CHOICES} "
            "answers per request: send fewer prompts.",
            param="prompt",
            code="invalid_value",
        )


def served(engine: Engine, model: str) -> ModelCard:
    """The card of a served model. Raises `ModelNotFound` for any other id."""
    for card in engine.cards():
        if card.id == model:
            return card
    raise ModelNotFound(
        f"There is no model '{model}': GET /v1/models lists the available models.",
        param="model",
        code="model_not_found",
    )


def served_as(kind: str, engine: Engine, model: str) -> ModelCard:
    """The card of a model of type `kind`. Raises `ModelNotFound`, or `BadRequest` for a model of another type."""
    card = served(engine, model)
    if card.type != kind:
        raise BadRequest(
            f"The model '{model}' has the type {card.type}, but this operation needs the type {kind}.",
            param="model",
            code="model_not_supported",
        )
    return card


def check_effort(effort: Effort | None, style: ReasoningStyle | None) -> None:
    """Raise `BadRequest` for an effort that the model does not support; one that does not reason accepts "none".

    Source: OpenAI's API refuses any effort for models that do not reason, and lists the efforts that a reasoning model
    supports.
    """
    if effort is None or effort in (("none",) if style is None else style.efforts):
        return
    if style is None or not style.efforts:
        raise _not_yet("reasoning_effort")
    known = ", ".join(f"'{name}'" for name in EFFORTS if name in style.efforts)
    raise BadRequest(
        f"This model does not support the 'reasoning_effort' '{effort}': use one of {known}.",
        param="reasoning_effort",
        code="unsupported_value",
    )


def token_limit(
    card: ModelCard, prompt: Sequence[int], requested: int | None, param: str, default: int | None = None
) -> int:
    """The maximum number of tokens to generate: `requested`, or else all that fit after the prompt, at most `default`.

    Raises `BadRequest` if prompt and answer together exceed the model's context; `param` names the field of the prompt.
    """
    room = card.context_length - len(prompt)
    if room < (1 if requested is None else requested):
        wanted = "at least 1 token" if requested is None else f"{requested} tokens"
        raise BadRequest(
            # LangChain and LiteLLM recognise this by phrases, not by code: "maximum context length", "prompt is too
            # long".
            f"This model's maximum context length is {card.context_length} tokens, and the prompt is too long:"
            f" its {len(prompt)} tokens leave no room for an answer of {wanted}. Shorten one of them.",
            param=param,
            code="context_length_exceeded",
        )
    if requested is not None:
        return requested
    return room if default is None else min(room, default)


def _given(body: CreateChatCompletionRequest | CreateCompletionRequest) -> Document:
    """The parameters of the body, without messages and prompt; null means the same as omitting the field."""
    given = body.model_dump(by_alias=True, exclude_unset=True, exclude={"messages", "prompt"})
    return {name: value for name, value in given.items() if value is not None}


def _needs(document: Document, name: str, other: str, wanted: str) -> None:
    if name in document and not document.get(other):
        raise BadRequest(
            f"'{name}' is only allowed if '{other}' is {wanted}.", param=name, code="invalid_value"
        )


def _check_common(document: Document) -> None:
    if document.get("stream_options", {}).get("include_obfuscation"):
        raise _not_yet("stream_options.include_obfuscation")


def _check_best_of(document: Document) -> None:
    n = document.get("n", 1)
    best_of = document.get("best_of", n)
    if best_of < n:
        raise BadRequest("'best_of' must not be smaller than 'n'.", param="best_of", code="invalid_value")
    if best_of > n and document.get("stream"):
        raise BadRequest(
            "'best_of' greater than 'n' cannot be streamed, because the best answers are known only at "
            "the end: remove 'best_of' or 'stream'.",
            param="best_of",
            code="invalid_value",
        )


def _not_yet(param: str) -> BadRequest:
    return BadRequest(
        f"This value of '{param}' is not supported: remove it.",
        param=param,
        code="unsupported_parameter",
    )
