"""The engine on MLX: one thread computes, another reads and writes text, and the event loop waits for both."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from gonogo_server.engine.base import ModelCard, room
from gonogo_server.engine.mlx.device import describe
from gonogo_server.engine.mlx.residents import Limits, Residents
from gonogo_server.engine.mlx.row import Row
from gonogo_server.engine.mlx.ticket import Ticket
from gonogo_server.engine.mlx.worker import Worker
from gonogo_server.locate import locate_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from gonogo_server.engine.base import Generation, Message, Piece, Token, ToolStyle
    from gonogo_server.engine.mlx.text import Text
    from gonogo_server.locate import Location

Result = TypeVar("Result")


def open_engine(models: Sequence[str], *, download: bool = False, limits: Limits | None = None) -> MlxEngine:
    """An engine that serves the named models, loaded, under the ids that `locate_all` gives them.

    Blocks until they are in memory. Raises `ModelUnavailable` with one sentence that says what to do.
    """
    return MlxEngine(locate_all(models, download=download), limits or Limits())


class MlxEngine:
    """Models on MLX, many answers at once; see `gonogo_server.engine.base.Engine` for the methods."""

    def __init__(self, locations: Sequence[Location], limits: Limits) -> None:
        # The models stay on their thread; the tokenizers have nothing of mlx and come here.
        self._texts: dict[str, Text] = {}
        self._reader = ThreadPoolExecutor(1, "gonogo-text")
        self._worker: Worker[Residents] = Worker("gonogo-mlx", lambda: self._load(locations, limits))
        self._worker.start()
        self._cards = tuple(
            ModelCard(
                one.id,
                "chat",
                self._texts[one.id].context_length,
                one.created,
                self._texts[one.id].vocabulary,
            )
            for one in locations
        )

    @property
    def description(self) -> str:
        """What computes, for people: device, precision and BLAS."""
        return describe()

    def cards(self) -> Sequence[ModelCard]:
        """What is served; `created` is when the model's file was last changed."""
        return self._cards

    async def tool_style(self, model: str) -> ToolStyle | None:
        """That of the model's chat template."""
        return self._texts[model].tool_style()

    async def chat_prompt(
        self, model: str, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[int, ...]:
        """The messages through the model's own chat template."""
        text = self._texts[model]
        return await self._read(lambda: text.chat_prompt(messages, tools))

    async def infill_prompt(self, model: str, prefix: str, suffix: str) -> tuple[int, ...]:
        """With the special tokens that the model has for it."""
        text = self._texts[model]
        return await self._read(lambda: text.infill_prompt(prefix, suffix))

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        """The text as token ids; for no text at all the begin token alone."""
        reader = self._texts[model]
        return await self._read(lambda: reader.encode(text))

    async def decode(self, model: str, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """What each token adds to a text."""
        text = self._texts[model]
        return await self._read(lambda: text.decode(tokens))

    async def score(self, model: str, tokens: Sequence[int], likeliest: int) -> Sequence[Token | None]:
        """The log probability of each token, by the model as it is: without a cache of what it has read."""
        # What spells tokens is made where it keeps nobody waiting.
        await self._read(lambda: self._texts[model].spell(tokens[0]))
        running = await asyncio.wrap_future(
            self._worker.call(lambda owned: owned.score(model, tokens, likeliest))
        )
        return await asyncio.wrap_future(running)

    async def embed(self, model: str, inputs: Sequence[Sequence[int]]) -> Sequence[Sequence[float]]:
        """The vector of each input."""
        raise KeyError(model)

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        """The answer, a piece for each token, in one batch with those of others."""
        text = self._texts[model]
        generation = replace(generation, max_tokens=room(generation, text.context_length))
        # What reads grammars and spells tokens is made here, where it keeps nobody waiting.
        matcher = None
        if (grammar := generation.grammar) is not None:
            matcher = await self._read(lambda: text.matcher(grammar))
        elif generation.logprobs is not None:
            await self._read(lambda: text.spell(generation.prompt[0]))
        ticket = Ticket()
        self._worker.call(lambda owned: owned.add(model, Row(ticket, generation, text, matcher)))
        try:
            while True:
                piece = await ticket.next_piece()
                yield piece
                if piece.finish_reason is not None:
                    return
        finally:
            ticket.cancelled = True

    @property
    def unfinished(self) -> int:
        """Answers that are being generated or wait to be."""
        return self._residents.rows

    @property
    def alive(self) -> bool:
        """False once the thread has died or was stopped."""
        return self._worker.alive

    async def close(self) -> None:
        """Stop within a step, and release the models on their thread."""
        await asyncio.to_thread(self._worker.stop)
        self._reader.shutdown(wait=False)

    async def _read(self, work: Callable[[], Result]) -> Result:
        self._worker.check()
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)

    def _load(self, locations: Sequence[Location], limits: Limits) -> Residents:
        self._residents = Residents(limits)
        self._texts = {location.id: self._residents.load(location) for location in locations}
        return self._residents
