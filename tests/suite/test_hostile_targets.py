"""No target and no file causes a traceback, and none of their texts can act in a terminal or in a CI log."""

from __future__ import annotations

import json
import re
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from gonogo import evidence
from gonogo.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTS = (
    "\x1b[31m\x9b2J\u202ebidi\u2066\r\n::error::pwned\n##[error]pwned ##vso[task.complete]\n\x07\x1b]0;t\x07"
)
"""Control sequences of terminals, and texts that CI runners take for commands, at the start of a line and anywhere."""

MODELS = b'{"object":"list","data":[{"id":"m","object":"model","created":1,"owned_by":"x"}]}'
DEEP = b"[" * 100_000 + b"]" * 100_000


def listing(model: str) -> bytes:
    return MODELS.replace(b'"m"', json.dumps(model).encode())


def completion(text: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": text}
    return json.dumps(
        {"id": text, "object": "chat.completion", "created": 1, "model": text, "choices": [choice]}
    ).encode()


def response(body: bytes, status: str = "200 OK", head: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s" % (
        status.encode(),
        head,
        len(body),
        body,
    )


def error(text: str) -> bytes:
    return json.dumps({"error": {"message": text, "type": text, "param": text, "code": text}}).encode()


TARGETS: dict[str, tuple[bytes, bytes]] = {
    "ids with half surrogates": (response(listing("m\ud800")), response(completion("\udc00"))),
    "answers with half surrogates": (response(MODELS), response(completion("\udc00"))),
    "lists nested 100,000 deep": (response(DEEP), response(DEEP)),
    "models that are nested 100,000 deep": (response(b'{"data":%s}' % DEEP), response(b"{}")),
    "answers nested 100,000 deep": (response(MODELS), response(DEEP)),
    "numbers of 100,000 digits": (response(MODELS), response(b"1" * 100_000)),
    "models that are null": (response(b'{"data":null}'), response(b"null")),
    "models that are numbers": (response(b'{"data":[1,{"id":2},null]}'), response(b"5")),
    "an id that acts": (response(listing(ACTS)), response(error(ACTS), "404 X")),
    "answers that act": (response(listing(ACTS)), response(completion(ACTS))),
    "errors that act": (response(MODELS), response(error(ACTS), "400 Bad")),
    "failures that act": (response(MODELS), response(ACTS.encode(), "500 X", b"x-request-id: a\x1b[31m\r\n")),
    "a head that acts": (response(MODELS), b"HTTP/1.1 200 OK\r\n\x1b[31m::error::x\r\n\r\n"),
    "no HTTP at all": (b"::error::x\x1b[31m\r\n\r\n", b"##[error]x\r\n\r\n"),
}


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Iterator[str]:
    """The base URL of a server with one answer to GET, and another to POST."""
    of_get, of_post = TARGETS[request.param]

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline()
            length = 0
            while header := self.rfile.readline().strip().lower():
                if header.startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            self.rfile.read(min(length, 2**20))
            self.wfile.write(of_get if line.startswith(b"GET") else of_post)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()


class Ran:
    """Run the command line as its script does, so that an internal error would print its traceback."""

    def __init__(self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capfd, self._monkeypatch = capfd, monkeypatch

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self._monkeypatch.setattr("sys.argv", ["gonogo", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = self._capfd.readouterr()
        return int(left.value.code or 0), out, err


@pytest.fixture
def ran(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ran:
    for variable in ("GONOGO_API_KEY", "OPENAI_API_KEY", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)
    return Ran(capfd, monkeypatch)


def acts(text: str) -> list[str]:
    """The parts of a text that would control a terminal or a CI run."""
    unprintable = [character for character in text if not character.isprintable() and character != "\n"]
    return unprintable + re.findall(r"(?m)^\s*::\w+|##\w*\[", text)


FEW = ("--only", "chat.message", "--only", "models", "--only", "http.survives", "--timeout", "20")


@pytest.mark.parametrize("target", TARGETS, indirect=True)
@pytest.mark.parametrize("named", [False, True], ids=["", "with a model named"])
def test_no_target_makes_a_traceback_and_none_of_its_text_acts(
    target: str, ran: Ran, tmp_path: Path, *, named: bool
) -> None:
    stored, report = tmp_path / "e.jsonl", tmp_path / "r.json"
    chosen = ("--model", "m") if named else ()
    status, out, err = ran("check", target, *FEW, *chosen, "-v", "--evidence", stored, "--json", report)

    assert status in {0, 1, 2}
    assert "Traceback" not in err
    assert "Internal error in gonogo" not in err
    assert acts(out) == acts(err) == []
    if status == 2:
        assert err.count("\n") == 1
        return
    again, told, err = ran("judge", stored, "--only", "chat", "--only", "models", "-v")
    assert (again in {0, 1}, err, acts(told)) == (True, "", [])


def edited(stored: Path, **target: Any) -> Path:  # noqa: ANN401 - JSON
    """The file with another target in its header."""
    head, *lines = stored.read_text().splitlines()
    header = json.loads(head)
    header["target"] |= target
    path = stored.with_name("edited.jsonl")
    path.write_text("\n".join([json.dumps(header), *lines]) + "\n")
    return path


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://[bad]/v1",
        "",
        "http://h]/v1",
        "http://h:99999999/v1",
        "not a URL",
        "//",
        ACTS,
        "\0",
    ],
)
def test_evidence_with_an_invalid_url_is_judged(
    ran: Ran, broken_evidence: Path, tmp_path: Path, url: str
) -> None:
    stored = edited(broken_evidence, base_url=url)
    files = {name: tmp_path / f"r.{name}" for name in ("json", "junit", "sarif", "markdown")}
    options = [word for name, path in files.items() for word in (f"--{name}", path)]
    status, out, err = ran("judge", stored, "--only", "chat.stream.done", *options)

    assert (status, err, acts(out)) == (1, "", [])
    assert json.loads(files["json"].read_bytes())["target"]["base_url"] == url
    assert json.loads(files["sarif"].read_bytes())["runs"]
    assert ET.fromstring(files["junit"].read_bytes()) is not None


@pytest.mark.parametrize("line", [DEEP, b"\xff", b'"\\ud800"', b"1" * 100_000, b"null", b"[]"])
def test_invalid_evidence_is_one_sentence(
    ran: Ran, clean_evidence: Path, tmp_path: Path, line: bytes
) -> None:
    stored = tmp_path / "e.jsonl"
    for text in (line + b"\n", clean_evidence.read_bytes() + line + b"\n"):
        stored.write_bytes(text)
        status, out, err = ran("judge", stored)
        assert (status, out, err.count("\n"), "Traceback" in err) == (2, "", 1, False)


FULL = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="only Linux has a device that is always full"
)


@FULL
def test_a_report_that_finds_no_room_keeps_no_other_from_being_written(
    ran: Ran, broken_evidence: Path, tmp_path: Path
) -> None:
    full, whole = "/dev/full", tmp_path / "r.md"
    status, out, err = ran("judge", broken_evidence, "--json", full, "--junit", full, "--markdown", whole)

    assert status == 2
    assert err == " ".join(["Cannot write /dev/full: No space left on device."] * 2) + "\n"
    assert out.splitlines()[-1].startswith("NO-GO")
    assert "NO-GO" in whole.read_text()


@FULL
def test_the_reports_of_a_check_are_written_apart_from_each_other(
    ran: Ran, reference_url: str, tmp_path: Path
) -> None:
    stored, whole = tmp_path / "e.jsonl", tmp_path / "r.json"
    few = ("--only", "chat.stream.done")
    status, out, err = ran(
        "check", reference_url, *few, "--evidence", stored, "--sarif", "/dev/full", "--json", whole
    )

    assert (status, err) == (2, "Cannot write /dev/full: No space left on device.\n")
    assert out.splitlines()[-1].startswith("GO ")
    assert json.loads(whole.read_bytes())["verdict"] == "go"
    assert evidence.read(stored).exchanges


@FULL
@pytest.mark.parametrize(
    "command", [("rules",), ("judge", "{}"), ("judge", "{}", "-q", "--only", "models"), ("--help",)]
)
def test_output_that_finds_no_room_is_one_sentence_and_no_verdict(
    clean_evidence: Path, command: tuple[str, ...]
) -> None:
    arguments = [word.format(clean_evidence) for word in command]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "gonogo", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 2
    assert ran.stderr == "Cannot write the output of gonogo: No space left on device.\n"
