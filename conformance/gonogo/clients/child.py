"""The process beside a run that replays answers: `python -m gonogo.clients.child`, started by `gonogo.clients.beside`.

It reads a line an exchange from stdin, writes a line a replay to stdout, and leaves at the end of its input.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress

from gonogo.clients import httpx_sse, openai_python
from gonogo.clients.beside import lines
from gonogo.clients.breakage import NotInstalled
from gonogo.clients.replaying import outcome
from gonogo.evidence import from_json


def main() -> None:
    """Import the clients, then replay what comes."""
    for client in (openai_python, httpx_sse):
        with suppress(NotInstalled):
            client.require()
    for line in sys.stdin:
        asked = json.loads(line)
        exchange = from_json(asked["exchange"])
        sys.stdout.write(lines(exchange.id, ((name, outcome(name, exchange)) for name in asked["readers"])))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
