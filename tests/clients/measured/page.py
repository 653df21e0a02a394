"""The table of clients as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.clients.measured import Deviation, Table

HEAD = """# Which client breaks on which deviation

Generated from `conformance/gonogo/clients/table.json`; do not edit by hand. `uv run python tasks/measure_clients.py`
measures it: a server on loopback sends canned bytes with one fault of `gonogo faults`, a client reads them, and what it
*delivered* is held against what the bytes say. Not only exceptions count: text that is lost, calls that come with
emptied arguments, ids that the client invents.

"ok": the client delivers what the bytes say, or what the server meant. "raises": the class of the exception; what was
delivered before it is not told. "-": the client does not do such a request. `openai-python`, `openai-node` and
`httpx-sse` are read by a loop that adds up fragments by their index, as the guide shows it; `.stream()` is the helper
of the same package. instructor reads calls in parallel mode. A stream asks for `include_usage`; one that the client
waits for in vain is not measured. `gonogo serve --engine scripted --fault NAME` plays a deviation for any other client.
What your server sends is read by openai-python and httpx-sse in every run of `gonogo check`, and by openai-node and the
AI SDK in one with [`--node-modules`](ci.md#clients-for-node).
"""
DASH = "-"


def text(table: Table) -> str:
    """The whole page."""
    return "\n".join([HEAD, *_versions(table), *_matrix(table), *_harmless(table)]) + "\n"


def _versions(table: Table) -> Iterator[str]:
    yield "| client | version |"
    yield "| --- | --- |"
    yield from (f"| {name} | {version} |" for name, version in table.clients.items())


def _matrix(table: Table) -> Iterator[str]:
    yield ""
    yield f"## Deviations that break a client ({sum(1 for one in table.deviations if one.broken)})"
    yield ""
    yield f"| deviation (in) | rules | {' | '.join(table.clients)} |"
    yield f"| --- | --- |{' --- |' * len(table.clients)}"
    yield from (_row(one, table) for one in table.deviations if one.broken)


def _row(one: Deviation, table: Table) -> str:
    cells = [one.outcomes.get(name, DASH) for name in table.clients]
    rules = "<br>".join(f"`{rule}`" for rule in one.rules) or DASH
    return f"| {one.name.replace('|', chr(92) + '|')} ({one.scenario}) | {rules} | {' | '.join(cells)} |"


def _harmless(table: Table) -> Iterator[str]:
    fine = [one.name for one in table.deviations if not one.broken]
    yield ""
    yield f"## Deviations that none of these clients minds ({len(fine)})"
    yield ""
    yield from (f"- {name}" for name in fine)
