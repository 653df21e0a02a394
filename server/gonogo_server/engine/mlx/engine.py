"""The engine on MLX: one thread computes, another tokenizes, and the event loop waits for both."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from gonogo_server import events
from gonogo_server.engine.base import NO_VARIABLES, ModelCard, room
from gonogo_server.engine.locate import locate_all
from gonogo_server.engine.mlx.device import describe
from gonogo_server.engine.mlx.foretell import foretell
from gonogo_server.engine.mlx.load import Loaded
from gonogo_server.engine.mlx.matchers import Matchers
from gonogo_server.engine.mlx.residents import Limits, Residents
from gonogo_server.engine.mlx.sequence import TokenSequence
from gonogo_server.engine.mlx.ticket import Ticket
from gonogo_server.engine.mlx.worker import Worker
from gonogo_server.engine.pool import Pool
from gonogo_server.exchange import current

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
    from concurrent.futures import Future

    from llguidance import LLMatcher

    from gonogo_server.engine.base import (
        Effort,
        Generation,
        Message,
        Piece,
        ReasoningStyle,
        Token,
        ToolStyle,
    )
    from gonogo_server.engine.locate import Location
    from gonogo_server.engine.mlx.residents import Resident
    from gonogo_server.engine.mlx.text import Text

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Budget:
    """Which models are in memory: `preload` before anything is asked (None: all), `nbytes` of them at most at a time
    (None: no limit), and until nobody has used one for `idle_seconds` (None: for ever), since the first request.

    Where all of them find no room, those are preloaded that do, in their order. One that is too large by itself, or
    that is named and finds none, keeps the engine from starting.
    """

    preload: Collection[str] | None = None
    nbytes: int | None = None
    idle_seconds: float | None = None


def open_engine(
    models: Sequence[str],
    *,
    download: bool = False,
    limits: Limits | None = None,
    budget: Budget | None = None,
) -> MlxEngine:
    """An engine that serves the named models under the ids that `locate_all` gives them.

    Blocks until those are in memory that are to be preloaded. Raises `ModelUnavailable` with one sentence that says
    what to do.
    """
    return MlxEngine(locate_all(models, download=download), limits or Limits(), budget or Budget())


class MlxEngine:
    """Models on MLX, many answers at once; see `gonogo_server.engine.base.Engine` for the methods.

    `make` is called on the thread that computes.
    """

    def __init__(
        self,
        locations: Sequence[Location],
        limits: Limits,
        budget: Budget,
        make: Callable[[Limits], Residents] = Residents,
    ) -> None:
        self._locations = {location.id: location for location in locations}
        self._reader = ThreadPoolExecutor(1, "gonogo-text")
        self._matchers = Matchers(limits.grammar_seconds)
        self._worker: Worker[Residents] = Worker("gonogo-mlx", lambda: make(limits))
        self._worker.start()
        # Looked at on the thread, as mlx reads the headers of some files.
        self._foretold = self._worker.call(
            lambda _: {name: foretell(location) for name, location in self._locations.items()}
        ).result()
        sizes = {name: foretold.nbytes for name, foretold in self._foretold.items()}
        self._pool: Pool[Resident] = Pool(
            sizes,
            self._load,
            self._unload,
            lambda one: one.nbytes,
            limit=budget.nbytes,
            idle=budget.idle_seconds,
        )
        self._end = self._worker.call(lambda owned: owned.end).result()
        self._told: asyncio.AbstractEventLoop | None = None
        for location in locations:
            if self._is_preloaded(location.id, budget.preload):
                self._preload(location)

    @property
    def description(self) -> str:
        """What computes, for people: device, precision and BLAS."""
        return describe()

    def cards(self) -> Sequence[ModelCard]:
        """What is served; `created` is when the model's file was last changed."""
        return tuple(self._card(location) for location in self._locations.values())

    async def tool_style(self, model: str) -> ToolStyle | None:
        """That of the model's chat template."""
        async with self._chat(model) as text:
            return text.tool_style()

    async def reasoning_style(self, model: str) -> ReasoningStyle | None:
        """That of the model's chat template, which is tried out where that keeps nobody waiting."""
        async with self._chat(model) as text:
            return await self._read(lambda: text.reasoning_style)

    async def chat_prompt(
        self,
        model: str,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        effort: Effort | None = None,
        variables: Mapping[str, Any] = NO_VARIABLES,
    ) -> tuple[int, ...]:
        """The messages through the model's own chat template."""
        async with self._chat(model) as text:
            return await self._read(lambda: text.chat_prompt(messages, tools, effort, variables))

    async def opens_reasoning(self, model: str, prompt: Sequence[int]) -> bool:
        """Whether its text ends with the start marker."""
        async with self._chat(model) as text:
            return await self._read(lambda: text.opens_reasoning(prompt))

    async def infill_prompt(self, model: str, prefix: str, suffix: str) -> tuple[int, ...]:
        """With the special tokens that the model has for it."""
        async with self._chat(model) as text:
            return await self._read(lambda: text.infill_prompt(prefix, suffix))

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        """The text as token ids; for no text at all the begin token alone."""
        async with self._lease(model) as resident:
            return await self._read(lambda: resident.text.encode(text))

    async def decode(self, model: str, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """What each token adds to a text."""
        async with self._chat(model) as text:
            return await self._read(lambda: text.decode(tokens))

    async def score(self, model: str, tokens: Sequence[int], likeliest: int) -> Sequence[Token | None]:
        """The log probability of each token, by the model as it is: without a cache of what it has read."""
        async with self._chat(model) as text:
            # What spells tokens is made where it keeps nobody waiting.
            await self._read(lambda: text.spell(tokens[0]))
            return await self._in_steps(lambda owned: owned.score(model, tokens, likeliest))

    async def embed(self, model: str, inputs: Sequence[Sequence[int]]) -> Sequence[Sequence[float]]:
        """The vector of each input, some of them a step."""
        async with self._lease(model):
            return await self._in_steps(lambda owned: owned.embed(model, inputs))

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        """The answer, a piece for each token, in one batch with those of others."""
        async with self._chat(model) as text:
            generation = replace(generation, max_tokens=room(generation, text.context_length))
            matcher = await self._matcher(text, generation)
            ticket = Ticket()
            try:
                # Waited for, as nothing would ever come of an answer that could not be begun.
                await asyncio.wrap_future(
                    self._worker.call(
                        lambda owned: owned.add(model, TokenSequence(ticket, generation, text, matcher))
                    )
                )
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
        return self._worker.call(lambda owned: owned.unfinished).result()

    @property
    def alive(self) -> bool:
        """False once the thread has died or was stopped."""
        return self._worker.alive

    async def close(self) -> None:
        """Stop within a step, and release the models on their thread."""
        await asyncio.to_thread(self._worker.stop)
        self._reader.shutdown(wait=False)

    def _card(self, location: Location) -> ModelCard:
        resident, foretold = self._pool.loaded(location.id), self._foretold[location.id]
        known = foretold if resident is None else resident.text
        return ModelCard(
            location.id,
            location.type,
            known.context_length,
            location.created,
            known.vocabulary,
            resident is not None,
        )

    async def _matcher(self, text: Text, generation: Generation) -> LLMatcher | None:
        """Grammars are compiled, and what spells tokens is made, where that keeps nobody waiting."""
        if (grammar := generation.grammar) is not None:
            self._worker.check()
            return await self._matchers.at_beginning(text, grammar)
        if generation.logprobs is not None:
            await self._read(lambda: text.spell(generation.prompt[0]))
        return None

    @asynccontextmanager
    async def _chat(self, model: str) -> AsyncIterator[Text]:
        """What reads and writes for a model that generates."""
        async with self._lease(model) as resident:
            assert isinstance(resident, Loaded), "the caller asks a model for what its type can do"
            yield resident.text

    @asynccontextmanager
    async def _lease(self, model: str) -> AsyncIterator[Resident]:
        self._have_the_end_told()
        self._worker.check()
        async with self._pool.lease(model, current().begun) as resident:
            yield resident

    def _have_the_end_told(self) -> None:
        """See that who waits for room hears of the engine's end: there may be no work of theirs that fails."""
        loop = asyncio.get_running_loop()
        if self._told is not loop:
            self._told = loop
            self._end.add_done_callback(lambda end: self._tell_the_end(loop, end.exception()))

    def _tell_the_end(self, loop: asyncio.AbstractEventLoop, error: BaseException | None) -> None:
        # A loop that is closed has nobody who waits.
        if isinstance(error, Exception):
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._pool.refuse_all, error)

    def _is_preloaded(self, model: str, preload: Collection[str] | None) -> bool:
        if preload is None:
            return self._pool.fits(model)
        if model in preload:
            self._pool.check_room(model)
        return model in preload

    def _preload(self, location: Location) -> None:
        events.model_loading(location.id)
        begun = monotonic()
        resident = self._worker.call(_loading(location)).result()
        self._pool.adopt(location.id, resident, monotonic() - begun)

    async def _load(self, model: str) -> Resident:
        return await asyncio.wrap_future(self._worker.call(_loading(self._locations[model])))

    async def _unload(self, model: str) -> None:
        await asyncio.wrap_future(self._worker.call(lambda owned: owned.unload(model)))

    async def _in_steps(self, work: Callable[[Residents], Future[Result]]) -> Result:
        begun = self._worker.call(work)
        try:
            running = await asyncio.wrap_future(begun)
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            # It may have begun where this loop has not heard of it yet.
            begun.add_done_callback(_stop)
            raise

    async def _read(self, work: Callable[[], Result]) -> Result:
        self._worker.check()
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)


def _stop(begun: Future[Future[Result]]) -> None:
    """Have work that is done in steps end before the next one."""
    if not begun.cancelled() and begun.exception() is None:
        begun.result().cancel()


def _loading(location: Location) -> Callable[[Residents], Resident]:
    return lambda owned: owned.load(location)
