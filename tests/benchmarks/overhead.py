# ruff: noqa: T201 - a script: it prints
"""What HTTP and server-sent events cost for each token: the scripted engine, which computes nothing, on one core.

uv run python tests/benchmarks/overhead.py [--tokens N] [--rounds N]

Prints chunks a second out of the application (ASGI, without a socket) and over a socket of this machine, for one
answer and for eight at once, and what a socket alone takes for as many small writes: the limit of any server that sends
each token when it is there.
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
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = """
import os, socket, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from gonogo_server.operations import logs
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.serve import Server
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
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from gonogo_server.operations import logs
from gonogo_server.app import create_app
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.settings import read
logs.configure("off")
length = int(sys.argv[1])
app = create_app(ScriptedEngine(answer="x" * length, context_length=2 * length + 100), read({"log_format": "off"}))
async def ask(n):
    body = {"model": "scripted", "stream": True, "n": n, "max_tokens": length // n,
            "messages": [{"role": "user", "content": "Hi"}]}
    scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "POST",
             "path": "/v1/chat/completions", "raw_path": b"", "query_string": b"", "scheme": "http", "root_path": "",
             "headers": [(b"content-type", b"application/json")], "client": ("c", 1), "server": ("s", 1)}
    left = [{"type": "http.request", "body": json.dumps(body).encode()}]
    async def receive():
        return left.pop() if left else await asyncio.Event().wait()
    count = 0
    async def send(message):
        nonlocal count
        count += message["type"] == "http.response.body"
    begun = time.perf_counter()
    await app(scope, receive, send)
    print(f"application alone, {n} at once: {count / (time.perf_counter() - begun):,.0f} chunks a second")
for n in (1, 8):
    asyncio.run(ask(n))
"""


def main() -> int:
    """Measure and print."""
    options = _options()
    _socket_alone(options.tokens)
    done = subprocess.run(
        [sys.executable, "-c", APPLICATION, str(options.tokens)], check=True, capture_output=True, text=True
    )
    print(done.stdout, end="")
    with _server(options.tokens) as url:
        for choices in (1, 8):
            rates = [_rate(url, options.tokens // choices, choices) for _ in range(options.rounds)]
            print(
                f"{choices} at once: {median(rates):,.0f} chunks a second"
                f" ({min(rates):,.0f} to {max(rates):,.0f})"
            )
    return 0


def _socket_alone(count: int) -> None:
    """Writes of the size of a chunk, read by another thread."""
    ours, theirs = socket.socketpair()
    data = b"x" * 200

    def read() -> None:
        while theirs.recv(1 << 16):
            pass

    reader = threading.Thread(target=read)
    reader.start()
    begun = perf_counter()
    for _ in range(count):
        ours.send(data)
    seconds = perf_counter() - begun
    ours.close()
    reader.join()
    print(f"a socket alone: {count / seconds:,.0f} writes a second")


def _rate(url: str, tokens: int, choices: int) -> float:
    body = {
        "model": "scripted",
        "stream": True,
        "n": choices,
        "max_tokens": tokens,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    request = Request(
        f"{url}/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    begun, count = perf_counter(), 0
    with urlopen(request, timeout=600) as response:
        while part := response.read1(1 << 16):
            count += part.count(b"data: ")
    return count / (perf_counter() - begun)


@contextmanager
def _server(tokens: int) -> Iterator[str]:
    # The other core is the client's.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(tokens)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield next(line.split()[-1] for line in process.stdout if "listening on" in line)
    finally:
        process.terminate()
        process.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
