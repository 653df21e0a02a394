"""`gonogo serve`: from settings to a server that listens, and back to an exit code."""

from __future__ import annotations

import argparse
import shlex
import signal
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

import uvicorn
from pydantic import ValidationError

from gonogo_server.app import create_app
from gonogo_server.errors import BadSettings, ModelUnavailable
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonogo_server.engine.base import Engine

PROGRAM: Final = "gonogo serve"
CANNOT_START: Final = 2
REACHABLE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound
"""Addresses that mean all of them, and one of those that a client on this machine can ask."""
SHUTDOWN_SECONDS: Final = 5


def main(argv: Sequence[str] | None = None) -> int:
    """The command: `argv` without the program's name; gives the exit code (see `run`)."""
    given = vars(_parser().parse_args(argv))
    try:
        settings = Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        return _refuse(f"The setting '{name}' is not usable: {first['msg']}.")
    return run(settings)


def run(settings: Settings) -> int:
    """Serve until a signal says stop (0); 2, after one sentence on stderr, where it cannot start."""
    try:
        with _terminable(), _bind(settings) as listener:
            engine = _engine(settings)
            _Server(engine, settings).run(sockets=[listener])
    except (BadSettings, ModelUnavailable) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        pass  # the way to stop it; uvicorn has shut down in order before it passes the signal on
    return 0


class _Server(uvicorn.Server):
    """Says when it listens, and stops the engine before it waits for open responses, so that they end."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._host = settings.host
        super().__init__(
            uvicorn.Config(
                create_app(engine, settings),
                http="h11",
                lifespan="off",
                log_level="warning",
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets is not None
        _announce(self._engine, _base_url(self._host, sockets[0].getsockname()[1]))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._engine.close()
        await super().shutdown(sockets)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Serve models through an OpenAI-compatible API.",
        epilog="Variables do the same: GONOGO_SERVER_PORT and so on, GONOGO_SERVER_MODELS with commas."
        " GONOGO_SERVER_API_KEY, which has no option, sets the key that clients must send.",
        argument_default=argparse.SUPPRESS,
    )
    add = parser.add_argument
    add("--model", action="append", dest="models", metavar="MODEL", help="what to serve; may be repeated")
    add("--host", help="the address to listen on (127.0.0.1)")
    add("--port", type=int, help="the port to listen on; 0 takes a free one (8000)")
    add("--download", action="store_true", help="download a Hugging Face model that is not here yet")
    add("--engine", choices=["mlx", "scripted"], help="scripted: fixed answers without a model, for tests")
    return parser


def _bind(settings: Settings) -> socket.socket:
    """A socket that is bound and does not listen yet: nobody connects before the models are loaded."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise BadSettings(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}."
            " Choose another with --host and --port (0 takes a free port)."
        ) from None
    return listener


def _engine(settings: Settings) -> Engine:
    """The engine that was chosen; only then is it imported, as mlx takes a second and is not everywhere."""
    if settings.engine == "scripted":
        from gonogo_server.engine.scripted import ScriptedEngine  # noqa: PLC0415 - see above

        return ScriptedEngine(settings.models or ("scripted",))
    from gonogo_server.engine.mlx.engine import open_engine  # noqa: PLC0415 - see above

    engine = open_engine(settings.models, download=settings.download)
    _say(f"computing with {engine.description}")
    return engine


def _base_url(host: str, port: int) -> str:
    reachable = REACHABLE.get(host, host)
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}/v1"


def _announce(engine: Engine, base_url: str) -> None:
    """The last line is for programs that start the server: it comes once connections are accepted."""
    for card in engine.cards():
        _say(f"serving {card.id} ({card.type}, {card.context_length} tokens of context)")
    body = '{"model": "%s", "stream": true, "messages": [{"role": "user", "content": "Hello!"}]}'
    asked = shlex.quote(body % engine.cards()[0].id)
    _say(f"try: curl -N {base_url}/chat/completions -H 'Content-Type: application/json' -d {asked}")
    _say(f"listening on {base_url}")


def _refuse(sentence: str) -> int:
    _say(sentence, sys.stderr)
    return CANNOT_START


def _say(line: str, stream: TextIO | None = None) -> None:
    # Flushed, as a parent that reads a pipe would otherwise wait for a full buffer.
    print(f"{PROGRAM}: {line}", file=stream, flush=True)


@contextmanager
def _terminable() -> Iterator[None]:
    """Within it SIGTERM does what Ctrl-C does."""

    def interrupt(_signal: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
