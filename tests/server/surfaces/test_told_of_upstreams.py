"""Parts of answers that only upstreams have: refusals, content filters, and missing usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.answers.stream import Counted, Finished, Started, Text
from gonogo_server.surfaces.messages.writer import MessageWriter
from gonogo_server.surfaces.responses.echo import echo
from gonogo_server.surfaces.responses.writer import ResponseWriter
from gonogo_wire import CreateResponseRequest
from server.surfaces.conftest import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.answers.stream import Step

    Check = Callable[[str, object], None]

REFUSED: list[Step] = [
    Started(0),
    Text(0, "I would ", refused=True),
    Text(0, "not.", refused=True),
    Finished(0, "stop"),
    Counted(9, 4),
]
FILTERED: list[Step] = [
    Started(0),
    Text(0, "Well"),
    Finished(0, "content_filter"),
    Counted(0, 0, known=False),
]


def response() -> ResponseWriter:
    return ResponseWriter(echo(CreateResponseRequest.model_validate({"model": "m", "input": "Hi"})))


def told(telling: ResponseWriter | MessageWriter, steps: list[Step], keeps: Check) -> list[dict[str, Any]]:
    path = "/messages" if isinstance(telling, MessageWriter) else "/responses"
    return events(telling.events(steps).decode(), path, keeps)


def test_a_refusal_is_a_part_of_its_own_in_a_response(keeps_contract: Check) -> None:
    found = told(response(), REFUSED, keeps_contract)
    assert [event["type"].removeprefix("response.") for event in found][2:] == [
        "output_item.added",
        "content_part.added",
        "refusal.delta",
        "refusal.delta",
        "refusal.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert found[-1]["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": "I would not."}]
    assert found[6]["refusal"] == "I would not."


def test_a_refusal_is_the_text_of_a_message_and_its_stop_reason(keeps_contract: Check) -> None:
    telling = MessageWriter("m")
    found = told(telling, REFUSED, keeps_contract)
    assert found[-2]["delta"] == {"stop_reason": "refusal", "stop_sequence": None}
    assert (found[0]["message"]["usage"]["input_tokens"], found[-2]["usage"]["input_tokens"]) == (0, 9)
    assert telling.whole()["content"] == [{"type": "text", "text": "I would not."}]


@pytest.mark.parametrize("steps", [FILTERED], ids=["filtered"])
def test_a_filter_is_reported_as_the_reason(steps: list[Step], keeps_contract: Check) -> None:
    last = told(response(), steps, keeps_contract)[-1]
    assert (last["type"], last["response"]["status"]) == ("response.incomplete", "incomplete")
    assert last["response"]["incomplete_details"] == {"reason": "content_filter"}
    assert last["response"]["output"][0]["status"] == "incomplete"
    assert last["response"]["usage"] is None
    message = told(MessageWriter("m"), steps, keeps_contract)[-2]
    assert message["delta"]["stop_reason"] == "refusal"
    assert message["usage"]["output_tokens"] == 0
