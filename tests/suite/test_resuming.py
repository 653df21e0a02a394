"""Resuming after a target was lost: on the command line, with a server that one request crashes for good."""

from __future__ import annotations

import json
import socketserver
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest
from gonogo import evidence
from gonogo.collect.resuming import held, known_of
from gonogo.exchange import Failure, FailureKind
from gonogo.reasons import Reason
from gonogo.verdict import Because

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]

RULES = ("--only", "errors.harmless", "--only", "http.survives", "--only", "chat.stream.done")
KILLER = b'"temperature": "warm"'
KILLER_KEY = 'POST /chat/completions {"temperature":"warm"}'


class Fragile(socketserver.ThreadingTCPServer):
    """Answers everything in the same way until one request kills it; then it closes connections until it is revived."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"
        self.dead = False
        self.bodies: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    server: Fragile

    def do_GET(self) -> None:
        self._answer({"object": "list", "data": [{"id": "m", "object": "model"}]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append(body)
        if KILLER in body:
            self.server.dead = True
        self._answer({"id": "c", "choices": []})

    def _answer(self, value: dict[str, Any]) -> None:
        if self.server.dead:
            return  # and the connection closes
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - as the base class has it
        """Log nothing."""


@pytest.fixture
def fragile() -> Iterator[Fragile]:
    with Fragile() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def check(gonogo: Run, server: Fragile, stored: Path, *more: str) -> Result:
    return gonogo("check", server.url, *RULES, "--concurrency", 1, "--evidence", stored, *more)


def test_after_a_restart_only_what_was_not_sent_is_sent_and_the_killer_stays_found(
    gonogo: Run, fragile: Fragile, tmp_path: Path
) -> None:
    stored = tmp_path / "e.jsonl"
    lost = check(gonogo, fragile, stored)
    before = evidence.read(stored)
    with stored.open("a") as file:
        file.write('{"id": "x99", "stim')  # as after a crash
    fragile.dead = False
    fragile.bodies.clear()
    resumed = check(gonogo, fragile, stored, "--resume")
    after = evidence.read(stored)
    sent = [e.stimulus for e in after.exchanges[len(before.exchanges) :]]

    killer = next(e.id for e in before.exchanges if e.stimulus == KILLER_KEY)
    assert f"restart it and add --resume ({killer})" in lost.stdout
    assert before.unsent
    assert set(before.unsent) == {k for k, why in before.unsent.items() if why.about == (killer,)}
    assert [e.id for e in after.exchanges[: len(before.exchanges)]] == [e.id for e in before.exchanges]
    assert set(before.unsent) <= set(sent)
    assert not any(KILLER in body for body in fragile.bodies)
    assert not set(sent) & {e.stimulus for e in before.exchanges if e.stimulus.startswith(("GET", "POST"))}
    assert len({e.id for e in after.exchanges}) == len(after.exchanges)
    assert (after.unsent, after.truncated, after.started) == ({}, False, before.started)
    assert resumed.exit_code == 1
    assert "  rules     http.survives, " in resumed.stdout
    assert f"after {KILLER_KEY}" in resumed.stdout
    again = gonogo("judge", stored, *RULES)
    assert again.stdout.splitlines()[-1].split(";")[0] == resumed.stdout.splitlines()[-1].split(";")[0]


def test_requests_that_reached_no_server_are_sent_again_and_later_signs_of_life_dropped(
    gonogo: Run, fragile: Fragile, tmp_path: Path
) -> None:
    stored = tmp_path / "e.jsonl"
    check(gonogo, fragile, stored)
    record = evidence.read(stored)
    nobody = Failure(FailureKind.CONNECT, 0.0, "Connection refused")
    alone = replace(
        record, exchanges=tuple(replace(e, failure=nobody) for e in record.exchanges if "warm" in e.stimulus)
    )

    assert {e.stimulus for e in alone.exchanges} == {KILLER_KEY, f"alive after {KILLER_KEY}"}
    assert known_of(held(alone)) == {}
    assert known_of(held(record)).keys() >= {KILLER_KEY, f"alive after {KILLER_KEY}"}


def test_timed_out_requests_are_sent_again_unless_they_may_have_stopped_the_target(
    gonogo: Run, fragile: Fragile, tmp_path: Path
) -> None:
    stored = tmp_path / "e.jsonl"
    check(gonogo, fragile, stored)
    record = evidence.read(stored)
    late = Failure(FailureKind.TIMEOUT, 1.0, "no complete answer within 1 s")
    slow = replace(record, exchanges=tuple(replace(e, failure=late) for e in record.exchanges))

    assert known_of(held(slow)).keys() == {KILLER_KEY, f"alive after {KILLER_KEY}"}
    assert known_of(held(replace(slow, unsent={}))) == {}
    late_id = next(e.id for e in record.exchanges if e.stimulus == KILLER_KEY)
    built_on_it = {"POST /chat/completions built on it": Because(Reason.NOT_WHOLE, about=(late_id,))}
    assert known_of(held(replace(slow, unsent=built_on_it))) == {}


def test_extra_fields_are_sent_noted_and_needed_again(gonogo: Run, fragile: Fragile, tmp_path: Path) -> None:
    stored, report = tmp_path / "e.jsonl", tmp_path / "r.json"
    check(gonogo, fragile, stored, "--extra-body", '{"think": false}', "--json", str(report))
    other = check(gonogo, fragile, stored, "--resume")

    assert fragile.bodies
    assert all(b'"think": false' in body for body in fragile.bodies)
    assert evidence.read(stored).extra_body == {"think": False}
    assert json.loads(report.read_bytes())["extra_body"] == {"think": False}
    assert (other.exit_code, other.stderr.count("\n")) == (2, 1)
    assert "--resume needs the same --extra-body as the evidence file" in other.stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"base_url": "http://127.0.0.1:1/v1"}, "the target is http://127.0.0.1:1/v1, here "),
        ({"model": "other"}, "the model is other, here m."),
        ({"embedding_model": "e"}, "the embedding model is e, here none."),
    ],
)
def test_evidence_of_another_target_or_model_is_refused_and_kept(
    gonogo: Run, fragile: Fragile, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    stored = tmp_path / "e.jsonl"
    evidence.write(stored, evidence.Record(replace(evidence.Target(fragile.url, "m"), **changed), "2026", ()))
    held = stored.read_bytes()
    result = check(gonogo, fragile, stored, "--resume")

    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert said in result.stderr
    assert stored.read_bytes() == held


def test_a_file_that_is_missing_or_not_named_is_one_sentence(
    gonogo: Run, fragile: Fragile, tmp_path: Path
) -> None:
    missing = check(gonogo, fragile, tmp_path / "none.jsonl", "--resume")
    unnamed = gonogo("check", fragile.url, "--resume")

    assert (missing.exit_code, unnamed.exit_code) == (2, 2)
    assert ": No such file or directory." in missing.stderr
    assert unnamed.stderr.startswith("--resume continues a run: give its evidence file with --evidence")
