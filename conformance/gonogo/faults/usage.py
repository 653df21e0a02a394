"""The counts of a usage chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.faults.editing import each, has_usage, made, put

if TYPE_CHECKING:
    from gonogo.faults.editing import Edit


def counted(completion: int, *, before: int) -> Edit:
    """Set the completion tokens of a usage chunk that had `before`, and change the total accordingly."""
    return each(
        put("usage.completion_tokens", completion),
        made("usage.total_tokens", lambda total: total + completion - before),
        where=has_usage,
    )
