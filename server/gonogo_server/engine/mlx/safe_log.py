"""Logs failures from a thread that must continue even if logging fails."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger


def log_failure(log: Logger, error: Exception, message: str, *arguments: object) -> None:
    """Log the error with its trace; nothing is raised.

    Handlers and filters may raise: a full disk would fail everyone the thread answers.
    """
    with suppress(Exception):
        log.error(message, *arguments, exc_info=error)
