"""Which models are in memory: loaded by the first request for them, kept while in use.

A model in use is never let go. Where the next one does not fit beside it, that one waits until it does, and who comes
later for what has to go for it waits behind it: first come, first served. Knows nothing of how models are loaded;
everything here is called on one event loop.
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
    """A model and its state: `model` None is not loaded, `leases` above 0 is in use; times are of `monotonic`."""

    nbytes: int
    """As foretold, until it has been loaded once."""
    model: Model | None = None
    leases: int = 0
    brought: float = 0.0
    """When it was loaded."""
    used: float = 0.0
    """When it was loaded or the last lease ended."""


@dataclass(eq=False, slots=True)
class _Waiter:
    """Somebody who is to be let in; until then `ready` is not done."""

    name: str
    since: float
    ready: asyncio.Future[None]
    context: Context = field(default_factory=copy_context)
    """What the log knows of the request, for events on its behalf."""


class Pool(Generic[Model]):
    """The models of `sizes` (name and about how many bytes), `limit` bytes of them at a time; None: all of them.

    `load` and `unload` do the work, and `weigh` says how many bytes a loaded one takes; what `load` raises is raised
    to all who wait for that model, and no other is touched. What nobody has used for `idle` seconds is let go
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
        self._bringing: asyncio.Task[None] | None = None
        self._loading: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sweeping: asyncio.Task[None] | None = None

    def adopt(self, name: str, model: Model, seconds: float) -> None:
        """Take note of a model that was loaded already, in that time.

        Raises `ModelUnavailable` if it takes more than the limit leaves.
        """
        slot = self._slots[name]
        slot.nbytes = self._weigh(model)
        self.check_room(name)
        slot.model = model
        slot.brought = slot.used = monotonic()
        events.model_loaded(name, seconds=seconds, memory_bytes=slot.nbytes)

    def fits(self, name: str) -> bool:
        """Whether it would find room beside all that is loaded.

        Raises `ModelUnavailable` if it would not even by itself.
        """
        self._check_size(name)
        return not self._short(name)

    def check_room(self, name: str) -> None:
        """Raise `ModelUnavailable`, with what to do, where it would not."""
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
        """How many use it now."""
        return self._slots[name].leases

    def waiting(self, name: str) -> int:
        """How many wait for it, or for their turn with it."""
        return sum(waiter.name == name for waiter in self._waiting)

    @asynccontextmanager
    async def lease(self, name: str, since: float | None = None) -> AsyncIterator[Model]:
        """The model, in memory for as long as the context lasts.

        `since` says whose turn it is: when the request began for which it is, by `perf_counter` (None: now). All
        leases of one request are to have the same, so that it is never made to wait for somebody who came after it,
        and who perhaps waits for it. Raises what loading raises, and `ModelUnavailable` where the model is
        larger than the limit.
        """
        slot = self._slots[name]
        since = perf_counter() if since is None else since
        if slot.model is not None and not self._is_to_go(name, since):
            slot.leases += 1
        else:
            await self._wait(name, since)
        try:
            assert slot.model is not None
            self._watch()
            yield slot.model
        finally:
            self._return(slot)

    async def unload_idle(self, seconds: float) -> None:
        """Unload models that were idle for that long."""
        async with self._changing:
            before = monotonic() - seconds
            for name, slot in self._slots.items():
                # Looked at one by one, as somebody may have come while another was unloaded.
                if slot.model is not None and not slot.leases and slot.used <= before:
                    events.model_unloaded(name, idle_seconds=seconds)
                    slot.model = None
                    await self._unload(name)
        self._go_on()

    def refuse_all(self, error: Exception) -> None:
        """Fail all waiting requests."""
        self._refuse(list(self._waiting), error)

    # ---- waiting requests

    async def _wait(self, name: str, since: float) -> None:
        """Return with a lease."""
        if self._slots[name].model is None:
            self._check_size(name)
        waiter = _Waiter(name, since, asyncio.get_running_loop().create_future())
        insort(self._waiting, waiter, key=lambda one: one.since)
        self._go_on()
        try:
            await waiter.ready
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                self._go_on()
            elif waiter.ready.exception() is None:
                # Let in, and gone before it knew.
                self._return(self._slots[name])
            raise

    def _return(self, slot: _Slot[Model]) -> None:
        slot.leases -= 1
        slot.used = monotonic()
        self._go_on()

    def _go_on(self) -> None:
        """Let in who need not wait any more, and bring what is wanted first where there can be room for it."""
        for waiter in tuple(self._waiting):
            if self._slots[waiter.name].model is not None and not self._is_to_go(waiter.name, waiter.since):
                self._let_in(waiter)
        first = self._first()
        if first is not None and self._bringing is None and not self._in_use(self._to_go(first.name)):
            # Not cancelled with the one who waits: others may wait for the same model by then.
            self._bringing = asyncio.create_task(self._bring(first.name), context=first.context)
        self._watch()

    def _first(self) -> _Waiter | None:
        """Who waits for a model that is neither there nor on its way, and has waited for the longest time."""
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

    def _let_in(self, waiter: _Waiter) -> None:
        # Who was cancelled just now takes itself off the list.
        if not waiter.ready.done():
            self._waiting.remove(waiter)
            self._slots[waiter.name].leases += 1
            waiter.ready.set_result(None)

    def _refuse(self, waiters: Iterable[_Waiter], error: Exception) -> None:
        for waiter in waiters:
            if not waiter.ready.done():
                self._waiting.remove(waiter)
                waiter.ready.set_exception(error)

    def _who_want(self, name: str) -> list[_Waiter]:
        return [one for one in self._waiting if one.name == name and not one.ready.done()]

    # ---- what goes

    def _is_to_go(self, name: str, since: float) -> bool:
        """Whether a loaded model has to go for somebody who came before."""
        first = self._first()
        return first is not None and first.since <= since and name in self._to_go(first.name)

    def _to_go(self, name: str) -> list[str]:
        """The models that make room for that one: idle ones, least recently used first, then the others.

        Of those in use the one that was loaded first, which is the same one however often it is asked: were it
        now this one and now that one, neither would ever come to rest.
        """
        short = self._short(name)
        loaded = [other for other, slot in self._slots.items() if slot.model is not None and other != name]
        going: list[str] = []
        for other in sorted(loaded, key=self._turn):
            if short > 0:
                going.append(other)
                short -= self._slots[other].nbytes
        return going

    def _turn(self, name: str) -> tuple[bool, float]:
        slot = self._slots[name]
        return (True, slot.brought) if slot.leases else (False, slot.used)

    def _in_use(self, names: Iterable[str]) -> bool:
        return any(self._slots[name].leases for name in names)

    def _short(self, name: str) -> int:
        """Bytes that are missing for a model beside all that is loaded, or is being loaded; at least 0."""
        if self._limit is None:
            return 0
        there = sum(
            slot.nbytes
            for other, slot in self._slots.items()
            if slot.model is not None or other in {self._loading, name}
        )
        return max(0, there - self._limit)

    def _check_size(self, name: str) -> None:
        nbytes = self._slots[name].nbytes
        if self._limit is not None and nbytes > self._limit:
            raise ModelUnavailable(
                f"The model {name} needs {nbytes} bytes, but the limit for all models is "
                f"{self._limit}: raise --model-memory-bytes.",
                param="model",
            )

    # ---- loading and unloading

    async def _bring(self, name: str) -> None:
        try:
            async with self._changing:
                # Somebody who came before the one it is for may be there by now, and use what was to go.
                first = self._first()
                if first is not None and first.name == name and not self._in_use(self._to_go(name)):
                    await self._exchange(name)
        except Exception as error:  # noqa: BLE001 - reported to the waiting requests
            self._refuse(self._who_want(name), error)
        finally:
            self._bringing = self._loading = None
        self._go_on()

    async def _exchange(self, name: str) -> None:
        """Let others go for the model, and load it."""
        going, self._loading = self._to_go(name), name
        await self._evict(going, in_favour_of=name)
        if not self._who_want(name):
            return
        slot = self._slots[name]
        slot.model = await self._told(name)
        slot.brought = slot.used = monotonic()
        # All of them, also those who came after somebody who waits for another: a load is dear.
        for waiter in self._who_want(name):
            self._let_in(waiter)
        self._loading = None
        # It may have turned out larger than was thought.
        await self._evict([other for other in self._to_go(name) if not self._slots[other].leases], name)

    async def _evict(self, names: Sequence[str], in_favour_of: str) -> None:
        # Out of sight first, all of them: a lease that comes while one is unloaded waits, and has it loaded again.
        for name in names:
            events.model_evicted(name, memory_bytes=self._slots[name].nbytes, in_favour_of=in_favour_of)
            self._slots[name].model = None
        for name in names:
            await self._unload(name)

    async def _told(self, name: str) -> Model:
        events.model_loading(name)
        begun = monotonic()
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
        events.model_loaded(name, seconds=monotonic() - begun, memory_bytes=slot.nbytes)
        return model

    # ---- idle models

    def _watch(self) -> None:
        """Look again when the next model may have been idle for long enough."""
        if self._idle is None or self._timer is not None:
            return
        idle = [slot.used for slot in self._slots.values() if slot.model is not None and not slot.leases]
        if idle:
            later = max(0.0, min(idle) + self._idle - monotonic())
            # On behalf of no request.
            self._timer = asyncio.get_running_loop().call_later(
                later, self._sweep, self._idle, context=Context()
            )

    def _sweep(self, seconds: float) -> None:
        self._timer = None
        self._sweeping = asyncio.ensure_future(self.unload_idle(seconds))
        self._sweeping.add_done_callback(_noticed)


def _noticed(task: asyncio.Future[None]) -> None:
    """An engine that is dead unloads nothing, and says so itself."""
    if not task.cancelled():
        task.exception()
