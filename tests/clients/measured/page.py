"""The table of clients as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonogo.clients.measured import Deviation, Table

HEAD = """# Which client breaks on which deviation

Generated from `conformance/gonogo/clients/table.json`; do not edit by hand. `uv run python tasks/measure_clients.py`
measures it: a server on loopback sends fixed bytes with one fault of `gonogo faults`, a client reads them, and the
script compares what the client *delivered* with the bytes. It counts exceptions, and also lost text, tool calls with
empty arguments, and ids that the client invents.

"ok": the client delivers what the bytes say, or what the server meant. "raises": the class of the exception, whatever
was delivered before it. "-": the client does not support this kind of request. `openai-python`, `openai-node` and
`httpx-sse` are read by a loop that joins fragments by their index, as in the guide; `.stream()` is the helper of the
same package. instructor reads tool calls in parallel mode. Streams ask for `include_usage`; a stream that makes the
client wait forever is not measured. To try a deviation with any other client, use
`gonogo serve --engine scripted --fault NAME`. In every run of `gonogo check`, openai-python and httpx-sse read the
answers of your server, and anthropic-python its messages; with [`--node-modules`](ci.md#clients-for-node), openai-node,
`@anthropic-ai/sdk` and the AI SDK read them too.

The helper of openai-python for responses raises at every end but `response.completed`, also at a correct
`response.incomplete`. That is a limit of the client: its final response is asked for only after `response.completed`.
"""
SURFACES: Final = (("response", "responses"), ("message", "messages"), ("", "chat completions"))
"""The prefixes of scenario names, and the answers that they mean."""
DASH = "-"


def text(table: Table) -> str:
    """The whole page."""
    return "\n".join([HEAD, *_versions(table), *_matrix(table), *_harmless(table)]) + "\n"


def _versions(table: Table) -> Iterator[str]:
    yield "| client | version |"
    yield "| --- | --- |"
    yield from (f"| {name} | {version} |" for name, version in table.clients.items())


def _matrix(table: Table) -> Iterator[str]:
    for surface in ("chat completions", "responses", "messages"):
        broken = [one for one in table.deviations if one.broken and _surface(one) == surface]
        if broken:
            yield from _of_surface(
                surface, broken, [*dict.fromkeys(c for one in broken for c in one.outcomes)]
            )


def _surface(one: Deviation) -> str:
    return next(surface for before, surface in SURFACES if one.scenario.startswith(before))


def _of_surface(surface: str, broken: Sequence[Deviation], clients: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"## Deviations in {surface} that break a client ({len(broken)})"
    yield ""
    yield f"| deviation (in) | rules | {' | '.join(clients)} |"
    yield f"| --- | --- |{' --- |' * len(clients)}"
    yield from (_row(one, clients) for one in broken)


def _row(one: Deviation, clients: Sequence[str]) -> str:
    cells = [one.outcomes.get(name, DASH) for name in clients]
    rules = "<br>".join(f"`{rule}`" for rule in one.rules) or DASH
    return f"| {one.name.replace('|', chr(92) + '|')} ({one.scenario}) | {rules} | {' | '.join(cells)} |"


def _harmless(table: Table) -> Iterator[str]:
    fine = [one.name for one in table.deviations if not one.broken]
    yield ""
    yield f"## Deviations that all of these clients tolerate ({len(fine)})"
    yield ""
    yield from (f"- {name}" for name in fine)
