"""Token counts of the contract: three integers, of which the last is the sum of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.repair.base import Document


def counted(usage: Any, noted: Callable[[str], None]) -> Document | None:  # noqa: ANN401 - JSON
    """The usage of a chat or a completion; the same object if nothing is wrong.

    A missing count is computed from the other two; None if that is impossible. `noted` is called with the rule's name
    in its group: usage_schema, usage_total, usage_details, nulls.
    """
    if not isinstance(usage, dict) or not usage:
        return None
    prompt, completion, total = (
        _count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    if prompt is None and total is not None and completion is not None:
        prompt = total - completion
    if completion is None and total is not None and prompt is not None:
        completion = total - prompt
    if prompt is None or completion is None or prompt < 0 or completion < 0:
        return None
    apart = _apart(usage, prompt, completion, total)
    right = {"prompt_tokens": prompt, "completion_tokens": completion + apart}
    return _compared(usage, {**right, "total_tokens": sum(right.values())}, noted, apart=apart)


def _compared(
    usage: Document, right: Document, noted: Callable[[str], None], *, apart: int
) -> Document | None:
    nulls = [name for name in ("prompt_tokens_details", "completion_tokens_details") if _is_null(usage, name)]
    if nulls:
        noted("nulls")
    if apart:
        noted("usage_details")
    elif any(type(usage.get(name)) is not int or usage[name] < 0 for name in right):
        noted("usage_schema")
    elif usage["total_tokens"] != right["total_tokens"]:
        noted("usage_total")
    elif not nulls:
        return usage
    return {name: value for name, value in {**usage, **right}.items() if name not in nulls}


def _apart(usage: Document, prompt: int, completion: int, total: int | None) -> int:
    """The reasoning tokens, if the total shows that they are not included in the completion tokens."""
    details = usage.get("completion_tokens_details")
    reasoning = _count(details.get("reasoning_tokens")) if isinstance(details, dict) else None
    if reasoning and reasoning > completion and total == prompt + completion + reasoning:
        return reasoning
    return 0


def _is_null(usage: Document, name: str) -> bool:
    return name in usage and usage[name] is None


def _count(value: object) -> int | None:
    """A whole number, including one written as a string or as a float."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value[:18])
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value
