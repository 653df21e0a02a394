"""The models in memory and their batches, on the thread that owns them."""

from __future__ import annotations

import gc
import logging
import traceback
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import mlx.core as mx

from gonogo_server.engine.mlx.api import make_prompt_cache, whole
from gonogo_server.engine.mlx.batch import Batch
from gonogo_server.engine.mlx.device import on_cpu, set_up
from gonogo_server.engine.mlx.embedder import Embedder, batches, load_embedder
from gonogo_server.engine.mlx.load import Loaded, load
from gonogo_server.engine.mlx.matchers import SECONDS
from gonogo_server.engine.mlx.one_at_a_time import OneAtATime
from gonogo_server.engine.mlx.packed.batch_invariance import check_batch_invariant
from gonogo_server.engine.mlx.packed.generator import PackedGenerator
from gonogo_server.engine.mlx.prefix_cache import PrefixCache
from gonogo_server.engine.mlx.safe_log import log_failure
from gonogo_server.engine.mlx.score import score
from gonogo_server.engine.mlx.ticket import Deliveries

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from gonogo_server.engine.base import Token
    from gonogo_server.engine.locate import Location
    from gonogo_server.engine.mlx.sequence import TokenSequence
    from gonogo_server.settings import Settings

log = logging.getLogger(__name__)

Result = TypeVar("Result")

READ_CPU, READ_GPU = 64, 512
"""Number of prompt tokens that one step reads.

Until a step is done, nothing else runs and nothing can be cancelled. On two cores, 32 to 512 tokens per step all give
130 tokens a second (SmolLM2-135M in float32); a GPU needs larger steps to be busy.
"""

READ_AT_ONCE = 8
"""Number of prompts that are read in parallel."""

PREFIXES_LEAST, PREFIXES_MOST = 1 << 28, 1 << 30
"""Limits in bytes of the default size of the prefix cache, which is half the size of the generative models."""

Resident = Loaded | Embedder
"""A model in memory: one that generates, or one that embeds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the engine: sequences in a batch, bytes of the prefix cache (None: derived from the loaded models),
    prompt tokens per step (None: chosen by device).

    An answer joins the batch of its model if the caches of all take at most `batch_bytes` bytes (None: no limit).
    """

    sequences: int = 16
    prefix_bytes: int | None = None
    read_step: int | None = None
    batch_bytes: int | None = None
    deterministic: bool = False
    """Whether an answer must not depend on the other answers in the batch."""
    grammar_seconds: float = SECONDS
    """Time limit for compiling a grammar with the vocabulary of the model."""


def limits(settings: Settings) -> Limits:
    """The limits in the settings of a server."""
    return Limits(
        settings.max_running,
        settings.kv_cache_bytes,
        settings.prefill_step,
        settings.batch_bytes,
        settings.deterministic,
        settings.max_schema_seconds,
    )


