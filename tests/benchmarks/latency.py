# ruff: noqa: T201 - a script: it prints
"""How long `/health` waits while the server handles large requests: no request may block the others.

uv run python tests/benchmarks/latency.py [--engine mlx] [--only KIND…] [--target S]

Sends each kind of request alone, at the maximum size (8 MiB), and requests `/health` meanwhile. Prints the status of
the answer, its time, and the worst and the median latency of `/health`; exits with 1 if the worst exceeds the target.
The scripted engine measures the HTTP side alone, `--engine mlx` serves SmolLM2 and MiniLM.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZE: Final = 8 * 2**20 - 1024
"""Bytes of a body, with room for what surrounds the items."""
MODELS: Final = {"scripted": ("scripted", "vectors"), "mlx": ("smollm2", "minilm")}
"""The chat model and the embedding model."""
SERVER = """
import socket
from gonogo_server.operations import logs
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.http_server import Server
from gonogo_server.settings import read
logs.configure("off")
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
engine = ScriptedEngine(embedding_models=("vectors",), context_length=8192)
Server(engine, read({"port": 0, "log_format": "off"})).run(sockets=[listener])
"""


def message(number: int) -> str:
    """The shortest possible user message."""
    return json.dumps({"role": "user", "content": str(number % 10)})


def call(number: int) -> str:
    """An assistant's message that calls a function."""
    function = {"name": "f", "arguments": "{}"}
    calls = [{"id": f"c{number}", "type": "function", "function": function}]
    return json.dumps({"role": "assistant", "tool_calls": calls})


def result(number: int) -> str:
    """The result of the function."""
    return json.dumps({"role": "tool", "tool_call_id": f"c{number}", "content": "x"})


