"""Decides which models are in memory: the first request for a model loads it, and leases keep it loaded.

A model in use is never unloaded. If the next one does not fit beside it, the request waits until it does. Later
requests for a model that has to be evicted wait behind that request: first come, first served. The pool does not know
how models are loaded; all its methods are called on one event loop.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Generic, TypeVar

from gonogo_server import events
from gonogo_server.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence

Model = TypeVar("Model")


@dataclass(slots=True)
class _Slot(Generic[Model]):
    """A model and its state: `model` is None if it is not loaded, `leases` is above 0 if it is in use.

    Times are those of `monotonic`.
    """

    nbytes: int
    """The estimated size until the model has been loaded once, then the measured one."""
    model: Model | None = None
    leases: int = 0
    loaded_at: float = 0.0
    """When the model was loaded."""
    used_at: float = 0.0
    """When the model was loaded or its last lease ended."""


@dataclass(eq=False, slots=True)
class _Waiter:
    """A request that waits for a lease; `ready` is done once it has one."""

    name: str
    since: float
    ready: asyncio.Future[None]
    context: Context = field(default_factory=copy_context)
    """The logging context of the request, for events on its behalf."""


class Pool(Generic[Model]):
    """The models of `sizes` (name to estimated bytes), at most `limit` bytes of them at a time (None: no limit).

    `load` and `unload` do the work; `weigh` returns the bytes of a loaded model. An exception of `load` is raised to
    all requests that wait for that model, and to no others. Models that were idle for `idle` seconds are unloaded
    (None: never), from the first lease on.
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        load: Callable[[str], Awaitable[Model]],
        unload: Callable[[str], Awaitable[None]],
        weigh: Callable[[Model], int],
        *,
        limit: int | None = None,
        idle: float | None = None,
    ) -> None:
        self._slots: dict[str, _Slot[Model]] = {name: _Slot(size) for name, size in sizes.items()}
        self._load = load
        self._unload = unload
        self._weigh = weigh
        self._limit = limit
        self._idle = idle
        self._waiting: list[_Waiter] = []
        self._changing = asyncio.Lock()
        self._load_task: asyncio.Task[None] | None = None
        self._loading: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unload_task: asyncio.Task[None] | None = None

    def adopt(self, name: str, model: Model, seconds: float) -> None:
        """Register a model that was already loaded, in `seconds` seconds.

        Raises `ModelUnavailable` if it exceeds the memory that the limit leaves.
        """
        slot = self._slots[name]
        slot.nbytes = self._weigh(model)
        self.check_room(name)
        slot.model = model
        slot.loaded_at = slot.used_at = monotonic()
        events.model_loaded(name, seconds=seconds, memory_bytes=slot.nbytes)

    def fits(self, name: str) -> bool:
        """Whether the model fits beside all loaded models.

        Raises `ModelUnavailable` if it exceeds the limit even alone.
        """
        self._check_size(name)
        return not self._short(name)

    def check_room(self, name: str) -> None:
        """Raise `ModelUnavailable`, with advice on what to do, if the model does not fit."""
        if not self.fits(name):
            raise ModelUnavailable(
                f"The model {name} cannot be preloaded with the others, {self._short(name)} bytes are "
                "missing: preload fewer models, or raise --model-memory-bytes.",
                param="model",
            )

    def loaded(self, name: str) -> Model | None:
        """The model, if it is in memory."""
        return self._slots[name].model

    def leases(self, name: str) -> int:
        """The number of current leases of the model."""
        return self._slots[name].leases

    def waiting(self, name: str) -> int:
        """The number of requests that wait for the model."""
        return sum(waiter.name == name for waiter in self._waiting)

    @asynccontextmanager
    async def lease(self, name: str, since: float | None = None) -> AsyncIterator[Model]:
        """The model, kept in memory while the context is open.

        `since` decides the order of waiting requests: the start of the request by `perf_counter` (None: now). All
        leases of one request must have the same value. Otherwise it could wait for a later request that itself waits
        for it. Raises the exceptions of `load`, and `ModelUnavailable` if the model is larger than the limit.
        """
        slot = self._slots[name]
        since = perf_counter() if since is None else since
        if slot.model is not None and not self._must_yield(name, since):
            slot.leases += 1
        else:
            await self._wait(name, since)
        try:
            assert slot.model is not None
            self._schedule_unload()
            yield slot.model
        finally:
            self._release(slot)

    async def unload_idle(self, seconds: float) -> None:
        """Unload all models that were idle for at least `seconds`."""
        async with self._changing:
            before = monotonic() - seconds
            for name, slot in self._slots.items():
                # Checked one by one, because a request may arrive while another model is unloaded.
                if slot.model is not None and not slot.leases and slot.used_at <= before:
                    events.model_unloaded(name, idle_seconds=seconds)
                    slot.model = None
                    await self._unload(name)
        self._dispatch()

    def refuse_all(self, error: Exception) -> None:
        """Fail all waiting requests."""
        self._refuse(list(self._waiting), error)

    # ---- waiting requests

    async def _wait(self, name: str, since: float) -> None:
        """Wait for a lease of the model."""
        if self._slots[name].model is None:
            self._check_size(name)
        waiter = _Waiter(name, since, asyncio.get_running_loop().create_future())
        insort(self._waiting, waiter, key=lambda one: one.since)
        self._dispatch()
        try:
            await waiter.ready
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                self._dispatch()
            elif waiter.ready.exception() is None:
                # It got a lease in the same moment.
                self._release(self._slots[name])
            raise

    def _release(self, slot: _Slot[Model]) -> None:
        slot.leases -= 1
        slot.used_at = monotonic()
        self._dispatch()

    def _dispatch(self) -> None:
        """Grant leases that are possible now, and start loading the model that was requested first if it fits."""
        for waiter in tuple(self._waiting):
            if self._slots[waiter.name].model is not None and not self._must_yield(waiter.name, waiter.since):
                self._grant(waiter)
        first = self._first()
        if first is not None and self._load_task is None and not self._in_use(self._to_evict(first.name)):
            # The task survives the cancellation of its request, because others may wait for the same model by then.
            self._load_task = asyncio.create_task(self._load_for(first.name), context=first.context)
        self._schedule_unload()

    def _first(self) -> _Waiter | None:
        """The oldest waiting request for a model that is neither loaded nor being loaded."""
        return next(
            (
                one
                for one in self._waiting
                if self._slots[one.name].model is None
                and one.name != self._loading
                and not one.ready.cancelled()
            ),
            None,
        )

    def _grant(self, waiter: _Waiter) -> None:
        # A request that was just cancelled removes itself from the list.
        if not waiter.ready.done():
            self._waiting.remove(waiter)
            self._slots[waiter.name].leases += 1
            waiter.ready.set_result(None)

    def _refuse(self, waiters: Iterable[_Waiter], error: Exception) -> None:
        for waiter in waiters:
            if not waiter.ready.done():
                self._waiting.remove(waiter)
                waiter.ready.set_exception(error)

    def _waiters(self, name: str) -> list[_Waiter]:
        return [one for one in self._waiting if one.name == name and not one.ready.done()]

    # ---- eviction

    def _must_yield(self, name: str, since: float) -> bool:
        """Whether a loaded model has to be evicted for an earlier request."""
        first = self._first()
        return first is not None and first.since <= since and name in self._to_evict(first.name)

    def _to_evict(self, name: str) -> list[str]:
        """The models to evict for this one: idle ones first, the least recently used first, then those in use.

        Those in use are ordered by the time of loading, because that order does not change. If it did, none of them
        might ever become idle.
        """
        short = self._short(name)
        loaded = [other for other, slot in self._slots.items() if slot.model is not None and other != name]
        evicted: list[str] = []
        for other in sorted(loaded, key=self._eviction_order):
            if short > 0:
                evicted.append(other)
                short -= self._slots[other].nbytes
        return evicted

    def _eviction_order(self, name: str) -> tuple[bool, float]:
        slot = self._slots[name]
        return (True, slot.loaded_at) if slot.leases else (False, slot.used_at)

    def _in_use(self, names: Iterable[str]) -> bool:
        return any(self._slots[name].leases for name in names)

    def _short(self, name: str) -> int:
        """Bytes missing for a model beside all that are loaded or being loaded; at least 0."""
        if self._limit is None:
            return 0
        needed = sum(
            slot.nbytes
            for other, slot in self._slots.items()
            if slot.model is not None or other in {self._loading, name}
        )
        return max(0, needed - self._limit)

    def _check_size(self, name: str) -> None:
        nbytes = self._slots[name].nbytes
        if self._limit is not None and nbytes > self._limit:
            raise ModelUnavailable(
                f"The model {name} needs {nbytes} bytes, but the limit for all models is "
                f"{self._limit}: raise --model-memory-bytes.",
                param="model",
            )

    # ---- loading and unloading

    async def _load_for(self, name: str) -> None:
        try:
            async with self._changing:
                # By now an older request may wait, or use a model that was to be evicted.
                first = self._first()
                if first is not None and first.name == name and not self._in_use(self._to_evict(name)):
                    await self._exchange(name)
        except Exception as error:  # noqa: BLE001 - reported to the waiting requests
            self._refuse(self._waiters(name), error)
        finally:
            self._load_task = self._loading = None
        self._dispatch()

    async def _exchange(self, name: str) -> None:
        """Evict models to make room, then load this one."""
        evicted, self._loading = self._to_evict(name), name
        await self._evict(evicted, in_favour_of=name)
        if not self._waiters(name):
            return
        slot = self._slots[name]
        slot.model = await self._logged_load(name)
        slot.loaded_at = slot.used_at = monotonic()
        # All of them get a lease, even if an older request waits for another model, because loading is expensive.
        for waiter in self._waiters(name):
            self._grant(waiter)
        self._loading = None
        # The model may be larger than estimated.
        await self._evict([other for other in self._to_evict(name) if not self._slots[other].leases], name)

    async def _evict(self, names: Sequence[str], in_favour_of: str) -> None:
        # All slots are cleared first, so that a lease requested during an unload waits and loads its model again.
        for name in names:
            events.model_evicted(name, memory_bytes=self._slots[name].nbytes, in_favour_of=in_favour_of)
            self._slots[name].model = None
        for name in names:
            await self._unload(name)

    async def _logged_load(self, name: str) -> Model:
        events.model_loading(name)
        started = monotonic()
        slot = self._slots[name]
        try:
            model = await self._load(name)
            slot.nbytes = self._weigh(model)
            try:
                self._check_size(name)
            except ModelUnavailable:
                await self._unload(name)
                raise
        except Exception as error:
            events.model_load_failed(name, str(error))
            raise
        events.model_loaded(name, seconds=monotonic() - started, memory_bytes=slot.nbytes)
        return model

    # ---- idle models

    def _schedule_unload(self) -> None:
        """Set the timer for the time at which the next model may have been idle for long enough."""
        if self._idle is None or self._timer is not None:
            return
        idle = [slot.used_at for slot in self._slots.values() if slot.model is not None and not slot.leases]
        if idle:
            later = max(0.0, min(idle) + self._idle - monotonic())
            # An empty context: the event belongs to no request.
            self._timer = asyncio.get_running_loop().call_later(
                later, self._unload_later, self._idle, context=Context()
            )

    def _unload_later(self, seconds: float) -> None:
        self._timer = None
        self._unload_task = asyncio.ensure_future(self.unload_idle(seconds))
        self._unload_task.add_done_callback(_ignore_exception)


def _ignore_exception(task: asyncio.Future[None]) -> None:
    """Mark the exception as retrieved: only a dead engine cannot unload, and it logs its end itself."""
    if not task.cancelled():
        task.exception()
