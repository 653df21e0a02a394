"""The request fields that a response repeats, with the defaults of the API. No I/O.

Every field that Open Responses asks for is there: what cannot be had here says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gonogo_server.requests.params import given

if TYPE_CHECKING:
    from gonogo_wire import CreateResponseRequest

DUMPED: Final = {"tools", "tool_choice", "text"}
"""The fields that are echoed as JSON; the input, which may be large, is not echoed."""


def echo(body: CreateResponseRequest, *, stored: bool = False) -> dict[str, Any]:
    """Those fields of the response that come from the request; `stored` is whether it will be stored."""
    document = body.model_dump(mode="json", by_alias=True, exclude_unset=True, include=DUMPED)
    reasoning = given(body.reasoning, None)
    text = document.get("text") or {}
    return {
        "model": body.model,
        "instructions": given(body.instructions, None),
        "metadata": given(body.metadata, {}),
        "tools": document.get("tools") or [],
        "tool_choice": document.get("tool_choice") or "auto",
        "parallel_tool_calls": given(body.parallel_tool_calls, True),  # noqa: FBT003 - the API's default
        "temperature": given(body.temperature, 1),
        "top_p": given(body.top_p, 1),
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "top_logprobs": given(body.top_logprobs, 0),
        "max_output_tokens": given(body.max_output_tokens, None),
        "max_tool_calls": given(body.max_tool_calls, None),
        "previous_response_id": given(body.previous_response_id, None),
        "truncation": "disabled",
        "text": {"format": text.get("format") or {"type": "text"}}
        | ({"verbosity": text["verbosity"]} if text.get("verbosity") else {}),
        "reasoning": None
        if reasoning is None
        else {"effort": given(reasoning.effort, None), "summary": None},
        "store": stored,
        "background": False,
        "service_tier": "default",
        "user": given(body.user, None),
        "safety_identifier": given(body.safety_identifier, None),
        "prompt_cache_key": given(body.prompt_cache_key, None),
    }
