"""The interface between HTTP and models: the methods of an engine and the types that they take and return.

Token ids go in, pieces of text come out. An engine may have threads of its own; the methods here are called on the
event loop and never block it.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - constants use it
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NotRequired, Protocol, TypedDict, get_args

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

FinishReason = Literal["stop", "length"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
EFFORTS: Final[tuple[Effort, ...]] = get_args(Effort)
"""The values of `reasoning_effort`, in ascending order."""


NO_VARIABLES: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A served model: `context_length` in tokens (prompt and answer together), `created` in Unix seconds."""

    id: str
    type: Literal["chat", "embedding"]
    context_length: int
    created: int
    vocabulary: int = 0
    """Number of token ids; 0 if it is not known until the model is loaded."""
    loaded: bool = True
    """Whether the model is in memory. If not, the first request for it loads it."""


class Message(TypedDict):
    """A message in the form of chat templates: a role that they know, and text ("" if there is none).

    `name` distinguishes speakers of one role, in templates that use it. `tool_calls` and `tool_call_id` are only set
    for models that were trained on tools: see `ToolStyle`.
    """

    role: str
    content: str
    name: NotRequired[str]
    tool_calls: NotRequired[list[dict[str, Any]]]
    """In the API's form, but with `arguments` as an object, as templates expect."""
    tool_call_id: NotRequired[str]
    reasoning_content: NotRequired[str]
    """The reasoning before the message, if the conversation has it; the template may ignore it."""


@dataclass(frozen=True, slots=True)
class ToolStyle:
    """The form of tool calls in the output of a model that was trained on tools.

    `parse` reads the text between `start` and `end` ("" for the end of the answer), and returns one call or several,
    each as `{"name": str, "arguments": dict or str}`. It raises `ValueError` (or another error of mlx_lm's parsers) if
    the text is not a call.
    """

    start: str
    end: str
    parse: Callable[[str, Sequence[Mapping[str, Any]]], Any]
    json: bool = False
    """Whether the model writes `{"name": …, "arguments": {…}}` between the markers."""
    start_token: int | None = None
    end_token: int | None = None
    """The ids of the markers if they are special tokens, which a grammar cannot spell."""


@dataclass(frozen=True, slots=True)
class ReasoningStyle:
    """The form of reasoning in the output of a model that was trained to reason: text between `start` and `end`.

    `efforts` are those that its chat template supports.
    """

    start: str
    end: str
    efforts: frozenset[Effort] = frozenset()
    start_tokens: tuple[int, ...] = ()
    end_tokens: tuple[int, ...] = ()
    """The ids of each marker if one of them is a special token, which a grammar cannot spell."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. `temperature` 0 is greedy; with `seed` None the engine draws a new seed.

    Both penalties apply only to tokens of the answer, as in the API: `presence_penalty` once for each token that
    occurred, `frequency_penalty` for each occurrence. `logit_bias` pairs token ids with the value added to their logit.
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

    Generations with a common prompt prefix share its prefill if that saves time.
    """

    prompt: tuple[int, ...]
    max_tokens: int
    sampling: Sampling
    logprobs: int | None = None
    """Number of most likely alternatives reported for each token (0 to 20); None for no log probabilities at all."""
    grammar: str | None = None
    """The grammar that the answer must follow, in a format of llguidance (JSON or Lark)."""
    first: bool = True
    """Whether it is the first answer of its request; the others take turns with the first answers of other requests."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token and the natural logarithm of its probability (after bias, penalties and grammar, before temperature).

    `bytes` are the bytes of its text, perhaps part of a character. Impossible tokens have -9999.0, as in the API.
    """

    id: int
    bytes: bytes
    logprob: float


