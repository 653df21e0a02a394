# ruff: noqa: T201 - a script: it prints
"""The duration of a run: against an instant target, with latency, and at a limited generation speed.

uv run python tests/benchmarks/rounds.py [--against PYTHON] [--rounds N] [--concurrency N]
    [--latency S] [--tokens-a-second N]

Each command is a whole `gonogo check` against one server, including start-up and judging; PYTHON is the interpreter of
another checkout's environment, whose runs alternate with ours. Prints a Markdown table: wall time (the median of the
rounds, with minimum and maximum), the time from the first request to the last answer, the same in units of the latency
if there is one, the maximum number of parallel requests, and the ratios; exits 1 if a ratio is above the target.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.slow import slow

if TYPE_CHECKING:
    from benchmarks.slow import Slow

TARGET = 0.5
"""The maximum ratio of a run against a slow target to that of the other checkout (issue 9)."""
INSTANT = 0.33
"""The same for a target that answers at once: three times faster."""


@dataclass
class Times:
    """The durations of one build's runs, in seconds."""

    build: str
    python: str
    wall: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)
    requests: int = 0
    most: int = 0

    def run(self, server: Slow, concurrency: int) -> None:
        """Run once. Raises SystemExit, with the command's output, if it could not judge."""
        server.forget()
        command = [self.python, "-m", "gonogo", "check", server.url, "--concurrency", str(concurrency)]
        began = perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.wall.append(perf_counter() - began)
        if done.returncode not in {0, 1}:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        self.waiting.append(server.seconds)
        self.requests = len(server.times) // 2
        self.most = server.most

    def cells(self, where: str, latency: float) -> tuple[str, ...]:
        rounds = f"{median(self.waiting) / latency:.1f}" if latency else ""
        spread = f" ({min(self.wall):.1f} to {max(self.wall):.1f})"
        return (
            where,
            self.build,
            f"{median(self.wall):.1f} s{spread}",
            f"{median(self.waiting):.1f} s",
            rounds,
            str(self.requests),
            str(self.most),
        )


def main() -> int:
    """Measure, print, and return the exit status."""
    options = _options()
    print("| target | build | wall time | waiting | rounds | requests | under way | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    instant = _measured("an instant target", options, 0.0, None)
    ratios = [
        *_measured(f"{options.latency * 1000:g} ms a response", options, options.latency, None),
        *_measured(f"{options.tokens_a_second:g} tokens a second", options, 0.0, options.tokens_a_second),
    ]
    return 1 if any(ratio > TARGET for ratio in ratios) or any(ratio > INSTANT for ratio in instant) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how long a run waits for its target.")
    parser.add_argument("--against", metavar="PYTHON", help="the interpreter of another checkout")
    parser.add_argument("--rounds", metavar="N", type=int, default=3, help="of each measurement (3)")
    parser.add_argument("--concurrency", metavar="N", type=int, default=8, help="requests at a time (8)")
    parser.add_argument("--latency", metavar="S", type=float, default=0.5, help="of a response (0.5)")
    parser.add_argument(
        "--tokens-a-second", metavar="N", type=float, default=5.0, help="of each answer by itself (5)"
    )
    return parser.parse_args()


def _measured(
    where: str, options: argparse.Namespace, latency: float, tokens_a_second: float | None
) -> list[float]:
    """Print the rows of one target, and the ratio of our build to the other one, if there is one."""
    builds = [Times("this", sys.executable)]
    if options.against is not None:
        builds.insert(0, Times("other", options.against))
    with slow(latency, tokens_a_second) as server:
        for _ in range(options.rounds):
            for build in builds:
                build.run(server, options.concurrency)
    ratios = [median(this.wall) / median(other.wall) for other, this in pairwise(builds)]
    shown = ["", *(f"{ratio:.2f}" for ratio in ratios)]
    for build, ratio in zip(builds, shown, strict=False):
        print(f"| {' | '.join(build.cells(where, latency))} | {ratio} |", flush=True)
    return ratios


if __name__ == "__main__":
    sys.exit(main())
