"""The table of clients matches the clients that are installed here, and the page matches the table."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.clients.measured import table, text_of, told
from gonogo.faults.playing import playable

from .measured import measuring, page

if TYPE_CHECKING:
    from .measured.measuring import Deviation

ROOT = Path(__file__).parents[2]
NODE = Path(__file__).parent / "node"
NODE_CLIENTS = ("openai-node", "openai-node .stream()")
EVERY = 3
"""One of this many deviations is measured here; the task measures all."""


@cache
def _chosen() -> tuple[Deviation, ...]:
    known = {one.name for one in table().deviations}
    return tuple(one for one in measuring.deviations() if one.name in known)[::EVERY]


@cache
def _found(*names: str) -> dict[str, Any]:
    """What these clients did, which share a process."""
    (first, *_) = names
    command = measuring.in_node(first, NODE) if first in NODE_CLIENTS else measuring.in_python(*names)
    return asyncio.run(measuring.measured({names: command}, _chosen()))


@pytest.mark.unmeasured  # of our code it runs the player of faults, which has tests of its own
@pytest.mark.parametrize("name", [*measuring.INSTALLED, *NODE_CLIENTS])
def test_a_client_does_what_the_table_says(name: str) -> None:
    if name in NODE_CLIENTS and not (NODE / "node_modules" / "openai").exists():
        pytest.skip("the OpenAI client for Node is not installed: uv run npm ci --prefix tests/clients/node")
    found = _found(*([name] if name in NODE_CLIENTS else measuring.INSTALLED))[name]
    known = {one.name: one.outcomes.get(name) for one in table().deviations}
    assert found["version"] == table().clients[name]
    assert len(_chosen()) >= 40
    assert found["outcomes"] == {one.name: known[one.name] for one in _chosen()}


def test_the_table_has_eight_clients_and_forty_deviations_that_are_faults() -> None:
    assert len({name.removesuffix(" .stream()") for name in table().clients}) >= 8
    assert sum(1 for one in table().deviations if one.broken) >= 40
    assert {one.name for one in table().deviations} <= {fault.name for fault in playable()}


def test_the_table_is_stored_as_it_is_written() -> None:
    stored = ROOT / "conformance" / "gonogo" / "clients" / "table.json"
    assert stored.read_text("utf-8") == text_of(table())


def test_the_page_is_what_the_table_says() -> None:
    assert (ROOT / "docs" / "clients.md").read_text("utf-8") == page.text(table())


def test_a_broken_rule_lists_the_clients_that_break_silent_losses_first() -> None:
    said = told(["tools.stream.index"])
    assert said is not None
    assert said.startswith(
        'measured on "fragments without an index": langchain-openai 1.7.4 delivers more calls, '
    )
    assert said.index("openai-python .stream() 3.51.0 raises TypeError") > said.index("empty arguments")
    assert said.endswith("do not")


def test_a_rule_without_a_measured_deviation_is_reported_without_clients() -> None:
    assert told(["embeddings.list.dimensions"]) is None
