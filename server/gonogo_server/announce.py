"""Prints what is served, and where."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Final, TextIO

from gonogo_server.options import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonogo_server.engine.base import Engine, ModelCard
    from gonogo_server.providers.registry import Registry

TO_TRY: Final = {
    "chat": (
        "/chat/completions",
        '{"model": "%s", "stream": true, "messages": [{"role": "user", "content": "Hello!"}]}',
    ),
    "embedding": ("/embeddings", '{"model": "%s", "input": "Hello!"}'),
}
"""Path and body of a request to each type of model."""
REACHABLE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound
"""Addresses that mean all interfaces, and a loopback address that a client on this machine can use."""


def base_url(host: str, port: int) -> str:
    """The base URL for clients on this machine."""
    reachable = REACHABLE.get(host, host)
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}/v1"


def announce(
    providers: Registry, engine: Engine | None, url: str, *, with_key: bool, print_quirks: bool
) -> None:
    """Print what is served. The last line is for programs that start the server: connections are accepted by then."""
    lines = [line for _, provider in providers for line in provider.described()]
    quirks = [(name, *quirk) for name, provider in providers for quirk in provider.quirks()]
    print_served(lines, quirks if print_quirks else ())
    listens([] if engine is None else engine.cards(), url, with_key=with_key)


def print_served(lines: Iterable[str], quirks: Iterable[tuple[str, str, str, str]]) -> None:
    """Print what is served, and for each rule that a provider breaks a line about its handling."""
    for line in lines:
        say(f"serving {line}")
    for name, rule, action, what in quirks:
        say(f"{name}: {rule}: {action}: {what}")


def listens(cards: Sequence[ModelCard], url: str, *, with_key: bool) -> None:
    """Print the base URL, after a request to try if there is a model."""
    if cards:
        say(f"try: {to_try(cards, url, with_key=with_key)}")
    say(f"listening on {url}")


def to_try(cards: Sequence[ModelCard], url: str, *, with_key: bool) -> str:
    """A curl command for the first generative model, or else the first model."""
    card = next((card for card in cards if card.type == "chat"), cards[0])
    path, example = TO_TRY[card.type]
    key = ' -H "Authorization: Bearer $GONOGO_SERVER_API_KEY"' if with_key else ""
    body = shlex.quote(example % card.id)
    return f"curl -N {url}{path} -H 'Content-Type: application/json'{key} -d {body}"


def say(line: str, stream: TextIO | None = None) -> None:
    """Print a line, after the name of the program."""
    # Flushed, because a parent that reads a pipe would otherwise wait for a full buffer.
    try:
        print(f"{PROGRAM}: {line}", file=stream, flush=True)
    except OSError:  # nobody reads it, or the disk is full: serve anyway
        to_nowhere((stream or sys.stdout).fileno())


def to_nowhere(number: int) -> None:
    """Discard all further output to this file descriptor."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
