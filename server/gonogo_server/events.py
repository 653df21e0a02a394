"""The events of the log, one function each, named as the event; docs/server.md lists them.

Events of a request include its `request_id`, as in the response's header. No event contains a key. Only
`request_started` may contain prompt text, if the settings allow it. `logs` decides where events are written.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo_server.exchange import Exchange

LOGGER: Final = "gonogo_server"
LONGEST_NAME: Final = 200  # characters of a model's name: it comes from the client

log: Final[structlog.stdlib.BoundLogger] = structlog.wrap_logger(
    logging.getLogger(LOGGER),
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # As plain text with source lines only: richer tracebacks show variables, which may contain prompts.
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


def bind_request(request_id: str) -> None:
    """Add the id of the request to every event of this task and of the tasks that it starts."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)


# ---- requests


def request_started(operation: str, model: str | None, *, stream: bool | None, prompt: object = None) -> None:
    """A request was read, or refused before that; `prompt` is None unless prompts may be logged."""
    shown = {} if prompt is None else {"prompt": prompt}
    log.info("request_started", operation=operation, model=_short(model), stream=stream, **shown)


def request_finished(operation: str, exchange: Exchange, status: int | None) -> None:
    """A request was answered, or failed with `error`; times are in seconds."""
    first = exchange.first_token_seconds
    (log.info if status is not None and status < 500 else log.warning)(
        "request_finished",
        operation=operation,
        status=status,
        model=_short(exchange.model),
        stream=exchange.stream,
        prompt_tokens=exchange.prompt_tokens,
        completion_tokens=exchange.completion_tokens,
        cached_tokens=exchange.cached_tokens,
        first_token_seconds=None if first is None else round(first, 4),
        seconds=round(exchange.seconds, 4),
        finish_reason=",".join(dict.fromkeys(exchange.finish_reasons)) or None,
        error=exchange.error,
    )


def stream_failed(failure: BaseException, error: str | None) -> None:
    """A stream that had begun ended with an error event; only a bug is logged with its traceback."""
    foreseen = error != "internal_error"
    log.log(
        logging.WARNING if foreseen else logging.ERROR,
        "stream_failed",
        error=error,
        reason=str(failure),
        exc_info=None if foreseen else failure,
    )


def answer_repaired(provider: str | None, rules: Mapping[str, int]) -> None:
    """An upstream's answer broke rules and was repaired; `rules` counts the repairs by rule id."""
    log.info("answer_repaired", provider=provider, rules=dict(rules))


def client_disconnected() -> None:
    """The client closed its connection before the end of the answer; its generations are stopped."""
    log.info("client_disconnected")


def response_not_stored(reason: str) -> None:
    """The store of responses failed; the response was sent, marked as not stored."""
    log.error("response_not_stored", reason=reason)


# ---- models


def model_loading(model: str) -> None:
    """A model is being read into memory."""
    log.info("model_loading", model=model)


def model_loaded(model: str, *, seconds: float, memory_bytes: int | None = None) -> None:
    """A model is in memory and can be used."""
    log.info("model_loaded", model=model, seconds=round(seconds, 3), memory_bytes=memory_bytes)


def model_evicted(model: str, *, memory_bytes: int | None = None, in_favour_of: str | None = None) -> None:
    """An idle model was unloaded because another needed the memory."""
    log.info("model_evicted", model=model, memory_bytes=memory_bytes, in_favour_of=in_favour_of)


def model_unloaded(model: str, *, idle_seconds: float | None = None) -> None:
    """A model was unloaded because it was idle for `idle_seconds` or because the server stops."""
    log.info("model_unloaded", model=model, idle_seconds=idle_seconds)


def model_load_failed(model: str, reason: str) -> None:
    """A model could not be loaded; requests for it are refused, others are answered."""
    log.error("model_load_failed", model=model, reason=reason)


# ---- the server itself


def engine_died(reason: str) -> None:
    """The engine cannot generate any more: requests are refused, and the process ends with status 1."""
    log.error("engine_died", reason=reason)


def drain_started(open_requests: int, seconds: float) -> None:
    """SIGTERM was received: open requests may continue for `seconds`, new ones are refused."""
    log.info("drain_started", open_requests=open_requests, seconds=seconds)


def server_stopping(open_requests: int) -> None:
    """The server stops; `open_requests` are interrupted."""
    (log.warning if open_requests else log.info)("server_stopping", open_requests=open_requests)


def _short(name: str | None) -> str | None:
    return name if name is None or len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…"
