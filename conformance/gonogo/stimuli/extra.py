"""Vendor fields for every generation request ("--extra-body"), such as thinking off.

They are added to the requests but not to the keys of stimuli, so that evidence recorded with other fields stays
comparable; the record lists them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gonogo.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Request

GENERATIONS = frozenset({"/chat/completions", "/completions"})

RESERVED = frozenset(
    {
        "model", "messages", "prompt", "suffix", "echo",
        "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "best_of", "stop",
        "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call",
        "response_format", "logprobs", "top_logprobs", "modalities", "audio",
    }
)  # fmt: skip
"""Fields that users may not set: they would make requests more expensive, or answers unexpected for the rules."""


def parse_extra(text: str) -> dict[str, object]:
    """The fields in a JSON text.

    Raises UsageError if it is not a JSON object, or contains a field that gonogo sets itself.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()  # fails for a lone surrogate
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--extra-body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise UsageError('--extra-body is not a JSON object; give one like {"reasoning_effort": "none"}.')
    taken = sorted(RESERVED.intersection(value))
    if taken:
        raise UsageError(f"--extra-body contains {', '.join(taken)}, which gonogo sets itself; remove it.")
    return value


def with_extra(request: Request, extra: Mapping[str, object]) -> Request:
    """The request with these fields added; fields that its body already has stay unchanged.

    Only a generation whose body is a JSON object in UTF-8 is changed, and its existing bytes are kept.
    """
    sent = _object(request)
    added = {} if sent is None else {name: value for name, value in extra.items() if name not in sent}
    if not added:
        return request
    head = request.body.rstrip()[:-1] + (b", " if sent else b"")
    return replace(request, body=head + json.dumps(added, ensure_ascii=False).encode()[1:])


def _object(request: Request) -> dict[str, Any] | None:
    if request.path not in GENERATIONS:
        return None
    try:
        value = json.loads(request.body.decode())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")
