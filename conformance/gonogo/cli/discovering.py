"""`gonogo check --discover`: the servers on this machine, and the command that checks one."""

import asyncio
from collections.abc import Sequence

from gonogo.cli.printing import show
from gonogo.discovery import PORTS, Found, discover
from gonogo.errors import UsageError
from gonogo.report.wording import visible

NAMED = 3
"""The most models that are named for each server."""


def print_discovered() -> None:
    """Print the servers that answer; raises UsageError if none does."""
    found = asyncio.run(discover())
    if not found:
        raise UsageError(
            "Found no OpenAI-compatible server on 127.0.0.1 at the usual ports "
            f"({', '.join(map(str, PORTS))}). Start one, or give its base URL: gonogo check URL."
        )
    show(visible(line) for line in described(found))


def described(found: Sequence[Found]) -> list[str]:
    """A line for each server, and the next command."""
    width = max(len(one.base_url) for one in found)
    lines = [f"{one.base_url:<{width}}  {' or '.join(one.servers)}; {_models(one)}" for one in found]
    key = "GONOGO_API_KEY=… " if found[0].models is None else ""
    return [*lines, "", f"To check one of them: {key}gonogo check {found[0].base_url}"]


def _models(found: Found) -> str:
    if found.models is None:
        return "needs a key"
    names = ", ".join(found.models[:NAMED])
    more = len(found.models) - NAMED
    listed = f": {names}{f' and {more} more' if more > 0 else ''}" if names else ""
    return f"{len(found.models)} {'model' if len(found.models) == 1 else 'models'}{listed}"
