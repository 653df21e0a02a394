# ruff: noqa: T201 - a script: it prints
"""Compares two builds of the reference server, running at the same time: the duration of each kind of request.

uv run python tests/benchmarks/turns.py --beside TREE [--model ID] [--rounds N] [--kinds KIND …]

TREE is another checkout, which runs in this environment. Each request goes to one server and right after that to the
other, so that other load slows both down alike. Prints a Markdown table: medians of the rounds, wall time and the
server's processor time, and the ratios of the other build to this one (above 1: this one is faster). The texts are
compared as well.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import httpx2
import servers

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 900.0
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "city": {"enum": ["Paris", "Berlin", "Oslo"]},
        "married": {"type": "boolean"},
    },
    "required": ["name", "age", "city", "married"],
    "additionalProperties": False,
}
PEOPLE = [
    "Anna, 31, is from Oslo.",
    "Tom is 54, from Berlin.",
    "Jo is 7 and lives in Paris.",
    "Eva, 80, Oslo.",
]
SUBJECTS = "rain sand iron moss salt wool glass paper bread honey silk amber coal clay cork lime".split()  # noqa: SIM905


def _chat(number: int) -> dict[str, Any]:
    return {
        "messages": [_user(f"What is to be said of {SUBJECTS[number % 16]} ({number})?")],
        "max_tokens": 32,
    }


def _structured(number: int) -> dict[str, Any]:
    schema = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
    about = f"{PEOPLE[number % 4]} ({number})"
    return {"messages": [_user(about)], "max_tokens": 96, "response_format": schema}


def _call(number: int) -> dict[str, Any]:
    function = {"name": "note_person", "parameters": PERSON, "strict": True}
    about = f"{PEOPLE[number % 4]} ({number})"
    return {
        "messages": [_user(about)],
        "max_tokens": 96,
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "note_person"}},
    }


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


KINDS: dict[str, tuple[Callable[[int], dict[str, Any]], int]] = {
    "chat": (_chat, 1),
    "chat x8": (_chat, 8),
    "structured": (_structured, 1),
    "structured x8": (_structured, 8),
    "forced call": (_call, 1),
}
"""The kinds of requests, and how many are sent at once."""


@dataclass
class Times:
    """The durations of one build's rounds."""

    wall: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    texts: list[Any] = field(default_factory=list)


def main() -> int:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = servers.convert(options.model, Path(temporary) / "model")
        builds = [
            (served, {kind: Times() for kind in options.kinds})
            for served in (
                stack.enter_context(servers.gonogo(folder, name="other", tree=options.beside)),
                stack.enter_context(servers.gonogo(folder, name="this")),
            )
        ]
        for turn in range(-1, options.rounds):
            for kind in options.kinds:
                # The order alternates too.
                for served, times in builds if turn % 2 else reversed(builds):
                    _ask(served, kind, turn, times[kind])
        _print(builds, options.kinds)
    return 0


def _ask(served: servers.Served, kind: str, turn: int, times: Times) -> None:
    make, clients = KINDS[kind]
    bodies = [
        make(100 * (turn + 1) + client) | {"model": served.model, "temperature": 0}
        for client in range(clients)
    ]
    worked, begun = _worked(served.pid), perf_counter()
    texts = asyncio.run(_answers(f"{served.base_url}/chat/completions", bodies))
    if turn >= 0:  # the first round is a warm-up
        times.wall.append(perf_counter() - begun)
        times.worked.append(_worked(served.pid) - worked)
        times.texts += texts


async def _answers(url: str, bodies: list[dict[str, Any]]) -> list[Any]:
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        answers = await asyncio.gather(*(client.post(url, json=body) for body in bodies))
    messages = [answer.raise_for_status().json()["choices"][0]["message"] for answer in answers]
    return [_meaning(message) for message in messages]


def _meaning(message: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    text = (
        message["tool_calls"][0]["function"]["arguments"] if message.get("tool_calls") else message["content"]
    )
    try:
        return json.loads(text)
    except ValueError:
        return text


def _worked(pid: int) -> float:
    """The processor seconds of a process (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _print(builds: list[tuple[servers.Served, dict[str, Times]]], kinds: list[str]) -> None:
    (_, other), (_, this) = builds
    print(
        "| requests | other, wall s | this, wall s | ratio | other, CPU s | this, CPU s | ratio | same answers |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind in kinds:
        old, new = other[kind], this[kind]
        walls = [a / b for a, b in zip(old.wall, new.wall, strict=True)]
        works = [a / b for a, b in zip(old.worked, new.worked, strict=True)]
        same = sum(a == b for a, b in zip(old.texts, new.texts, strict=True))
        print(
            f"| {kind} | {median(old.wall):.2f} | {median(new.wall):.2f} | {median(walls):.2f}"
            f" | {median(old.worked):.2f} | {median(new.worked):.2f} | {median(works):.2f}"
            f" | {same} of {len(new.texts)} |",
            flush=True,
        )
    for served, _ in builds:
        print(f"\n{served.name}: peak {served.peak_mebibytes:.0f} MiB")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Ask two builds in turns.")
    parser.add_argument("--beside", type=Path, required=True, metavar="TREE")
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), metavar="KIND")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
