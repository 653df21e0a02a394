"""Reasoning models: if reasoning used up the budget, rules that need text are inconclusive, and nothing fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from faults.fault import turned
from gonogo.faults.editing import answer, both, changed, each
from gonogo.report.wording import message
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from faults.fault import Rejudge
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import JsonEdit

FIELDS = ("reasoning_content", "reasoning")
NEED_TEXT = ("chat.stream.text", "stop.chat.honoured", "structured.schema.kept", "tools.required.called")


def _chat(exchange: Exchange, media_type: str) -> bool:
    return (
        exchange.request.path == "/chat/completions"
        and exchange.status == 200
        and exchange.media_type == media_type
    )


def CHATS(exchange: Exchange) -> bool:  # noqa: N802 - a pick like the others
    return _chat(exchange, "application/json")


def STREAMS(exchange: Exchange) -> bool:  # noqa: N802 - as above
    return _chat(exchange, "text/event-stream")


def _thought(field: str, empty: str | None) -> JsonEdit:
    """The whole answer, including tool calls, is reasoning that the limit cut off."""

    def edit(value: Any) -> None:  # noqa: ANN401 - JSON
        for choice in value["choices"]:
            message = choice["message"]
            message.pop("tool_calls", None)
            message.update({"content": empty, field: "The user wants me to"})
            choice.update(finish_reason="length", logprobs=None)

    return edit


def _thinking(field: str, empty: str | None) -> JsonEdit:
    """The same, piece by piece."""

    def edit(value: Any) -> None:  # noqa: ANN401 - JSON
        for choice in value["choices"]:
            delta = choice["delta"]
            said = delta.pop("content", None) or delta.pop("tool_calls", None)
            if said:
                delta.update({"content": empty, field: said if isinstance(said, str) else "Hm"})
            if "logprobs" in choice:
                choice["logprobs"] = None
            if choice.get("finish_reason") is not None:
                choice["finish_reason"] = "length"

    return edit


@pytest.mark.parametrize("empty", [None, ""], ids=["null", "empty"])
@pytest.mark.parametrize("field", FIELDS)
def test_a_budget_used_by_reasoning_breaks_no_rule(field: str, empty: str | None, rejudge: Rejudge) -> None:
    thinking = both(
        changed(CHATS, answer(_thought(field, empty))), changed(STREAMS, each(_thinking(field, empty)))
    )
    found = rejudge(thinking(rejudge.clean))
    assert {rule_id: message(found[rule_id]) for rule_id in turned(found)} == {}
    assert [rule_id for rule_id, judgement in found.items() if judgement.verdict is Verdict.ERROR] == []
    assert {found[rule_id].verdict for rule_id in NEED_TEXT} == {Verdict.INCONCLUSIVE}
