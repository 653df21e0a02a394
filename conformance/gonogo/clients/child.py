"""The replay process of a run: `python -m gonogo.clients.child`, started by `gonogo.clients.beside`.

It reads one exchange per line from stdin, writes one outcome per line to stdout, and exits at the end of its input.
"""

from __future__ import annotations

import gc
import json
import sys
from contextlib import suppress

from gonogo.clients import httpx_sse, openai_python
from gonogo.clients.beside import lines
from gonogo.clients.breakage import NotInstalled
from gonogo.clients.replaying import outcome
from gonogo.exchange_json import from_json


def main() -> None:
    """Import the clients, then replay the exchanges from stdin."""
    _import_clients()
    for line in sys.stdin:
        asked = json.loads(line)
        exchange = from_json(asked["exchange"])
        sys.stdout.write(lines(exchange.id, ((name, outcome(name, exchange)) for name in asked["readers"])))
        sys.stdout.flush()


def _import_clients() -> None:
    # httpx imports a command line, and with it rich and pygments: a sixth of the clients' import time. This is how
    # Python itself marks a module that cannot be imported, and httpx works without it.
    sys.modules["httpx._main"] = None  # type: ignore[assignment] # typeshed knows modules only
    gc.disable()  # the imports create thousands of classes, none of them garbage
    for client in (openai_python, httpx_sse):
        with suppress(NotInstalled):
            client.require()
    gc.freeze()
    gc.enable()


if __name__ == "__main__":
    main()
