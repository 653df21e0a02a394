"""An engine without a model: it says what it was told to say, the same every time.

A token is one byte of UTF-8 (ids 0 to 255), so that every text is token ids and back, and a character
outside ASCII takes several tokens, as it does in a real vocabulary. A prompt begins with `BEGIN`; an answer
ends with an end token, which has no text but counts as generated, as a real one does.
"""

from __future__ import annotations

import asyncio
import codecs
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo_server.engine.base import ModelCard, Piece, room
from gonogo_server.errors import BadRequest, EngineDied

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

    from gonogo_server.engine.base import Generation, Message

BEGIN = 256
"""The token that every prompt begins with."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that a generation raises instead of its token number `after` (0: before the first)."""

    after: int
    error: Exception


class ScriptedEngine:
    """Serves `models`, each of which answers `answer`, or what that function makes of the prompt's text.

    Before every token it awaits `gate()`: with `asyncio.Semaphore(0).acquire` a test lets tokens through one
    at a time. Sampling is ignored: every temperature is 0. A chat template is imitated that takes a system
    message in the first place only. Everything is to be called on the event loop.
    """

    def __init__(
        self,
        models: Sequence[str] = ("scripted",),
        answer: str | Callable[[str], str] = "Hello! How can I help you today?",
        *,
        context_length: int = 4096,
        gate: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._cards = tuple(ModelCard(name, "chat", context_length, created=0) for name in models)
        self._context_length = context_length
        self._answer = answer
        self._gate = gate or _next_tick
        self._dead = asyncio.Event()
        self.failure: Failure | None = None
        """What the generations that start from now on fail with."""
        self.running = 0
        """Generations that have begun and neither finished, failed nor been stopped."""
        self.generations: list[Generation] = []
        """Everything that was asked for, oldest first."""

    def cards(self) -> Sequence[ModelCard]:
        """What is served: `created` is 0."""
        return self._cards

    async def chat_prompt(self, model: str, messages: Sequence[Message]) -> tuple[int, ...]:
        """A line `role: text`, or `role (name): text`, for each message, then `assistant: `."""
        if any(message["role"] == "system" for message in messages[1:]):
            raise BadRequest("The system message must be the first one.", param="messages")
        text = "".join(f"{_speaker(message)}: {message['content']}\n" for message in messages)
        return await self.encode(model, f"{text}assistant: ")

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        """`BEGIN`, then the text's bytes."""
        self._check(model)
        return (BEGIN, *text.encode())

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        """The scripted answer, a byte a token."""
        self._check(model)
        self.generations.append(generation)
        answer = self._script(generation.prompt)
        limit = room(generation, self._context_length)
        decoder = codecs.getincrementaldecoder("utf-8")()
        async with self._counted():
            failure = self.failure
            for index in range(limit):
                await self._step()
                if failure is not None and failure.after == index:
                    raise failure.error
                if index == len(answer):
                    yield Piece("", 1, "stop")
                    return
                text = decoder.decode(answer[index : index + 1])
                yield Piece(text, 1, "length" if index == limit - 1 else None)

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

    def _script(self, prompt: Sequence[int]) -> bytes:
        if isinstance(self._answer, str):
            return self._answer.encode()
        return self._answer(bytes(token for token in prompt if token != BEGIN).decode()).encode()

    def _check(self, model: str) -> None:
        if self._dead.is_set():
            raise EngineDied("The scripted engine was told to die; start the server again.")
        if model not in (card.id for card in self._cards):
            raise KeyError(model)

    async def _step(self) -> None:
        """Wait for the gate or for death, whichever comes first."""
        waits = [asyncio.ensure_future(self._gate()), asyncio.ensure_future(self._dead.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if self._dead.is_set():
                raise EngineDied("The scripted engine died while it was answering; start the server again.")
        finally:
            for wait in waits:
                wait.cancel()

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1


async def _next_tick() -> None:
    await asyncio.sleep(0)


def _speaker(message: Message) -> str:
    name = message.get("name")
    return f"{message['role']} ({name})" if name else message["role"]
