"""Middleware that logs the start and end of every exchange and updates the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server import events
from gonogo_server.envelope import CLIENT_CLOSED_REQUEST
from gonogo_server.exchange import Exchange, begin

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gonogo_server.operations.metrics import Metrics
    from gonogo_server.traffic import Traffic

PROBES: Final = frozenset({"/health", "/metrics"})
"""Probes that arrive every few seconds and are not logged."""
GONE: Final = "client_disconnected"


class Observation:
    """Wraps an application. The layers that answer record what they know in `exchange.current()`."""

    def __init__(self, app: ASGIApp, traffic: Traffic, metrics: Metrics | None) -> None:
        self._app = app
        self._traffic = traffic
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the exchange on, and log its end, whether it succeeded or not."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        exchange = Exchange(self._traffic)
        if self._metrics is not None:
            exchange.gap = self._metrics.between_tokens
        begin(exchange)
        response = _Response(send)
        with self._traffic.exchange():
            try:
                await self._app(scope, receive, response.send)
            except Exception:
                exchange.error = exchange.error or "internal_error"
                raise
            finally:
                exchange.leave_place()
                self._log_end(scope, exchange, response)

    def _log_end(self, scope: Scope, exchange: Exchange, response: _Response) -> None:
        operation = operation_of(scope)
        started(scope, exchange)
        if exchange.failure is not None:
            events.stream_failed(exchange.failure, exchange.error)
        if response.status in {None, CLIENT_CLOSED_REQUEST} or not response.ended:
            exchange.error = exchange.error or GONE
        if exchange.error == GONE:
            events.client_disconnected()
        if exchange.repairs:
            events.answer_repaired(exchange.provider, exchange.repairs)
        events.request_finished(operation, exchange, response.status)
        if self._metrics is not None:
            gone = exchange.error == GONE
            self._metrics.observe(
                operation, exchange, CLIENT_CLOSED_REQUEST if gone else response.status or 500
            )


class _Response:
    """The state of the response."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.ended = False

    async def send(self, message: Message) -> None:
        """Send the message, and record the state of the response."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)
        if message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)


def operation_of(scope: Scope) -> str:
    """The operation's name in the log and the metrics: the name of its route, or `other`."""
    return getattr(scope.get("endpoint"), "__name__", "other")


def started(scope: Scope, exchange: Exchange, prompt: object = None) -> None:
    """Log the start of the exchange, once. The first caller may know the model, if it has parsed the body."""
    if not exchange.start_logged:
        exchange.start_logged = True
        events.request_started(operation_of(scope), exchange.model, stream=exchange.stream, prompt=prompt)
