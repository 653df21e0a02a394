"""The command repeats the recorded request: verified by running it."""

from __future__ import annotations

import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from gonogo.exchange import Request
from gonogo.redaction import WRONG_KEY
from gonogo.report.curl import curl

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = (("content-type", "application/json"),)

needs_curl = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("bash")), reason="curl and bash are not on this machine"
)


class Listener(ThreadingHTTPServer):
    """Records the requests that it receives."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, self.path, headers, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_HEAD = handle_any  # noqa: N815 - names of the standard library

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def send(request: Request, listener: Listener, **environment: str) -> tuple[str, str, dict[str, str], bytes]:
    command = curl(request, f"http://127.0.0.1:{listener.server_port}/v1")
    path = "/usr/bin:/bin:/usr/local/bin"
    subprocess.run(
        ["bash", "-c", command],
        check=True,
        capture_output=True,
        timeout=30,
        env={"PATH": path, **environment},
    )
    return listener.seen[-1]


@needs_curl
@pytest.mark.parametrize(
    "body",
    [
        b'{"content": "plain"}',
        b'{"content": "it\'s $HOME, `id` and !1 \\n \\u00e9"}',
        '{"content": "é 漢 🙂"}'.encode(),
        b"line\r\nline\ttab\\",
        b"\xff\xfe not UTF-8 '",
        b"a\0b%s",
        b"@/etc/hostname",
        "\u2028 and \x9b".encode(),
    ],
)
def test_every_body_arrives_byte_for_byte(listener: Listener, body: bytes) -> None:
    assert send(Request("POST", "/chat/completions", JSON, body), listener)[3] == body


@needs_curl
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/models"),
        ("HEAD", "/models"),
        ("PUT", "/chat/completions"),
        ("GET", "/models/a%2Fb"),
        ("GET", "/models/../x"),
        ("GET", "/models/[a]{b,c}"),
        ("POST", "/x'y"),
    ],
)
def test_method_and_path_arrive_as_they_were(listener: Listener, method: str, path: str) -> None:
    seen = send(Request(method, path), listener)

    assert seen[:2] == (method, "/v1" + path)


@needs_curl
def test_headers_arrive_and_none_is_added_to_a_body_without_a_type(listener: Listener) -> None:
    headers = (("x-odd", "it's"), ("accept", "text/plain"), ("user-agent", "gonogo/0"), ("host", "other"))
    _, _, seen, _ = send(Request("POST", "/x", headers, b"{}"), listener)

    assert (seen["x-odd"], seen["accept"]) == ("it's", "text/plain")
    assert "content-type" not in seen
    assert seen["host"].startswith("127.0.0.1")


@needs_curl
@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({"GONOGO_API_KEY": "ours"}, "ours"),
        ({"OPENAI_API_KEY": "theirs"}, "theirs"),
        ({"GONOGO_API_KEY": "ours", "OPENAI_API_KEY": "theirs"}, "ours"),
    ],
)
def test_a_key_is_read_where_the_command_runs(
    listener: Listener, environment: dict[str, str], key: str
) -> None:
    request = Request("GET", "/models", (("authorization", "[redacted]"),))

    assert "redacted" not in curl(request, "http://h")
    assert send(request, listener, **environment)[2]["authorization"] == f"Bearer {key}"


def test_a_key_that_is_wrong_on_purpose_is_sent_as_it_was() -> None:
    command = curl(Request("GET", "/models", (("authorization", WRONG_KEY),)), "http://h")

    assert command.endswith(f" -H 'Authorization: {WRONG_KEY}'")


def test_a_plain_request_makes_a_plain_command() -> None:
    request = Request("GET", "/models", (("accept", "*/*"), ("accept-encoding", "identity")))

    assert curl(request, "http://127.0.0.1:8000/v1/") == "curl -sS -i http://127.0.0.1:8000/v1/models"


def test_a_streamed_request_is_shown_as_it_arrives() -> None:
    command = curl(Request("POST", "/chat/completions", JSON, b'{"stream": true}'), "http://h/v1")

    assert command.startswith("curl -sS -i -N http://h/v1/chat/completions ")


def test_the_command_is_one_printable_line_for_any_body() -> None:
    every_byte = bytes(range(256))

    for body in (every_byte, every_byte[1:], "\n\u2028\x85".encode()):
        assert curl(Request("POST", "/x", JSON, body), "http://h").isprintable()


def test_a_query_of_the_base_url_is_appended_and_a_redacted_header_is_a_variable() -> None:
    request = Request("GET", "/models", (("api-key", "[redacted]"), ("x-title", "a b")))
    assert curl(request, "https://h/v1/?api-version=1") == (
        "curl -sS -i 'https://h/v1/models?api-version=1' -H \"api-key: $API_KEY\" -H 'x-title: a b'"
    )


def test_a_key_that_the_suite_sends_in_a_header_of_its_own_is_that_of_the_run() -> None:
    request = Request("GET", "/models", (("x-api-key", "[redacted]"),))
    assert curl(request, "http://h/v1") == (
        'curl -sS -i http://h/v1/models -H "x-api-key: ${GONOGO_API_KEY:-$OPENAI_API_KEY}"'
    )


@pytest.mark.parametrize("half", [0xD800, 0xDC80])
def test_half_a_surrogate_in_stored_evidence_makes_a_command_too(half: int) -> None:
    command = curl(Request("GET", f"/{chr(half)}", ()), f"http://127.0.0.1/{chr(half)}")

    assert command.isascii()
    assert command.startswith("curl -sS -i $'http://127.0.0.1/")
