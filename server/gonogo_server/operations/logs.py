"""Writes events and warnings to stderr, as text or as JSON, one per line."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Literal

import structlog

from gonogo_server.events import LOGGER

if TYPE_CHECKING:
    from structlog.types import Processor

LogFormat = Literal["console", "json", "off"]


def configure(log_format: LogFormat) -> None:
    """Send the log of the whole process to stderr; libraries' warnings get the same format and the request id.

    `off` logs only errors of the server itself.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(log_format))
    enabled = log_format != "off"
    logging.basicConfig(handlers=[handler], level=logging.WARNING if enabled else logging.ERROR, force=True)
    logging.getLogger(LOGGER).setLevel(logging.INFO if enabled else logging.ERROR)


def _formatter(log_format: LogFormat) -> logging.Formatter:
    renderer: Processor = structlog.processors.JSONRenderer()
    if log_format != "json":
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.stdlib.ProcessorFormatter(
        # For records of the standard library; `events` has processed our own in the same way.
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )
