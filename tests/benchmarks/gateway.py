# ruff: noqa: T201 - a script: it prints
"""What a gateway adds to a stream: gonogo's, a bare pass-through over httpx2, and LiteLLM's proxy, in turns.

uv run python tests/benchmarks/gateway.py [--litellm PYTHON] [--chunks N] [--rounds N] [--memory STREAMS]

One upstream sends each chunk with its time of departure, so that the client knows how long it took. Prints, for each
gateway, the median wall time to the first byte and of a chunk, and the gateway's processor time per chunk; then their
ratios. LiteLLM's proxy is measured if an interpreter with it is given
(`uv venv DIR && uv pip install --python DIR/bin/python 'litellm[proxy]'`). `--memory` sends that many short streams
through gonogo's gateway and prints its memory growth. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import monotonic_ns, sleep
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIDE_BY_SIDE: Final = 4
PACE: Final = 0.01
"""Seconds between two chunks of one stream, so that each arrives separately."""
PATIENCE: Final = 600.0
"""Seconds for a gateway to start, of which LiteLLM's takes many, and for a stream."""
KEY: Final = f"sk-{uuid4().hex}"
"""A key, without which LiteLLM does not start."""
TICKS: Final = os.sysconf("SC_CLK_TCK")
STAMP: Final = re.compile(rb'"content": ?"(\d+) ?"')

UPSTREAM: Final = """
import asyncio, json, sys, time
from itertools import count
ids = count()
async def serve(reader, writer):
    while True:
        try:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
        except asyncio.IncompleteReadError:
            return writer.close()
        if not head.startswith(b"POST"):
            body = json.dumps({"object": "list", "data": [{"id": "m", "object": "model", "created": 1700000000,
                                                            "owned_by": "x"}]}).encode()
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n%b"
                         % (len(body), body))
            continue
        lines = head.lower().splitlines()
        length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
        asked = json.loads(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\n")
        writer.write(b"transfer-encoding: chunked\\r\\n\\r\\n")
        around = {"id": f"chatcmpl-{next(ids)}", "object": "chat.completion.chunk", "created": 1700000000, "model": "m"}
        def send(delta, reason=None):
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
            data = b"data: " + json.dumps({**around, "choices": [choice]}).encode() + b"\\n\\n"
            writer.write(b"%x\\r\\n%b\\r\\n" % (len(data), data))
        pace = float(sys.argv[1])
        send({"role": "assistant", "content": ""})
        for _ in range(asked["max_tokens"]):
            send({"content": f"{time.monotonic_ns()} "})
            await writer.drain()
            await asyncio.sleep(pace)
        send({}, "stop")
        writer.write(b"e\\r\\ndata: [DONE]\\n\\n\\r\\n0\\r\\n\\r\\n")
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""

BARE: Final = """
import sys
import httpx2, uvicorn
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route
client = httpx2.AsyncClient(timeout=600)
async def passed(request):
    sent = client.build_request("POST", sys.argv[1] + "/chat/completions", content=await request.body(),
                                headers={"content-type": "application/json", "accept-encoding": "identity"})
    response = await client.send(sent, stream=True)
    async def body():
        async for piece in response.aiter_raw():
            yield piece
        await response.aclose()
    return StreamingResponse(body(), response.status_code, media_type=response.headers["content-type"])
async def models(request):
    return StreamingResponse(iter(()))
