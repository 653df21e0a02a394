"""Two processes that serve a tiny model together on loopback, and what happens if one is lost."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import httpx2
import pytest
from gonogo_server.compose import application
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gonogo_server.engine.mlx.engine import MlxEngine

PATIENCE = 90.0
"""Seconds after which a hanging test is stopped; no test waits for this limit."""

END_TOKEN = 256
MORE_THAN_A_PIPE_HOLDS = 1 << 17
NEVER = {str(END_TOKEN): -100}
ENDLESS = {
    "model": "tiny-llama",
    "prompt": "on and",
    "max_tokens": 500_000,
    "logit_bias": NEVER,
    "stream": True,
}
SHORT = {"model": "tiny-llama", "prompt": "Hello", "max_tokens": 5, "temperature": 0, "logit_bias": NEVER}


@dataclass
class Processes:
    """Server processes by rank, the files with their output, and the base URL of process 0 ("" if there is none)."""

    running: list[subprocess.Popen[str]] = field(default_factory=list)
    errors: list[Path] = field(default_factory=list)
    url: str = ""

    def said(self, rank: int) -> str:
        return self.errors[rank].read_text()

    def ends(self) -> list[int]:
        """The exit code of each, which must end."""
        return [process.wait(PATIENCE) for process in self.running]

    def post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        return httpx2.post(f"{self.url}{path}", json=body, timeout=PATIENCE)

    def health(self) -> int:
        return httpx2.get(f"{self.url.removesuffix('/v1')}/health", timeout=PATIENCE).status_code


IMPATIENT = """
import signal, sys, threading
from gonogo_server.engine.mlx.group import watch

def shorten():
    signal.sigwait({signal.SIGUSR1})
    watch.STALL_SECONDS = 1.0

