"""The recorded measurements: the server's speed before a change, and that it is not slower since."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
BEFORE, SINCE = "gonogo serve of b443412", "gonogo serve"
NOISE = 0.1
"""The difference between two rounds of the same server."""


class Measured(NamedTuple):
    """A row of tests/benchmarks/serving.py: tokens per second, and seconds to the first token (p50)."""

    server: str
    clients: int
    rate: float
    first: float


def measured(paper: str) -> list[Measured]:
    """The rows of the benchmark's table."""
    rows = re.findall(
        r"^\| (gonogo serve[^|]*?) \| (\d+) \| ([\d.]+) \| ([\d.]+), [\d.]+ \|", paper, re.MULTILINE
    )
    return [
        Measured(server, int(clients), float(rate), float(first)) for server, clients, rate, first in rows
    ]


def worse(rows: list[Measured]) -> list[str]:
    """Where the server became slower by more than noise, or was not measured both before and since."""
    found: list[str] = []
    for clients in (1, 8):
        before, since = [
            [row for row in rows if (row.server, row.clients) == (server, clients)]
            for server in (BEFORE, SINCE)
        ]
        if not before or not since:
            found.append(f"{clients} clients: not measured before and since")
            continue
        if median(row.rate for row in since) < (1 - NOISE) * median(row.rate for row in before):
            found.append(f"{clients} clients: fewer tokens a second")
        if median(row.first for row in since) > (1 + NOISE) * median(row.first for row in before):
            found.append(f"{clients} clients: a later first token")
    return found


def test_measured_values_did_not_get_worse() -> None:
    (paper,) = ROOT.glob("openspec/changes/**/*refactor-openai-endpoints/baseline.md")
    rows = measured(paper.read_text())
    board = (ROOT / "tasks/server-hardening.md").read_text()
    (state,) = re.findall(r"^\| 0\.1 \| Baseline \| (\w+) \|", board, re.MULTILINE)
    assert bool(rows) is (state == "done"), "the baseline is done where its figures are in the paper"
    assert not rows or worse(rows) == []


TABLE = """\
| server | clients | tokens/s | first token p50, p95 (s) | between tokens p95 (s) | peak MiB |
| --- | --- | --- | --- | --- | --- |
| gonogo serve of b443412 | 1 | 20.0 | 0.50, 0.60 | 0.05 | 683 |
| gonogo serve of b443412 | 8 | 20.0 | 4.00, 6.68 | 0.40 | 762 |
| gonogo serve | 1 | 19.0 | 0.52, 0.60 | 0.05 | 713 |
| gonogo serve | 8 | 80.0 | 1.00, 1.15 | 0.11 | 935 |
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", []),
        ("19.0", "17.0", ["1 clients: fewer tokens a second"]),
        ("0.52", "0.57", ["1 clients: a later first token"]),
        (
            "| 8 | 80.0 | 1.00",
            "| 8 | 9.0 | 9.00",
            ["8 clients: fewer tokens a second", "8 clients: a later first token"],
        ),
        ("| gonogo serve | 8 ", "| gonogo serve | 4 ", ["8 clients: not measured before and since"]),
    ],
)
def test_a_regression_is_detected(old: str, new: str, found: list[str]) -> None:
    assert worse(measured(TABLE.replace(old, new) if old else TABLE)) == found
