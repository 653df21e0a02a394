"""Requests for responses and messages that no server has a reason to refuse.

Open servers support only a part of both APIs, so that a plain request has only the few fields that all support.
"""

from __future__ import annotations

from typing import Any

RESPONSE = frozenset(
    {"model", "input", "instructions", "max_output_tokens", "temperature", "top_p", "stream"}
)
MESSAGE = frozenset({"model", "messages", "system", "max_tokens", "stream"})
"""The fields of plain requests. The newest version of the Messages API refuses a temperature."""
TURN = frozenset({"type", "role", "content"})


def is_plain_response(body: dict[str, Any]) -> bool:
    """Whether its input is a text, or texts of the user and the assistant in turn."""
    given = body["input"]
    said = _is_said(given) if isinstance(given, str) else _is_even(given)
    return _has_only(body, RESPONSE) and said and _is_said(body.get("instructions", "-"))


def is_plain_message(body: dict[str, Any]) -> bool:
    """The same for a message."""
    fits = body.get("max_tokens") != 0  # a limit of 0 only fills a cache
    return (
        _has_only(body, MESSAGE) and fits and _is_even(body["messages"]) and _is_said(body.get("system", "-"))
    )


def _has_only(body: dict[str, Any], names: frozenset[str]) -> bool:
    return body.keys() <= names and None not in body.values()


def _is_even(turns: list[dict[str, Any]]) -> bool:
    """Whether user and assistant alternate with texts, the user first and last."""
    due = ["user", "assistant"] * len(turns)
    return (
        len(turns) % 2 == 1
        and [turn.get("role") for turn in turns] == due[: len(turns)]
        and all(turn.keys() <= TURN and _is_said(turn.get("content")) for turn in turns)
    )


def _is_said(content: object) -> bool:
    """Whether it is a text that is not blank; the official API refuses blank ones."""
    return isinstance(content, str) and bool(content.strip())
