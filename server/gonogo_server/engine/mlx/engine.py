"""The engine on MLX: one thread computes, another tokenizes, and the event loop awaits both."""

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
from gonogo_server.engine.mlx.estimate import estimate
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
    """Which models are in memory: those of `preload` from the start (None: all), at most `nbytes` bytes at a time
    (None: no limit), each until it was idle for `idle_seconds` (None: forever), from the first request on.

    With `preload` None, models that do not fit beside the earlier ones are not preloaded, and a model that exceeds the
    limit alone keeps the engine from starting. So does a model that `preload` names and that does not fit.
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
    """An engine that serves the named models under the ids of `locate_all`.

    Blocks until the preloaded models are in memory. Raises `ModelUnavailable` with a sentence that says what to do.
    """
    return MlxEngine(locate_all(models, download=download), limits or Limits(), budget or Budget())


class MlxEngine:
    """Models on MLX with continuous batching; see `gonogo_server.engine.base.Engine` for the methods.

    `make` is called on the computing thread.
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
        # Done on the thread, because mlx reads the headers of some files.
        self._estimates = self._worker.call(
            lambda _: {name: estimate(location) for name, location in self._locations.items()}
        ).result()
        sizes = {name: estimated.nbytes for name, estimated in self._estimates.items()}
        self._pool: Pool[Resident] = Pool(
            sizes,
            self._load,
            self._unload,
            lambda one: one.nbytes,
            limit=budget.nbytes,
            idle=budget.idle_seconds,
        )
        self._end = self._worker.call(lambda owned: owned.end).result()
        self._watching: asyncio.AbstractEventLoop | None = None
        for location in locations:
            if self._is_preloaded(location.id, budget.preload):
                self._preload(location)

    @property
    def description(self) -> str:
        """The device, the precision and the BLAS, for people."""
        return describe()

    def cards(self) -> Sequence[ModelCard]:
        """The served models; `created` is when the model's file was last changed."""
        return tuple(self._card(location) for location in self._locations.values())

    async def tool_style(self, model: str) -> ToolStyle | None:
        """The tool style of the model's chat template."""
        async with self._chat(model) as text:
            return text.tool_style()

    async def reasoning_style(self, model: str) -> ReasoningStyle | None:
        """The reasoning style of the model's chat template, detected on the text thread."""
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
        """The messages, rendered with the model's own chat template."""
        async with self._chat(model) as text:
            return await self._read(lambda: text.chat_prompt(messages, tools, effort, variables))

    async def opens_reasoning(self, model: str, prompt: Sequence[int]) -> bool:
        """Whether the prompt ends with the start marker of the reasoning."""
        async with self._chat(model) as text:
            return await self._read(lambda: text.opens_reasoning(prompt))

    async def infill_prompt(self, model: str, prefix: str, suffix: str) -> tuple[int, ...]:
        """A fill-in-the-middle prompt with the model's special tokens."""
        async with self._chat(model) as text:
            return await self._read(lambda: text.infill_prompt(prefix, suffix))

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        """The token ids of the text; for an empty text, only the begin token."""
        async with self._lease(model) as resident:
            return await self._read(lambda: resident.text.encode(text))

    async def decode(self, model: str, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """The bytes of each token."""
        async with self._chat(model) as text:
            return await self._read(lambda: text.decode(tokens))

    async def score(self, model: str, tokens: Sequence[int], top_logprobs: int) -> Sequence[Token | None]:
        """The log probability of each token, computed without the prefix cache."""
        async with self._chat(model) as text:
            # The text thread builds the tokenizer for `spell`, which takes long the first time.
            await self._read(lambda: text.spell(tokens[0]))
            return await self._in_steps(lambda owned: owned.score(model, tokens, top_logprobs))

    async def embed(self, model: str, inputs: Sequence[Sequence[int]]) -> Sequence[Sequence[float]]:
        """The vector of each input, computed in steps of several inputs."""
        async with self._lease(model):
            return await self._in_steps(lambda owned: owned.embed(model, inputs))

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        """The answer, one piece per token, generated in a batch with other answers."""
        async with self._chat(model) as text:
            generation = replace(generation, max_tokens=room(generation, text.context_length))
            matcher = await self._matcher(text, generation)
            ticket = Ticket()
            try:
                # Awaited, because a failure to add the answer would otherwise leave it without pieces forever.
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
        """Number of answers that are running or waiting."""
        return self._worker.call(lambda owned: owned.unfinished).result()

    @property
    def alive(self) -> bool:
        """False once the thread has died or was stopped."""
        return self._worker.alive

    async def close(self) -> None:
        """Stop after the current step, and release the models on their thread."""
        await asyncio.to_thread(self._worker.stop)
        self._reader.shutdown(wait=False)

    def _card(self, location: Location) -> ModelCard:
        resident, estimated = self._pool.loaded(location.id), self._estimates[location.id]
        known = estimated if resident is None else resident.text
        return ModelCard(
            location.id,
            location.type,
            known.context_length,
            location.created,
            known.vocabulary,
            resident is not None,
        )

    async def _matcher(self, text: Text, generation: Generation) -> LLMatcher | None:
        """The matcher of the grammar; None if there is none. Slow preparations run on other threads."""
        if (grammar := generation.grammar) is not None:
            self._worker.check()
            return await self._matchers.at_beginning(text, grammar)
        if generation.logprobs is not None:
            await self._read(lambda: text.spell(generation.prompt[0]))
        return None

    @asynccontextmanager
    async def _chat(self, model: str) -> AsyncIterator[Text]:
        """Lease a generative model, and return its tokenizer."""
        async with self._lease(model) as resident:
            assert isinstance(resident, Loaded), "the caller checks the type of the model"
            yield resident.text

    @asynccontextmanager
    async def _lease(self, model: str) -> AsyncIterator[Resident]:
        self._watch_end()
        self._worker.check()
        async with self._pool.lease(model, current().begun) as resident:
            yield resident

    def _watch_end(self) -> None:
        """Fail requests that wait for a model when the engine ends, because they have no work on it that could fail."""
        loop = asyncio.get_running_loop()
        if self._watching is not loop:
            self._watching = loop
            self._end.add_done_callback(lambda end: self._refuse_waiting(loop, end.exception()))

    def _refuse_waiting(self, loop: asyncio.AbstractEventLoop, error: BaseException | None) -> None:
        # A closed loop raises RuntimeError; no request waits on it.
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
        started = monotonic()
        resident = self._worker.call(_loading(location)).result()
        self._pool.adopt(location.id, resident, monotonic() - started)

    async def _load(self, model: str) -> Resident:
        return await asyncio.wrap_future(self._worker.call(_loading(self._locations[model])))

    async def _unload(self, model: str) -> None:
        await asyncio.wrap_future(self._worker.call(lambda owned: owned.unload(model)))

    async def _in_steps(self, work: Callable[[Residents], Future[Result]]) -> Result:
        submitted = self._worker.call(work)
        try:
            running = await asyncio.wrap_future(submitted)
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            # The thread may have started the job already.
            submitted.add_done_callback(_cancel_job)
            raise

    async def _read(self, work: Callable[[], Result]) -> Result:
        self._worker.check()
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)


def _cancel_job(submitted: Future[Future[Result]]) -> None:
    """Cancel a job, so that it ends before its next step."""
    if not submitted.cancelled() and submitted.exception() is None:
        submitted.result().cancel()


def _loading(location: Location) -> Callable[[Residents], Resident]:
    return lambda owned: owned.load(location)
