"""Which models are in memory: loaded by the first request for them, kept while anyone uses them.

A model in use is never let go. Where the next one does not fit beside it, that one waits until it does. Knows
nothing of how models are loaded; everything here is called on one event loop.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

from gonogo_server.errors import ModelUnavailable
from gonogo_server.operations import events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

Model = TypeVar("Model")


@dataclass(slots=True)
class _Slot(Generic[Model]):
    """A model and its state: `model` None is not loaded, `leases` above 0 is in use."""

    nbytes: int
    model: Model | None = None
    leases: int = 0
    used: float = 0.0
    """When it was loaded or the last lease ended, on the monotonic clock, in seconds."""


class Pool(Generic[Model]):
    """The models of `sizes` (name and about how many bytes), `limit` bytes of them at a time; None: all of them.

    `load` and `unload` do the work, and `weigh` says how many bytes a loaded one takes; what `load` raises is raised
    to whoever wanted that model, and no other is touched.
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        load: Callable[[str], Awaitable[Model]],
        unload: Callable[[str], Awaitable[None]],
        weigh: Callable[[Model], int],
        *,
        limit: int | None = None,
    ) -> None:
        self._slots: dict[str, _Slot[Model]] = {name: _Slot(size) for name, size in sizes.items()}
        self._load = load
        self._unload = unload
        self._weigh = weigh
        self._limit = limit
        self._changing = asyncio.Lock()
        self._returned = asyncio.Event()

    def adopt(self, name: str, model: Model, seconds: float) -> None:
        """Take note of a model that was loaded already, in that time."""
        self._slots[name].model = model
        self._slots[name].used = monotonic()
        self._slots[name].nbytes = self._weigh(model)
        events.model_loaded(name, seconds=seconds, memory_bytes=self._slots[name].nbytes)

    def loaded(self, name: str) -> Model | None:
        """The model, if it is in memory."""
        return self._slots[name].model

    def leases(self, name: str) -> int:
        """How many use it now."""
        return self._slots[name].leases

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncIterator[Model]:
        """The model, in memory for as long as the context lasts.

        Raises what loading it raises, and `ModelUnavailable` where it is larger than the limit.
        """
        slot = self._slots[name]
        # Counted before it is loaded, so that it cannot be let go between loading and use.
        slot.leases += 1
        try:
            # Looked at without the lock: who uses a loaded model does not wait for another one's loading.
            if slot.model is None:
                # Not cancelled with the one who waits: others may wait for the same model by then.
                bringing = asyncio.ensure_future(self._bring(name, slot))
                bringing.add_done_callback(_noticed)
                await asyncio.shield(bringing)
            assert slot.model is not None
            yield slot.model
        finally:
            slot.leases -= 1
            slot.used = monotonic()
            self._returned.set()

    async def unload_idle(self, seconds: float) -> None:
        """Let go of what nobody has used for that long."""
        async with self._changing:
            before = monotonic() - seconds
            for name, slot in self._slots.items():
                if slot.model is not None and not slot.leases and slot.used <= before:
                    events.model_unloaded(name, idle_seconds=seconds)
                    await self._drop(name, slot)

    async def _bring(self, name: str, slot: _Slot[Model]) -> None:
        async with self._changing:
            if slot.model is None and await self._make_room(name, slot):
                slot.model, slot.used = await self._told(name), monotonic()
                slot.nbytes = self._weigh(slot.model)

    async def _told(self, name: str) -> Model:
        events.model_loading(name)
        begun = monotonic()
        try:
            model = await self._load(name)
        except Exception as error:
            events.model_load_failed(name, str(error))
            raise
        events.model_loaded(name, seconds=monotonic() - begun, memory_bytes=self._weigh(model))
        return model

    async def _make_room(self, name: str, slot: _Slot[Model]) -> bool:
        """False where nobody wants the model any more."""
        if self._limit is None:
            return True
        if slot.nbytes > self._limit:
            raise ModelUnavailable(
                f"The model {name} takes {slot.nbytes} bytes, and all models together may take {self._limit}:"
                " raise --model-memory-bytes.",
                param="model",
            )
        while self._taken() + slot.nbytes > self._limit:
            idle = [(one.used, other) for other, one in self._slots.items() if one.model and not one.leases]
            if idle:
                victim = min(idle)[1]
                events.model_evicted(victim, memory_bytes=self._slots[victim].nbytes, in_favour_of=name)
                await self._drop(victim, self._slots[victim])
            else:
                self._returned.clear()
                await self._returned.wait()
                # Who has stopped waiting returns a lease as well; the next ones want another model.
                if not slot.leases:
                    return False
        return True

    async def _drop(self, name: str, slot: _Slot[Model]) -> None:
        # Out of sight first: a lease that comes while it is being unloaded waits for the lock, and loads it again.
        slot.model = None
        await self._unload(name)

    def _taken(self) -> int:
        return sum(slot.nbytes for slot in self._slots.values() if slot.model is not None)


def _noticed(task: asyncio.Future[None]) -> None:
    """Nobody may be left to be told that a load failed; the next who wants the model tries again."""
    if not task.cancelled():
        task.exception()
