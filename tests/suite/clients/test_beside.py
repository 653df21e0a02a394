"""Answers replayed in parallel with the run have the same outcomes as in this process, whatever happens."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gonogo.clients import ahead
from gonogo.clients.beside import COMMAND, Beside
from gonogo.clients.breakage import Breakage, NotInstalled
from gonogo.clients.readers import READERS, fitting
from gonogo.clients.replaying import Here, Replays
from gonogo.evidence import read
from gonogo.exchange import Failure, FailureKind
from gonogo.judge import judge
from gonogo.rules import load
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from click.testing import Result
    from gonogo.clients.replaying import Replay
    from gonogo.exchange import Exchange
    from suite.conftest import Checked

    Make = Callable[..., Exchange]

CHAT = "/chat/completions"
MODELS = {"object": "list", "data": [{"id": "m"}]}
CHUNK = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
PYTHON = (sys.executable, "-c")
SOON = 0.05  # seconds without output after which a child process of the tests is abandoned
PATIENCE = 60.0


@pytest.mark.parametrize("arguments", [("no URL",), ("--no-such-option",), ("--resume",)])
def test_a_command_that_comes_to_nothing_leaves_no_process_behind(
    gonogo: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    started: list[subprocess.Popen[str]] = []
    start = ahead.start

    def noted() -> subprocess.Popen[str] | None:
        child = start()
        assert child is not None
        started.append(child)
        return child

    monkeypatch.setattr(ahead, "start", noted)
    assert gonogo("check", *arguments).exit_code == 2
    (child,) = started
    assert child.returncode is not None
    assert child.stdin is not None
    assert child.stdin.closed


@pytest.fixture
def exchanges(whole: Make, streamed: Make) -> list[Exchange]:
    """Answers that a client reads, answers that break one, and one that no client would request."""
    made = [
        whole("/models", MODELS),
        whole("/models", {"data": None}),
        whole(CHAT, {"choices": None}),
        streamed(CHAT, CHUNK, "[DONE]"),
        streamed(CHAT, {**CHUNK, "choices": None}, b"data: \xff\xfe {\n\n", "[DONE]"),
        whole(CHAT, {"error": "no"}, status=400),
        whole(CHAT, b"moved", status=302),
    ]
    return [replace(exchange, id=f"x{number}") for number, exchange in enumerate(made)]


def told(replays: Replays, exchanges: Sequence[Exchange]) -> dict[Replay, str]:
    """The outcome of each replay, as text."""
    for exchange in exchanges:
        replays.submit(exchange)
    return {replay: str(found) for replay, found in replays.results().items()}


@pytest.mark.usefixtures("measured_processes")
def test_a_second_process_returns_the_same_outcomes(exchanges: list[Exchange]) -> None:
    here = told(Here(), exchanges)
    with Beside() as replays:
        assert told(replays, exchanges) == here
    assert here.keys() == {(name, exchange.id) for exchange in exchanges for name in fitting(exchange)}
    assert here["openai_python.models", "x0"] == "None"
    assert "TypeError" in here["openai_python.models", "x1"]
    assert here.keys().isdisjoint({(name, "x6") for name in READERS})


def test_no_client_is_imported_in_this_process() -> None:
    code = """
import sys
from gonogo.clients.beside import Beside
from gonogo.exchange import Chunk, Exchange, Request
with Beside() as replays:
    body = (Chunk(0.1, b'{"data": [{"id": "m"}]}'),)
    replays.submit(Exchange("x1", "", Request("GET", "/models"), 200, (), body, None, 0.1))
    print(dict(replays.results()), sorted({"openai", "httpx", "httpx_sse", "pydantic"} & sys.modules.keys()))