class Residents:
    """The loaded models; created, used and released on the engine's thread."""

    def __init__(self, limits: Limits, load_model: Callable[[Location], Loaded] = load) -> None:
        set_up()
        self._limits = limits
        self._load_model = load_model
        self._loaded: dict[str, Loaded] = {}
        self._batches: dict[str, Batch] = {}
        self._embedders: dict[str, Embedder] = {}
        self._prefixes: PrefixCache[list[Any]] = PrefixCache(self._prefix_bytes)
        self._jobs: list[tuple[Generator[None, None, Any], Future[Any]]] = []
        self._deliveries = Deliveries()
        self.end: Future[None] = Future()
        """Fails with the error of the engine when there will be no further step."""

    @property
    def unfinished(self) -> int:
        """Number of answers that are running or waiting."""
        return sum(batch.unfinished for batch in self._batches.values())

    def load(self, location: Location) -> Resident:
        """Load a model into memory. Raises `ModelUnavailable` with the reason of a failure."""
        try:
            return self._load(location)
        except Exception as error:
            # The traceback would keep the loaded arrays alive, and another thread would release them.
            _clear_frames(error)
            _free_memory()
            raise

    def _load(self, location: Location) -> Resident:
        if location.type == "embedding":
            embedder = self._embedders[location.id] = load_embedder(location)
            return embedder
        loaded = self._load_model(location)
        if self._limits.deterministic:
            check_batch_invariant(location, loaded.packed)
        self._loaded[location.id] = loaded
        self._prefixes.limit_to(self._prefix_bytes)
        self._batches[location.id] = Batch(
            location.id,
            loaded.model,
            lambda: self._generator(loaded),
            self._prefixes,
            most_sequences=self._limits.sequences,
            most_bytes=self._limits.batch_bytes,
        )
        return loaded

    def unload(self, name: str) -> None:
        """Unload an idle model."""
        if (batch := self._batches.pop(name, None)) is not None:
            batch.close()
            self._prefixes.forget(name)
        self._loaded.pop(name, None)
        self._prefixes.limit_to(self._prefix_bytes)
        self._embedders.pop(name, None)
        # A cancelled job would keep the model alive until the next step.
        for steps, future in self._jobs:
            if future.cancelled():
                steps.close()
        _free_memory()

    def add(self, name: str, sequence: TokenSequence) -> None:
        """Queue a sequence."""
        self._batches[name].add(sequence)

    def score(self, name: str, tokens: Sequence[int], count: int) -> Future[list[Token | None]]:
        """See `score.score`; the future is done after some steps."""
        loaded = self._loaded[name]
        return self._in_steps(
            score(loaded.model, tokens, count, loaded.text.spell, step_size=self._read_step())
        )

    def embed(self, name: str, inputs: Sequence[Sequence[int]]) -> Future[list[list[float]]]:
        """See `Embedder.embed`; the future is done after some steps."""
        return self._in_steps(_embedded(self._embedders[name], inputs))

    def step(self) -> bool:
        """Run one step of every batch and of every job; return False if all are done."""
        busy = [batch.step(self._deliveries) for batch in self._batches.values()]
        self._deliveries.send()
        self._jobs = [job for job in self._jobs if _advance(*job)]
        return any(busy) or bool(self._jobs)

    def fail(self, error: Exception) -> None:
        """Fail all answers and jobs with `error`."""
        _resolve(self.end.set_exception, error)
        for batch in self._batches.values():
            batch.fail(error, self._deliveries)
        self._deliveries.send()
        for _, future in self._jobs:
            _resolve(future.set_exception, error)
        self._jobs = []

    def release(self) -> None:
        """Release all models, on the thread that owns them."""
        for name in (*self._loaded, *self._embedders):
            self.unload(name)

    def _in_steps(self, steps: Generator[None, None, Result]) -> Future[Result]:
        future: Future[Result] = Future()
        self._jobs.append((steps, future))
        return future

    def _generator(self, loaded: Loaded) -> Any:  # noqa: ANN401 - mlx_lm's generator or a replacement
        end_tokens = loaded.text.end_tokens
        if not all(hasattr(layer, "merge") for layer in make_prompt_cache(loaded.model)):
            return OneAtATime(loaded.model, end_tokens=end_tokens, step_size=self._read_step())
        if loaded.packed is not None:
            return PackedGenerator(
                loaded.packed,
                end_tokens=end_tokens,
                rows=self._limits.sequences,
                step_size=self._read_step(),
                batch_invariant=self._limits.deterministic,
            )
        return whole().BatchGenerator(
            loaded.model,
            stop_tokens=[[token] for token in sorted(end_tokens)],
            completion_batch_size=self._limits.sequences,
            prefill_batch_size=min(READ_AT_ONCE, self._limits.sequences),
            prefill_step_size=self._read_step(),
        )

    @property
    def _prefix_bytes(self) -> int:
        if self._limits.prefix_bytes is not None:
            return self._limits.prefix_bytes
        half = sum(loaded.nbytes for loaded in self._loaded.values()) // 2
        return min(max(half, PREFIXES_LEAST), PREFIXES_MOST)

    def _read_step(self) -> int:
        return self._limits.read_step or (READ_CPU if on_cpu() else READ_GPU)


def _embedded(
    embedder: Embedder, inputs: Sequence[Sequence[int]]
) -> Generator[None, None, list[list[float]]]:
    """`Embedder.embed`, one batch per step."""
    embedder.check(inputs)
    vectors: dict[int, list[float]] = {}
    for batch in batches([len(one) for one in inputs]):
        vectors |= zip(batch, embedder.embed_batch([inputs[index] for index in batch]), strict=True)
        yield
    return [vectors[index] for index in range(len(inputs))]


def _advance(steps: Generator[None, None, Any], future: Future[Any]) -> bool:
    """Run a step of a job; return False if it was the last one, or if the job was cancelled."""
    if future.cancelled():
        steps.close()
        return False
    try:
        next(steps)
    except StopIteration as end:
        _resolve(future.set_result, end.value)
    except Exception as error:  # noqa: BLE001 - reported to the waiting requests
        log_failure(log, error, "A task on the engine's thread failed.")
        _resolve(future.set_exception, error.with_traceback(None))
    else:
        return True
    return False


def _free_memory() -> None:
    """Free the memory of arrays that nothing refers to."""
    gc.collect()
    mx.synchronize()
    mx.clear_cache()


def _clear_frames(error: BaseException | None) -> None:
    """Clear the local variables in the tracebacks of an error and of its causes."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _resolve(set_outcome: Callable[[Result], None], outcome: Result) -> None:
    """Set the result or exception of a future, unless it was cancelled meanwhile."""
    with suppress(InvalidStateError):
        set_outcome(outcome)
