"""Events of the machine: kills, full disks, closed streams, two servers on one port, IPv6, small stacks."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FORM = {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc and /dev/full are Linux's")


@contextmanager
def served(*options: str, before: str = "", after: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server on the scripted engine, and its base URL; `before` and `after` are parts of the shell command."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GONOGO_SERVER_")}
    words = [sys.executable, "-m", "gonogo_server", "--engine", "scripted", "--port", "0", *options]
    command = f"{before} exec {' '.join(words)} {after}"
    with subprocess.Popen(
        command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        try:
            assert process.stdout is not None
            yield process, next(line.split()[-1] for line in process.stdout if "listening on" in line)
        finally:
            process.kill()


def chat(base_url: str, **more: Any) -> httpx2.Response:  # noqa: ANN401 - JSON
    body = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 64} | more
    return httpx2.post(f"{base_url}/chat/completions", json=body, timeout=PATIENCE)


def accepts(port: int) -> bool:
    with closing(socket.socket()) as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def ended(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE)


@LINUX
def test_killed_in_a_stream_it_leaves_no_process_behind_and_its_port_can_be_had_again() -> None:
    with served() as (process, base_url):
        assert chat(base_url, **FORM).status_code == 200
        threads = Path(f"/proc/{process.pid}/task").iterdir()
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
        handles = [os.pidfd_open(int(child)) for child in children]
        endless = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        lines: list[str] = []
        with httpx2.stream("POST", f"{base_url}/chat/completions", json=endless | {"n": 64}) as response:
            told = response.iter_lines()
            lines.append(next(told))
            process.kill()
            with pytest.raises(httpx2.HTTPError):
                lines.extend(told)
        assert "data: [DONE]" not in lines
        assert children
        for handle in handles:  # readable after the process has ended
            assert select.select([handle], [], [], PATIENCE)[0]
            os.close(handle)
        port = base_url.split(":")[-1].partition("/")[0]
    with served("--port", port) as (again, same):
        assert (same, chat(same).status_code) == (base_url, 200)
        assert ended(again) == 0


@LINUX
@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_full_disk_below_its_log_stops_nothing(log_format: str) -> None:
    with served("--log-format", log_format, after="2>/dev/full") as (process, base_url):
        assert [chat(base_url).status_code, chat(base_url, **FORM).status_code] == [200, 200]
        assert chat(base_url, model="none").status_code == 404
        assert ended(process) == 0


@LINUX
@pytest.mark.parametrize("streams", [">/dev/full", ">&-", ">&- 2>&-", ">/dev/full 2>/dev/full"])
def test_it_serves_even_if_its_output_cannot_be_written(streams: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # nothing prints the port of the server
    command = f"exec {sys.executable} -m gonogo_server --engine scripted --port {port} {streams}"
    with subprocess.Popen(
        command, shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            while not accepts(port):
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.1)
            assert chat(f"http://127.0.0.1:{port}/v1", **FORM).status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def test_of_two_on_one_port_the_second_is_one_sentence_and_the_first_goes_on() -> None:
    with served() as (process, base_url):
        port = base_url.split(":")[-1].partition("/")[0]
        second = subprocess.run(
            [sys.executable, "-m", "gonogo_server", "--engine", "scripted", "--port", port],
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert (second.returncode, second.stdout, second.stderr.count("\n")) == (2, "", 1)
        assert f"Cannot listen on 127.0.0.1 port {port}: Address already in use." in second.stderr
        assert chat(base_url).status_code == 200
        assert ended(process) == 0


@pytest.mark.parametrize("host", ["::1", "::"])
def test_it_serves_ipv6_under_the_url_that_it_tells(host: str) -> None:
    with served("--host", host, "--insecure") as (process, base_url):
        assert base_url.startswith("http://[::1]:")
        assert chat(base_url).status_code == 200
        assert ended(process) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="ulimit is the shell's")
def test_a_small_stack_of_the_system_bounds_no_schema() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(20):
        schema = {
            "type": "object",
            "properties": {"a": schema},
            "required": ["a"],
            "additionalProperties": False,
        }
    form = {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}
    with served(before="ulimit -s 256;") as (process, base_url):
        answer = chat(base_url, **form, max_tokens=400)
        assert answer.status_code == 200, answer.text
        assert json.loads(answer.json()["choices"][0]["message"]["content"])
        assert ended(process) == 0
