# ruff: noqa: T201 - a script: it prints
"""The cost of HTTP and server-sent events per token: the scripted engine, which computes nothing, on one core.

uv run python tests/benchmarks/overhead.py [--tokens N] [--rounds N]

Prints, for one answer and for eight at once, chunks per second from the application (ASGI, without a socket), of bare
writes to a socket, as many as the server makes, and over a local socket. Those bare writes are the limit for a server
that sends each token as soon as it is available. The rates are medians of alternating rounds: by wall time, and by the
server's processor time, which other processes of the machine hardly affect: the capacity of one core. Then it prints
how the time per chunk is divided, and what limits it. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

CORES: Final = sorted(os.sched_getaffinity(0))
SERVERS, CLIENTS = CORES[0], CORES[-1]
ANSWERS: Final = (1, 8)
"""Choices that are generated at once, in one request."""
TARGET: Final = 25_000
"""Chunks per second."""
EVENT: Final = b"data: "
CHUNK: Final = b"x" * 210
"""Bytes of a token's event, including its framing."""

SERVER = """
import os, socket, sys
os.sched_setaffinity(0, {int(sys.argv[2])})
from gonogo_server.operations import logs
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.http_server import Server
from gonogo_server.settings import read
logs.configure("off")
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
length = int(sys.argv[1])
engine = ScriptedEngine(answer="x" * length, context_length=2 * length + 100)
Server(engine, read({"port": 0, "log_format": "off"})).run(sockets=[listener])
"""


APPLICATION = """
import asyncio, json, os, sys, time
os.sched_setaffinity(0, {int(sys.argv[2])})
from gonogo_server.operations import logs
from gonogo_server.compose import application
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.settings import read
logs.configure("off")
body = sys.argv[3].encode()
length = 2 * int(sys.argv[1])
app = application(ScriptedEngine(answer="x" * length, context_length=2 * length + 100), read({"log_format": "off"}))
scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "POST",
         "path": "/v1/chat/completions", "raw_path": b"", "query_string": b"", "scheme": "http", "root_path": "",
         "headers": [(b"content-type", b"application/json")], "client": ("c", 1), "server": ("s", 1)}
async def receive():
    return left.pop() if left else await asyncio.Event().wait()
async def send(message):
    global chunks, writes
    chunks += message.get("body", b"").count(b"data: ")
    writes += 1
for _ in range(2):  # the first warms up, as the server is warm
    left = [{"type": "http.request", "body": body}]
    chunks = writes = 0
    begun, worked = time.perf_counter(), time.process_time()
    asyncio.run(app(scope, receive, send))
print(json.dumps([chunks, time.perf_counter() - begun, time.process_time() - worked, writes]))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """Chunks, and the seconds that they took: wall time and processor time."""

    chunks: int
    seconds: float
    processor: float
    writes: int = 0

    @property
    def rate(self) -> float:
        """Chunks per second of wall time."""
        return self.chunks / self.seconds

    @property
    def cost(self) -> float:
        """Processor time per chunk in microseconds."""
        return self.processor / self.chunks * 1e6


def main() -> int:
    """Measure and print."""
    options = _options()
    with _server(options.tokens) as (process, address):
        os.sched_setaffinity(0, {CLIENTS})
        _round(process, address, options.tokens, 1)  # warm-up
        for answers in ANSWERS:
            runs = [_round(process, address, options.tokens, answers) for _ in range(options.rounds)]
            _report(answers, *zip(*runs, strict=True))
    return 0


def _round(
    process: subprocess.Popen[str], address: tuple[str, int], tokens: int, answers: int
) -> tuple[Run, Run, Run]:
    body = json.dumps(
        {
            "model": "scripted",
            "stream": True,
            "n": answers,
            "max_tokens": tokens // answers,
            "messages": [{"role": "user", "content": "Hi"}],
        }
    )
    application = _application(body, tokens)
    written = _writes(application.writes, application.chunks)
    return application, written, _over_socket(process, address, body.encode())


def _application(body: str, tokens: int) -> Run:
    command = [sys.executable, "-c", APPLICATION, str(tokens), str(SERVERS), body]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Run(*json.loads(done.stdout))


def _writes(writes: int, chunks: int) -> Run:
    """`writes` writes of `chunks` chunks in total, read by another thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as the server's
    data = CHUNK * max(1, round(chunks / writes))

    def read() -> None:
        os.sched_setaffinity(0, {SERVERS})  # of this thread only
        while theirs.recv(1 << 16):
            pass

    reader = threading.Thread(target=read)
    reader.start()
    begun, worked = perf_counter(), thread_time()
    for _ in range(writes):
        ours.sendall(data)
    run = Run(chunks, perf_counter() - begun, thread_time() - worked, writes)
    ours.close()
    reader.join()
    theirs.close()
    return run


def _over_socket(process: subprocess.Popen[str], address: tuple[str, int], body: bytes) -> Run:
    """One request from a client that only counts chunks."""
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
    head += f"content-length: {len(body)}\r\n"
    with socket.create_connection(address) as connection:
        begun, worked = perf_counter(), _processor_seconds(process)
        connection.sendall(f"{head}content-type: application/json\r\n\r\n".encode() + body)
        chunks, end = 0, b""
        while part := connection.recv(1 << 16):
            seen = end + part
            chunks += seen.count(EVENT)
            end = seen[1 - len(EVENT) :]
        return Run(chunks, perf_counter() - begun, _processor_seconds(process) - worked)


def _processor_seconds(process: subprocess.Popen[str]) -> float:
    """Its user and system time so far, in steps of 10 ms (proc_pid_stat(5), fields 14 and 15)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _report(
    answers: int, application: tuple[Run, ...], written: tuple[Run, ...], served: tuple[Run, ...]
) -> None:
    print(f"{answers} at once")
    kinds = {"application alone": application, "bare writes": written, "over a socket": served}
    costs = {name: median(run.cost for run in runs) for name, runs in kinds.items()}
    for name, runs in kinds.items():
        rates = [run.rate for run in runs]
        print(
            f"  {name:<17}  {median(rates):>9,.0f} chunks a second ({min(rates):,.0f} to {max(rates):,.0f}),"
            f" {1e6 / costs[name]:>9,.0f} a second of processor time"
        )
    total = costs["over a socket"]
    parts = {"the application": costs["application alone"], "the writes": costs["bare writes"]}
    parts["the connection and the event loop"] = total - sum(parts.values())
    print(f"  of {total:.1f} us for a chunk: " + ", ".join(f"{name} {us:.1f}" for name, us in parts.items()))
    print(f"  over a socket at {costs['application alone'] / total:.2f} of the application alone")
    limit = max(parts, key=lambda name: parts[name])
    print(f"  {1e6 / total / TARGET:.1f} times the target of {TARGET:,}; the limit is {limit}")


@contextmanager
def _server(tokens: int) -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tokens), str(SERVERS)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        url = urlsplit(next(line.split()[-1] for line in process.stdout if "listening on" in line))
        yield process, (str(url.hostname), url.port or 0)
    finally:
        process.terminate()
        process.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
