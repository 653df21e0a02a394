# ruff: noqa: T201 - a script: it prints
"""Compares the reference server with mlx_lm's, with the same model on the same machine in one run.

uv run python tests/benchmarks/serving.py [--model ID] [--clients 1,4,8,16] [--installed] [--tree TREE] [--rounds N]
    [--parts PART …]
uv run python tests/benchmarks/serving.py --beside TREE [--model ID] [--clients 1,8] [--rounds N] [--requests N]

Prints Markdown tables; seconds and rates depend on this machine at this moment, ratios do not. --installed also
measures mlx_lm's server as pip installs it on Linux, which takes minutes (its BLAS is slow). --beside measures only the
server of another checkout, alternating with this one's.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent))
import httpx2
import servers
from load import PATIENCE, Answer, Seen, ask, at_once

TOKENS = 48
REQUESTS = 3
"""Requests of each client, one after the other."""
SUBJECTS = "rain sand iron moss salt wool glass paper bread honey silk amber coal clay cork lime".split()  # noqa: SIM905
PLACES = "in Norway; on Mars; at sea; in a poem; for children; a hundred years ago".split("; ")  # noqa: SIM905
FILLER = "The lighthouse keeper wrote down the wind, the tide and the ships that passed by the rocks today. "
LONG = FILLER * 75
"""About 1,500 tokens of SmolLM2."""

BARE = """
import sys, time, json
import gonogo_server.engine.mlx
import mlx.core as mx
from gonogo_server.engine.mlx.device import set_up
from gonogo_server.engine.mlx.load import load
from gonogo_server.engine.mlx.api import whole
from gonogo_server.engine.locate import locate
set_up()
loaded = load(locate(sys.argv[1]))
prompts, tokens, rows = json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
ids = [list(loaded.text.chat_prompt([{"role": "user", "content": prompt}])) for prompt in prompts]
def run():
    made = whole().BatchGenerator(loaded.model, stop_tokens=[[t] for t in loaded.text.end_tokens],
                                  completion_batch_size=rows, prefill_batch_size=8)
    made.insert(ids, [tokens] * len(ids))
    count, begun = 0, time.perf_counter()
    while True:
        read, answered = made.next()
        count += len(answered)
        if not read and not answered:
            return count / (time.perf_counter() - begun)
run()
print(run())
"""
"""mlx_lm's BatchGenerator with the same prompts and nothing around it: the limit for any server."""


def main() -> int:
    """Measure and print."""
    options = _options()
    print(f"{platform.machine()}, {len(_cores())} cores, mlx {version('mlx')}, mlx-lm {version('mlx-lm')}\n")
    with tempfile.TemporaryDirectory() as temporary:
        folder = servers.convert(options.model, Path(temporary) / "model")
        if options.beside:
            _beside(folder, options)
            return 0
        for part in options.parts:
            PARTS[part](folder, options)
    return 0


def _beside(folder: Path, options: argparse.Namespace) -> None:
    _head()
    for turn in range(options.rounds):
        for tree in (options.beside, None):
            name = f"gonogo serve of {tree.resolve().name}" if tree else "gonogo serve"
            with servers.gonogo(folder, name=name, tree=tree) as served:
                for clients in options.clients:
                    seen = _short(served, clients, 100 * turn + clients, options.requests)
                    _row(served, clients, f"{seen.rate:.1f}", seen)


def _head() -> None:
    print("| server | clients | tokens/s | first token p50, p95 (s) | between tokens p95 (s) | peak MiB |")
    print("| --- | --- | --- | --- | --- | --- |")


def _row(served: servers.Served, clients: int, rate: str, seen: Seen) -> None:
    print(
        f"| {served.name} | {clients} | {rate} | {seen.first(0.5):.2f}, {seen.first(0.95):.2f}"
        f" | {seen.gap(0.95):.3f} | {served.peak_mebibytes:.0f} |",
        flush=True,
    )


def _ratios(clients: int, reached: dict[str, list[float]]) -> None:
    """The ratio of the first server's tokens per second to each other server's: the median of the rounds."""
    (ours, rates), *others = reached.items()
    for name, theirs in others:
        ratio = median(one / other for one, other in zip(rates, theirs, strict=True))
        print(f"| {ours} to {name} | {clients} | {ratio:.2f} | | | |", flush=True)


def _throughput(folder: Path, options: argparse.Namespace) -> None:
    """Run all servers and measure them in turns, so that other load slows all of them down alike."""
    _head()
    with ExitStack() as stack:
        up = [stack.enter_context(make) for make in _servers(folder, options)]
        for clients in options.clients:
            seen: dict[str, list[Seen]] = {served.name: [] for served in up}
            for turn in range(options.rounds):
                for served in up[turn % len(up) :] + up[: turn % len(up)]:
                    seen[served.name].append(_short(served, clients, 100 * turn + clients))
            for served in up:
                rates = [one.rate for one in seen[served.name]]
                rate = f"{median(rates):.1f} ({min(rates):.1f} to {max(rates):.1f})"
                _row(served, clients, rate, seen[served.name][-1])
            _ratios(clients, {name: [one.rate for one in every] for name, every in seen.items()})


