# ruff: noqa: T201 - a script: it prints
"""Checks that the server's memory stays flat: thousands of streamed requests of all kinds, a third of them abandoned.

uv run python tests/benchmarks/soak.py [--model ID] [--requests N] [--clients N] [--kv-cache-bytes BYTES]

Without --model it uses a tiny model with random weights, so that it takes minutes. Prints the server's resident memory
every hundred requests, its slope over the second half, and the activity left at the end. Exits with 1 if a request was
answered with an error, or if the server does not become idle.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import httpx2
import servers
import tiny
from load import PATIENCE

EVERY = 100
"""Requests between two memory readings."""

SOON = 0.02
"""Seconds within which most answers have no token yet."""

REST_SECONDS = 30.0
"""Time limit for the server to notice that no client is left."""

GAUGES = ("gonogo_requests_open", "gonogo_generations_waiting")
WORDS = "the wind and tide wrote down ships that passed by rocks today on paper with salt amber coal".split()  # noqa: SIM905
SHARED = "You keep the lighthouse, and you answer in short sentences about the weather at sea. " * 3
SCHEMA = {
    "type": "object",
    "properties": {"name": {"enum": ["a", "bc"]}, "far": {"type": "boolean"}},
    "required": ["name", "far"],
    "additionalProperties": False,
}


@dataclass(slots=True)
class Soak:
    """The results so far: how requests ended, and MiB of memory by finished requests."""

    served: servers.Served
    ends: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[int, float]] = field(default_factory=list)

    def note(self, end: str) -> None:
        """Count an end, and read the memory now and then."""
        self.ends[end] += 1
        if (done := self.ends.total()) % EVERY == 0:
            self.memory.append((done, self.served.mebibytes))
            print(f"| {done} | {self.memory[-1][1]:.1f} |", flush=True)

    @property
    def slope(self) -> float:
        """KiB per request over the second half, by least squares."""
        later = self.memory[len(self.memory) // 2 :]
        return linear_regression(*zip(*later, strict=True)).slope * 1024

    @property
    def floors(self) -> str:
        """The minimum MiB of each quarter, which is less affected by the allocator than single readings."""
        size = len(self.memory) // 4
        return ", ".join(
            f"{min(mebibytes for _, mebibytes in self.memory[-size * back :][:size]):.1f}"
            for back in (4, 3, 2, 1)
        )


def main() -> int:
    """Soak and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.model) if options.model else tiny.write(Path(temporary) / "tiny")
        limits = ["--kv-cache-bytes", options.kv_cache_bytes, "--metrics"]
        with servers.gonogo(folder, *limits) as served:
            return asyncio.run(_soak(served, options))


async def _soak(served: servers.Served, options: argparse.Namespace) -> int:
    print(f"| requests | MiB |\n| --- | --- |\n| 0 | {served.mebibytes:.1f} |", flush=True)
    soak = Soak(served)
    left = iter(range(options.requests))

    async def client_of(client: httpx2.AsyncClient) -> None:
        for number in left:
            soak.note(await _one(client, served, random.Random(f"{options.seed} {number}")))

    begun = perf_counter()
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        await asyncio.gather(*(client_of(client) for _ in range(options.clients)))
        seconds = perf_counter() - begun
        live = await _rest(client, served)
    busy = await _busy(served)
    print(f"\n{options.requests} requests by {options.clients} clients in {seconds:.0f} s: {dict(soak.ends)}")
    print(
        f"Slope over the second half: {soak.slope:.3f} KiB a request; the most: {served.peak_mebibytes:.1f} MiB"
    )
    print(f"The least of each quarter: {soak.floors} MiB")
    print(f"At the end: {live}, processor used in a second of rest: {busy:.2f} s")
    return int(any(live.values()) or busy > 0.5 or any(end.startswith("error") for end in soak.ends))


