"""The use cases beneath the commands: selecting, collecting, judging, and failures on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import socketserver
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from gonogo import collection, evidence, running
from gonogo.baseline import read as read_baseline
from gonogo.collect.plan import plan
from gonogo.collect.size_limit import parse_bytes
from gonogo.collection import Approach
from gonogo.errors import EvidenceError, TargetError, UsageError
from gonogo.judge import judging
from gonogo.judge.steps import Bound, Check, Of
from gonogo.reasons import Reason
from gonogo.report.model import Gate
from gonogo.rules import load
from gonogo.running import Selection, Waivers
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

PATIENCE = 60.0  # seconds after which a hanging run is stopped
MODELS = Selection(only=("models.list",))


def test_a_check_reports_each_selected_rule_and_calls_back_for_each_request(reference_url: str) -> None:
    done: list[str] = []
    report = running.check(Approach(reference_url), MODELS, load(), done.append)

    assert [j.rule for j in report.judgements] == [s.rule for s in load().select(["models.list"])]
    assert report.gate is Gate.GO
    assert len(done) == plan(load().select(["models.list"])).requests
    assert list(report.exchanges)[:2] == ["g1", "g2"]
    assert report.seconds is not None
    assert report.seconds > 0


def test_signs_of_life_are_recorded_and_not_counted_as_progress(reference_url: str) -> None:
    done: list[str] = []
    hostile = Selection(only=("errors.refused.unknown_route",))
    report = running.check(Approach(reference_url), hostile, load(), done.append)
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
    report = running.judge_again([evidence.read(broken_evidence)], few, load())
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

    assert collection._told(mixed) is full
    assert collection._told(ours) is ours


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


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


def interrupted(server: Stuck, number: signal.Signals, *options: str) -> Ended:
    """`gonogo check` that gets a signal while its first request after the greeting waits for an answer."""
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    command = [sys.executable, "-m", "gonogo", "check", url, "--only", "models", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        waited = server.stuck.wait(PATIENCE)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert waited
    return Ended(process.returncode, stdout, stderr)


SIGNALS = pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX does it")


@POSIX
@SIGNALS
def test_an_interrupted_check_reports_what_it_has_keeps_its_evidence_and_leaves_as_shells_say_it(
    stuck: Stuck, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    stored, summary = tmp_path / "e.jsonl", tmp_path / "r.md"
    ended = interrupted(stuck, number, "--evidence", str(stored), "--json", "-", "--markdown", str(summary))
    document = json.loads(ended.stdout)

    assert ended.status == status
    told, again = ended.stderr.splitlines()[-2:]
    assert told == f"Interrupted; the evidence recorded so far is in {stored}."
    assert again.startswith("To continue: gonogo check http://")
    assert again.endswith(f"--evidence {stored} --json - --markdown {summary} --resume")
    assert document["verdict"] == "not-judged"
    assert {rule["reason"] for rule in document["rules"]} == {"interrupted"}
    assert summary.read_text().startswith("## gonogo: NOT JUDGED\n")
    assert [exchange.id for exchange in evidence.read(stored).exchanges] == ["g1", "g2"]


@POSIX
@SIGNALS
def test_judging_an_interrupted_check_again_is_never_go(
    stuck: Stuck, tmp_path: Path, number: signal.Signals, status: int, gonogo: Callable[..., Result]
) -> None:
    stored = tmp_path / "e.jsonl"
    ended = interrupted(stuck, number, "--evidence", str(stored))
    judged = gonogo("judge", stored, "--only", "models")

    assert ended.status == status
    assert judged.exit_code == 2
    assert judged.stdout == ended.stdout.replace(seconds_in(ended.stdout), "")


@SIGNALS
def test_a_signal_that_comes_while_answers_are_judged_leaves_the_report_whole(
    monkeypatch: pytest.MonkeyPatch,
    gonogo: Callable[..., Result],
    reference_url: str,
    tmp_path: Path,
    number: signal.Signals,
    status: int,
) -> None:
    def judged(*arguments: Any) -> Any:  # noqa: ANN401 - those of `judge`
        signal.raise_signal(number)
        monkeypatch.undo()
        return running.judge(*arguments)

    monkeypatch.setattr(running, "judge", judged)
    report = tmp_path / "r.json"
    result = gonogo("check", reference_url, "--only", "models.list", "--json", report)

    assert (result.exit_code, result.stderr) == (status, "Interrupted.\n")
    assert {rule["verdict"] for rule in json.loads(report.read_bytes())["rules"]} == {"pass"}


def seconds_in(printed: str) -> str:
    """The length of a run from the last line of its report; a report on stored evidence has none."""
    return re.findall(r", \d+\.\d s$", printed, re.MULTILINE)[0]


class TestATimeLimit:
    def test_leaves_what_was_not_answered_by_then_unsent_and_is_no_go(self, stuck: Stuck) -> None:
        url = f"http://127.0.0.1:{stuck.server_address[1]}/v1"
        report = running.check(Approach(url, max_seconds=1.0), MODELS, load())

        assert {j.because.reason for j in report.judgements if j.because} == {Reason.OUT_OF_TIME}
        assert report.gate is Gate.NOT_JUDGED

    def test_that_the_greeting_does_not_keep_is_one_sentence(self, stuck: Stuck) -> None:
        stuck.answers = iter([])
        url = f"http://127.0.0.1:{stuck.server_address[1]}/v1"
        with pytest.raises(
            TargetError, match=r"did not answer the first requests within --max-seconds 0\.5\.$"
        ):
            running.check(Approach(url, max_seconds=0.5), MODELS, load())

    def test_that_is_long_enough_changes_nothing(self, reference_url: str) -> None:
        assert running.check(Approach(reference_url, max_seconds=PATIENCE), MODELS, load()).gate is Gate.GO


class TestALimitOfBytes:
    """A server with endless answers ends the run before it fills the memory or the disk."""

    SIZE = 50_000

    @pytest.fixture
    def url(self, answering: Callable[[bytes], str]) -> str:
        body = b'{"data": [{"id": "m"}]}'.ljust(self.SIZE)
        return answering(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + body)

    def test_makes_no_run_go(self, gonogo: Callable[..., Result], reference_url: str) -> None:
        result = gonogo("check", reference_url, "--only", "chat.stream", "--max-bytes", "4KB")

        assert result.exit_code == 2
        assert "the run reached --max-bytes before this was answered" in result.stdout
        assert result.stdout.splitlines()[-1].startswith("NOT JUDGED")

    def test_leaves_what_was_not_answered_by_then_unsent(
        self, gonogo: Callable[..., Result], url: str, tmp_path: Path
    ) -> None:
        stored = tmp_path / "e.jsonl"
        few = ("--only", "models.list", "--only", "chat.stream", "--concurrency", 1, "--evidence", stored)
        gonogo("check", url, *few, "--max-bytes", "200KB")
        record = evidence.read(stored)

        assert [len(exchange.body) for exchange in record.exchanges] == [self.SIZE] * 5
        assert {because.reason for because in record.unsent.values()} == {Reason.OUT_OF_ROOM}

    def test_is_counted_for_each_run_anew(
        self, gonogo: Callable[..., Result], url: str, tmp_path: Path
    ) -> None:
        few = ("--only", "models.list", "--only", "chat.stream", "--evidence", tmp_path / "e.jsonl")
        gonogo("check", url, *few, "--max-bytes", "200KB")
        again = gonogo("check", url, *few, "--resume")

        assert "--max-bytes" not in again.stdout
        assert again.exit_code == 1

    def test_that_the_greeting_does_not_keep_is_one_sentence(
        self, gonogo: Callable[..., Result], url: str
    ) -> None:
        result = gonogo("check", url, "--only", "models", "--max-bytes", "1")
        assert result.exit_code == 2
        assert result.stderr == f"{url} answered the first requests with more than --max-bytes 1.\n"

    @pytest.mark.parametrize(
        ("text", "number"), [("7", 7), ("64MiB", 2**26), ("64 MB", 64_000_000), ("1GiB", 2**30)]
    )
    def test_is_a_number_or_has_a_unit(self, text: str, number: int) -> None:
        assert parse_bytes(text) == number

    @pytest.mark.parametrize("text", ["", "0", "0MB", "-1", "64 parsecs", "1e9", "MiB"])
    def test_that_is_invalid_is_one_sentence(self, text: str) -> None:
        with pytest.raises(
            UsageError,
            match=r'^--max-bytes ".*" is not a size; give bytes, such as 64000000, 64MB or 64MiB\.$',
        ):
            parse_bytes(text)


class TestEnoughFailures:
    """A server with the same answer to everything breaks many rules at once."""

    ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + b'{"data": [{"id": "m"}]}'
    WIDE = Selection(only=("models", "chat.response", "chat.stream", "errors"))

    def test_end_the_run_with_what_they_broke_and_a_reason_for_the_rest(
        self, answering: Callable[[bytes], str]
    ) -> None:
        url = answering(self.ANSWER)
        whole, ended = (
            running.check(Approach(url, concurrency=2, max_failures=most), self.WIDE, load())
            for most in (None, 1)
        )
        reasons = {j.because.reason for j in ended.judgements if j.because}

        assert ended.gate is whole.gate is Gate.NO_GO
        assert ended.cost.requests < whole.cost.requests / 2
        assert Reason.ENOUGH_BROKEN in reasons
        assert Reason.ENOUGH_BROKEN not in {j.because.reason for j in whole.judgements if j.because}

    def test_that_were_not_reached_change_nothing(self, reference_url: str) -> None:
        report = running.check(Approach(reference_url, max_failures=1), MODELS, load())
        assert report.gate is Gate.GO

    def test_that_the_baseline_waives_do_not_count(
        self, answering: Callable[[bytes], str], tmp_path: Path
    ) -> None:
        url = answering(self.ANSWER)
        few = Selection(only=("models.list",))
        broken = running.check(Approach(url), few, load())
        listed = tmp_path / "b.toml"
        listed.write_text(
            "".join(f'"{j.rule.id}" = {{ reason = "r" }}\n' for j in broken.judgements if j.expected)
        )
        waivers = Waivers(read_baseline(listed), date(2026, 12, 1))
        report = running.check(Approach(url, max_failures=1), few, load(), waivers=waivers)

        assert broken.gate is Gate.NO_GO
        assert report.gate is Gate.GO
