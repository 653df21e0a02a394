"""One defect of responses or messages is one cause, and the rule that says what is wrong names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo.faults.catalogue.response_streams import ADDED, PART
from gonogo.faults.catalogue.responses import CUT, FORCED, NAMED, PLAIN, STREAM
from gonogo.faults.editing import answer, both, changed, cut, frames, made, put
from gonogo.faults.message_edits import ANY, STREAMS
from gonogo.faults.message_edits import NAMED as NAMED_TOOL
from gonogo.faults.message_edits import STREAM as MESSAGES
from gonogo.faults.named_events import repeated, trailing, within
from gonogo.judge import explain
from gonogo.judge.message_order import BLOCK_DELTA, MESSAGE_DELTA

if TYPE_CHECKING:
    from faults.fault import Rejudge
    from gonogo.faults.editing import Change, Edit

COMPLETED = "response.completed"
LATE = {"type": BLOCK_DELTA, "index": 0, "delta": {"type": "text_delta", "text": "more"}}


def _broken(name: str) -> Edit:
    """The events of a type, each with JSON that is cut."""
    begins = b"event: " + name.encode() + b"\n"
    return frames(lambda old: [f[:-30] + b"\n\n" if f.startswith(begins) else f for f in old])


DEFECTS: dict[str, tuple[Change, str]] = {
    "an output that is null, whole and streamed": (
        both(
            changed(PLAIN, answer(put("output", None))),
            changed(STREAM, within(CUT, edits=[put("response.output", None)])),
        ),
        "responses.response.output",
    ),
    "a call that the last event lacks": (
        changed(NAMED, within(COMPLETED, edits=[put("response.output", [])])),
        "responses.stream.output_sum",
    ),
    "calls of another type": (
        both(
            changed(FORCED, answer(put("output.0.type", "tool_call"))),
            changed(
                NAMED,
                within(ADDED, "response.output_item.done", edits=[put("item.type", "tool_call")]),
                within(COMPLETED, edits=[put("response.output.0.type", "tool_call")]),
            ),
        ),
        "responses.tools.required",
    ),
    "calls without a name": (
        both(
            changed(FORCED, answer(cut("output.0.name"))),
            changed(
                NAMED,
                within(ADDED, "response.output_item.done", edits=[cut("item.name")]),
                within(COMPLETED, edits=[cut("response.output.0.name")]),
            ),
        ),
        "responses.call.name",
    ),
    "arguments that are an object in the last event": (
        changed(NAMED, within(COMPLETED, edits=[put("response.output.0.arguments", {"colour": "teal"})])),
        "responses.call.arguments",
    ),
    "messages without an id, whole and streamed": (
        both(
            changed(PLAIN, answer(cut("output.0.id"))),
            changed(STREAM, within(ADDED, edits=[cut("item.id")])),
        ),
        "responses.message.id",
    ),
    "a time that is a string, from the beginning": (
        changed(STREAM, within("response.created", CUT, edits=[made("response.created_at", str)])),
        "responses.response.created_at",
    ),
    "an event of a response that is cut": (changed(STREAM, _broken(PART)), "stream.json"),
    "an item that is added twice": (changed(STREAM, repeated(ADDED)), "responses.stream.item_own_index"),
    "an error in a response that did not fail": (
        changed(PLAIN, answer(put("error", {"code": "server_error", "message": "No."}))),
        "responses.response.error",
    ),
    "a delta after message_stop": (changed(MESSAGES, trailing(LATE)), "messages.stream.last"),
    "deltas with another number than their block": (
        changed(STREAMS, within(BLOCK_DELTA, edits=[put("index", -1)])),
        "messages.stream.index",
    ),
    "uses of tools that end for another reason": (
        both(
            changed(NAMED_TOOL, answer(put("stop_reason", "end_turn"))),
            changed(ANY, within(MESSAGE_DELTA, edits=[put("delta.stop_reason", "end_turn")])),
        ),
        "messages.tools.reason",
    ),
    "a message whose content is null": (
        changed(NAMED_TOOL, answer(put("content", None))),
        "messages.response.content",
    ),
}


@pytest.mark.parametrize(("change", "name"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_of_a_surface_is_one_cause_with_the_name_of_the_rule_about_it(
    change: Change, name: str, rejudge: Rejudge
) -> None:
    record = change(rejudge.clean)
    judgements = [one for one in rejudge(record).values() if not one.rule.id.startswith("clients.")]
    _, causes = explain(tuple(judgements), record)
    assert [cause.id for cause in causes] == [name]