# Blocked in all threads: the main thread of process 1 waits in mlx, where Python handles no signal.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
threading.Thread(target=shorten, daemon=True).start()
from gonogo_server.serve import main
sys.exit(main())
"""
"""The server with a shorter time limit for a step from SIGUSR1 on: at its start a step may take longer than that."""


def free_ports(count: int) -> list[int]:
    """Consecutive free ports."""
    while True:
        with ExitStack() as taken:
            first = taken.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            ports = list(range(first, first + count))
            try:
                for port in ports[1:]:
                    taken.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return ports


def listening_at(lines: IO[str]) -> str:
    """The base URL that the server prints; "" if it ends instead."""
    found = (re.search(r"listening on (http://\S+/v1)", line) for line in lines)
    return next((match[1] for match in found if match), "")


def environment(**more: str) -> dict[str, str]:
    """Unset the settings of the machine that runs the tests."""
    settings = {f"GONOGO_SERVER_{name.upper()}" for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in settings} | more


@contextmanager
def serving(
    folder: Path, *options: Sequence[object], program: Sequence[str] = ("-m", "gonogo_server")
) -> Iterator[Processes]:
    """A process for each tuple of options, as mlx.launch starts them, after the first listens or has ended."""
    hosts = folder / "hosts.json"
    hosts.write_text(json.dumps([[f"127.0.0.1:{port}"] for port in free_ports(len(options))]))
    processes = Processes()
    with ExitStack() as stack:
        for rank, given in enumerate(options):
            processes.errors.append(folder / f"said-{rank}")
            process = subprocess.Popen(
                [sys.executable, *program, "--port", "0", *map(str, given)],
                env=environment(MLX_RANK=str(rank), MLX_HOSTFILE=str(hosts)),
                stdout=subprocess.DEVNULL if rank else subprocess.PIPE,
                stderr=stack.enter_context(processes.errors[rank].open("w")),
                text=True,
            )
            processes.running.append(stack.enter_context(process))
            stack.callback(process.kill)
        assert processes.running[0].stdout
        processes.url = listening_at(processes.running[0].stdout)
        yield processes


@pytest.fixture
def endless(tiny_folder: Path) -> Path:
    """A tiny model that answers for as long as a test needs."""
    config = json.loads((tiny_folder / "config.json").read_text()) | {"max_position_embeddings": 1 << 20}
    (tiny_folder / "config.json").write_text(json.dumps(config))
    return tiny_folder


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[ExitStack, list[Processes]]]:
    with ExitStack() as stack:
        yield stack, []


@pytest.fixture
def pair(kept: tuple[ExitStack, list[Processes]], endless: Path, tmp_path: Path) -> Processes:
    """Two processes, shared by all tests that leave them unchanged."""
    stack, started = kept
    if not started:
        started.append(stack.enter_context(serving(tmp_path, *2 * [("--model", endless)])))
    return started[0]


REQUESTS = {
    "greedy": {"temperature": 0},
    "seeded": {"temperature": 1.2, "seed": 11, "top_p": 0.9, "n": 2},
    "penalised": {"temperature": 0, "presence_penalty": 1.5, "frequency_penalty": 0.5},
    "with log probabilities": {"temperature": 0, "logprobs": 3, "echo": True},
    "after a long prompt": {"temperature": 0, "prompt": "a long prompt " * 40},
}


@pytest.mark.parametrize("asked", REQUESTS.values(), ids=REQUESTS)
def test_the_answer_is_that_of_a_single_process(
    pair: Processes, endless: Path, open_model: Callable[..., MlxEngine], asked: dict[str, Any]
) -> None:
    body = {"model": "tiny-llama", "prompt": "Say something", "max_tokens": 24} | asked
    alone = asyncio.run(ask_here(open_model(endless), "/completions", body))
    assert choices(pair.post("/completions", body)) == choices(alone)


def test_a_grammar_holds_as_it_does_in_a_single_process(
    pair: Processes, endless: Path, open_model: Callable[..., MlxEngine]
) -> None:
    schema = {"type": "object", "properties": {"a": {"enum": ["x", "y"]}}, "required": ["a"]}
    body = {
        "model": "tiny-llama",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0,
        "max_tokens": 60,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "strict": True, "schema": schema | {"additionalProperties": False}},
        },
    }
    alone = asyncio.run(ask_here(open_model(endless), "/chat/completions", body))
    together = pair.post("/chat/completions", body)
    assert choices(together) == choices(alone)
    assert json.loads(together.json()["choices"][0]["message"]["content"])["a"] in {"x", "y"}


async def ask_here(engine: MlxEngine, path: str, body: dict[str, Any]) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=application(engine, Settings()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://server/v1") as client:
        return await client.post(path, json=body, timeout=PATIENCE)


def choices(response: httpx2.Response) -> Any:  # noqa: ANN401 - JSON
    """The choices; sums in another order differ in the last digits."""
    assert response.status_code == 200, response.text
    return json.loads(
        json.dumps(response.json()["choices"]), parse_float=lambda text: pytest.approx(float(text), abs=1e-3)
    )


def test_a_cached_prefix_is_not_read_again(pair: Processes) -> None:
    body = SHORT | {"prompt": "a prompt that comes twice, and is long enough to be worth it"}
    first, second = (pair.post("/completions", body).json() for _ in range(2))
    assert second["choices"] == first["choices"]
    cached = second["usage"]["prompt_tokens_details"]["cached_tokens"]
    assert cached == second["usage"]["prompt_tokens"] - 1
    beginning = pair.post("/completions", body | {"prompt": "a prompt that goes on otherwise"}).json()
    assert beginning["usage"]["prompt_tokens_details"]["cached_tokens"] == len("a prompt that ")


def test_answers_that_are_wanted_at_the_same_time_are_those_of_one_after_the_other(pair: Processes) -> None:
    bodies = [SHORT | {"prompt": prompt, "max_tokens": 20} for prompt in ("one", "another", "third")]
    singly = [choices(pair.post("/completions", body)) for body in bodies]
    assert asyncio.run(ask_all(pair, bodies)) == singly


async def ask_all(pair: Processes, bodies: Sequence[dict[str, Any]]) -> list[Any]:
    async with httpx2.AsyncClient(base_url=pair.url, timeout=PATIENCE) as client:
        asked = [client.post("/completions", json=body) for body in bodies]
        return [choices(response) for response in await asyncio.gather(*asked)]


def test_a_client_that_leaves_makes_room_for_the_next(pair: Processes) -> None:
    with httpx2.stream("POST", f"{pair.url}/completions", json=ENDLESS, timeout=PATIENCE) as stream:
        assert next(stream.iter_lines()).startswith("data: ")
    assert pair.post("/completions", SHORT).json()["usage"]["completion_tokens"] == 5


def test_only_process_0_obeys_signals_as_it_may_have_answers_to_finish(pair: Processes) -> None:
    pair.running[1].send_signal(signal.SIGINT)
    pair.running[1].send_signal(signal.SIGTERM)
    assert pair.post("/completions", SHORT).status_code == 200


@pytest.mark.usefixtures("measured_processes")
def test_a_signal_to_process_0_ends_all_in_order(
    pair: Processes, kept: tuple[ExitStack, list[Processes]]
) -> None:
    kept[1].clear()  # later tests need new ones
    pair.running[0].send_signal(signal.SIGTERM)
    assert pair.ends() == [0, 0]


def test_a_stream_does_not_look_complete_where_another_process_is_gone(endless: Path, tmp_path: Path) -> None:
    with serving(tmp_path, *2 * [("--model", endless)], program=("-c", IMPATIENT)) as processes:
        url = f"{processes.url}/completions"
        with httpx2.stream("POST", url, json=ENDLESS, timeout=PATIENCE) as stream:
            lines = stream.iter_lines()
            next(lines)
            processes.running[1].kill()
            processes.running[0].send_signal(signal.SIGUSR1)
            *_, last = (line for line in lines if line)
        assert json.loads(last.removeprefix("data: "))["error"]["code"] == "engine_died"
        assert processes.health() == 503
        # It would report that for some more seconds.
        processes.running[0].send_signal(signal.SIGTERM)
        assert processes.ends() == [1, -signal.SIGKILL]


@pytest.mark.usefixtures("measured_processes")
def test_the_others_end_with_a_failure_where_process_0_is_gone(endless: Path, tmp_path: Path) -> None:
    with serving(tmp_path, *2 * [("--model", endless)], program=("-c", IMPATIENT)) as processes:
        url = f"{processes.url}/completions"
        with httpx2.stream("POST", url, json=ENDLESS, timeout=PATIENCE) as stream:
            next(stream.iter_lines())
            processes.running[0].kill()
            processes.running[1].send_signal(signal.SIGUSR1)
            assert processes.ends() == [-signal.SIGKILL, 1]


@pytest.mark.usefixtures("measured_processes")
def test_nothing_begins_with_two_different_models(endless: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(endless, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"rope_theta": 5.0}))
    with serving(tmp_path, ("--model", endless), ("--model", other)) as processes:
        assert processes.ends() == [2, 2]
        assert "Process 1 has another model" in processes.said(0)
        assert "Process 0 has another model" in processes.said(1)


@pytest.mark.usefixtures("measured_processes")
def test_all_end_where_one_cannot_begin(endless: Path, tmp_path: Path) -> None:
    with serving(tmp_path, ("--model", endless), ("--model", tmp_path / "nowhere")) as processes:
        assert processes.ends() == [2, 2]
        assert "Process 1 cannot start: " in processes.said(0)
        assert "nowhere" in processes.said(0)


def test_mlx_launch_starts_it_and_ctrl_c_ends_it(endless: Path, tmp_path: Path) -> None:
    launcher = str(Path(sys.executable).parent / "mlx.launch")
    where = ("-n", "2", "--backend", "ring", "--starting-port", str(free_ports(2)[0]))
    server = (sys.executable, "-m", "gonogo_server", "--port", "0", "--model", str(endless))
    with subprocess.Popen(
        [launcher, *where, "--", *server],
        env=environment(TMPDIR=str(tmp_path)),  # it leaves files behind
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as launched:
        try:
            assert launched.stdin
            assert launched.stdout
            # mlx.launch polls without a pause whether its processes accept input (mlx 0.32.4, launch.py, _thread_fn),
            # which leaves little of two cores for them. Full pipes accept nothing.
            launched.stdin.write("\n" * MORE_THAN_A_PIPE_HOLDS)
            launched.stdin.flush()
            processes = Processes(url=listening_at(launched.stdout))
            assert processes.post("/completions", SHORT).json()["usage"]["completion_tokens"] == 5
            os.killpg(launched.pid, signal.SIGINT)  # as a terminal does
            launched.wait(PATIENCE)
            with closing(socket.socket()) as asked:
                assert asked.connect_ex(("127.0.0.1", httpx2.URL(processes.url).port or 0)) != 0
        finally:
            if launched.poll() is None:
                os.killpg(launched.pid, signal.SIGKILL)
