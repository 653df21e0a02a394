"""A group of two processes, which run as two threads of this one."""

from __future__ import annotations

import asyncio
import atexit
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.engine.base import Generation, Sampling
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx.group import join, launched, watch, worker
from gonogo_server.engine.mlx.group.coordinator import GroupEngine, coordinate
from gonogo_server.engine.mlx.group.join import Group
from gonogo_server.engine.mlx.group.shard import facts, split, the_model
from gonogo_server.engine.mlx.group.shared import OutOfStepError, SharedResidents
from gonogo_server.engine.mlx.load import load
from gonogo_server.engine.mlx.residents import Limits
from gonogo_server.errors import BadSettings, EngineDied, ModelUnavailable
from gonogo_server.serve import run
from gonogo_server.settings import Settings
from mlx_lm.models import llama

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from gonogo_server.engine.base import Piece

    Collect = Callable[..., Coroutine[None, None, list[Piece]]]

PATIENCE = 60.0
"""Seconds after which a hanging test is stopped; no test waits for this limit."""

NO_END = ((256, -100.0),)


@pytest.fixture
def two() -> Group:
    """Process 0 of two, without the other: its sums are over itself."""
    return Group(0, 2, mx.distributed.init())


@dataclass
class Meeting:
    """Sums the numbers that two threads give."""

    given: dict[int, list[int]] = field(default_factory=dict)
    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(2))


class Linked(Group):
    """One of two processes that are threads; each has the whole model, so that nothing has to be summed."""

    def __init__(self, rank: int, meeting: Meeting) -> None:
        super().__init__(rank, 2, mx.distributed.init())
        self.meeting = meeting

    def sum(self, numbers: mx.array) -> list[int]:
        self.meeting.given[self.rank] = numbers.tolist()  # type: ignore[assignment]  # of one dimension
        self.meeting.barrier.wait(PATIENCE)
        total = [sum(both) for both in zip(*self.meeting.given.values(), strict=True)]
        self.meeting.barrier.wait(PATIENCE)
        return total


class Together:
    """The engine of process 0, and the other process in a thread."""

    def __init__(self, folder: Path) -> None:
        location, meeting = locate(str(folder)), Meeting()
        self.other: SharedResidents
        self.let_go = threading.Event()
        self.let_go.set()
        self._stepped = threading.Event()
        self.ended = ThreadPoolExecutor(1, "other").submit(self._other, folder, Linked(1, meeting))
        self.engine = GroupEngine(location, Limits(), Linked(0, meeting))

    def _other(self, folder: Path, group: Group) -> None:
        self.other = SharedResidents(Limits(), group)
        self.other.load(locate(str(folder)))
        while self.other.step():
            self._stepped.set()
            self.let_go.wait(PATIENCE)
        self.other.release()

    def settle(self) -> None:
        """Wait until the other process has caught up with process 0: the end of the current step, and a whole one."""
        for _ in range(2):
            self._stepped.clear()
            assert self._stepped.wait(PATIENCE)


@pytest.fixture
def together(endless_folder: Path) -> Iterator[Together]:
    made = Together(endless_folder)
    yield made
    asyncio.run(made.engine.close())


def test_the_other_process_ends_in_order_with_the_engine(together: Together, pieces: Collect) -> None:
    assert len(asyncio.run(pieces(together.engine, "Hi", logit_bias=NO_END))) == 8
    asyncio.run(together.engine.close())
    together.ended.result(PATIENCE)


def test_the_other_process_keeps_what_process_0_keeps(together: Together, pieces: Collect) -> None:
    for prompt in ("one", "one and more", "other", "other", "on"):
        asyncio.run(pieces(together.engine, prompt))
    together.settle()
    call = together.engine._worker.call
    ours = call(lambda owned: (len(owned._prefixes), owned._prefixes.nbytes)).result(PATIENCE)
    assert (len(together.other._prefixes), together.other._prefixes.nbytes) == ours
    assert ours[0] > 0


async def at_once(engine: GroupEngine, generations: list[Generation]) -> list[str]:
    async def text(generation: Generation) -> str:
        async with aclosing(engine.generate(engine.cards()[0].id, generation)) as answer:
            return "".join([piece.text async for piece in answer])

    return await asyncio.gather(*map(text, generations))


