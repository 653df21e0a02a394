"""An engine without a model: it returns scripted text, always the same.

A token is one byte of UTF-8 (ids 0 to 255), so that every text is token ids and back, and a character
outside ASCII takes several tokens, as it does in a real vocabulary. A prompt begins with `BEGIN`; an answer
ends with `END`, which has no text but counts as generated, as a real end token does. From `FIRST_CHARACTER` on an id
is the character of this code point as a whole: nothing is encoded so, but it may be asked for by its id. From
`FIRST_WORD` on an id is one of `WORDS`, which tool calls are made of: a grammar brings them up.
"""

from __future__ import annotations

import asyncio
import codecs
import json
from array import array
from bisect import bisect_left
from collections import Counter, deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.engine.base import NO_VARIABLES, Alternative, ModelCard, Piece, Sampling, Token, room
from gonogo_server.engine.distribution import distribution
from gonogo_server.engine.following import Follower, Vocabulary
from gonogo_server.engine.measure import check_length
from gonogo_server.engine.template import template_variables
from gonogo_server.errors import BadRequest, EngineDied

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Collection,
        Iterator,
        Mapping,
        Sequence,
    )

    from gonogo_server.engine.base import Effort, FinishReason, Generation, Message, ReasoningStyle, ToolStyle
    from gonogo_server.engine.distribution import Distribution

BEGIN: Final = 256
"""The token that every prompt begins with."""

END: Final = 257
"""The token that an answer ends with."""

GAP: Final = 258
"""What stands between prefix and suffix where the middle is requested."""

FIRST_CHARACTER: Final = 259
VOCABULARY: Final = 2048
WORDS: Final = (b"<tool_call>", b"</tool_call>", b'{"name": "')
FIRST_WORD: Final = VOCABULARY - len(WORDS)
REMEMBERED: Final = 64
"""Prompts that are remembered, as if their prefixes were cached."""

DIMENSIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that a generation raises instead of its token number `after` (0: before the first)."""

    after: int
    error: Exception


class ScriptedEngine:
    """Serves `models`, each of which answers `answer`, or what that function makes of the prompt's text.

    Before every token it awaits `gate()`: with `asyncio.Semaphore(0).acquire` a test lets tokens through one
    at a time. Every temperature is 0: the likeliest token is chosen, by the rules of `distribution`, so that biases and
    penalties change the answer; where the answer has to keep to a grammar, `following` says which. A chat template is
    imitated that takes a system message in the first place only, tools where the models have a `style` of calling
    them, and an effort where they have a style of `reasoning`, which the prompt begins
    with each effort of `opening`. `embedding_models` are served beside them. Everything is
    to be called on the event loop.
    """

    def __init__(
        self,
        models: Sequence[str] = ("scripted",),
        answer: str | Callable[[str], str] = "Hello! How can I help you today?",
        *,
        context_length: int = 4096,
        gate: Callable[[], Awaitable[object]] | None = None,
        embedding_models: Sequence[str] = (),
        style: ToolStyle | None = None,
        reasoning: ReasoningStyle | None = None,
        opening: Collection[Effort | None] = (),
    ) -> None:
        chat = tuple(ModelCard(name, "chat", context_length, 0, VOCABULARY) for name in models)
        embedding = tuple(
            ModelCard(name, "embedding", context_length, 0, VOCABULARY) for name in embedding_models
        )
        self._cards = (*chat, *embedding)
        self._context_length = context_length
        self._answer = answer
        self._gate = gate
        self._style = style
        self._reasoning = reasoning
        self._opening = opening
        self._dead = asyncio.Event()
        self._remembered: deque[tuple[str, bytes]] = deque(maxlen=REMEMBERED)
        self.failure: Failure | None = None
        """What the generations that start from now on fail with."""
        self.running = 0
        """Generations that have begun and neither finished, failed nor been stopped."""
        self.generations: list[Generation] = []
        """Everything that was requested, oldest first."""

    def cards(self) -> Sequence[ModelCard]:
        """What is served: `created` is 0."""
        return self._cards

    async def tool_style(self, model: str) -> ToolStyle | None:
        """The one that was given; None: it was trained on nothing."""
        self._check(model)
        return self._style

    async def reasoning_style(self, model: str) -> ReasoningStyle | None:
        """The one that was given; None: it does not reason."""
        self._check(model)
        return self._reasoning

    async def chat_prompt(
        self,
        model: str,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        effort: Effort | None = None,
        variables: Mapping[str, Any] = NO_VARIABLES,
    ) -> tuple[int, ...]:
        """A line `role: text`, or `role (name): text`, for each message, then `assistant: `.

        Tools, variables, and the calls of a message stand in a line of JSON each, and an effort in the first line.
        """
        if tools and self._style is None:
            raise BadRequest("The model was not trained on tools: remove them.", param="tools")
        if any(message["role"] == "system" for message in messages[1:]):
            raise BadRequest("The system message must be the first one.", param="messages")
        offered = "".join(f"tool: {json.dumps(tool)}\n" for tool in tools)
        if variables:
            offered = f"variables: {json.dumps(template_variables(variables))}\n{offered}"
        told = f"effort: {effort}\n" if effort else ""
        begun = self._reasoning.start if self._reasoning and effort in self._opening else ""
        return await self.encode(model, f"{told}{offered}{''.join(map(_line, messages))}assistant: {begun}")

    async def opens_reasoning(self, model: str, prompt: Sequence[int]) -> bool:
        """Whether it ends with the style's start."""
        self._check(model)
        return self._reasoning is not None and bytes(prompt[1:]).endswith(self._reasoning.start.encode())

    async def infill_prompt(self, model: str, prefix: str, suffix: str) -> tuple[int, ...]:
        """`BEGIN`, the prefix's bytes, `GAP`, the suffix's bytes."""
        return (*await self.encode(model, prefix), GAP, *suffix.encode())

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        """`BEGIN`, then the text's bytes."""
        self._check(model)
        check_length(text, self._context_length, len)
        return (BEGIN, *text.encode())

    async def decode(self, model: str, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """A byte each, a whole character for an id from `FIRST_CHARACTER` on, nothing for the special ones."""
        self._check(model)
        return tuple(_bytes(token) for token in tokens)

    async def score(self, model: str, tokens: Sequence[int], likeliest: int) -> Sequence[Token | None]:
        """As if each token had been expected where it stands."""
        self._check(model)
        ruled = [distribution(token, VOCABULARY, Sampling(), {}) for token in tokens[1:]]
        return [None, *map(_token, tokens[1:], ruled, [likeliest] * len(ruled))]

    async def embed(self, model: str, inputs: Sequence[Sequence[int]]) -> Sequence[Sequence[float]]:
        """How often each token occurs, ids being taken modulo `DIMENSIONS`, brought to length 1."""
        self._check(model)
        counts = [Counter(token % DIMENSIONS for token in tokens) for tokens in inputs]
        return [[count[i] / hypot(*count.values()) for i in range(DIMENSIONS)] for count in counts]

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        """The scripted answer, a byte a token, or what biases and penalties make of it."""
        self._check(model)
        self.generations.append(generation)
        limit = room(generation, self._context_length)
        follower = await _follower(generation)
        cached = self._cached(model, generation.prompt)
        tokens = self._tokens(generation, follower)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        async with self._counted():
            failure = self.failure
            for index in range(limit):
                await self._step()
                if failure is not None and failure.after == index:
                    raise failure.error
                token, reported = next(tokens)
                text = decoder.decode(_bytes(token))
                reason: FinishReason | None = (
                    "stop" if token == END else "length" if index == limit - 1 else None
                )
                ids = () if token == END else (token,)
                yield Piece(text, 1, reason, cached if index == 0 else 0, reported, ids)
                if reason is not None:
                    return

    @property
    def alive(self) -> bool:
        """False after `die` or `close`."""
        return not self._dead.is_set()

    def die(self) -> None:
        """Do what an engine does whose thread dies: what runs, and later calls, raise `EngineDied`."""
        self._dead.set()

    async def close(self) -> None:
        """Nothing is held, so only what still runs has to end."""
        self.die()

    def _tokens(
        self, generation: Generation, follower: Follower | None
    ) -> Iterator[tuple[int, tuple[Token, ...]]]:
        """The tokens of an answer without its limit, each with what is to be reported of it."""
        script = (*SPELLING(self._script(generation.prompt)), END)
        sampling, said = generation.sampling, Counter[int]()
        plain = generation.logprobs is None and not (
            sampling.logit_bias or sampling.presence_penalty or sampling.frequency_penalty
        )
        place = 0
        for index in range(self._context_length):
            expected = scripted = script[min(place, len(script) - 1)]
            allowed = follower.allowed() if follower else None
            if follower and allowed:
                expected = follower.choose(scripted, allowed, index)
            place += expected == scripted
            if plain:
                if follower:
                    follower.take(expected)
                yield expected, ()
                continue
            ruled = distribution(expected, VOCABULARY, sampling, said, allowed)
            said[ruled.first] += 1
            if follower:
                follower.take(ruled.first)
            silent = generation.logprobs is None or ruled.first == END
            yield ruled.first, () if silent else (_token(ruled.first, ruled, generation.logprobs or 0),)

    def _script(self, prompt: Sequence[int]) -> bytes:
        if isinstance(self._answer, str):
            return self._answer.encode()
        return self._answer(b"".join(map(_bytes, prompt)).decode(errors="replace")).encode()

    def _cached(self, model: str, prompt: tuple[int, ...]) -> int:
        """How many tokens the prompt shares with one before it; the last has to be computed in any case."""
        written = array("H", prompt).tobytes()
        shared = (_common(written, before) for served, before in self._remembered if served == model)
        longest = max(shared, default=0) // 2
        self._remembered.append((model, written))
        return min(longest, len(prompt) - 1)

    def _check(self, model: str) -> None:
        if self._dead.is_set():
            raise EngineDied("The scripted engine was told to die; start the server again.")
        if model not in (card.id for card in self._cards):
            raise KeyError(model)

    async def _step(self) -> None:
        """Wait for the gate or for death, whichever comes first; without a gate, let others have their turn."""
        if self._gate is None:
            await asyncio.sleep(0)
            self._live()
            return
        waits = [asyncio.ensure_future(self._gate()), asyncio.ensure_future(self._dead.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            self._live()
        finally:
            for wait in waits:
                wait.cancel()

    def _live(self) -> None:
        if self._dead.is_set():
            raise EngineDied("The scripted engine died while it was answering; start the server again.")

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1


async def _follower(generation: Generation) -> Follower | None:
    """Made on a thread, as it may take seconds, and others want to be answered."""
    if generation.grammar is None:
        return None
    return await asyncio.to_thread(Follower, generation.grammar, SPELLING)


def _bytes(token: int) -> bytes:
    if token < BEGIN:
        return bytes((token,))
    if token >= FIRST_WORD:
        return WORDS[token - FIRST_WORD]
    return chr(token).encode() if token >= FIRST_CHARACTER else b""


def _token(chosen: int, ruled: Distribution, likeliest: int) -> Token:
    def alternative(token: int, logprob: float) -> Alternative:
        return Alternative(token, _bytes(token), logprob)

    return Token(
        alternative(chosen, ruled.logprob(chosen)),
        tuple(alternative(*pair) for pair in ruled.ranked[:likeliest]),
    )


SPELLING: Final = Vocabulary(tuple(map(_bytes, range(VOCABULARY))), END, FIRST_WORD)


def _common(one: bytes, other: bytes) -> int:
    """The length of the longest beginning that both have, found by halves: bytes are compared fast."""
    lengths = range(1, min(len(one), len(other)) + 1)
    return bisect_left(lengths, True, key=lambda length: one[:length] != other[:length])  # noqa: FBT003 - what is searched for


def _line(message: Message) -> str:
    calls = message.get("tool_calls")
    called = f" {json.dumps(calls)}" if calls else ""
    return f"{_speaker(message)}: {message['content']}{called}\n"


def _speaker(message: Message) -> str:
    name = message.get("name")
    return f"{message['role']} ({name})" if name else message["role"]
