"""The engine on MLX: one thread computes, another reads and writes text, and the event loop waits for both."""

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import mlx.core as mx

from gonogo_server.engine.base import ModelCard, room
from gonogo_server.engine.mlx.device import describe, set_up
from gonogo_server.engine.mlx.job import AnswerJob
from gonogo_server.engine.mlx.load import load
from gonogo_server.engine.mlx.worker import Worker
from gonogo_server.locate import locate_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from gonogo_server.engine.base import Generation, Message, Piece
    from gonogo_server.engine.mlx.load import Loaded
    from gonogo_server.engine.mlx.text import Text
    from gonogo_server.locate import Location

Result = TypeVar("Result")


def open_engine(models: Sequence[str], *, download: bool = False) -> MlxEngine:
    """An engine that serves the named models, loaded, under the ids that `locate_all` gives them.

    Blocks until they are in memory. Raises `ModelUnavailable` with one sentence that says what to do.
    """
    return MlxEngine(locate_all(models, download=download))


class MlxEngine:
    """Models on MLX, several answers in turn; see `gonogo_server.engine.base.Engine` for the methods."""

    def __init__(self, locations: Sequence[Location]) -> None:
        # The models stay on their thread; the tokenizers have nothing of mlx and come here.
        self._texts: dict[str, Text] = {}
        self._reader = ThreadPoolExecutor(1, "gonogo-text")
        self._worker: Worker[dict[str, Loaded]] = Worker(
            "gonogo-mlx", lambda: self._load(locations), _release
        )
        self._worker.start()
        self._cards = tuple(
            ModelCard(one.id, "chat", self._texts[one.id].context_length, one.created) for one in locations
        )

    @property
    def description(self) -> str:
        """What computes, for people: device, precision and BLAS."""
        return describe()

    def cards(self) -> Sequence[ModelCard]:
        """What is served; `created` is when the model's file was last changed."""
        return self._cards

    async def chat_prompt(self, model: str, messages: Sequence[Message]) -> tuple[int, ...]:
        """The messages through the model's own chat template."""
        text = self._texts[model]
        return await self._read(lambda: text.chat_prompt(messages))

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        """The text as token ids; for no text at all the begin token alone."""
        reader = self._texts[model]
        return await self._read(lambda: reader.encode(text))

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        """The answer, a piece for each token; with others it takes turns of a token each."""
        limit = room(generation, self._texts[model].context_length)
        job = AnswerJob(model, replace(generation, max_tokens=limit))
        self._worker.submit(job)
        try:
            while True:
                piece = await job.next_piece()
                yield piece
                if piece.finish_reason is not None:
                    return
        finally:
            job.cancel()

    @property
    def unfinished(self) -> int:
        """Answers that are being generated or wait to be."""
        return self._worker.unfinished

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

    def _load(self, locations: Sequence[Location]) -> dict[str, Loaded]:
        set_up()
        loaded = {location.id: load(location) for location in locations}
        self._texts = {name: one.text for name, one in loaded.items()}
        return loaded


def _release(loaded: dict[str, Loaded]) -> None:
    loaded.clear()
    gc.collect()
    mx.synchronize()
    mx.clear_cache()