def test_the_other_process_computes_the_same_shapes(
    together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: dict[str, list[object]] = {}
    compute = llama.Model.__call__

    def noted(model: llama.Model, inputs: mx.array, *arguments: object, **named: object) -> mx.array:
        shapes.setdefault(threading.current_thread().name, []).append(inputs.shape)
        return compute(model, inputs, *arguments, **named)

    monkeypatch.setattr(llama.Model, "__call__", noted)
    prompt, other = tuple(b"A prompt that three choices share"), tuple(b"Another")
    seeded = Generation(prompt, 12, Sampling(logit_bias=NO_END))
    greedy = Generation(other, 12, Sampling(0, logit_bias=NO_END))
    asyncio.run(at_once(together.engine, [seeded, seeded, seeded, greedy]))
    asyncio.run(together.engine.close())
    together.ended.result(PATIENCE)
    one, two = shapes.values()
    assert one == two
    assert (4, 1) in one, "they are generated side by side"


def test_a_cancelled_answer_is_cancelled_in_every_process(together: Together) -> None:
    async def leave() -> None:
        endless = Generation((1, 2), 1000, Sampling(logit_bias=NO_END))
        async with aclosing(together.engine.generate(together.engine.cards()[0].id, endless)) as answer:
            await anext(answer)

    asyncio.run(leave())
    # Later requests are not answered before it has gone.
    asyncio.run(at_once(together.engine, [Generation((3,), 2, Sampling(0))]))
    together.settle()
    assert (together.engine.unfinished, together.other.unfinished) == (0, 0)


def test_the_description_says_how_many_there_are(together: Together) -> None:
    assert together.engine.description.endswith("; 2 processes")


def test_tokens_that_differ_are_the_end_in_both(together: Together, pieces: Collect) -> None:
    together.other._deliveries.fingerprint += 1
    with pytest.raises(EngineDied):
        asyncio.run(pieces(together.engine, "Hi"))
    assert not together.engine.alive
    with pytest.raises(OutOfStepError, match="machines must be of the same kind"):
        together.ended.result(PATIENCE)


def test_a_step_that_fails_in_process_0_is_the_end_of_its_engine(
    together: Together, pieces: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_model: llama.Model, *_: object, **__: object) -> None:
        raise RuntimeError("[ring] connection to a peer was lost")

    monkeypatch.setattr(llama.Model, "__call__", lost)
    with pytest.raises(EngineDied):
        asyncio.run(pieces(together.engine, "Hi"))
    assert not together.engine.alive


def test_a_stalled_process_ends_the_engine(endless_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_exit: list[object] = []
    monkeypatch.setattr(atexit, "register", lambda *what: at_exit.append(what))
    monkeypatch.setattr(watch, "STALL_SECONDS", 0.5)
    together = Together(endless_folder)

    async def wait_for_the_end() -> None:
        endless = Generation((1, 2), 1_000_000, Sampling(logit_bias=NO_END))
        async with aclosing(together.engine.generate(together.engine.cards()[0].id, endless)) as answer:
            await anext(answer)
            together.let_go.clear()
            async for _ in answer:
                pass

    with pytest.raises(EngineDied):
        asyncio.run(asyncio.wait_for(wait_for_the_end(), PATIENCE))
    assert not together.engine.alive
    asyncio.run(together.engine.close())
    assert [status for _, status in at_exit[-1:]] == [1]
    # Threads cannot be killed like processes: the one that stood still continues, too late.
    together.let_go.set()
    with pytest.raises(OutOfStepError):
        together.ended.result(PATIENCE)


def test_a_step_that_fails_in_another_process_is_in_its_log(
    endless_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    meeting, ready = Meeting(), facts(locate(str(endless_folder)), Limits())
    ThreadPoolExecutor(1).submit(Linked(0, meeting).agree, ready)

    def failing(_residents: SharedResidents) -> bool:
        raise RuntimeError("no memory")

    monkeypatch.setattr(SharedResidents, "step", failing)
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    group = Linked(1, meeting)
    assert not worker.work([str(endless_folder)], group, download=False, limits=Limits())
    assert "A step of this process of the group failed." in caplog.text


# ---- before it starts


def test_a_model_whose_heads_cannot_be_shared_is_refused(tiny_folder: Path, two: Group) -> None:
    three = Group(0, 3, two.handle)
    with pytest.raises(ModelUnavailable, match=r"3 processes cannot divide 2 \(num_attention_heads\)"):
        load(locate(str(tiny_folder)), lambda model: split(model, three))


def test_a_model_that_mlx_lm_does_not_split_is_refused(two: Group) -> None:
    with pytest.raises(ModelUnavailable, match="use one process"):
        split(object(), two)


def test_several_models_are_refused(tiny_folder: Path) -> None:
    with pytest.raises(ModelUnavailable, match="serve one model: give one"):
        the_model([str(tiny_folder), "smollm2"], download=False)


def test_a_model_for_embeddings_is_refused(two: Group) -> None:
    with pytest.raises(ModelUnavailable, match="minilm is an embedding model"):
        coordinate(["minilm"], two, download=False, limits=Limits())


def test_an_adapter_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"model": str(tiny_folder)}))
    mx.save_safetensors(str(adapter / "adapters.safetensors"), {"a": mx.zeros(1)})
    with pytest.raises(ModelUnavailable, match=r"fuse it into its base with mlx_lm\.fuse"):
        the_model([str(adapter)], download=False)


