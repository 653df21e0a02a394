# ruff: noqa: T201 - a script: it prints
"""The time that servers take from their start to their first answer, and their peak memory by then.

uv run python tests/benchmarks/start.py [--model ID] [--rounds N] [--tree TREE]

The reference server, with the model as installed and as a folder in MLX format, mlx_lm's server with the same BLAS, and
with --tree the server of another checkout (in this environment) are started in turns, one at a time. Prints a Markdown
table: medians of the rounds, with minimum and maximum.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))
import servers
from load import at_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Make = Callable[[], AbstractContextManager[servers.Served]]


def main() -> int:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as temporary:
        folder = servers.convert(options.model, Path(temporary) / "model")
        makes = _makes(folder, options)
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in makes}
        for turn in range(-1, options.rounds):
            for name, make in makes.items():
                found = _started(make)
                if turn >= 0:  # the first round reads the files from the disk
                    seen[name].append(found)
        _print(seen)
    return 0


def _makes(folder: Path, options: argparse.Namespace) -> dict[str, Make]:
    makes: dict[str, Make] = {
        "gonogo serve": lambda: servers.gonogo(folder),
        f"gonogo serve, {options.model}": lambda: servers.gonogo(Path(options.model)),
        "mlx_lm.server, same BLAS": lambda: servers.mlx_lm(folder, fast=True),
    }
    if options.tree:
        tree = options.tree.resolve()
        makes[f"gonogo serve of {tree.name}"] = lambda: servers.gonogo(folder, tree=tree)
        makes[f"gonogo serve of {tree.name}, {options.model}"] = lambda: servers.gonogo(
            Path(options.model), tree=tree
        )
    return makes


def _started(make: Make) -> tuple[float, float]:
    """Seconds to the first answer, of one token, and the peak memory by then in MiB."""
    begun = perf_counter()
    with make() as served:
        asyncio.run(at_once(served, ["Hi"], 1, 1))
        return perf_counter() - begun, served.peak_mebibytes


def _print(seen: dict[str, list[tuple[float, float]]]) -> None:
    print("| server | start to first answer (s) | peak MiB |")
    print("| --- | --- | --- |")
    for name, found in seen.items():
        seconds = [one for one, _ in found]
        print(
            f"| {name} | {median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
            f" | {median(peak for _, peak in found):.0f} |"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Start servers in turns.")
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tree", type=Path, metavar="TREE", help="another checkout, as one more server")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
