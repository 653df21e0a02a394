"""Edits that apply one fault to all answers of a surface, complete and streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.faults.editing import answer, made, put
from gonogo.faults.named_events import within
from gonogo.judge import messages, responses
from gonogo.judge.message_order import MESSAGE_DELTA

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Edit, Json, JsonEdit

_WHOLE = ("id", "status", "output", "usage")
"""The only members of a minimal response."""


def _on(path: str, whole: JsonEdit | None, streamed: Edit) -> Edit:
    """One edit for the complete answers of an operation, another for its streams."""

    def edit(exchange: Exchange) -> Exchange:
        if exchange.request.operation != path or exchange.status != 200:
            return exchange
        if exchange.is_stream:
            return streamed(exchange)
        return exchange if whole is None else answer(whole)(exchange)

    return edit


def _bare(response: Json) -> Json:
    return {name: response[name] for name in _WHOLE}


def _completed(response: Json) -> None:
    if response["status"] == "incomplete":
        response.update(status="completed", incomplete_details=None)
        for item in response["output"][-1:]:
            item["status"] = "completed"


def _completed_end(event: Json) -> None:
    event["type"] = "response.completed"
    _completed(event["response"])


def _uncut(holder: Json) -> None:
    if holder["stop_reason"] == "max_tokens":
        holder["stop_reason"] = "end_turn"


bare_responses = _on(responses.PATH, None, within(*responses.ENDS, edits=[made("response", _bare)]))
"""The last event of a stream has only these members of the response."""
one_reason = _on(
    messages.PATH,
    put("stop_reason", "end_turn"),
    within(MESSAGE_DELTA, edits=[put("delta.stop_reason", "end_turn")]),
)
"""Every message ends with end_turn."""
_uncut_messages = _on(
    messages.PATH, _uncut, within(MESSAGE_DELTA, edits=[lambda event: _uncut(event["delta"])])
)
_uncut_responses = _on(responses.PATH, _completed, within("response.incomplete", edits=[_completed_end]))


def reported_complete(exchange: Exchange) -> Exchange:
    """Answers truncated by a limit are reported as complete, on both surfaces."""
    return _uncut_messages(_uncut_responses(exchange))
