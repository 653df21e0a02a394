"""Under a grammar, a model may first reason in its trained style, and then has to match the grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.answers.plan import plan
from gonogo_server.engine.base import ReasoningStyle
from gonogo_server.filters.reasoning_mode import ReasoningMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.engine.base import Effort
    from gonogo_wire import CreateChatCompletionRequest
    from server.grammars import Grammar

    Make = Callable[..., CreateChatCompletionRequest]

EFFORTS: frozenset[Effort] = frozenset({"none", "high"})
STYLE = ReasoningStyle("<think>", "</think>", EFFORTS)
JSON = {"tools": [], "response_format": {"type": "json_object"}}
RING = '<tool_call>{"name": "ring_bell", "arguments": {}}</tool_call>'


def rules(body: CreateChatCompletionRequest, effort: Effort | None = None, *, opened: bool = False) -> str:
    planned = plan(body, None, ReasoningMode(STYLE, effort))
    made = (planned.opened() if opened else planned).grammar
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("effort", "opened", "admitted", "refused"),
    [
        (None, False, ["{}", "<think>{ <x></think>{}", "<think>\nHm.\n</think>\n\n{}"], ["Hm.</think>{}"]),
        (None, True, ["Hm.</think>{}", "\nHm.\n</think>\n\n{}", "</think>{}"], ["{}", "Hm.</think>Hi"]),
        ("none", False, ["{}"], ["Hm.</think>{}", "<think>Hm.</think>{}"]),
        ("none", True, ["Hm.</think>{}"], ["{}"]),
    ],
    ids=["free", "opened", "off", "always"],
)
def test_json_comes_after_the_reasoning(
    request_with: Make,
    grammar: Callable[[str], Grammar],
    effort: Effort | None,
    admitted: list[str],
    refused: list[str],
    *,
    opened: bool,
) -> None:
    kept = grammar(rules(request_with(**JSON), effort, opened=opened))
    assert [text for text in admitted if not kept.admits(text)] == []
    assert [text for text in refused if kept.admits(text)] == []


def test_a_forced_call_comes_after_the_reasoning(
    request_with: Make, grammar: Callable[[str], Grammar]
) -> None:
    kept = grammar(rules(request_with(tool_choice="required"), opened=True))
    assert kept.admits(f"A call? </think>\n\n{RING}")
    assert not kept.admits(RING)
    assert not kept.admits(f"A call? </think>\n\nWell. {RING}")


def test_text_or_a_call_comes_after_the_reasoning(
    request_with: Make, grammar: Callable[[str], Grammar]
) -> None:
    kept = grammar(rules(request_with()))
    for text in (f"<think>Hm</think>\n\nWell. {RING}", "<think>Hm</think>Hi.", "Hi.", f"Well. {RING}"):
        assert kept.admits(text), text
    assert not kept.admits(f"<think>Hm</think>{RING} Hi.")


def test_a_model_that_does_not_reason_is_held_to_the_form_at_once(
    request_with: Make, grammar: Callable[[str], Grammar]
) -> None:
    planned: Any = plan(request_with(**JSON), None)
    assert planned.reasoning_filter() is None
    assert not grammar(planned.grammar).admits_beginning("<")
