"""An engine without a model: it returns scripted text, always the same.

A token is one byte of UTF-8 (ids 0 to 255), so that any text can be encoded and decoded, and a character outside ASCII
takes several tokens, as in a real vocabulary. A prompt begins with `BEGIN`; an answer ends with `END`, which has no
text but counts as generated, like a real end token. Ids from `FIRST_CHARACTER` on stand for the character with that
code point: texts are never encoded to them, but a request may name them, as in `logit_bias`. Ids from `FIRST_WORD` on
stand for `WORDS`, the parts of tool calls: answers contain them only if a grammar requires them.
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
"""The first token of every prompt."""

END: Final = 257
"""The last token of an answer."""

GAP: Final = 258
"""The token between prefix and suffix in a fill-in-the-middle prompt."""

FIRST_CHARACTER: Final = 259
VOCABULARY: Final = 2048
WORDS: Final = (b"<tool_call>", b"</tool_call>", b'{"name": "')
FIRST_WORD: Final = VOCABULARY - len(WORDS)
REMEMBERED: Final = 64
"""Number of recent prompts whose prefixes count as cached."""

DIMENSIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that a generation raises after `after` tokens."""

    after: int
    error: Exception


class ScriptedEngine:
    """Serves `models`, each of which answers `answer`, or what that function returns for the prompt's text.

    Before every token it awaits `gate()`: with `asyncio.Semaphore(0).acquire` a test lets tokens through one at a time.
    Sampling is always greedy, by the rules of `distribution`, so that biases and penalties change the answer; with a
    grammar, `following` chooses the token. The imitated chat template accepts a system message only as the first
    message, tools only with a tool `style`, and an effort only with a `reasoning` style; for the efforts in `opening`
    the prompt ends with the start of the reasoning. `embedding_models` are served too. All methods must be called on
    the event loop.
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
        """The failure of all generations that start from now on."""
        self.running = 0
        """Number of generations that have started and not yet finished, failed or been stopped."""
        self.generations: list[Generation] = []
        """All requested generations, the oldest first."""

    def cards(self) -> Sequence[ModelCard]:
        """The served models; `created` is 0."""
        return self._cards

    async def tool_style(self, model: str) -> ToolStyle | None:
        """The style given to the constructor; None if the models were not trained on tools."""
        self._check(model)
        return self._style

    async def reasoning_style(self, model: str) -> ReasoningStyle | None:
        """The style given to the constructor; None if the models do not reason."""
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
        """A line `role: text` or `role (name): text` for each message, then `assistant: `.

        The effort comes first, in a line of its own, then the variables and each tool as lines of JSON. The calls of a
        message follow its text as JSON.
        """
        if tools and self._style is None:
            raise BadRequest("The model was not trained on tools: remove them.", param="tools")
        if any(message["role"] == "system" for message in messages[1:]):
            raise BadRequest("The system message must be the first one.", param="messages")
        offered = "".join(f"tool: {json.dumps(tool)}\n" for tool in tools)
        if variables:
            offered = f"variables: {json.dumps(template_variables(variables))}\n{offered}"
        first_line = f"effort: {effort}\n" if effort else ""
        opening = self._reasoning.start if self._reasoning and effort in self._opening else ""
        return await self.encode(
            model, f"{first_line}{offered}{''.join(map(_line, messages))}assistant: {opening}"
        )

    async def opens_reasoning(self, model: str, prompt: Sequence[int]) -> bool:
        """Whether the prompt ends with the start of the reasoning style."""
        self._check(model)
        return self._reasoning is not None and bytes(prompt[1:]).endswith(self._reasoning.start.encode())

    async def infill_prompt(self, model: str, prefix: str, suffix: str) -> tuple[int, ...]:
        """`BEGIN`, the prefix's bytes, `GAP`, the suffix's bytes."""
        return (*await self.encode(model, prefix), GAP, *suffix.encode())

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        """`BEGIN`, then the bytes of the text."""
        self._check(model)
        check_length(text, self._context_length, len)
        return (BEGIN, *text.encode())

    async def decode(self, model: str, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """One byte for each token, a whole character from `FIRST_CHARACTER` on, nothing for special tokens."""
        self._check(model)
        return tuple(_bytes(token) for token in tokens)

    async def score(self, model: str, tokens: Sequence[int], top_logprobs: int) -> Sequence[Token | None]:
        """The log probability of each token, as if the script had expected it there."""
        self._check(model)
        scored = [distribution(token, VOCABULARY, Sampling(), {}) for token in tokens[1:]]
        return [None, *map(_token, tokens[1:], scored, [top_logprobs] * len(scored))]

    async def embed(self, model: str, inputs: Sequence[Sequence[int]]) -> Sequence[Sequence[float]]:
        """The count of each token id modulo `DIMENSIONS`, normalised to length 1."""
        self._check(model)
        counts = [Counter(token % DIMENSIONS for token in tokens) for tokens in inputs]
        return [[count[i] / hypot(*count.values()) for i in range(DIMENSIONS)] for count in counts]

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        """The scripted answer, one byte per token, changed by biases and penalties."""
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
        """Behave like an engine whose thread dies: running generations and later calls raise `EngineDied`."""
        self._dead.set()

    async def close(self) -> None:
        """End the running generations; there is nothing to release."""
        self.die()

    def _tokens(
        self, generation: Generation, follower: Follower | None
    ) -> Iterator[tuple[int, tuple[Token, ...]]]:
        """The tokens of an answer without its limit, each with its reported log probabilities."""
        script = (*SPELLING(self._script(generation.prompt)), END)
        sampling, counts = generation.sampling, Counter[int]()
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
            drawn = distribution(expected, VOCABULARY, sampling, counts, allowed)
            counts[drawn.first] += 1
            if follower:
                follower.take(drawn.first)
            silent = generation.logprobs is None or drawn.first == END
            yield drawn.first, () if silent else (_token(drawn.first, drawn, generation.logprobs or 0),)

    def _script(self, prompt: Sequence[int]) -> bytes:
        if isinstance(self._answer, str):
            return self._answer.encode()
        return self._answer(b"".join(map(_bytes, prompt)).decode(errors="replace")).encode()

    def _cached(self, model: str, prompt: tuple[int, ...]) -> int:
        """Number of tokens that the prompt shares with an earlier one; the last token always has to be computed."""
        written = array("H", prompt).tobytes()
        shared = (_common(written, before) for served, before in self._remembered if served == model)
        longest = max(shared, default=0) // 2
        self._remembered.append((model, written))
        return min(longest, len(prompt) - 1)

    def _check(self, model: str) -> None:
        if self._dead.is_set():
            raise EngineDied("The scripted engine has died; start the server again.")
        if model not in (card.id for card in self._cards):
            raise KeyError(model)

    async def _step(self) -> None:
        """Wait for the gate or for `die`, whichever comes first; without a gate, yield to other tasks."""
        if self._gate is None:
            await asyncio.sleep(0)
            self._check_alive()
            return
        waits = [asyncio.ensure_future(self._gate()), asyncio.ensure_future(self._dead.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            self._check_alive()
        finally:
            for wait in waits:
                wait.cancel()

    def _check_alive(self) -> None:
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
    """Compile the grammar on a thread, because it may take seconds."""
    if generation.grammar is None:
        return None
    return await asyncio.to_thread(Follower, generation.grammar, SPELLING)


def _bytes(token: int) -> bytes:
    if token < BEGIN:
        return bytes((token,))
    if token >= FIRST_WORD:
        return WORDS[token - FIRST_WORD]
    return chr(token).encode() if token >= FIRST_CHARACTER else b""


def _token(chosen: int, distributed: Distribution, top_logprobs: int) -> Token:
    def alternative(token: int, logprob: float) -> Alternative:
        return Alternative(token, _bytes(token), logprob)

    return Token(
        alternative(chosen, distributed.logprob(chosen)),
        tuple(alternative(*pair) for pair in distributed.ranked[:top_logprobs]),
    )


SPELLING: Final = Vocabulary(tuple(map(_bytes, range(VOCABULARY))), END, FIRST_WORD)


def _common(one: bytes, other: bytes) -> int:
    """The length of the longest common prefix, found by bisection, because comparing bytes is fast."""
    lengths = range(1, min(len(one), len(other)) + 1)
    return bisect_left(lengths, True, key=lambda length: one[:length] != other[:length])  # noqa: FBT003 - the value that is searched for


def _line(message: Message) -> str:
    calls = message.get("tool_calls")
    called = f" {json.dumps(calls)}" if calls else ""
    return f"{_speaker(message)}: {message['content']}{called}\n"


def _speaker(message: Message) -> str:
    name = message.get("name")
    return f"{message['role']} ({name})" if name else message["role"]
