"""The seam between HTTP and models: what a server may ask of an engine, and nothing of how it answers.

Token ids go in, text pieces come out. An engine keeps whatever it needs on its own thread; every method here
is called on the event loop and never blocks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NotRequired, Protocol, TypedDict

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is served: `context_length` in tokens (prompt and answer together), `created` in Unix seconds."""

    id: str
    type: Literal["chat", "embedding"]
    context_length: int
    created: int


class Message(TypedDict):
    """A message as chat templates take it: a role that they know, and text ("" where there is none).

    `name` tells speakers of one role apart, in templates that have a place for it.
    """

    role: str
    content: str
    name: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. `temperature` 0 is greedy; `seed` None draws a fresh one."""

    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """One answer to generate: at most `max_tokens` tokens (at least one) after `prompt` (ids, at least one)."""

    prompt: tuple[int, ...]
    max_tokens: int
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class Piece:
    """A step of an answer: the text it adds (whole characters only, perhaps none) and the tokens it took.

    `finish_reason` is None until the last piece: "stop" at one of the model's end tokens, whose text never
    appears, "length" at the limit.
    """

    text: str
    tokens: int
    finish_reason: FinishReason | None = None


class Engine(Protocol):
    """Runs one or more models; see the module's docstring for threads.

    Raises `gonogo_server.errors.EngineDied` from every method but `cards`, `alive` and `close` once it can no
    longer generate. `model` is always an id from `cards`; any other is a bug of the caller (`KeyError`).
    """

    def cards(self) -> Sequence[ModelCard]:
        """What is served, in the configured order."""

    async def chat_prompt(self, model: str, messages: Sequence[Message]) -> tuple[int, ...]:
        """The messages through the model's chat template, ready to be answered, as token ids.

        Raises `gonogo_server.errors.BadRequest` where the template refuses them.
        """

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        """The text as token ids, no end token added; a begin token where the model wants one."""

    def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        """The answer, piece by piece as it is generated; the pieces' texts joined are the whole answer.

        Nothing happens before the first step. `aclose` (or cancelling the step) stops the generation, within
        a token. Finishes with "length" where the context is full, too. `EngineDied` comes out of a step when
        the engine dies under it; any other exception is the failure of this generation alone.
        """

    @property
    def alive(self) -> bool:
        """False once the engine's thread has died; nothing more will be generated."""

    async def close(self) -> None:
        """Stop what runs, wait for that, and release the models."""


def room(generation: Generation, context_length: int) -> int:
    """The tokens an answer may have: `max_tokens`, or fewer where the context is full before.

    Raises `BadRequest` where the prompt alone fills the context, and `ValueError` where the caller asks for
    nothing or with nothing.
    """
    if not generation.prompt or generation.max_tokens < 1:
        raise ValueError("A generation takes a prompt of one token at least, and makes one at least.")
    if len(generation.prompt) >= context_length:
        raise BadRequest(
            f"The prompt has {len(generation.prompt)} tokens and leaves no room for an answer in the"
            f" {context_length} of the context: shorten it.",
            code="context_length_exceeded",
        )
    return min(generation.max_tokens, context_length - len(generation.prompt))
