"""`gonogo serve`: runs the server with its settings, and returns an exit code."""

from __future__ import annotations

import gc
import os
import shlex
import signal
import socket
import sys
import threading
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

import uvicorn

from gonogo_server import compose, events
from gonogo_server.app import create_app
from gonogo_server.connection.own_names import is_loopback, own_names
from gonogo_server.connection.protocol import Limits, limited
from gonogo_server.engine import choose
from gonogo_server.errors import BadSettings, ModelUnavailable
from gonogo_server.operations import logs
from gonogo_server.options import PROGRAM, parser
from gonogo_server.replicas import refusals
from gonogo_server.settings import read, shown
from gonogo_server.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import FrameType

    from gonogo_server.engine.base import Engine, ModelCard
    from gonogo_server.engine.mlx.group.join import Group
    from gonogo_server.providers.registry import Registry
    from gonogo_server.settings import Settings

ENGINE_DIED: Final = 1
CANNOT_START: Final = 2
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
SHUTDOWN_SECONDS: Final = 2
"""For clients to read the error at the end of their streams, before the server closes connections."""
DEAD_SECONDS: Final = 5.0
"""How long a server whose engine has died still reports that to probes and clients before it exits."""


def main(argv: Sequence[str] | None = None) -> int:
    """The command: `argv` without the program's name; returns the exit code (see `run`)."""
    _open_closed_streams()
    given = vars(parser().parse_args(argv))
    only_shown = given.pop("print_config", False)
    try:
        settings = read(given)
        _check_open(settings)
    except BadSettings as error:
        return _refuse(str(error))
    if only_shown:
        sys.stdout.write(f"{shown(settings)}\n")
        return 0
    return run(settings)


def _check_open(settings: Settings) -> None:
    """Raise `BadSettings` if other machines could connect without a key, unless that is allowed."""
    if not (settings.keys or settings.insecure or is_loopback(settings.host)):
        raise BadSettings(
            f"On {settings.host}, other machines can use this server without a key: set "
            "GONOGO_SERVER_API_KEY, or add --insecure to allow it."
        )


def run(settings: Settings) -> int:
    """Serve until a signal (0) or until the engine has died (1); 2, after one sentence, if it cannot start."""
    logs.configure(settings.log_format)
    if settings.replicas.most > 1:
        return _run_replicas(settings)
    server = group = None
    try:
        if settings.has_engine:
            choose.check_installed()
            _deepen_stacks()
            group = choose.group(settings)
        if group is not None and group.rank > 0:
            _say(f"process {group.rank} of {group.size}, connected to process 0")
            return 0 if choose.work(settings, group) else ENGINE_DIED
        with _terminable(), _bind(settings) as listener:
            server = Server(_engine(settings, group) if settings.has_engine else None, settings)
            server.run(sockets=[listener])
    except (BadSettings, ModelUnavailable) as error:
        if group is not None:
            group.give_up(str(error))
        return _refuse(str(error))
    except KeyboardInterrupt:
        pass  # the usual way to stop; uvicorn has shut down cleanly before it raises the signal again
    return ENGINE_DIED if server is not None and server.engine_died else 0


def _run_replicas(settings: Settings) -> int:
    """Serve with several processes until a signal (0); 2, after one sentence, if they cannot start.

    At SIGTERM open requests may finish; a second SIGTERM or Ctrl-C interrupts them.
    """
    try:
        refusals.check(settings)
        if settings.has_engine:
            choose.check_installed()
            choose.check_replicable(settings)
        with _bind(settings) as listener:
            port = listener.getsockname()[1]
        try:
            from gonogo_server.replicas.machine import replicas  # noqa: PLC0415 - an extra, and a second to import
        except ImportError:
            raise BadSettings(
                'Ray Serve, which runs replicas, is not installed: run pip install "gonogo[ray]", or '
                "remove --replicas."
            ) from None
        with _terminable(), replicas(settings, port) as serving:
            _print_served(serving.lines, serving.quirks if settings.print_quirks else ())
            _listens(serving.cards, _base_url(settings.host, port), with_key=bool(settings.keys))
            _wait_for_sigterm()
    except (BadSettings, ModelUnavailable) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        pass  # the way to stop at once
    return 0


def _wait_for_sigterm() -> None:
    """Raise KeyboardInterrupt at Ctrl-C, and at any SIGTERM after the first."""
    came = threading.Event()

    def note(_signal: int, _frame: object) -> None:
        if came.is_set():
            raise KeyboardInterrupt
        came.set()

    signal.signal(signal.SIGTERM, note)
    came.wait()


