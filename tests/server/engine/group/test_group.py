"""What a group of processes is made of, in one process: orders, parts, and how each side notices that one is gone."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server import launched
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx.group import follower, join, leader, orders
from gonogo_server.engine.mlx.group.join import Group
from gonogo_server.engine.mlx.group.leader import LeadingEngine, lead
from gonogo_server.engine.mlx.group.orders import Line, Orders, agree, command, obey
from gonogo_server.engine.mlx.group.part import Part, facts, split, the_model
from gonogo_server.engine.mlx.load import load
from gonogo_server.engine.mlx.residents import Limits
from gonogo_server.errors import BadSettings, EngineDied, ModelUnavailable
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from gonogo_server.engine.base import Piece

    Collect = Callable[..., Coroutine[None, None, list[Piece]]]

PATIENCE = 60.0
"""Seconds after which a test that hangs is stopped; nothing waits for it."""

KEY = "the key"


@pytest.fixture
def two() -> Group:
    """Process 0 of two, as far as can be told without the other: sums are over itself."""
    return Group(0, 2, mx.distributed.init())


@contextmanager
def connected() -> Iterator[tuple[Line, Line]]:
    """Both ends of a connection."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        near = Line(socket.create_connection(server.getsockname(), PATIENCE))
        far = Line(server.accept()[0])
        stack.callback(near.close)
        stack.callback(far.close)
        yield near, far


class Together:
    """An engine as process 0 has it, and a thread for the other process, with a whole model for each."""

    def __init__(self, folder: Path, group: Group, near: Line, far: Line) -> None:
        self.far = far
        self.part: Part | None = None
        self._thread = ThreadPoolExecutor(1)
        self.in_order = self._thread.submit(self._follow, folder)
        self.engine = LeadingEngine(locate(str(folder)), Limits(), group, Orders([near]))

    def _follow(self, folder: Path) -> bool:
        location = locate(str(folder))
        self.part = Part(load(location).model)
        self.far.say(facts(location))
        return follower.obey_all(self.part, self.far)


@pytest.fixture
def together(tiny_folder: Path, two: Group) -> Iterator[Together]:
    with connected() as (near, far):
        made = Together(tiny_folder, two, near, far)
        yield made
        asyncio.run(made.engine.close())
        made.in_order.result(PATIENCE)


def test_the_other_process_ends_in_order_with_the_engine(together: Together, pieces: Collect) -> None:
    assert len(asyncio.run(pieces(together.engine, "Hi", logit_bias=((256, -100.0),)))) == 8
    asyncio.run(together.engine.close())
    assert together.in_order.result(PATIENCE) is True


def test_the_other_process_has_the_caches_that_process_0_has(together: Together, pieces: Collect) -> None:
    for prompt in ("one", "one and more", "other", "other", "on"):
        asyncio.run(pieces(together.engine, prompt))
    worker = together.engine._worker
    ours, kept = worker.call(
        lambda owned: (owned._loaded["tiny-llama"].model.part.caches, len(owned._prefixes))
    ).result(PATIENCE)
    asyncio.run(together.engine.close())
    assert together.in_order.result(PATIENCE)
    assert together.part is not None
    assert set(together.part.caches) == set(ours)
    # Besides those that are kept, what was dropped last is told with the next order.
    assert 0 < kept <= len(ours) <= kept + 2


def test_what_was_read_once_is_not_read_again(together: Together, pieces: Collect) -> None:
    asked = ("a prompt that comes twice", "a prompt that comes twice", "a prompt that goes on otherwise")
    answers = [asyncio.run(pieces(together.engine, prompt)) for prompt in asked]
    assert [answer[0].cached for answer in answers] == [0, len(asked[0]) - 1, len("a prompt that ")]
    assert "".join(piece.text for piece in answers[0]) == "".join(piece.text for piece in answers[1])


def test_the_description_says_how_many_there_are(together: Together) -> None:
    assert together.engine.description.endswith("; 2 processes")


def test_the_engine_is_dead_once_another_process_is_gone(together: Together, pieces: Collect) -> None:
    together.far.end()
    together.engine._watch.join(PATIENCE)
    assert not together.engine.alive
    with pytest.raises(EngineDied, match="as the server's log says"):
        asyncio.run(pieces(together.engine, "Hi"))
    assert together.in_order.result(PATIENCE) is False


