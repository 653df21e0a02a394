"""The use cases beneath the commands: selecting, asking, judging, whatever goes wrong on the way."""

from __future__ import annotations

import os
import re
import signal
import socketserver
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from gonogo import evidence, running
from gonogo.collect.plan import plan
from gonogo.errors import EvidenceError
from gonogo.judge import judging
from gonogo.judge.steps import Bound, Check, Of
from gonogo.reasons import Reason
from gonogo.report.model import Gate
from gonogo.rules import load
from gonogo.running import Approach, Selection
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 60.0  # seconds after which what hangs is given up
MODELS = Selection(only=("models.list",))


def test_a_check_reports_each_selected_rule_and_tells_of_each_request(reference_url: str) -> None:
    done: list[None] = []
    report = running.check(Approach(reference_url), MODELS, load(), lambda: done.append(None))

    assert [j.rule for j in report.judgements] == [s.rule for s in load().select(["models.list"])]
    assert report.gate is Gate.GO
    assert len(done) == plan(load().select(["models.list"])).requests
    assert list(report.exchanges)[:2] == ["g1", "g2"]
    assert report.seconds is not None
    assert report.seconds > 0


def test_signs_of_life_are_recorded_and_not_counted_as_progress(reference_url: str) -> None:
    done: list[None] = []
    hostile = Selection(only=("errors.refused.unknown_route",))
    report = running.check(Approach(reference_url), hostile, load(), lambda: done.append(None))
    alive = [e for e in report.exchanges.values() if e.stimulus.startswith("alive after ")]

    assert alive
    assert len(done) == report.cost.requests - len(alive) - 2


def test_a_check_of_ours_that_breaks_costs_its_own_rule_only(
    reference_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind = judging.bind

    def break_one(scenario: object) -> tuple[Bound, ...]:
        checks = bind(scenario)
        if scenario is not load().select(["models.list.json"])[0]:
            return checks
        return (Bound(Check(lambda exchange: exchange.no_such_field, Of.ANY, several=False), {}),)

    monkeypatch.setattr(judging, "bind", break_one)
    report = running.check(Approach(reference_url), MODELS, load())
    verdicts = {judgement.rule.id: judgement for judgement in report.judgements}
    broken = verdicts.pop("models.list.json")

    assert broken.verdict is Verdict.ERROR
    assert broken.because is not None
    assert broken.because.reason is Reason.CHECK_BROKE
    assert broken.because.values["error"] == (
        "AttributeError: 'Exchange' object has no attribute 'no_such_field'"
    )
    assert re.fullmatch(r"test_running\.py:\d+", str(broken.because.values["where"]))
    assert {judgement.verdict for judgement in verdicts.values()} == {Verdict.PASS}
    assert report.gate is Gate.NOT_JUDGED


def test_broken_rules_come_with_their_causes_and_name_them(broken_evidence: Path) -> None:
    few = Selection(only=("models", "chat.stream.done"))
    report = running.judge_again(evidence.read(broken_evidence), few, load())
    (cause,) = report.causes

    assert cause.rules == ("chat.stream.done",)
    assert report.judgement("chat.stream.done").cause == cause.id
    assert report.of(cause) == [report.judgement("chat.stream.done")]
    assert report.verdict_of(cause) is Verdict.FAIL
    assert {j.cause for j in report.judgements if j.verdict is Verdict.PASS} == {None}


def test_one_error_of_many_requests_under_way_is_the_one_with_a_sentence_for_the_user() -> None:
    full = EvidenceError("The disk is full.")
    mixed = ExceptionGroup("both", [ValueError("of the second request"), ExceptionGroup("", [full])])
    ours = ExceptionGroup("ours", [ValueError("a mistake")])

    assert running._told(mixed) is full
    assert running._told(ours) is ours


class Stuck(socketserver.ThreadingTCPServer):
    """Answers the greeting, and then nothing more; `stuck` is set once a request waits."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StuckHandler)
        self.answers = iter([b'{"object": "list", "data": [{"id": "m"}]}', b"{}"])
        self.stuck = threading.Event()
        self.released = threading.Event()


class StuckHandler(socketserver.StreamRequestHandler):
    server: Stuck

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        body = next(self.server.answers, None)
        if body is None:
            self.server.stuck.set()
            self.server.released.wait(PATIENCE)
            return
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    with Stuck() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX does it")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_says_one_line_leaves_with_130_and_keeps_its_evidence(
    stuck: Stuck, tmp_path: Path, number: signal.Signals
) -> None:
    stored = tmp_path / "e.jsonl"
    url = f"http://127.0.0.1:{stuck.server_address[1]}/v1"
    command = [sys.executable, "-m", "gonogo", "check", url, "--only", "models", "--evidence", str(stored)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        waited = stuck.stuck.wait(PATIENCE)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=PATIENCE)

    assert waited
    assert (process.returncode, stdout) == (130, "")
    assert stderr == f"Interrupted; what was recorded so far is in {stored}; --resume goes on with it.\n"
    assert [exchange.id for exchange in evidence.read(stored).exchanges] == ["g1", "g2"]