app = Starlette(routes=[Route("/v1/chat/completions", passed, methods=["POST"]), Route("/v1/models", models)])
uvicorn.run(app, port=int(sys.argv[2]), log_level="critical")
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A listening gateway."""

    name: str
    url: str
    process: subprocess.Popen[str]

    @property
    def processor(self) -> float:
        """Its processor time in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def memory(self) -> int:
        """Its resident memory in bytes."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None
        return int(found[1]) * 1024


@dataclass(slots=True)
class Measured:
    """Seconds to the first byte of each stream, of each chunk in transit, and of processor time per chunk."""

    first: list[float] = field(default_factory=list)
    chunk: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def add(self, other: Measured) -> None:
        """Add the values of a round."""
        self.first += other.first
        self.chunk += other.chunk
        self.processor += other.processor


def main() -> int:
    """Measure and print."""
    options = _options()
    with ExitStack() as stack:
        upstream = stack.enter_context(_upstream())
        gateways = [
            stack.enter_context(_bare(upstream)),
            stack.enter_context(_gonogo(upstream)),
            *([stack.enter_context(_litellm(upstream, options.litellm))] if options.litellm else []),
        ]
        straight, measured = Measured(), {each.name: Measured() for each in gateways}
        for each in gateways:
            asyncio.run(_round(each.url, 20, SIDE_BY_SIDE))  # warm-up
        for _ in range(options.rounds):
            straight.add(asyncio.run(_round(upstream, options.chunks, SIDE_BY_SIDE)))
            for each in gateways:
                measured[each.name].add(_measured(each, options.chunks))
        _report(straight, measured)
        if options.memory:
            _grown(next(each for each in gateways if each.name == "gonogo"), options.memory)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--litellm", metavar="PYTHON", help="an interpreter that has litellm[proxy]")
    parser.add_argument("--chunks", type=int, default=400, help="of a stream (400)")
    parser.add_argument("--rounds", type=int, default=5, help="of each gateway, in turns (5)")
    parser.add_argument(
        "--memory", type=int, default=0, metavar="STREAMS", help="short streams to send (none)"
    )
    return parser.parse_args()


def _measured(gateway: Gateway, chunks: int) -> Measured:
    before = gateway.processor
    made = asyncio.run(_round(gateway.url, chunks, SIDE_BY_SIDE))
    made.processor.append((gateway.processor - before) / (chunks * SIDE_BY_SIDE))
    return made


async def _round(url: str, chunks: int, streams: int) -> Measured:
    made = Measured()
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        await asyncio.gather(*(_stream(client, url, chunks, made) for _ in range(streams)))
    return made


async def _stream(client: httpx2.AsyncClient, url: str, chunks: int, made: Measured) -> None:
    body = {
        "model": "m",
        "stream": True,
        "max_tokens": chunks,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    begun, first, seen = monotonic_ns(), True, 0
    headers = {"authorization": f"Bearer {KEY}"}
    async with client.stream("POST", f"{url}/chat/completions", json=body, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        async for piece in response.aiter_raw():
            now = monotonic_ns()
            if first:
                made.first.append((now - begun) / 1e9)
                first = False
            for stamp in STAMP.findall(piece):
                made.chunk.append((now - int(stamp)) / 1e9)
                seen += 1
    assert seen == chunks, f"{seen} chunks of {chunks} came"


def _report(straight: Measured, measured: dict[str, Measured]) -> None:
    print(
        f"{'':12}{'first byte, ms':>16}{'added':>8}{'chunk, ms':>12}{'added':>8}{'processor a chunk, µs':>24}"
    )
    print(f"{'straight':12}{median(straight.first) * 1e3:16.2f}{'':8}{median(straight.chunk) * 1e3:12.3f}")
    for name, each in measured.items():
        first, chunk = median(each.first), median(each.chunk)
        print(
            f"{name:12}{first * 1e3:16.2f}{(first - median(straight.first)) * 1e3:8.2f}"
            f"{chunk * 1e3:12.3f}{(chunk - median(straight.chunk)) * 1e3:8.3f}{median(each.processor) * 1e6:24.0f}"
        )
    bare, ours = measured["bare"], measured["gonogo"]
    base = median(straight.chunk)
    print(f"a chunk through gonogo : bare, by the clock: {median(ours.chunk) / median(bare.chunk):.2f}")
    print(f"  added alone: {(median(ours.chunk) - base) / (median(bare.chunk) - base):.2f}")
    print(f"  by the processor: {median(ours.processor) / median(bare.processor):.2f}")
    if "litellm" in measured:
        ratio = median(measured["litellm"].processor) / median(ours.processor)
        print(f"processor of LiteLLM : gonogo: {ratio:.1f}")


def _grown(gateway: Gateway, streams: int) -> None:
    async def many(count: int) -> None:
        for _ in range(count // 20):
            await _round(gateway.url, 3, 20)

    asyncio.run(many(streams // 5))
    before = gateway.memory
    asyncio.run(many(streams))
    then, now = before / 2**20, gateway.memory / 2**20
    print(f"memory after {streams // 5} streams {then:.1f} MiB, {streams} later {now:.1f} MiB")


@contextmanager
def _upstream() -> Iterator[str]:
    command = [sys.executable, "-c", UPSTREAM, str(PACE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.kill()


@contextmanager
def _bare(upstream: str) -> Iterator[Gateway]:
    port = _free_port()
    with _started("bare", [sys.executable, "-c", BARE, upstream, str(port)], port) as gateway:
        yield gateway


@contextmanager
def _gonogo(upstream: str) -> Iterator[Gateway]:
    port = _free_port()
    options = ["--provider", f"lab={upstream}", "--port", str(port), "--log-format", "off"]
    with _started("gonogo", [sys.executable, "-m", "gonogo_server", *options], port) as gateway:
        yield gateway


@contextmanager
def _litellm(upstream: str, python: str) -> Iterator[Gateway]:
    port = _free_port()
    model = {
        "model_name": "m",
        "litellm_params": {"model": "openai/m", "api_base": upstream, "api_key": "sk-none"},
    }
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        json.dump({"model_list": [model]}, config)  # JSON is YAML
        config.flush()
        program = str(Path(python).parent / "litellm")
        command = [program, "--config", config.name, "--port", str(port), "--host", "127.0.0.1"]
        # Without its list of prices, which it would fetch before it listens.
        variables = {"LITELLM_MASTER_KEY": KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        with _started("litellm", command, port, **variables) as gateway:
            yield gateway


@contextmanager
def _started(name: str, command: Sequence[str], port: int, **variables: str) -> Iterator[Gateway]:
    url = f"http://127.0.0.1:{port}/v1"
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(
        command, stdout=nowhere, stderr=nowhere, text=True, env=os.environ | variables
    ) as process:
        try:
            _wait(url, process)
            yield Gateway(name, url, process)
        finally:
            process.kill()


def _wait(url: str, process: subprocess.Popen[str]) -> None:
    until = monotonic_ns() + PATIENCE * 1e9
    while monotonic_ns() < until and process.poll() is None:
        try:
            httpx2.get(f"{url}/models", headers={"authorization": f"Bearer {KEY}"}, timeout=5)
        except httpx2.HTTPError:
            sleep(0.2)
        else:
            return
    raise RuntimeError(f"{url} did not begin to listen")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
