"""One answer as a job on the engine's thread, and what comes of it on the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gonogo_server.engine.mlx.decode import answer

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from gonogo_server.engine.base import Generation, Piece
    from gonogo_server.engine.mlx.load import Loaded


class AnswerJob:
    """Made on the event loop, stepped by the worker; the pieces are handed over as they come."""

    def __init__(self, model: str, generation: Generation) -> None:
        self._model = model
        self._generation = generation
        self._loop = asyncio.get_running_loop()
        self._results: asyncio.Queue[Piece | Exception] = asyncio.Queue()
        self._steps: Generator[Piece | None, None, None] | None = None
        self._cancelled = False

    async def next_piece(self) -> Piece:
        """The next piece, when it is there. Raises what the generation failed with."""
        result = await self._results.get()
        if isinstance(result, Exception):
            raise result
        return result

    def cancel(self) -> None:
        """Have no further step done. A plain flag, as it is written here only and read there only."""
        self._cancelled = True

    def step(self, owned: Mapping[str, Loaded]) -> bool:
        """Do a step and hand over its piece, if any; False after the last, or once cancelled."""
        if self._steps is None:
            self._steps = answer(owned[self._model], self._generation)
        piece = None if self._cancelled else next(self._steps)
        if piece is not None:
            self._hand_over(piece)
        if self._cancelled or (piece is not None and piece.finish_reason is not None):
            self._steps.close()
            return False
        return True

    def fail(self, error: Exception) -> None:
        """Hand over the error instead of further pieces."""
        if self._steps is not None:
            self._steps.close()
        self._hand_over(error)

    def _hand_over(self, result: Piece | Exception) -> None:
        try:
            self._loop.call_soon_threadsafe(self._results.put_nowait, result)
        except RuntimeError:
            # The loop is closed: nobody waits for this answer any more.
            self._cancelled = True
