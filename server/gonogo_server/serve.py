"""`gonogo serve`: runs the server with its settings, and returns an exit code."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

from gonogo_server.addresses import is_loopback
from gonogo_server.announce import base_url, listens, print_served, say, to_nowhere
from gonogo_server.engine import choose
from gonogo_server.errors import BadSettings, ModelUnavailable
from gonogo_server.operations import logs
from gonogo_server.options import parser
from gonogo_server.replicas import refusals
from gonogo_server.settings import read, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonogo_server.engine.mlx.group.join import Group
    from gonogo_server.http_server import Server
    from gonogo_server.settings import Settings

ENGINE_DIED: Final = 1
CANNOT_START: Final = 2


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
            say(f"process {group.rank} of {group.size}, connected to process 0")
            return 0 if choose.work(settings, group) else ENGINE_DIED
        with _terminable(), _bind(settings) as listener:
            server = _server(settings, group)
            server.run(sockets=[listener])
    except (BadSettings, ModelUnavailable) as error:
        if group is not None:
            group.give_up(str(error))
        return _refuse(str(error))
    except KeyboardInterrupt:
        pass  # the usual way to stop; uvicorn has shut down cleanly before it raises the signal again
    return ENGINE_DIED if server is not None and server.engine_died else 0


def _server(settings: Settings, group: Group | None) -> Server:
    """The server and its engine, which opens while the rest of the server is imported: each takes a second."""
    opening = choose.opening(settings, group) if settings.has_engine else None
    from gonogo_server.http_server import Server  # noqa: PLC0415 - see above

    if opening is None:
        return Server(None, settings)
    engine, description = opening.result()
    if description:
        say(f"computing with {description}")
    return Server(engine, settings)


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
            print_served(serving.lines, serving.quirks if settings.print_quirks else ())
            listens(serving.cards, base_url(settings.host, port), with_key=bool(settings.keys))
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


def _refuse(sentence: str) -> int:
    say(sentence, sys.stderr)
    return CANNOT_START


def _open_closed_streams() -> None:
    """Discard output to a closed stdout or stderr (`>&-`); otherwise a socket could get its file descriptor."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            to_nowhere(number)
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115 - until the process ends


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
