"""Log events about models: loading, evicting, unloading and failed loads, with or without a request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from gonogo_server.engine.pool import Pool
from gonogo_server.errors import ModelUnavailable
from gonogo_server.events import bind_request

if TYPE_CHECKING:
    from server.operations.conftest import Logged

pytestmark = pytest.mark.anyio

SIZES = {"one": 10, "two": 20, "broken": 5}


@pytest.fixture
def pool() -> Pool[str]:
    """Models that consist of names only, with memory for one of them."""

    async def load(name: str) -> str:
        if name == "broken":
            raise ModelUnavailable("It has no weights.")
        return name

    async def unload(_name: str) -> None:
        pass

    return Pool(SIZES, load, unload, SIZES.__getitem__, limit=20)


def told(logged: Logged) -> list[tuple[str, str]]:
    return [(event["event"], event["model"]) for event in logged.events]


async def use(pool: Pool[str], *names: str) -> None:
    for name in names:
        async with pool.lease(name) as model:
            assert model == name


async def test_loading_and_switching_are_logged_in_order(pool: Pool[str], logged: Logged) -> None:
    await use(pool, "one", "one", "two")
    assert told(logged) == [
        ("model_loading", "one"),
        ("model_loaded", "one"),
        ("model_evicted", "one"),
        ("model_loading", "two"),
        ("model_loaded", "two"),
    ]
    assert logged.named("model_loaded")[0]["memory_bytes"] == 10
    assert logged.named("model_evicted")[0]["in_favour_of"] == "two"


async def test_a_model_that_cannot_be_loaded_is_reported_with_the_reason(
    pool: Pool[str], logged: Logged
) -> None:
    with pytest.raises(ModelUnavailable):
        await use(pool, "broken")
    assert told(logged) == [("model_loading", "broken"), ("model_load_failed", "broken")]
    assert logged.events[-1]["reason"] == "It has no weights."


async def test_unloading_an_idle_model_is_logged(pool: Pool[str], logged: Logged) -> None:
    await use(pool, "one")
    await pool.unload_idle(0)
    assert told(logged)[-1] == ("model_unloaded", "one")


async def test_a_load_is_logged_with_the_id_of_its_request(pool: Pool[str], logged: Logged) -> None:
    bind_request("r1")
    await use(pool, "one")
    assert [event["event"] for event in logged.of("r1")] == ["model_loading", "model_loaded"]


async def test_a_switch_belongs_to_the_request_that_waited_for_it(pool: Pool[str], logged: Logged) -> None:
    async def ask(request_id: str, model: str) -> None:
        bind_request(request_id)
        await use(pool, model)

    async with pool.lease("one"):
        waiting = asyncio.ensure_future(ask("waits", "two"))
        while not pool.waiting("two"):  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)
        bind_request("ends")
    # The end of another request freed the room.
    await waiting
    assert [event["event"] for event in logged.of("waits")] == [
        "model_evicted",
        "model_loading",
        "model_loaded",
    ]
    assert logged.of("ends") == []
