"""The generic tool format, for models that were not trained on tools: plain messages. No I/O.

A system message describes the functions and how to call one. A call appears in the text of the answer as
`<tool_call>{"name": …, "arguments": …}</tool_call>`, which many trained models write as well. Results are sent in a
user message, each as `<tool_response name="…">…</tool_response>`, because templates without tools have no other role.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gonogo_server.tools.offer import Offer

CALL_START: Final = "<tool_call>"
CALL_END: Final = "</tool_call>"


def instruction(offer: Offer) -> str:
    """The instructions for the model about the functions."""
    described = "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in offer.tools)
    example = call_text("a function's name", '{"a parameter": "its value"}')
    return (
        f"You can call functions. Each of these lines describes one:\n{described}\n"
        f"Write a call like this: {example}\n"
        f"{_how_often(offer)} The results come in the next message."
    )


def call_text(name: str, arguments: str) -> str:
    """A call as text; `arguments` is JSON."""
    return f'{CALL_START}{{"name": {json.dumps(name)}, "arguments": {arguments}}}{CALL_END}'


def calling_text(content: str, calls: Iterable[Mapping[str, str]]) -> str:
    """An assistant's message that calls functions, with `name` and `arguments` of each call."""
    called = [call_text(call["name"], call["arguments"]) for call in calls]
    return "\n".join([content, *called] if content else called)


def result_text(name: str, content: str) -> str:
    """The result of a function as text."""
    return f'<tool_response name="{name}">{content}</tool_response>'


def _how_often(offer: Offer) -> str:
    if offer.forced:
        return "Call one now." if offer.most == 1 else "Call one or more of them now."
    most = "at most one" if offer.most == 1 else "as many as needed"
    return f"Call {most}, or answer in plain words if none helps."
