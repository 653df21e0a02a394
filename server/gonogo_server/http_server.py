"""The HTTP server: uvicorn, which drains at a signal and reports an engine that has died."""

from __future__ import annotations

import gc
import signal
from time import monotonic
from typing import TYPE_CHECKING, Final

import uvicorn

from gonogo_server import compose, events
from gonogo_server.announce import announce, base_url
from gonogo_server.app import create_app
from gonogo_server.connection.own_names import own_names
from gonogo_server.connection.protocol import Limits, limited
from gonogo_server.traffic import Traffic

if TYPE_CHECKING:
    import socket
    from types import FrameType

    from gonogo_server.engine.base import Engine
    from gonogo_server.settings import Settings

SHUTDOWN_SECONDS: Final = 2
"""For clients to read the error at the end of their streams, before the server closes connections."""
DEAD_SECONDS: Final = 5.0
"""How long a server whose engine has died still reports that to probes and clients before it exits."""


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
        announce(
            self._providers,
            self._engine,
            base_url(self._host, sockets[0].getsockname()[1]),
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