@dataclass(frozen=True, slots=True)
class Token:
    """The chosen token, and the requested number of most likely tokens in its place, the most likely first."""

    chosen: Alternative
    top_logprobs: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A step of an answer: the text that it adds (whole characters only, perhaps none) and its number of tokens.

    `finish_reason` is None until the last piece: "stop" at one of the model's end tokens, which have no text, "length"
    at the limit.
    """

    text: str
    tokens: int
    finish_reason: FinishReason | None = None
    cached: int = 0
    """In the first piece: the number of prompt tokens found in the prefix cache."""
    logprobs: tuple[Token, ...] = ()
    """If requested: one for each token except an end token. Their text may come with a later piece."""
    ids: tuple[int, ...] = field(default=(), compare=False)
    """The ids of the tokens, except an end token."""


class Engine(Protocol):
    """Runs one or more models; see the module's docstring for threads.

    Every method except `cards`, `alive` and `close` raises `gonogo_server.errors.EngineDied` once the engine can no
    longer generate, and `ModelUnavailable` if a model cannot be loaded. `model` is always an id from `cards`; any other
    is a bug of the caller (`KeyError`).
    """

    def cards(self) -> Sequence[ModelCard]:
        """The served models, in the configured order."""

    async def tool_style(self, model: str) -> ToolStyle | None:
        """How the model calls tools; None if it was not trained on them: `chat_prompt` then takes no tools."""

    async def reasoning_style(self, model: str) -> ReasoningStyle | None:
        """How the model reasons; None if it does not: `chat_prompt` then takes no `effort`."""

    async def chat_prompt(
        self,
        model: str,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        effort: Effort | None = None,
        variables: Mapping[str, Any] = NO_VARIABLES,
    ) -> tuple[int, ...]:
        """Render the messages with the model's chat template, up to the start of the answer, as token ids.

        `tools` are in the API's form. `effort` is one of the reasoning style's, None for the template's default.
        `variables` are passed to the template by name, and override those that the effort sets. Raises
        `gonogo_server.errors.BadRequest` if the template refuses them, or if a request may not set a variable.
        """

    async def opens_reasoning(self, model: str, prompt: Sequence[int]) -> bool:
        """Whether a prompt of `chat_prompt` ends inside the reasoning, so that the answer does not repeat its start.

        It may depend on the conversation. `model` has a reasoning style.
        """

    async def infill_prompt(self, model: str, prefix: str, suffix: str) -> tuple[int, ...]:
        """The token ids of a prompt for the text between `prefix` and `suffix`.

        Raises `BadRequest` (param `suffix`) if the model was not trained to fill in the middle.
        """

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        """The token ids of the text, with the special tokens of the model: a begin token, or `[CLS]` and `[SEP]`."""

    async def decode(self, model: str, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """The bytes of each token; empty for special tokens. Ids are below the card's `vocabulary`."""

    async def score(self, model: str, tokens: Sequence[int], top_logprobs: int) -> Sequence[Token | None]:
        """The log probability of each token given those before it, with the `top_logprobs` most likely tokens.

        The first entry is None, because no token comes before it.
        """

    async def embed(self, model: str, inputs: Sequence[Sequence[int]]) -> Sequence[Sequence[float]]:
        """The vector of each input, in order, with Euclidean norm 1; `model` is of type "embedding"."""

    def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        """The pieces of the answer as they are generated; their joined texts are the whole answer.

        Nothing happens before the first step, which raises `gonogo_server.errors.Overloaded` if the queue is full, and
        `BadRequest` if the grammar cannot be followed. `aclose` (or cancelling a step) stops the generation within a
        token. The finish reason is "length" also if the context is full. A step raises `EngineDied` if the engine dies;
        any other exception concerns this generation only.
        """

    @property
    def alive(self) -> bool:
        """False once the engine's thread has died; it generates nothing more."""

    async def close(self) -> None:
        """Stop all generations, wait until they have stopped, and release the models."""


def room(generation: Generation, context_length: int) -> int:
    """The most tokens that an answer may have: `max_tokens`, or fewer if the context is full before.

    Raises `BadRequest` if the prompt alone fills the context, and `ValueError` if the prompt is empty or `max_tokens`
    is less than 1.
    """
    if not generation.prompt or generation.max_tokens < 1:
        raise ValueError("A generation needs at least one prompt token and max_tokens of at least 1.")
    if len(generation.prompt) >= context_length:
        raise BadRequest(
            f"The prompt has {len(generation.prompt)} tokens, which leaves no room for an answer in "
            f"the context of {context_length}: shorten it.",
            code="context_length_exceeded",
        )
    return min(generation.max_tokens, context_length - len(generation.prompt))