def function_call(number: int) -> str:
    """A call and its output, as items of a response."""
    called = {"type": "function_call", "call_id": f"c{number}", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": f"c{number}", "output": "x"}
    return f"{json.dumps(called)},{json.dumps(output)}"


def tool_use(number: int) -> str:
    """A call and its result, as two messages of Anthropic's API."""
    called = {"type": "tool_use", "id": f"c{number}", "name": "f", "input": {}}
    output = {"type": "tool_result", "tool_use_id": f"c{number}", "content": "x"}
    return ",".join(
        json.dumps({"role": role, "content": [block]})
        for role, block in (("assistant", called), ("user", output))
    )


def filled(around: str, item: Callable[[int], str], most: int | None = None) -> str:
    """A body with as many items as fit, or `most`, in place of `%s`."""
    items, size, number = [], len(around), 0
    while number != most and (size := size + len(made := item(number)) + 1) < SIZE:
        items.append(made)
        number += 1
    return around % ",".join(items)


def paragraph(_: int) -> str:
    """A message of the user of 250 bytes."""
    return '{"role":"user","content":"%s"}' % ("word " * 44)


CHAT: Final = '{"model":"CHAT","max_tokens":1,"messages":[%s]}'
USER: Final = '{"model":"CHAT","max_tokens":1,"messages":[{"role":"user","content":%s}]}'
PROMPT: Final = '{"model":"CHAT","max_tokens":1,"prompt":%s}'
INPUT: Final = '{"model":"VECTORS","input":%s}'
ITEMS: Final = '{"model":"CHAT","max_output_tokens":16,"input":[%s]}'
WORDS: Final = '"' + "word " * (SIZE // 5 - 50) + '"'
ONE_WORD: Final = '"' + "a" * (SIZE - 200) + '"'
BLANKS: Final = '"' + " " * (SIZE - 200) + '"'
CHATS, TEXTS, VECTORS = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
RESPONSES, MESSAGES = "/v1/responses", "/v1/messages"
INPUT_TOKENS, COUNT_TOKENS = "/v1/responses/input_tokens", "/v1/messages/count_tokens"
COUNTED: Final = '{"model":"CHAT","messages":[%s]}'
IGNORED: Final = '{"model":"CHAT","max_output_tokens":16,"input":"Hi","tools":[%s]}'

KINDS: Final[dict[str, tuple[str, str]]] = {
    "chat: 8 MiB of short messages": (CHATS, filled(CHAT, message)),
    "chat: 33,000 short messages": (CHATS, filled(CHAT, message, 33_000)),
    "chat: 6,600 tool results, a call each": (CHATS, filled(CHAT, lambda n: f"{call(n)},{result(n)}", 6_600)),
    "chat: 20,000 results of one call": (CHATS, filled(CHAT % f"{call(0)},%s", lambda _: result(0), 20_000)),
    "chat: 33,000 parts of text": (
        CHATS,
        filled(USER % "[%s]", lambda _: '{"type":"text","text":"x"}', 33_000),
    ),
    "chat: a text of 8 MiB": (CHATS, USER % WORDS),
    "chat: a word of 8 MiB": (CHATS, USER % ONE_WORD),
    "chat: 8 MiB of blanks": (CHATS, USER % BLANKS),
    "chat: 4,000 messages of 2 KiB": (
        CHATS,
        filled(CHAT, lambda _: '{"role":"user","content":"%s"}' % ("word " * 400), 4_000),
    ),
    "chat: 99,000 biases": (
        CHATS,
        filled(
            '{"model":"CHAT","messages":[{"role":"user","content":"x"}],"max_tokens":1,"logit_bias":{%s}}',
            lambda n: f'"{n}":1',
            99_000,
        ),
    ),
    "chat: an unknown object of 99,000 members": (
        CHATS,
        filled(
            '{"model":"CHAT","messages":[{"role":"user","content":"x"}],"x":{%s}}',
            lambda n: f'"{n}":1',
            99_000,
        ),
    ),
    "chat: the last of 33,000 messages is wrong": (
        CHATS,
        filled(CHAT % '%s,{"role":"user","content":1}', message, 33_000),
    ),
    "completions: a text of 8 MiB": (TEXTS, PROMPT % WORDS),
    "completions: 8 MiB of token ids": (TEXTS, filled(PROMPT % "[%s]", lambda _: "1")),
    "completions: 490,000 token ids": (TEXTS, filled(PROMPT % "[%s]", lambda _: "12", 490_000)),
    "completions: 2,000 texts": (TEXTS, filled(PROMPT % "[%s]", lambda _: '"%s"' % ("word " * 20), 2_000)),
    "completions: 8 MiB of empty arrays": (TEXTS, filled(PROMPT % "[%s]", lambda _: "[]")),
    "completions: 490,000 fractions": (TEXTS, filled(PROMPT % "[%s]", lambda _: "1.5", 490_000)),
    "completions: a number of 8 MiB": (TEXTS, PROMPT % ("1." + "1" * (SIZE - 200))),
    "embeddings: a text of 8 MiB": (VECTORS, INPUT % WORDS),
    "embeddings: a word of 8 MiB": (VECTORS, INPUT % ONE_WORD),
    "embeddings: 8 MiB of blanks": (VECTORS, INPUT % BLANKS),
    "embeddings: 2,048 texts": (VECTORS, filled(INPUT % "[%s]", lambda _: '"a b c"', 2048)),
    "embeddings: 299,000 token ids in 2,048 inputs": (
        VECTORS,
        filled(INPUT % "[%s]", lambda _: json.dumps([1000] * 146), 2048),
    ),
    "embeddings: 490,000 token ids in one": (VECTORS, filled(INPUT % "[%s]", lambda _: "12", 490_000)),
    "responses: a text of 8 MiB": (RESPONSES, (ITEMS % '{"role":"user","content":%s}') % WORDS),
    "responses: 33,000 short items": (RESPONSES, filled(ITEMS, message, 33_000)),
    "responses: 4,900 outputs, a call each": (
        RESPONSES,
        filled(ITEMS % f"{message(0)},%s", function_call, 4_900),
    ),
    "messages: a text of 8 MiB": (MESSAGES, USER % WORDS),
    "messages: 33,000 short messages": (MESSAGES, filled(CHAT, message, 33_000)),
    "messages: 4,900 results, a call each": (MESSAGES, filled(CHAT % f"{message(0)},%s", tool_use, 4_900)),
    "messages: 32,000 messages of one role": (MESSAGES, filled(CHAT, paragraph, 32_000)),
    "messages: the last of 33,000 messages is wrong": (
        MESSAGES,
        filled(CHAT % '%s,{"role":"user","content":1}', message, 33_000),
    ),
    "responses: 8 MiB of tools that are ignored": (
        RESPONSES,
        filled(IGNORED, lambda n: json.dumps({"type": f"t{n}", "text": "word " * 400}), 4_000),
    ),
    "input_tokens: 33,000 short items": (INPUT_TOKENS, filled(ITEMS, message, 33_000)),
    "count_tokens: 32,000 messages of one role": (COUNT_TOKENS, filled(COUNTED, paragraph, 32_000)),
}
"""The path and body of each kind."""
CHUNKED: Final = "chat: a body in chunks of a byte"


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer, and the latencies of `/health` meanwhile."""

    status: int
    said: str
    seconds: float
    healths: list[float]


def main() -> int:
    """Measure and print."""
    options = _options()
    chat, vectors = MODELS[options.engine]
    worst = 0.0
    with _server(options.engine) as address:
        _measure(address, "/v1/models", b"", "GET")  # warm-up
        for name in [*KINDS, CHUNKED]:
            if options.only and not any(part in name for part in options.only):
                continue
            path, body = KINDS.get(name, (CHATS, USER % ('"' + "x" * 2**20 + '"')))
            raw = body.replace("CHAT", chat, 1).replace("VECTORS", vectors, 1).encode()
            seen = _measure(
                address, path, _in_chunks(raw) if name == CHUNKED else raw, chunked=name == CHUNKED
            )
            worst = max(worst, *seen.healths)
            print(
                f"{name:<46} {len(raw) / 2**20:4.1f} MiB  {seen.status} {seen.said:<24} {seen.seconds:6.2f} s"
                f"   /health worst {max(seen.healths):.3f} s, median {median(seen.healths):.3f} s",
                flush=True,
            )
    print(f"worst of all {worst:.3f} s, target {options.target} s")
    return int(worst > options.target)


def _in_chunks(raw: bytes) -> bytes:
    return b"".join(b"1\r\n%c\r\n" % byte for byte in raw) + b"0\r\n\r\n"


def _measure(
    address: tuple[str, int], path: str, body: bytes, method: str = "POST", *, chunked: bool = False
) -> Seen:
    healths: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        connection = http.client.HTTPConnection(*address)
        while not (ended.is_set() and healths):
            begun = perf_counter()
            connection.request("GET", "/health")
            connection.getresponse().read()
            healths.append(perf_counter() - begun)
            ended.wait(0.005)
        connection.close()

    watching = threading.Thread(target=watch)
    watching.start()
    begun = perf_counter()
    connection = http.client.HTTPConnection(*address)
    connection.putrequest(method, path)
    connection.putheader("content-type", "application/json")
    connection.putheader(
        *(("transfer-encoding", "chunked") if chunked else ("content-length", str(len(body))))
    )
    connection.endheaders()
    connection.send(body)
    response = connection.getresponse()
    answered = response.read()
    seconds = perf_counter() - begun
    ended.set()
    watching.join()
    connection.close()
    error = json.loads(answered).get("error") or {}
    return Seen(response.status, str(error.get("code") or error.get("type") or ""), seconds, healths)


@contextmanager
def _server(engine: str) -> Iterator[tuple[str, int]]:
    options = ["-m", "gonogo_server", "--port", "0", "--log-format", "off"]
    options += [word for model in MODELS["mlx"] for word in ("--model", model)]
    command = [sys.executable, *(["-c", SERVER] if engine == "scripted" else options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = urlsplit(next(line.split()[-1] for line in process.stdout if "listening on" in line))
            yield str(url.hostname), url.port or 0
        finally:
            process.terminate()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=list(MODELS), default="scripted")
    parser.add_argument(
        "--only", nargs="*", metavar="KIND", help="kinds with one of these texts in their names"
    )
    parser.add_argument("--target", type=float, default=0.3, help="seconds")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