class Server(uvicorn.Server):
    """Prints when it listens. At SIGTERM it lets open requests finish; a second SIGTERM or Ctrl-C interrupts them.

    It stops the engine before it closes connections, so that open streams end with an error event.
    """

    def __init__(self, engine: Engine | None, settings: Settings) -> None:
        self._engine = engine
        self._providers = compose.providers(settings, engine)
        self._host = settings.host
        self._has_key = bool(settings.keys)
        self._print_quirks = settings.print_quirks
        self._traffic = Traffic()
        self._drain_seconds = settings.drain_seconds
        self._stop_by: float | None = None
        self.dead_seconds = DEAD_SECONDS
        self.engine_died = False
        super().__init__(
            uvicorn.Config(
                create_app(self._providers, settings, self._traffic, own_names(settings), engine),
                http=limited(Limits(settings.head_timeout, settings.max_connections)),
                # uvicorn prefers uvloop, whose transports do not let a protocol limit the size of its reads.
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and print the address."""
        await super().startup(sockets)
        assert sockets is not None
        # Objects that exist now stay: scanning them for garbage would pause all answers for tenths of a second.
        gc.collect()
        gc.freeze()
        base_url = _base_url(self._host, sockets[0].getsockname()[1])
        _announce(
            self._providers,
            self._engine,
            base_url,
            with_key=self._has_key,
            print_quirks=self._print_quirks,
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal (see the class); another one while the server stops makes it stop at once."""
        if sig == signal.SIGTERM and not self._traffic.draining:
            self._traffic.draining = True
            self._captured_signals.append(sig)
        elif self.should_exit:
            self.force_exit = True
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop now; called ten times a second."""
        if not self._providers.alive and not self.engine_died:
            self.engine_died = self._traffic.draining = True
            self._stop_by = monotonic() + self.dead_seconds
            events.engine_died("the engine has failed for good")
        elif self._traffic.draining and self._stop_by is None:
            self._stop_by = monotonic() + self._drain_seconds
            events.drain_started(self._traffic.open, self._drain_seconds)
        return await super().on_tick(counter) or self._finished()

    def _finished(self) -> bool:
        """Whether nothing is left to wait for: a dead engine is reported for a while, even without clients."""
        if self._stop_by is None:
            return False
        return monotonic() >= self._stop_by or not (self._traffic.open or self.engine_died)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop the engine, then close the connections."""
        self.should_exit = True
        events.server_stopping(self._traffic.open)
        await self._providers.close()
        await super().shutdown(sockets)


def _deepen_stacks() -> None:
    """Set the stack size of new threads: `ulimit -s` and some systems give less than grammars need."""
    from gonogo_server.compilation.trials import SERVER_STACK  # noqa: PLC0415 - a gateway alone has no grammars

    threading.stack_size(SERVER_STACK)


def _bind(settings: Settings) -> socket.socket:
    """A socket that is bound but not listening: no client connects before the models are loaded."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the socket's protocol is TCP. Otherwise an event would wait for the client to
    # acknowledge the event before it, up to 40 ms (RFC 896, RFC 1122 section 4.2.3.2).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise BadSettings(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. Choose another "
            "address with --host and --port (0 picks a free port)."
        ) from None
    return listener


def _engine(settings: Settings, group: Group | None) -> Engine:
    engine, description = choose.engine(settings, group)
    if description:
        _say(f"computing with {description}")
    return engine


def _base_url(host: str, port: int) -> str:
    reachable = REACHABLE.get(host, host)
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}/v1"


def _announce(
    providers: Registry, engine: Engine | None, base_url: str, *, with_key: bool, print_quirks: bool
) -> None:
    """Print what is served. The last line is for programs that start the server: connections are accepted by then."""
    lines = [line for _, provider in providers for line in provider.described()]
    quirks = [(name, *quirk) for name, provider in providers for quirk in provider.quirks()]
    _print_served(lines, quirks if print_quirks else ())
    _listens([] if engine is None else engine.cards(), base_url, with_key=with_key)


def _print_served(lines: Iterable[str], quirks: Iterable[tuple[str, str, str, str]]) -> None:
    """Print what is served, and for each rule that a provider breaks a line about its handling."""
    for line in lines:
        _say(f"serving {line}")
    for name, rule, action, what in quirks:
        _say(f"{name}: {rule}: {action}: {what}")


def _listens(cards: Sequence[ModelCard], base_url: str, *, with_key: bool) -> None:
    if cards:
        _say(f"try: {_to_try(cards, base_url, with_key=with_key)}")
    _say(f"listening on {base_url}")


def _to_try(cards: Sequence[ModelCard], base_url: str, *, with_key: bool) -> str:
    """A curl command for the first generative model, or else the first model."""
    card = next((card for card in cards if card.type == "chat"), cards[0])
    path, example = TO_TRY[card.type]
    key = ' -H "Authorization: Bearer $GONOGO_SERVER_API_KEY"' if with_key else ""
    body = shlex.quote(example % card.id)
    return f"curl -N {base_url}{path} -H 'Content-Type: application/json'{key} -d {body}"


def _refuse(sentence: str) -> int:
    _say(sentence, sys.stderr)
    return CANNOT_START


def _say(line: str, stream: TextIO | None = None) -> None:
    # Flushed, because a parent that reads a pipe would otherwise wait for a full buffer.
    try:
        print(f"{PROGRAM}: {line}", file=stream, flush=True)
    except OSError:  # nobody reads it, or the disk is full: serve anyway
        _to_nowhere((stream or sys.stdout).fileno())


def _open_closed_streams() -> None:
    """Discard output to a closed stdout or stderr (`>&-`); otherwise a socket could get its file descriptor."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            _to_nowhere(number)
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115 - until the process ends


def _to_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)


@contextmanager
def _terminable() -> Iterator[None]:
    """Make SIGTERM raise KeyboardInterrupt, as Ctrl-C does."""

    def interrupt(_signal: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
