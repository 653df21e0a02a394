"""Several models in one engine: which are in memory, and what is known of the others."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.compose import application
from gonogo_server.engine.base import Generation, Sampling
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx.embedder import load_embedder
from gonogo_server.engine.mlx.engine import Budget, open_engine
from gonogo_server.engine.mlx.estimate import estimate
from gonogo_server.engine.mlx.load import load
from gonogo_server.errors import EngineDied, ModelUnavailable, UnsupportedModel
from gonogo_server.exchange import Exchange, begin
from gonogo_server.settings import Settings
from mlx import nn
from mlx.utils import tree_flatten
from server.conftest import listen

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from gonogo_server.engine.base import Piece
    from gonogo_server.engine.mlx.engine import MlxEngine

    Open = Callable[..., MlxEngine]
    Make = Callable[..., Path]

pytestmark = pytest.mark.anyio

PATIENCE = 60.0
EMBEDDINGS = "model.embed_tokens"
ENDLESS = {"max_position_embeddings": 1_000_000}
WITHOUT_END = Sampling(1.0, seed=1, logit_bias=((256, -100.0),))


async def say(engine: MlxEngine, model: str, tokens: int = 8) -> list[Piece]:
    generation = Generation((1, 2, 3), tokens, WITHOUT_END, 0)
    async with asyncio.timeout(PATIENCE), aclosing(engine.generate(model, generation)) as steps:
        return [piece async for piece in steps]


def said(pieces: list[Piece]) -> list[int]:
    return [piece.logprobs[0].chosen.id for piece in pieces]


def loaded(engine: MlxEngine) -> list[bool]:
    return [card.loaded for card in engine.cards()]


@pytest.fixture
def folders(make_folder: Make) -> list[Path]:
    """Two models of the same size with different answers."""
    return [make_folder(name, random=random, **ENDLESS) for random, name in enumerate(("one", "two"))]


def room_for(folders: list[Path], count: float) -> int:
    return int(count * estimate(locate(str(folders[0]))).nbytes)


@pytest.fixture
def switching(open_model: Open, folders: list[Path]) -> MlxEngine:
    """An engine that loads either of the two models on request, with room for one."""
    return open_model(*folders, budget=Budget(preload=(), nbytes=room_for(folders, 1.5)))


def endless(engine: MlxEngine) -> AsyncGenerator[Piece, None]:
    """An answer of the first model, which stays in memory until it is closed."""
    return engine.generate("one", Generation((1,), 1_000_000, WITHOUT_END))


async def test_all_models_are_loaded_at_the_start_by_default(open_model: Open, folders: list[Path]) -> None:
    assert loaded(open_model(*folders)) == [True, True]


async def test_a_model_is_loaded_by_the_first_request_for_it(open_model: Open, folders: list[Path]) -> None:
    engine = open_model(*folders, budget=Budget(preload=("one",)))
    assert loaded(engine) == [True, False]
    before = engine.cards()[1]
    await say(engine, "two")
    after = engine.cards()[1]
    assert after.loaded
    assert (before.context_length, before.vocabulary) == (after.context_length, after.vocabulary)


async def test_answers_of_two_models_run_side_by_side(open_model: Open, folders: list[Path]) -> None:
    engine = open_model(*folders)
    alone = [await say(engine, name) for name in ("one", "two")]
    together = await asyncio.gather(say(engine, "one"), say(engine, "two"))
    assert [said(pieces) for pieces in together] == [said(pieces) for pieces in alone]
    assert said(alone[0]) != said(alone[1])


async def test_one_makes_room_for_the_other_and_answers_as_before_when_it_is_back(
    switching: MlxEngine,
) -> None:
    assert loaded(switching) == [False, False]
    first = said(await say(switching, "one"))
    assert loaded(switching) == [True, False]
    await say(switching, "two")
    assert loaded(switching) == [False, True]
    again = await say(switching, "one")
    assert said(again) == first
    # Its prefix cache was unloaded with it.
    assert again[0].cached == 0


async def test_a_running_stream_is_not_torn_down_by_a_switch(switching: MlxEngine) -> None:
    undisturbed = said(await say(switching, "one", 300))
    generation = Generation((1, 2, 3), 300, WITHOUT_END, 0)
    async with asyncio.timeout(PATIENCE), aclosing(switching.generate("one", generation)) as steps:
        pieces = [await anext(steps)]
        other = asyncio.ensure_future(say(switching, "two"))
        await asyncio.sleep(0)
        # A later request for the same model is served after the one that waits for the other model.
        behind = asyncio.ensure_future(say(switching, "one", 5))
        pieces += [piece async for piece in steps]
        assert not other.done()
        assert said(pieces) == undisturbed
        assert len(await other) == 8
        assert not behind.done()
        assert said(await behind) == undisturbed[:5]
    assert loaded(switching) == [True, False]


async def test_a_stream_that_is_closed_makes_room(switching: MlxEngine) -> None:
    steps = endless(switching)
    async with asyncio.timeout(PATIENCE):
        await anext(steps)
        other = asyncio.ensure_future(say(switching, "two"))
        await asyncio.sleep(0)
        await steps.aclose()
        assert len(await other) == 8
    assert switching.unfinished == 0


async def test_an_idle_model_is_unloaded_after_a_while(open_model: Open, folders: list[Path]) -> None:
    engine = open_model(*folders, budget=Budget(idle_seconds=0.0))
    await say(engine, "one")
    async with asyncio.timeout(PATIENCE):
        while any(loaded(engine)):  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)
    assert len(await say(engine, "one")) == 8


async def test_a_client_that_leaves_keeps_no_model_in_memory(open_model: Open, folders: list[Path]) -> None:
    engine = open_model(folders[0], budget=Budget(idle_seconds=0.0))
    steps = endless(engine)
    async with asyncio.timeout(PATIENCE):
        await anext(steps)
        assert loaded(engine) == [True]
        await steps.aclose()
        while any(loaded(engine)):  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)


async def test_a_model_that_cannot_be_loaded_leaves_the_others_alone(
    open_model: Open, folders: list[Path]
) -> None:
    (folders[1] / "model.safetensors").write_bytes(b"not weights")
    engine = open_model(*folders, budget=Budget(preload=("one",)))
    alone = said(await say(engine, "one", 200))
    running, *failed = await asyncio.gather(
        say(engine, "one", 200), say(engine, "two"), say(engine, "two"), return_exceptions=True
    )
    assert said(running) == alone
    assert {type(error) for error in failed} == {ModelUnavailable}
    assert "two cannot be served" in str(failed[0])
    assert engine.alive
    assert loaded(engine) == [True, False]


def with_config(folder: Path, **changes: object) -> Path:
    config = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))
    return folder


async def test_a_kind_of_model_that_is_not_read_here_is_named(open_model: Open, folders: list[Path]) -> None:
    with_config(folders[1], model_type="crystal-ball")
    engine = open_model(*folders, budget=Budget(preload=("one",)))
    with pytest.raises(UnsupportedModel, match=r"two cannot be served: .*crystal-ball.* not supported"):
        await say(engine, "two")
    assert len(await say(engine, "one")) == 8


def test_a_kind_of_model_that_is_not_read_here_is_refused_at_the_start(folders: list[Path]) -> None:
    with_config(folders[1], model_type="crystal-ball")
    with pytest.raises(UnsupportedModel, match="crystal-ball"):
        open_engine([str(folder) for folder in folders])


async def test_waiters_for_room_get_an_error_when_the_engine_ends(switching: MlxEngine) -> None:
    # A client that does not read: its stream would never show it.
    steps = endless(switching)
    async with asyncio.timeout(PATIENCE):
        await anext(steps)
        waiting = asyncio.ensure_future(say(switching, "two"))
        while not switching._pool.waiting("two"):  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)
        await switching.close()
        with pytest.raises(EngineDied):
            await waiting
    assert not switching.alive
    with pytest.raises(EngineDied):
        async for _ in steps:
            pass


async def test_a_request_keeps_its_turn_from_its_first_question_to_its_answer(switching: MlxEngine) -> None:
    steps = endless(switching)

    async def ask(model: str) -> str:
        begin(Exchange())
        await switching.encode(model, "Hi")
        started.append(model)
        await go_on.wait()
        await say(switching, model)
        return model

    started: list[str] = []
    go_on = asyncio.Event()
    async with asyncio.timeout(PATIENCE):
        await anext(steps)
        first = asyncio.ensure_future(ask("one"))
        while not started:  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)
        second = asyncio.ensure_future(ask("two"))
        while not switching._pool.waiting("two"):  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)
        go_on.set()
        # The second waits for the one that is still running, but the first need not wait for the second.
        assert await first == "one"
        assert not second.done()
        await steps.aclose()
        assert await second == "two"


# ---- Requests that wait for room


def body_of(path: str) -> dict[str, Any]:
    asked = {"prompt": "Hi"} if path == "/completions" else {"messages": [{"role": "user", "content": "Hi"}]}
    return {"model": "two", "max_tokens": 4, **asked}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/chat/completions", "/completions"])
async def test_a_client_that_leaves_while_it_waits_for_room_is_not_waited_for(
    switching: MlxEngine, path: str, *, stream: bool
) -> None:
    steps = endless(switching)
    async with listen(application(switching, Settings())) as client:
        await anext(steps)
        asking = asyncio.ensure_future(client.post(path, json=body_of(path) | {"stream": stream}))
        while not switching._pool.waiting("two"):  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)
        asking.cancel()
        while switching._pool.waiting("two"):  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)
        await steps.aclose()
    assert loaded(switching) == [True, False]


@pytest.mark.parametrize("path", ["/chat/completions", "/completions"])
async def test_a_request_that_waits_for_room_for_too_long_is_a_503(switching: MlxEngine, path: str) -> None:
    steps = endless(switching)
    async with listen(application(switching, Settings(request_timeout=0.05))) as client:
        await anext(steps)
        response = await client.post(path, json=body_of(path))
        assert (response.status_code, response.json()["error"]["code"]) == (503, "request_timeout")
        assert switching._pool.waiting("two") == 0
        # Other requests are served as before.
        assert len(await say(switching, "one")) == 8
        await steps.aclose()
    assert loaded(switching) == [True, False]


# ---- Preloading if there is not room for all


def test_those_are_preloaded_that_find_room(open_model: Open, folders: list[Path]) -> None:
    budget = Budget(nbytes=room_for(folders, 1.5))
    assert loaded(open_model(*folders, budget=budget)) == [True, False]


def test_a_model_that_is_named_and_finds_no_room_is_refused_at_the_start(folders: list[Path]) -> None:
    budget = Budget(preload=("two", "one"), nbytes=room_for(folders, 1.5))
    with pytest.raises(ModelUnavailable, match=r"two cannot be preloaded.*: preload fewer models, or raise"):
        open_engine([str(folder) for folder in folders], budget=budget)


def test_a_model_that_can_never_fit_is_refused_at_the_start(folders: list[Path]) -> None:
    with pytest.raises(ModelUnavailable, match="raise --model-memory-bytes"):
        open_engine([str(folders[0])], budget=Budget(nbytes=room_for(folders, 0.5)))


# ---- Estimates of models on disk


def test_an_estimate_is_what_loading_finds(tiny_folder: Path) -> None:
    location = locate(str(tiny_folder))
    estimated, found = estimate(location), load(location)
    assert estimated.context_length == found.text.context_length == 128
    assert estimated.vocabulary == found.text.vocabulary == 320
    assert estimated.nbytes == found.nbytes


def test_an_estimate_of_quantised_weights_is_what_loading_finds(tiny_folder: Path) -> None:
    location = locate(str(tiny_folder))
    model = load(location).model
    # One layer has its own groups, as mlx_lm writes them if a recipe mixes several.
    own = {"group_size": 32, "bits": 8}
    nn.quantize(
        model,
        64,
        4,
        class_predicate=lambda path, layer: own if path == EMBEDDINGS else hasattr(layer, "to_quantized"),
    )
    mx.save_safetensors(str(tiny_folder / "model.safetensors"), dict(tree_flatten(model.parameters())))
    with_config(tiny_folder, quantization={"group_size": 64, "bits": 4, EMBEDDINGS: own})
    assert estimate(location).nbytes == load(location).nbytes


def test_an_estimate_of_an_embedding_model_is_what_loading_finds() -> None:
    location = locate("minilm")
    # Its file has a layer that vectors do not need.
    assert estimate(location).nbytes == pytest.approx(load_embedder(location).nbytes, rel=0.01)


def test_an_estimate_of_the_real_model_is_what_loading_finds(smollm2: MlxEngine) -> None:
    estimated = estimate(locate("smollm2"))
    (card,) = smollm2.cards()
    assert (estimated.context_length, estimated.vocabulary) == (card.context_length, card.vocabulary)
    resident: Any = smollm2._pool.loaded("smollm2")
    assert estimated.nbytes == resident.nbytes


def test_a_configuration_that_cannot_be_read_is_a_sentence(tiny_folder: Path) -> None:
    (tiny_folder / "config.json").write_text("{")
    with pytest.raises(ModelUnavailable, match="tiny-llama cannot be served: "):
        estimate(locate(str(tiny_folder)))
