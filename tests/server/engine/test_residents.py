"""The models in memory on the engine's thread, and that unloaded models are freed."""

from __future__ import annotations

import asyncio
import threading
import weakref
from typing import TYPE_CHECKING, Any

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx.load import load
from gonogo_server.engine.mlx.residents import Limits, Residents
from gonogo_server.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from gonogo_server.engine.locate import Location
    from gonogo_server.engine.mlx.engine import MlxEngine
    from gonogo_server.engine.mlx.load import Loaded

PATIENCE = 30.0

kept: list[weakref.ref[Any]] = []


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    kept.clear()


def load_and_keep(location: Location) -> Loaded:
    loaded = load(location)
    kept.append(weakref.ref(loaded.model))
    return loaded


def load_and_stumble(location: Location) -> Loaded:
    loaded = load_and_keep(location)
    try:
        (location.path / "a file that is not there").read_text()
    except OSError as error:
        raise ModelUnavailable("it cannot be read") from error
    return loaded


def test_a_failed_load_frees_its_memory(tiny_folder: Path) -> None:
    owned = Residents(Limits(), load_and_stumble)
    with pytest.raises(ModelUnavailable) as told:
        owned.load(locate(str(tiny_folder)))
    # Even though the error, with its cause, is still referenced.
    assert isinstance(told.value.__cause__, OSError)
    assert kept[0]() is None
    assert mx.get_cache_memory() == 0


def test_abandoned_work_does_not_keep_an_unloaded_model_in_memory(tiny_folder: Path) -> None:
    owned = Residents(Limits(read_step=4), load_and_keep)
    owned.load(locate(str(tiny_folder)))
    future = owned.score("tiny-llama", list(range(40)), 0)
    assert owned.step()
    future.cancel()
    owned.unload("tiny-llama")
    assert kept[0]() is None
    assert not owned.step()


@pytest.mark.anyio
async def test_work_that_is_given_up_as_it_begins_is_not_done(
    open_model: Callable[..., MlxEngine], tiny_folder: Path
) -> None:
    engine = open_model(tiny_folder, limits=Limits(read_step=4))
    begun, cancelled = threading.Event(), threading.Event()
    futures: list[Future[Any]] = []

    def begin(owned: Residents) -> Future[Any]:
        begun.set()
        assert cancelled.wait(PATIENCE)
        futures.append(owned.score("tiny-llama", list(range(100)), 0))
        return futures[0]

    async with asyncio.timeout(PATIENCE):
        asking = asyncio.ensure_future(engine._in_steps(begin))
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        asking.cancel()
        await asyncio.wait([asking])
        cancelled.set()
        while not futures or not futures[0].done():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)
    assert futures[0].cancelled()
