"""The state machine of a response's stream: what it accepts, and that each mistake is reported once, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo.judge.response_events import course
from gonogo.judge.response_steps import AT_END, EXPECTED, KINDS, PARTS, State, Step
from suite.judge.exchanges import stream_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gonogo.judge.named_events import Course

Json = dict[str, Any]

CREATED = {"type": "response.created", "response": {"id": "resp_1"}}
PROGRESS = {"type": "response.in_progress", "response": {"id": "resp_1"}}


def ended(*output: Json, name: str = "response.completed") -> Json:
    return {"type": name, "response": {"id": "resp_1", "output": list(output)}}


def item_events(item: Json, index: int, *inner: Json) -> list[Json]:
    """An item from start to end, with `inner` events in between."""
    place = {"item_id": item["id"], "output_index": index}
    begun = {key: value for key, value in item.items() if key not in ("content", "summary", "arguments")}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": begun},
        *({**place, **event} for event in inner),
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


def parted(event: str, kind: str, field: str, pieces: Iterable[str], index: Json) -> list[Json]:
    """A part with its deltas, whose final text is their concatenation."""
    text = "".join(pieces)
    added, done = ("response.content_part.added", "response.content_part.done")
    if kind == "summary_text":
        added, done = ("response.reasoning_summary_part.added", "response.reasoning_summary_part.done")
    return [
        {"type": added, **index, "part": {"type": kind, field: ""}},
        *({"type": f"{event}.delta", **index, "delta": piece} for piece in pieces),
        {"type": f"{event}.done", **index, field: text},
        {"type": done, **index, "part": {"type": kind, field: text}},
    ]


FIRST = {"content_index": 0}
MESSAGE = {"id": "msg_1", "type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
TEXT = parted("response.output_text", "output_text", "text", ["H", "i"], FIRST)
REFUSING = {"id": "msg_2", "type": "message", "content": [{"type": "refusal", "refusal": "No."}]}
REFUSAL = parted("response.refusal", "refusal", "refusal", ["No", "."], FIRST)
THINKING = {
    "id": "rs_1",
    "type": "reasoning",
    "content": [{"type": "reasoning_text", "text": "Hm"}],
    "summary": [],
}
RAW = parted("response.reasoning_text", "reasoning_text", "text", ["Hm"], FIRST)
SUMMING = {"id": "rs_2", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}
SUMMARY = parted("response.reasoning_summary_text", "summary_text", "text", ["H", "m"], {"summary_index": 0})
CALLING = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "ring", "arguments": "{}"}
ARGUMENTS = [
    {"type": "response.function_call_arguments.delta", "delta": "{"},
    {"type": "response.function_call_arguments.delta", "delta": "}"},
    {"type": "response.function_call_arguments.done", "arguments": "{}"},
]


def whole() -> list[Json]:
    """A stream with an item of every kind."""
    return [
        CREATED,
        PROGRESS,
        *item_events(THINKING, 0, *RAW),
        *item_events(SUMMING, 1, *SUMMARY),
        *item_events(MESSAGE, 2, *TEXT),
        *item_events(CALLING, 3, *ARGUMENTS),
        *item_events(REFUSING, 4, *REFUSAL),
        ended(THINKING, SUMMING, MESSAGE, CALLING, REFUSING),
    ]


def read(events: Iterable[Json]) -> Course:
    """The findings of the machine for these events, numbered from 0."""
    numbered = [event | {"sequence_number": number} for number, event in enumerate(events)]
    return course(stream_to("/responses", numbered))


def test_a_stream_with_an_item_of_every_kind_has_no_slips_and_shows_every_kind_kept() -> None:
    found = read(whole())
    assert found.slips == {}
    assert sorted(KINDS.keys() - found.kept.keys()) == []


def interleaved(events: list[Json]) -> list[Json]:
    """The second item begins before the first is done."""
    first, second = events[2:8], events[8:15]
    return [*events[:2], first[0], second[0], *first[1:], *second[1:], *events[15:]]


def without_texts(events: list[Json]) -> list[Json]:
    """An empty message: added, then done."""
    return [
        *events[:2],
        *item_events({"id": "msg_1", "type": "message", "content": []}, 0),
        ended({"id": "msg_1", "type": "message", "content": []}),
    ]


@pytest.mark.parametrize(
    "change",
    [
        interleaved,
        without_texts,
        lambda events: [*events[:2], ended()],
        lambda events: [*events[:2], ended(name="response.failed")],
        lambda events: [*events[:5], {"type": "error", "message": "No."}, ended(name="response.failed")],
        lambda events: [events[0], {"type": "response.queued", "response": {"id": "resp_1"}}, *events[1:]],
        lambda events: [{"type": "keepalive"}, {"type": "acme:place", "ahead": 3}, *events],
        lambda events: [
            event for event in events if event["type"] != "response.function_call_arguments.delta"
        ],
    ],
    ids=[
        "two items at once",
        "a message without text",
        "nothing",
        "a failure",
        "an error and a failure",
        "a response that waits",
        "events of no response before it",
        "arguments at once",
    ],
)
def test_allowed_variations_are_not_slips(change: Callable[[list[Json]], list[Json]]) -> None:
    assert read(change(whole())).slips == {}


@pytest.mark.parametrize(
    ("missing", "kind"),
    [
        ("response.created", "missing-created"),
        ("response.in_progress", "missing-in-progress"),
        ("response.completed", "missing-end"),
        ("response.output_item.added", "unannounced-item"),
        ("response.output_item.done", "unfinished-item"),
        ("response.content_part.added", "unannounced-part"),
        ("response.content_part.done", "unfinished-part"),
        ("response.output_text.done", "text-not-done"),
        ("response.function_call_arguments.done", "text-not-done"),
        ("response.reasoning_summary_part.added", "unannounced-reasoning"),
    ],
)
def test_a_missing_event_is_one_slip_with_its_name(missing: str, kind: str) -> None:
    left = [event for event in whole() if event["type"] != missing]
    also = {"unannounced-reasoning"} if missing == "response.content_part.added" else set()
    assert set(read(left).slips) - also == {kind}


def test_the_table_of_parts_says_what_each_step_does_in_every_state() -> None:
    assert PARTS.keys() == {(state, step) for state in State for step in Step}
    assert {slip for _, slip in PARTS.values() if slip} <= EXPECTED.keys() <= KINDS.keys()
    assert KINDS.keys() >= AT_END
