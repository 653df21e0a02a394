# ruff: noqa: T201 - a script: it prints
"""The cost of a run of the suite: requests, tokens and seconds, compared with the targets.

uv run python tests/benchmarks/suite.py [--model ID] [--rounds N]

Prints a Markdown table and the machine; exits 1 if a target is missed. Seconds are wall time of whole commands
including start-up: the median of the rounds, with minimum and maximum. With --model the reference server runs that
model too (smollm2 is the one that `uv sync` installs).
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from gonogo.collect.plan import plan
from gonogo.rules import load
from gonogo.serving import reference_server

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.slow import slow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LATENCY = 0.2
"""Seconds from a request to the start of its answer, on the slow server."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, its values (one per round), and the limit."""

    what: str
    values: tuple[float, ...]
    limit: float
    unit: str = ""
    least: bool = False  # whether the limit is a minimum

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.least else self.value <= self.limit

    def cells(self) -> tuple[str, ...]:
        spread = f" ({min(self.values):.3g} to {max(self.values):.3g})" if len(set(self.values)) > 1 else ""
        return (
            self.what,
            f"{self.value:.4g}{self.unit}{spread}",
            f"{'at least' if self.least else 'at most'} {self.limit:g}{self.unit}",
            f"{self.value / self.limit:.2f}",
            "met" if self.is_met else "**missed**",
        )


def main() -> int:
    """Measure, print, and return the exit status."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        _keep_bytecode(folder)
        rows = list(_rows(options.model, options.rounds, Path(folder) / "evidence.jsonl"))
    print("| what | measured | target | of the target | |")
    print("| --- | --- | --- | --- | --- |")
    for row in rows:
        print(f"| {' | '.join(row.cells())} |")
    print(f"\n{_machine()}; {len(load())} rules, {options.rounds} rounds.")
    return 0 if all(row.is_met for row in rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what a run of the suite costs.")
    parser.add_argument("--model", metavar="ID", help="run this model too, on the reference server")
    parser.add_argument("--rounds", metavar="N", type=int, default=3, help="of each measurement (3)")
    return parser.parse_args()


def _keep_bytecode(folder: str) -> None:
    """Let the commands find compiled modules, as in every run after the first."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = folder


def _rows(model: str | None, rounds: int, record: Path) -> Iterator[Row]:
    asked = plan(load())
    yield Row("requests of the plan", (asked.requests,), 210)
    yield Row("generated tokens of the plan, worst case", (asked.tokens,), 3000)
    _served_run("scripted", "scripted", record)  # compiles the imported modules
    runs = _times(rounds, lambda: _served_run("scripted", "scripted", record))
    yield Row("full run, scripted engine, start of the server included", runs, 8, " s")
    yield Row("judging the record again", _times(rounds, lambda: _command("judge", record)), 3, " s")
    yield from _latency(rounds)
    if model is not None:
        run = _times(1, lambda: _served_run(model, "mlx", record))
        yield Row(f"full run, {model}, start of the server included", run, 120, " s")


def _latency(rounds: int) -> Iterator[Row]:
    """Eight parallel requests against one, each round a pair, on a slow server."""
    with slow(LATENCY) as server:
        pairs = [
            tuple(_times(1, lambda n=n: _command("check", server.url, "--concurrency", n))[0] for n in (1, 8))
            for _ in range(rounds)
        ]
    ratios = tuple(one / eight for one, eight in pairs)
    seconds = [median(times) for times in zip(*pairs, strict=True)]
    yield Row(
        f"concurrency 8 against 1 at {LATENCY * 1000:g} ms a request "
        f"({seconds[0]:.1f} s against {seconds[1]:.1f} s)",
        ratios,
        4,
        " times",
        least=True,
    )


def _times(rounds: int, run: Callable[[], None]) -> tuple[float, ...]:
    """The seconds of each round."""
    seconds = []
    for _ in range(rounds):
        began = perf_counter()
        run()
        seconds.append(perf_counter() - began)
    return tuple(seconds)


def _served_run(model: str, engine: str, record: Path) -> None:
    with reference_server(*([model] if model else []), engine=engine) as url:
        _command("check", url, "--evidence", record)


def _command(*arguments: object) -> None:
    """Run gonogo. Raises SystemExit, with its output, if it could not judge."""
    command = [sys.executable, "-m", "gonogo", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


# ---- the machine ---------------------------------------------------------------------------------------------


def _machine() -> str:
    names = {
        line.partition(":")[2].strip()
        for line in (Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else "").splitlines()
        if line.startswith("model name")
    }
    processor = ", ".join(sorted(names)) or platform.processor() or platform.machine()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}; {python}, gonogo {version('gonogo')}"


if __name__ == "__main__":
    sys.exit(main())
