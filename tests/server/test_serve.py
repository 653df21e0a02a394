"""`gonogo serve` as a process: its output, its exit codes, and its message if it cannot start."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx2
import pytest
from gonogo_server import serve
from gonogo_server.announce import base_url, to_try
from gonogo_server.engine.base import ModelCard
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.http_server import Server
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PATIENCE = 60.0
"""Seconds after which a hanging process is killed; no test waits for this limit."""

SCRIPTED = ("--engine", "scripted", "--port", "0", "--log-format", "off")
ASK = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(autouse=True)
def without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset the settings of the machine that runs the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GONOGO_SERVER_{name.upper()}", raising=False)


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The server as a process, and its output up to the line with the address."""
    command = [sys.executable, "-m", "gonogo_server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, list(until_listening(process.stdout))
        finally:
            process.kill()


def until_listening(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line.rstrip("\n")
        if "listening" in line:
            return


@pytest.mark.usefixtures("measured_processes")
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_answers_and_stops_on_a_signal(stop: signal.Signals) -> None:
    with serving(*SCRIPTED, "--model", "scripted", "--model", "org/other") as (process, said):
        assert said[:2] == [
            "gonogo serve: serving scripted (chat, 4096 tokens of context)",
            "gonogo serve: serving org/other (chat, 4096 tokens of context)",
        ]
        address = re.fullmatch(r"gonogo serve: listening on (http://127\.0\.0\.1:\d+/v1)", said[-1])
        assert address
        answer = httpx2.post(f"{address[1]}/chat/completions", json=ASK)
        assert answer.json()["choices"][0]["message"]["role"] == "assistant"
        process.send_signal(stop)
        rest, errors = process.communicate(timeout=PATIENCE)
        assert (process.returncode, rest, errors) == (0, "", "")


@pytest.mark.parametrize("key", [None, "sesame"])
def test_the_line_to_try_is_a_command_that_works(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if key is not None:
        monkeypatch.setenv("GONOGO_SERVER_API_KEY", key)
    with serving(*SCRIPTED) as (_, said):
        [command] = [
            line.removeprefix("gonogo serve: try: ")
            for line in said
            if line.startswith("gonogo serve: try: ")
        ]
        assert command.startswith("curl -N http://127.0.0.1:")
        answered = subprocess.run(
            command, shell=True, check=True, capture_output=True, text=True, timeout=PATIENCE
        )
        assert answered.stdout.endswith("data: [DONE]\n\n")


def test_without_a_model_for_chat_the_line_to_try_asks_for_a_vector() -> None:
    card = ModelCard("org/vectors", "embedding", 256, created=0)
    assert to_try([card], "http://127.0.0.1:1/v1", with_key=False) == (
        "curl -N http://127.0.0.1:1/v1/embeddings -H 'Content-Type: application/json'"
        """ -d '{"model": "org/vectors", "input": "Hello!"}'"""
    )


def test_a_port_in_use_is_one_sentence_and_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve.main(["--engine", "scripted", "--port", str(port)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        f"gonogo serve: Cannot listen on 127.0.0.1 port {port}: Address already in use."
        " Choose another address with --host and --port (0 picks a free port).\n"
    )


def test_a_setting_that_is_not_usable_is_one_sentence_and_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.main(["--port", "99999"]) == 2
    assert capsys.readouterr().err.startswith("gonogo serve: The setting 'port' is invalid: ")


def test_a_variable_that_is_not_usable_is_one_sentence_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONOGO_SERVER_ENGINE", "steam")
    assert serve.main([]) == 2
    assert "'engine'" in capsys.readouterr().err


def test_an_unknown_option_is_an_error_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        serve.main(["--fast"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        "gonogo serve: unrecognized arguments: --fast. gonogo serve --help lists the options.\n"
    )


def test_an_option_with_a_typo_is_reported_with_similar_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        serve.main(["--modle", "smollm2"])
    said = capsys.readouterr().err
    assert said.startswith("gonogo serve: unrecognized arguments: --modle smollm2. Did you mean --model")
    assert said.count("\n") == 1


@pytest.mark.parametrize("options", [["--api-key", "s3cret"], ["--api-key=s3cret"], ["--api-key"]])
def test_a_key_on_the_command_line_is_refused_with_where_it_belongs(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        serve.main(["--port", "0", *options])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "set GONOGO_SERVER_API_KEY instead." in said
    assert "s3cret" not in said


def test_options_win_over_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_SERVER_PORT", "1")
    monkeypatch.setenv("GONOGO_SERVER_HOST", "::1")
    served = []
    monkeypatch.setattr(serve, "run", lambda settings: served.append(settings) or 0)
    assert serve.main(["--port", "2", "--model", "a", "--model", "b/c"]) == 0
    assert (served[0].port, served[0].host, served[0].models) == (2, "::1", ("a", "b/c"))


def test_variables_hold_several_names_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_SERVER_MODELS", "a, b/c,")
    monkeypatch.setenv("GONOGO_SERVER_CORS_ORIGINS", "https://example.org")
    assert Settings().models == ("a", "b/c")
    assert Settings().cors_origins == ("https://example.org",)


def test_the_key_is_not_shown_where_settings_are() -> None:
    assert "s3cret" not in repr(Settings(api_key="s3cret"))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80/v1"),
        ("0.0.0.0", "http://127.0.0.1:80/v1"),
        ("::1", "http://[::1]:80/v1"),
        ("::", "http://[::1]:80/v1"),
        ("localhost", "http://localhost:80/v1"),
    ],
)
def test_the_printed_address_accepts_requests(host: str, url: str) -> None:
    assert base_url(host, 80) == url


def test_it_listens_on_ipv6_where_the_machine_has_it() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with serve._bind(Settings(host="::1", port=0)) as listener:
        assert listener.getsockname()[0] == "::1"


def test_it_runs_on_the_event_loop_of_python_also_where_uvloop_is_installed() -> None:
    assert Server(ScriptedEngine(), Settings()).config.loop == "asyncio"