def test_other_files_are_other_facts(tiny_folder: Path) -> None:
    location = locate(str(tiny_folder))
    before = facts(location, Limits())
    assert before == facts(location, Limits())
    config = json.loads((tiny_folder / "config.json").read_text())
    (tiny_folder / "config.json").write_text(json.dumps(config | {"rope_theta": 5.0}))
    assert facts(location, Limits()) != before
    assert facts(locate("smollm2"), Limits()) != before


def joined_by(meeting: Meeting, *, other: Callable[[Group], None]) -> Group:
    """Process 0 of two; the other one calls `other` on a thread."""
    ThreadPoolExecutor(1).submit(other, Linked(1, meeting))
    return Linked(0, meeting)


def test_they_do_not_begin_with_shards_of_different_models() -> None:
    group = joined_by(Meeting(), other=lambda group: group.agree("b"))
    with pytest.raises(ModelUnavailable, match=r"Process 1 has another model, or .* process 0 \(b, not a\)"):
        group.agree("a")


def test_all_report_a_process_that_cannot_start() -> None:
    group = joined_by(Meeting(), other=lambda group: group.give_up("There is no such folder."))
    with pytest.raises(ModelUnavailable, match=r"Process 1 cannot start: There is no such folder\."):
        group.agree("a")


def test_a_reason_that_is_too_long_is_left_to_the_output_of_that_process() -> None:
    group = joined_by(Meeting(), other=lambda group: group.give_up("long " * 1000))
    with pytest.raises(ModelUnavailable, match=r"Process 1 cannot start: see its output\."):
        group.agree("a")


def test_a_failure_is_not_reported_once_all_have_started(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Linked(0, Meeting())
    group.reported = True
    monkeypatch.setattr(group, "sum", pytest.fail)
    group.give_up("too late")


def test_a_process_that_ends_before_all_have_started_is_reported(
    two: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise RuntimeError("[ring] connection to a peer was lost")

    monkeypatch.setattr(mx.distributed, "all_sum", lost)
    with pytest.raises(BadSettings, match="One of the processes exited before all had started"):
        two.agree("a")


def test_a_single_process_is_not_a_group(tmp_path: Path) -> None:
    (tmp_path / "hosts.json").write_text("\n")
    assert join.join({"MLX_RANK": "0", "MLX_HOSTFILE": str(tmp_path / "hosts.json")}) is None


def test_processes_that_do_not_connect_are_pointed_to_the_launcher(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise RuntimeError("[ring] Couldn't connect")

    monkeypatch.setattr(mx.distributed, "init", lost)
    with pytest.raises(BadSettings, match=r"cannot connect to the others: \[ring\] Couldn't connect"):
        join.join({"MLX_RANK": "0"})


# ---- settings


def test_a_process_by_itself_does_not_look_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in launched.RANKS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(join, "join", pytest.fail)
    assert launched.group() is None


@pytest.mark.parametrize(
    ("name", "value"), [("preload", False), ("model_memory_bytes", 1), ("idle_unload_seconds", 1.0)]
)
@pytest.mark.parametrize("rank", [0, 1])
def test_models_that_come_and_go_are_refused(
    name: str, value: float, rank: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    meeting = Meeting()
    other = ThreadPoolExecutor(1).submit(Linked(1 - rank, meeting).agree, "ready")
    monkeypatch.setenv("MLX_RANK", str(rank))
    monkeypatch.setattr(join, "join", lambda: Linked(rank, meeting))
    assert run(Settings(port=0, log_format="off", **{name: value})) == 2
    assert f"remove the setting '{name}'" in capsys.readouterr().err
    with pytest.raises(ModelUnavailable, match=f"Process {rank} cannot start: Several processes"):
        other.result(PATIENCE)
