"""Tool calls in a stream, joined as the API sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from server.repair.pieces import CALL, CALLED, WITH_TOOLS, call, mended, more
from server.repair.test_stream import DONE, FIRST, HI, LAST, events, piece, through

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        ([call(index=None), more("{}", index=None)], "index"),
        ([call(index=1), more("{}", index=1)], "numbered"),
        ([call(type=None), more("{}")], "type"),
        ([call(type="tool"), more("{}")], "schema"),
        ([call(), more("{}", id="call_1", type="function")], "once"),
        (
            [call(), piece({"tool_calls": [{**CALL, "function": {"name": "ring", "arguments": "{}"}}]})],
            "once",
        ),
        ([call(function={"name": "ring", "arguments": {}}), more("{}")], "arguments"),
        ([call(function={"name": "ring", "arguments": None}), more("{}")], "nulls"),
        ([call(), more("{}", id=None)], "nulls"),
    ],
)
def test_a_call_is_put_together_as_the_api_sends_it(sent: list[Document], rule: str) -> None:
    found, noted = mended([FIRST, *sent, CALLED], WITH_TOOLS)
    assert found == [FIRST, call(), more("{}"), CALLED]
    assert {one.rpartition(".")[2] for one in noted} == {rule}


def test_arguments_that_are_an_object_become_its_text() -> None:
    whole = call(function={"name": "ring", "arguments": {"b": "ä"}})
    assert mended([FIRST, whole, CALLED])[0][1] == call(function={"name": "ring", "arguments": '{"b": "ä"}'})
    empty = call(function={"name": "ring", "arguments": {}})
    assert mended([FIRST, empty, CALLED])[0] == [FIRST, call(), more("{}"), CALLED]


@pytest.mark.parametrize("id_", [None, ""])
def test_a_call_without_an_id_gets_one(id_: object) -> None:
    found, noted = mended([FIRST, call(id=id_), more("{}"), CALLED])
    assert found[1] == call(id="call_chatcmpl-fresh_0")
    assert noted == {"tools.stream.id"}


def test_calls_with_the_same_index_are_distinguished_by_their_ids() -> None:
    second = {"tool_calls": [{**CALL, "id": "call_2", "function": {"name": "dim", "arguments": ""}}]}
    found, noted = mended([FIRST, call(), more("{}"), piece(second), more('{"a":1}'), CALLED])
    assert [(f["index"], f.get("id"), f["function"].get("arguments")) for f in fragments(found)] == [
        (0, "call_1", ""),
        (0, None, "{}"),
        (1, "call_2", ""),
        (1, None, '{"a":1}'),
    ]
    assert noted == {"tools.stream.own_index"}


def fragments(found: list[Document]) -> list[Document]:
    deltas = [choice["delta"] for chunk in found for choice in chunk["choices"]]
    return [fragment for delta in deltas for fragment in delta.get("tool_calls", [])]


def test_a_different_id_in_every_fragment_is_still_one_call() -> None:
    sent = [call(), call(id="x", function={"name": "ring", "arguments": '{"a":'}), more("1}", id="y")]
    found, _ = mended([FIRST, *sent, CALLED])
    assert [(f["index"], f["function"]["arguments"]) for f in fragments(found)] == [
        (0, ""),
        (0, '{"a":'),
        (0, "1}"),
    ]


def test_whole_calls_without_index_or_id_are_calls_of_their_own() -> None:
    one = {"function": {"name": "ring", "arguments": "{}"}}
    for sent in ([piece({"tool_calls": [one, one]})], [piece({"tool_calls": [one]})] * 2):
        found, _ = mended([FIRST, *sent, CALLED])
        assert [(f["index"], f["type"], f["function"]) for f in fragments(found)] == [
            (0, "function", one["function"]),
            (1, "function", one["function"]),
        ]


def test_fragments_of_a_call_before_its_name_are_held() -> None:
    nameless = call(function={"arguments": '{"a":'})
    found, _ = mended(
        [FIRST, nameless, more("1}", id=None, function={"name": "ring", "arguments": "1}"}), CALLED]
    )
    assert fragments(found) == [{**CALL, "function": {"name": "ring", "arguments": '{"a":1}'}}]
    _, _, error = through(events([FIRST, nameless, CALLED]) + DONE)
    assert error is not None


def test_the_end_of_an_answer_says_whether_it_called() -> None:
    assert mended([FIRST, call(), more("{}"), LAST])[0][-1] == CALLED
    assert mended([FIRST, call(), more("{}"), piece({}, "length")])[0][-1] == piece({}, "length")
    assert mended([FIRST, HI, CALLED]) == ([FIRST, HI, LAST], {"chat.stream.finish_called"})