def test_an_engine_that_is_dead_already_learns_nothing_new(together: Together) -> None:
    together.engine._worker.stop()
    together.far.end()
    together.engine._watch.join(PATIENCE)
    assert not together.engine.alive


def test_a_step_that_waits_for_a_process_that_is_gone_is_ended_with_process_0(
    together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(leader, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(os, "_exit", ended.append)
    summed = threading.Event()
    waiting = together.engine._worker.call(lambda _: summed.wait(PATIENCE))
    together.far.end()
    together.engine._watch.join(PATIENCE)
    assert ended == [1]
    summed.set()
    assert waiting.result(PATIENCE)


def test_a_step_that_waits_for_process_0_is_ended_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "GRACE_SECONDS", 0.0)
    taken: list[Any] = []
    ended: list[int] = []
    with connected() as (near, far):
        near.say(["make", 1])
        near.end()
        follower.listen(far, taken.append, threading.Event(), ended.append)
    assert taken == [["make", 1], None]
    assert ended == [1]


def test_a_step_that_fails_ends_the_process_and_says_why(
    tiny_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with connected() as (near, far):
        near.say(["trim", 99, 1])
        assert follower.obey_all(Part(load(locate(str(tiny_folder))).model), far) is False
        assert near.hear() is None
    assert "A step of this process of the group failed." in caplog.text


def test_a_step_that_fails_in_process_0_is_the_end_of_its_engine(
    together: Together, pieces: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_order: object) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(together.engine._orders, "tell", fail)
    with pytest.raises(EngineDied, match="as the server's log says"):
        asyncio.run(pieces(together.engine, "Hi"))
    assert not together.engine.alive


# ---- the model and its parts


def test_a_model_whose_heads_cannot_be_shared_is_refused(tiny_folder: Path, two: Group) -> None:
    three = Group(0, 3, two.handle)
    with pytest.raises(ModelUnavailable, match=r"3 processes cannot share 2 \(num_attention_heads\)"):
        load(locate(str(tiny_folder)), lambda model: split(model, three))


def test_a_model_that_mlx_lm_does_not_split_is_refused(two: Group) -> None:
    with pytest.raises(ModelUnavailable, match="serve it by one"):
        split(object(), two)


def test_several_models_are_refused(tiny_folder: Path) -> None:
    with pytest.raises(ModelUnavailable, match="serve one model: name one"):
        the_model([str(tiny_folder), "smollm2"], download=False)


def test_a_model_for_embeddings_is_refused(two: Group) -> None:
    with pytest.raises(ModelUnavailable, match="minilm makes vectors"):
        lead(["minilm"], two, download=False, limits=Limits())


def test_an_adapter_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"model": str(tiny_folder)}))
    mx.save_safetensors(str(adapter / "adapters.safetensors"), {"a": mx.zeros(1)})
    with pytest.raises(ModelUnavailable, match=r"fuse it into its base with mlx_lm\.fuse"):
        the_model([str(adapter)], download=False)


def test_other_files_are_other_facts(tiny_folder: Path) -> None:
    location = locate(str(tiny_folder))
    before = facts(location)
    assert before == facts(location)
    config = json.loads((tiny_folder / "config.json").read_text())
    (tiny_folder / "config.json").write_text(json.dumps(config | {"rope_theta": 5.0}))
    assert facts(location) != before
    assert facts(locate("smollm2")) != before


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("b", r"Process 1 has another model, or other versions, than process 0 \(b, not a\)"),
        (None, "Process 1 ended"),
    ],
)
def test_it_does_not_begin_with_parts_of_different_models(answer: str | None, reason: str) -> None:
    with connected() as (near, far):
        if answer:
            far.say(answer)
        far.end()
        with pytest.raises(ModelUnavailable, match=reason):
            agree(Orders([near]), "a")


# ---- how the processes come together