"""
    done = subprocess.run([*PYTHON, code], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("{('openai_python.models', 'x1'): None} []\n", "")


DYING = """
import sys
sys.stdin.readline()
print('{"reader": "openai_python.models", "exchange": "x0", "outcome": null}')
print('{"reader": "openai_python.models", "excha', end="")
"""
BROKEN = {
    "cannot be started": ("/no/such/program",),
    "ends at once": (*PYTHON, ""),
    "says what nobody understands": (*PYTHON, "print('Usage: gonogo'); print('[1]'); print('{}')"),
    "dies in the middle of a line": (*PYTHON, DYING),
    "reads and never says a word": (
        *PYTHON,
        "import sys, threading; sys.stdin.read(); threading.Event().wait()",
    ),
    "never reads": (*PYTHON, "import threading; threading.Event().wait()"),
}


@pytest.mark.parametrize("command", BROKEN.values(), ids=BROKEN)
def test_a_child_that_fails_costs_no_outcome(exchanges: list[Exchange], command: Sequence[str]) -> None:
    long = replace(exchanges[0], id="long", headers=(("x", "y" * 1_000_000),))  # more than a pipe buffers
    before = threading.active_count()
    with Beside(command, stall=SOON) as replays:
        assert told(replays, [*exchanges, long]) == told(Here(), [*exchanges, long])
        assert threading.active_count() == before


@pytest.mark.usefixtures("measured_processes")
def test_a_child_without_a_client_says_so(whole: Make, streamed: Make) -> None:
    without = "import sys; sys.modules['openai'] = None; from gonogo.clients.child import main; main()"
    stream = streamed(CHAT, CHUNK, "[DONE]")
    with Beside((*PYTHON, without)) as replays:
        replays.submit(stream)
        outcomes = replays.results()
    missing = outcomes["openai_python.chat_stream", stream.id]
    assert isinstance(missing, NotInstalled)
    assert str(missing) == str(NotInstalled("openai-python"))
    assert outcomes["httpx_sse.stream", stream.id] is None


def test_an_exchange_submitted_after_the_results_is_replayed_too(whole: Make) -> None:
    late = replace(whole("/models", {"data": None}), id="late")
    with Beside() as replays:
        assert dict(replays.results()) == {}
        replays.submit(late)
        assert isinstance(replays.results()["openai_python.models", "late"], Breakage)


def test_a_run_that_is_given_up_leaves_no_process_behind(whole: Make) -> None:
    before = threading.active_count()
    with suppress(KeyboardInterrupt), Beside() as replays:
        assert replays._process is not None
        child = replays._process._child
        replays.submit(whole("/models", MODELS))
        raise KeyboardInterrupt
    assert child.returncode is not None
    assert threading.active_count() == before


def test_nothing_is_imported_from_the_current_folder(whole: Make, tmp_path: Path) -> None:
    for name in ("openai.py", "json.py"):
        (tmp_path / name).write_text("raise SystemExit(3)")
    asked = subprocess.run(
        COMMAND, cwd=tmp_path, input="", text=True, capture_output=True, timeout=PATIENCE, check=False
    )
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, "", "")


def test_each_rule_of_the_clients_has_a_reader_of_its_name() -> None:
    assert {s.rule.id for s in load().select(["clients"])} <= {f"clients.{name}" for name in READERS}


def test_every_answer_that_a_rule_of_the_clients_looks_at_is_one_that_fits(whole_run: Checked) -> None:
    record = read(whole_run.evidence)
    fits = {(name, exchange.id) for exchange in record.exchanges for name in fitting(exchange)}
    for judgement in judge(record, load().select(["clients"]), load()):
        name = judgement.rule.id.removeprefix("clients.")
        assert judgement.verdict is Verdict.PASS
        assert judgement.evidence
        assert {(name, evidence.exchange) for evidence in judgement.evidence} <= fits


def test_no_client_reads_an_incomplete_answer(whole: Make) -> None:
    broken = replace(whole("/models", MODELS), failure=Failure(FailureKind.RESET, 0.1, "it broke off"))
    assert fitting(broken) == ()
    assert fitting(replace(broken, status=None)) == ()


def test_an_unknown_reader_or_exchange_is_a_key_error(whole: Make) -> None:
    here = Here()
    here.submit(whole("/models", MODELS))
    for replay in (("openai_python.models", "x2"), ("openai_python.moods", "x1")):
        with pytest.raises(KeyError):
            here.results()[replay]
