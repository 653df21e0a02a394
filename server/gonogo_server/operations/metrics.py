"""The server's metrics in the Prometheus text format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

if TYPE_CHECKING:
    from gonogo_server.engine.base import Engine
    from gonogo_server.exchange import Exchange
    from gonogo_server.traffic import Traffic

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

# Seconds. A prompt may be cached, or long on a slow machine; tokens come at 1 to 1,000 a second.
TO_FIRST_TOKEN: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60)
BETWEEN_TOKENS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
WHOLE_REQUEST: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """The metrics of one application, in a registry of its own. No label contains clients' input."""

    def __init__(self, engine: Engine | None, traffic: Traffic) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "gonogo_requests",
            "Finished requests by operation and HTTP status (499: the client disconnected).",
            ["operation", "status"],
            registry=self._registry,
        )
        self._repairs = Counter(
            "gonogo_repairs",
            "Repairs of upstream answers by provider and rule.",
            ["provider", "rule"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "gonogo_request_seconds",
            "Time from the start of a request to the end of its answer.",
            ["operation"],
            buckets=WHOLE_REQUEST,
            registry=self._registry,
        )
        self._tokens = Counter(
            "gonogo_tokens",
            "Prompt tokens, cached prompt tokens, and completion tokens.",
            ["kind"],
            registry=self._registry,
        )
        self._first = self._histogram(
            "gonogo_first_token_seconds",
            "Time from the start of a request to its first token.",
            TO_FIRST_TOKEN,
        )
        self._gaps = self._histogram(
            "gonogo_between_tokens_seconds", "Time between two tokens of an answer.", BETWEEN_TOKENS
        )
        self.between_tokens = self._gaps.observe
        """To be called with the seconds between two tokens of an answer."""
        self._gauge("gonogo_requests_open", "Requests in progress.").set_function(lambda: traffic.open)
        self._gauge(
            "gonogo_generations_waiting",
            "Generations without a first token: queued or in prefill.",
        ).set_function(lambda: traffic.waiting)
        if engine is not None:
            self._watch(engine)

    def _watch(self, engine: Engine) -> None:
        self._gauge("gonogo_models_loaded", "Models in memory.").set_function(
            lambda: sum(card.loaded for card in engine.cards())
        )
        self._gauge(
            "gonogo_engine_alive", "1 while the engine can generate, 0 after it has died."
        ).set_function(lambda: engine.alive)

    def observe(self, operation: str, exchange: Exchange, status: int) -> None:
        """Count a finished exchange."""
        self._requests.labels(operation, status).inc()
        self._seconds.labels(operation).observe(exchange.seconds)
        self._tokens.labels("prompt").inc(exchange.prompt_tokens)
        self._tokens.labels("cached").inc(exchange.cached_tokens)
        self._tokens.labels("completion").inc(exchange.completion_tokens)
        for rule, times in exchange.repairs.items():
            self._repairs.labels(exchange.provider, rule).inc(times)
        if exchange.first_token_seconds is not None:
            self._first.observe(exchange.first_token_seconds)

    def text(self) -> bytes:
        """All current values, in the text format."""
        return generate_latest(self._registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, meaning, buckets=buckets, registry=self._registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, registry=self._registry)
