"""Logs failures from a thread that must continue even if logging fails."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger


def log_failure(log: Logger, error: Exception, message: str, *arguments: object) -> None:
    """Log the error with its traceback, and never raise.

    Handlers and filters may raise: a full disk would otherwise fail all answers of the thread.
    """
    with suppress(Exception):
        log.error(message, *arguments, exc_info=error)
