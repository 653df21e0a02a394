"""The interface between HTTP and models: what a server can ask of an engine.

Token ids go in, text pieces come out. An engine keeps whatever it needs on its own thread; every method here
is called on the event loop and never blocks it.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - constants are made of it
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NotRequired, Protocol, TypedDict, get_args

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

FinishReason = Literal["stop", "length"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
EFFORTS: Final[tuple[Effort, ...]] = get_args(Effort)
"""The values of `reasoning_effort`, the least first."""


NO_VARIABLES: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is served: `context_length` in tokens (prompt and answer together), `created` in Unix seconds."""

    id: str
    type: Literal["chat", "embedding"]
    context_length: int
    created: int
    vocabulary: int = 0
    """Token ids are below it; 0 where that is not known before the model is loaded."""
    loaded: bool = True
    """Whether it is in memory; a model that is not is loaded by the first request for it."""


class Message(TypedDict):
    """A message as chat templates take it: a role that they know, and text ("" if there is none).

    `name` tells speakers of one role apart, in templates that have a place for it. `tool_calls` and `tool_call_id` are
    there for models that were trained on tools: see `ToolStyle`.
    """

    role: str
    content: str
    name: NotRequired[str]
    tool_calls: NotRequired[list[dict[str, Any]]]
    """In the API's form, but with `arguments` as an object, as templates want them."""
    tool_call_id: NotRequired[str]
    reasoning_content: NotRequired[str]
    """The reasoning before it, where the conversation says so; templates take what they need of it."""


@dataclass(frozen=True, slots=True)
class ToolStyle:
    """How a model that was trained on tools says that it calls one.

    Between `start` and `end` (perhaps "", for: up to the end) stands what `parse` reads: one call, or several, as
    `{"name": str, "arguments": dict or str}`. It raises `ValueError` (or what mlx_lm's parsers raise) for
    what is not a call.
    """

    start: str
    end: str
    parse: Callable[[str, Sequence[Mapping[str, Any]]], Any]
    json: bool = False
    """Whether it is `{"name": …, "arguments": {…}}` that the model writes between them."""
    start_token: int | None = None
    end_token: int | None = None
    """Their ids, where they are special tokens, which a grammar cannot spell."""


@dataclass(frozen=True, slots=True)
class ReasoningStyle:
    """How a model that was trained to reason before it answers does so: in text between `start` and `end`.

    `efforts` are those that its chat template can keep.
    """

    start: str
    end: str
    efforts: frozenset[Effort] = frozenset()
    start_tokens: tuple[int, ...] = ()
    end_tokens: tuple[int, ...] = ()
    """The ids of the markers, where a special token is among them, which a grammar cannot spell."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. `temperature` 0 is greedy; `seed` None draws a fresh one.

    Both penalties are for tokens of the answer alone, as the API has it: `presence_penalty` once for each that
    is there, `frequency_penalty` for each time. `logit_bias` pairs token ids with what is added.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Generation:
    """One answer to generate: at most `max_tokens` tokens (at least one) after `prompt` (ids, at least one).

    Generations whose prompts begin the same share what is read of them, where that saves time.
    """

    prompt: tuple[int, ...]
    max_tokens: int
    sampling: Sampling
    logprobs: int | None = None
    """None: not wanted. Otherwise each token comes with its own, and with this many likeliest (0 to 20)."""
    grammar: str | None = None
    """What the answer must keep to, as llguidance takes it (a grammar in JSON or Lark)."""
    first: bool = True
    """Whether it is the first answer of its request: the others wait behind those of other requests, in turn."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token and the natural logarithm of its probability (after bias, penalties and grammar, before temperature).

    `bytes` are what it adds to a text, perhaps part of a character. Impossible tokens have -9999.0, as in the API.
    """

    id: int
    bytes: bytes
    logprob: float


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was chosen, and the likeliest of its place, the likeliest first (as many as were requested)."""

    chosen: Alternative
    likeliest: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A step of an answer: the text it adds (whole characters only, perhaps none) and the tokens it took.

    `finish_reason` is None until the last piece: "stop" at one of the model's end tokens, whose text never
    appears, "length" at the limit.
    """

    text: str
    tokens: int
    finish_reason: FinishReason | None = None
    cached: int = 0
    """In the first piece: tokens of the prompt that came out of the prefix cache."""
    logprobs: tuple[Token, ...] = ()
    """Where they were asked for: one for each token but an end token. Their text may come with a later piece."""
    ids: tuple[int, ...] = field(default=(), compare=False)
    """Of the tokens but an end token."""


class Engine(Protocol):
    """Runs one or more models; see the module's docstring for threads.

    Raises `gonogo_server.errors.EngineDied` from every method but `cards`, `alive` and `close` once it can no
    longer generate, `ModelUnavailable` where a model cannot be loaded. `model` is always an id from `cards`; any other
    is a bug of the caller (`KeyError`).
    """

    def cards(self) -> Sequence[ModelCard]:
        """What is served, in the configured order."""

    async def tool_style(self, model: str) -> ToolStyle | None:
        """How the model calls tools; None if it was not trained on them, so that `chat_prompt` takes none."""

    async def reasoning_style(self, model: str) -> ReasoningStyle | None:
        """How the model reasons; None if it does not, so that `chat_prompt` takes no `effort`."""

    async def chat_prompt(
        self,
        model: str,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        effort: Effort | None = None,
        variables: Mapping[str, Any] = NO_VARIABLES,
    ) -> tuple[int, ...]:
        """The messages through the model's chat template, ready to be answered, as token ids.

        `tools` as in the API; `effort` is one of the style's, None for the template's default;
        `variables` are for the template, by name, and win over what an effort stands for. Raises
        `gonogo_server.errors.BadRequest` where the template refuses them, or a variable is not the request's to set.
        """

    async def opens_reasoning(self, model: str, prompt: Sequence[int]) -> bool:
        """Whether a prompt of `chat_prompt` ends inside the reasoning, so that its start is not generated any more.

        Templates decide it by the conversation, too. `model` has a style of reasoning.
        """

    async def infill_prompt(self, model: str, prefix: str, suffix: str) -> tuple[int, ...]:
        """The token ids that ask for what stands between two texts.

        Raises `BadRequest` (param `suffix`) where the model was not trained to fill in the middle.
        """

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        """The text as token ids, as the model wants it: with a begin token, or between `[CLS]` and `[SEP]`."""

    async def decode(self, model: str, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """What each token adds to a text; nothing for special ones. Ids are below the card's `vocabulary`."""

    async def score(self, model: str, tokens: Sequence[int], likeliest: int) -> Sequence[Token | None]:
        """The log probability of each token after those before it; None for the first, which follows nothing."""

    async def embed(self, model: str, inputs: Sequence[Sequence[int]]) -> Sequence[Sequence[float]]:
        """The vector of each input, in order, of length 1 (Euclidean); `model` is of type "embedding"."""

    def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        """The answer, piece by piece as it is generated; the pieces' texts joined are the whole answer.

        Nothing happens before the first step, which raises `gonogo_server.errors.Overloaded` where too many wait
        already, and `BadRequest` where the grammar cannot be followed. `aclose` (or cancelling the step) stops
        the generation, within a token. Finishes with "length" where the context is full, too. `EngineDied`
        comes out of a step when the engine dies under it; any other exception is the failure of this generation
        alone.
        """

    @property
    def alive(self) -> bool:
        """False once the engine's thread has died; nothing more will be generated."""

    async def close(self) -> None:
        """Stop what runs, wait for that, and release the models."""


def room(generation: Generation, context_length: int) -> int:
    """The tokens an answer may have: `max_tokens`, or fewer where the context is full before.

    Raises `BadRequest` if the prompt alone fills the context, and `ValueError` where the caller asks for
    nothing or with nothing.
    """
    if not generation.prompt or generation.max_tokens < 1:
        raise ValueError("A generation takes a prompt of one token at least, and makes one at least.")
    if len(generation.prompt) >= context_length:
        raise BadRequest(
            f"The prompt has {len(generation.prompt)} tokens, which leaves no room for an answer in "
            f"the context of {context_length}: shorten it.",
            code="context_length_exceeded",
        )
    return min(generation.max_tokens, context_length - len(generation.prompt))