def test_only_who_knows_the_key_is_given_orders(two: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCCL_HOST_IP", "127.0.0.1")
    strangers = [b"GET / HTTP/1.1\r\n\r\n", b"", b'["wrong", 1]\n', b"null\n"]

    def share(group: Group, said: tuple[str, int, str] | None) -> tuple[str, int, str] | None:
        """Where the other process would be told where to connect, it does, behind some strangers."""
        if said is None:
            return told[0]
        told.append(said)
        for stranger in strangers:
            with socket.create_connection(said[:2]) as connection:
                connection.sendall(stranger)
        lines.append(obey(Group(1, 2, group.handle)))
        return said

    told: list[tuple[str, int, str]] = []
    lines: list[Line] = []
    monkeypatch.setattr(Group, "share", share)
    given = command(two)
    given.tell("make", 1)
    assert lines[0].hear() == ["make", 1]
    given.close()
    lines[0].close()


def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "GREETING_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address), socket.create_connection(address) as known:
            known.sendall(json.dumps([KEY, 1]).encode() + b"\n")
            [line] = orders._accept(server, KEY, 1)
            line.close()


def test_process_0_says_where_its_address_is_none_of_this_machine(
    two: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NCCL_HOST_IP", "203.0.113.7")
    with pytest.raises(BadSettings, match=r"cannot connect to this one at 203\.0\.113\.7"):
        command(two)


def test_a_process_that_cannot_reach_process_0_says_so(two: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setattr(Group, "share", lambda *_: ["127.0.0.1", port, KEY])
    with pytest.raises(BadSettings, match=f"cannot be reached at 127.0.0.1 port {port}"):
        obey(two)


def test_what_process_0_says_is_what_is_shared(two: Group) -> None:
    assert two.share(["127.0.0.1", 80, KEY]) == ["127.0.0.1", 80, KEY]


def test_a_process_that_ends_before_all_have_begun_is_told_of(
    two: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise RuntimeError("[ring] connection to a peer was lost")

    monkeypatch.setattr(mx.distributed, "all_sum", lost)
    with pytest.raises(BadSettings, match="One of the processes ended before all had begun"):
        two.share(None)


@pytest.mark.parametrize(
    ("variable", "value", "host"),
    [
        ("MLX_JACCL_COORDINATOR", "10.0.0.1:32323", "10.0.0.1"),
        ("NCCL_HOST_IP", "10.0.0.2", "10.0.0.2"),
        ("MLX_HOSTFILE", '[["10.0.0.3:5000", "10.0.1.3:5000"], ["10.0.0.4:5000"]]', "10.0.0.3"),
        ("MLX_HOSTFILE", '["[fd00::3]:5000", "[fd00::4]:5000"]', "fd00::3"),
        ("OTHER", "", socket.gethostname()),
    ],
)
def test_the_address_of_process_0_is_what_the_launcher_says(
    variable: str, value: str, host: str, tmp_path: Path
) -> None:
    if variable == "MLX_HOSTFILE":
        (tmp_path / "hosts.json").write_text(value)
        value = str(tmp_path / "hosts.json")
    assert join.leader_host({variable: value}) == host


def test_a_ring_of_one_is_no_group(tmp_path: Path) -> None:
    (tmp_path / "hosts.json").write_text("\n")
    assert join.join({"MLX_RANK": "0", "MLX_HOSTFILE": str(tmp_path / "hosts.json")}) is None


def test_processes_that_do_not_find_each_other_are_told_to_use_the_launcher(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise RuntimeError("[ring] Couldn't connect")

    monkeypatch.setattr(mx.distributed, "init", lost)
    with pytest.raises(BadSettings, match=r"do not find each other: \[ring\] Couldn't connect"):
        join.join({"MLX_RANK": "0"})


# ---- settings


def test_a_process_by_itself_does_not_look_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in launched.RANKS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(join, "join", pytest.fail)
    assert launched.group(Settings()) is None


def test_the_scripted_engine_does_not_look_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_RANK", "0")
    monkeypatch.setattr(join, "join", pytest.fail)
    assert launched.group(Settings(engine="scripted")) is None


@pytest.mark.parametrize(
    ("name", "value"), [("preload", False), ("model_memory_bytes", 1), ("idle_unload_seconds", 1.0)]
)
def test_models_that_come_and_go_are_refused(
    name: str, value: float, two: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLX_RANK", "0")
    monkeypatch.setattr(join, "join", lambda: two)
    assert launched.group(Settings()) is two
    with pytest.raises(BadSettings, match=f"leave the setting '{name}' out"):
        launched.group(Settings(**{name: value}))