def _servers(folder: Path, options: argparse.Namespace) -> list:  # type: ignore[type-arg]
    made = [servers.gonogo(folder), servers.mlx_lm(folder, fast=True)]
    if options.tree:
        name = f"gonogo serve of {options.tree.resolve().name}"
        made.append(servers.gonogo(folder, name=name, tree=options.tree))
    return [*made, servers.mlx_lm(folder, fast=False)] if options.installed else made


def _short(served: servers.Served, clients: int, turn: int, requests: int = REQUESTS) -> Seen:
    return asyncio.run(at_once(served, _prompts(clients * requests, turn), clients, TOKENS))


def _prompts(count: int, turn: int) -> list[str]:
    """Different prompts in each turn, so that only the template's own beginning is cached."""
    pairs = [(subject, place) for place in PLACES for subject in SUBJECTS]
    return [f"Number {turn}: what is to be said of {one} {place}?" for one, place in pairs[:count]]


def _behind_a_long_prefix(folder: Path, options: argparse.Namespace) -> None:
    print("\nBehind 1,500 tokens that all prompts share and one request before them had read:\n")
    _head()
    for clients in options.clients:
        reached: dict[str, list[float]] = {}
        for make in _servers(folder, options):
            with make as served:
                asyncio.run(at_once(served, [LONG + "Begin."], 1, 2))
                prompts = [LONG + prompt for prompt in _prompts(clients, 0)]
                seen = asyncio.run(at_once(served, prompts, clients, TOKENS))
                _row(served, clients, f"{seen.rate:.1f}", seen)
                reached[served.name] = [seen.rate]
        _ratios(clients, reached)


def _limit(folder: Path, options: argparse.Namespace) -> None:
    import json  # noqa: PLC0415 - only here

    clients = 8
    arguments = [str(folder), json.dumps(_prompts(clients * REQUESTS, 99)), str(TOKENS), str(clients)]
    rates = []
    for _ in range(options.rounds):
        with servers.gonogo(folder) as served:
            _short(served, clients, 0)
            ours = _short(served, clients, 99).rate
        done = subprocess.run(
            [sys.executable, "-c", BARE, *arguments], check=True, capture_output=True, text=True
        )
        rates.append((ours, float(done.stdout)))
    ratio = median(ours / bare for ours, bare in rates)
    print(f"\nAgainst a bare BatchGenerator at {clients} rows: {ratio:.2f} ({rates})", flush=True)


def _while_reading(folder: Path, options: argparse.Namespace) -> None:
    print("\n| server | first token of a short request while 1,500 tokens are read (s) |\n| --- | --- |")
    for make in _servers(folder, options):
        with make as served:
            asyncio.run(at_once(served, ["Hi"], 1, 4))
            print(f"| {served.name} | {asyncio.run(_beside_a_long_one(served)).first:.2f} |", flush=True)


async def _beside_a_long_one(served: servers.Served) -> Answer:
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        long = asyncio.ensure_future(ask(client, served, LONG, 2))
        await asyncio.sleep(0.5)
        short = await ask(client, served, "What is rain?", 4)
        await long
        return short


def _again(folder: Path, options: argparse.Namespace) -> None:
    print(
        "\n| server | first token cold (s) | the same prefix again (s) | times sooner |\n| --- | --- | --- | --- |"
    )
    for make in _servers(folder, options):
        with make as served:
            cold, warm = asyncio.run(_twice(served))
            print(
                f"| {served.name} | {cold.first:.2f} | {warm.first:.2f} | {cold.first / warm.first:.1f} |",
                flush=True,
            )


async def _twice(served: servers.Served) -> tuple[Answer, Answer]:
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        await ask(client, served, "Hi", 4)
        return (
            await ask(client, served, LONG + "What did he write?", 4),
            await ask(client, served, LONG + "Who passed by?", 4),
        )


PARTS = {
    "short": _throughput,
    "long": _behind_a_long_prefix,
    "limit": _limit,
    "reading": _while_reading,
    "again": _again,
}
"""The measurements, in this order; each prints its own table."""


def _cores() -> set[int]:
    import os  # noqa: PLC0415 - only here

    return os.sched_getaffinity(0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="smollm2")
    parser.add_argument(
        "--clients", type=lambda text: [int(one) for one in text.split(",")], default=[1, 4, 8, 16]
    )
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS), metavar="PART")
    parser.add_argument("--installed", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--beside", type=Path, metavar="TREE")
    parser.add_argument("--tree", type=Path, metavar="TREE", help="another checkout, as one more server")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="of each client, with --beside")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