async def _one(client: httpx2.AsyncClient, served: servers.Served, draw: random.Random) -> str:
    """Send a request, and return how it ended: a third of the clients leave, after a time or a number of lines."""
    path, body = _request(served.model, draw)
    leaves = draw.choice(["at once", "later", "never", "never", "never", "never"])
    patience = draw.uniform(0, SOON) if leaves == "at once" else None
    lines = draw.randint(1, body["max_tokens"]) if leaves == "later" else None
    try:
        async with asyncio.timeout(patience):
            return await _stream(client, f"{served.base_url}/{path}", body, lines)
    except TimeoutError:
        return f"left within {SOON} s"


async def _stream(client: httpx2.AsyncClient, url: str, body: dict[str, Any], lines: int | None) -> str:
    async with client.stream("POST", url, json=body) as response:
        if response.status_code != 200:
            return f"error {response.status_code} {(await response.aread()).decode()}"
        seen, last = 0, ""
        async for line in response.aiter_lines():
            if not line.startswith("data: "):
                continue
            seen, last = seen + 1, line
            if seen == lines:
                return "left mid-stream"
        return "finished" if last == "data: [DONE]" else f"error {last}"


def _request(model: str, draw: random.Random) -> tuple[str, dict[str, Any]]:
    """An operation and its request: no two alike, a third of them with one long prefix."""
    words = " ".join(draw.choices(WORDS, k=draw.choice([1, 5, 20, 60])))
    text = draw.choice([SHARED, "", ""]) + f"{draw.randrange(10**6)} {words}"
    body: dict[str, Any] = {
        "model": model,
        "stream": True,
        "max_tokens": draw.choice([1, 4, 16, 48]),
        "n": draw.choice([1, 1, 1, 2, 4]),
        "temperature": draw.choice([0, 0.7, 1, 1.5]),
    }
    for chance, more in (
        (0.5, {"seed": draw.randrange(1 << 31)}),
        (0.3, {"stop": draw.sample(["e", "qu", "th", "\n", "zzz"], k=draw.randint(1, 4))}),
        (0.2, {"frequency_penalty": 0.5, "presence_penalty": -0.5, "logit_bias": {"65": 5}}),
        (0.3, {"stream_options": {"include_usage": True}}),
    ):
        body |= more if draw.random() < chance else {}
    with_logprobs = draw.random() < 0.3
    if draw.random() < 0.25:
        return "completions", body | {"prompt": text} | ({"logprobs": 5} if with_logprobs else {})
    if with_logprobs:
        body |= {"logprobs": True, "top_logprobs": draw.randint(0, 20)}
    if draw.random() < 0.1:
        schema = {"name": "place", "strict": True, "schema": SCHEMA}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return "chat/completions", body | {"messages": [{"role": "user", "content": text}]}


async def _rest(client: httpx2.AsyncClient, served: servers.Served) -> dict[str, float]:
    """The gauges once nothing is active any more, or after a time limit."""
    deadline = perf_counter() + REST_SECONDS
    while True:
        live = await _gauges(client, served)
        if not any(live.values()) or perf_counter() > deadline:
            return live
        await asyncio.sleep(0.2)


async def _gauges(client: httpx2.AsyncClient, served: servers.Served) -> dict[str, float]:
    text = (await client.get(served.base_url.removesuffix("/v1") + "/metrics")).text
    found = {name: re.search(rf"^{name} (\S+)$", text, re.MULTILINE) for name in GAUGES}
    return {name: float(value[1]) if value else float("nan") for name, value in found.items()}


async def _busy(served: servers.Served) -> float:
    """The processor time of the process per second: nearly none, unless an abandoned answer continues."""
    before = _processor_seconds(served.pid)
    await asyncio.sleep(1)
    return _processor_seconds(served.pid) - before


def _processor_seconds(pid: int) -> float:
    # proc(5): utime and stime are the 14th and 15th field, and the second may contain spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="smollm2, or a folder")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--kv-cache-bytes", default="32MiB")
    parser.add_argument("--seed", type=int, default=1, help="of what is asked")
    options = parser.parse_args()
    if options.requests < 4 * EVERY:
        parser.error(f"--requests must be at least {4 * EVERY}: a slope takes two looks in the second half.")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
