from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from gonogo.exchange import Chunk, Exchange, Failure, FailureKind, Request
from gonogo.judge import reading
from gonogo.judge.outcome import EXCERPT, Deviation, Stop, Undecided, position
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Make

STREAM = (("content-type", "text/event-stream"),)


@contextmanager
def undecided(reason: Reason, *about: str, **values: object) -> Iterator[None]:
    """The block stops, and leaves the rule undecided for this reason."""
    with pytest.raises(Stop) as stopped:
        yield
    assert stopped.value.outcome == Undecided(reason, about, values)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "{'a': 1}", "[1,]", "", "1 2"])
def test_text_that_rfc_8259_does_not_allow_is_not_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        reading.parse(text)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "true"),
        ("a", "a string"),
        (1.5, "a number"),
        (2, "a number"),
        ([1], "an array"),
        ({}, "an object"),
    ],
)
def test_types_have_the_names_that_json_gives_them(value: object, name: str) -> None:
    assert reading.kind(value) == name


def test_missing_and_null_fields_are_distinguished() -> None:
    assert reading.field({}, "id") == '"id" is missing'
    assert reading.field({"id": None}, "id") == '"id" is null'
    assert reading.field({"id": "é"}, "id") == '"id" is "é"'
    assert reading.field({"id": "é" * 99}, "id") == f'"id" is "{"é" * 79}…"'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'"\\ud83c\\udf89"', "🎉"),
        (b'["\\ud83c", "\\uDF89"]', ["?", "?"]),
        ('{"\\uDBFF": 1}', {"?": 1}),
        ('"\\\\ud83c"', "\\ud83c"),
    ],
)
def test_half_a_surrogate_pair_is_a_question_mark(text: str | bytes, value: object) -> None:
    assert reading.parse(text) == value


def test_json_nested_too_deeply_cannot_be_judged() -> None:
    with undecided(Reason.TOO_DEEP):
        reading.parse("[" * 100_000)


def test_a_whole_answer_is_an_object_or_undecided(make: Make) -> None:
    assert reading.answer(make({"a": 1})) == {"a": 1}
    with undecided(Reason.NOT_JSON, "x1"):
        reading.answer(make(b"<html>"))
    with undecided(Reason.NOT_AN_OBJECT, "x1"):
        reading.answer(make([1]))


def test_choices_are_the_objects_among_them(make: Make) -> None:
    assert reading.choices(make({"choices": [1, {"index": 0}, None]})) == [{"index": 0}]
    with undecided(Reason.NO_CHOICES, "x1"):
        reading.choices(make({"choices": {}}))


def test_chunks_are_the_objects_of_a_stream_with_their_place(make: Make) -> None:
    data = [b'{"id": 1}', b"oops", b"[1]", b'{"error": {}}', b'{"error": "e"}', b"[DONE]"]
    body = b"".join(b"data: " + text + b"\n\n" for text in data)
    first, second = reading.chunks(make(body, headers=STREAM))
    assert (first.value, first.offset, first.end) == ({"id": 1}, 0, 17)
    assert second.value == {"error": {}}
    assert second.choices == []


def test_a_stream_without_objects_is_undecided(make: Make) -> None:
    with undecided(Reason.NO_CHUNKS, "x1"):
        reading.chunks(make(b"data: [DONE]\n\n", headers=STREAM))


def test_a_stream_has_ended_where_it_neither_broke_off_nor_failed(make: Make) -> None:
    reading.ended(make(b'data: {"id": 1}\n\n', headers=STREAM))
    with undecided(Reason.ERROR_FRAME, "x1"):
        reading.ended(make(b'data: {"error": "e"}\n\n', headers=STREAM))
    with undecided(Reason.BROKEN_OFF, "x1", failure="gone"):
        reading.ended(make(b"", headers=STREAM, failure=Failure(FailureKind.RESET, 0.1, "gone")))


@pytest.mark.parametrize(
    "rest",
    [b'data: {"id"\n\n', b"data: []\n\n", b'{"id": 2}\n\n', b'data: {"id": 2}'],
    ids=["cut", "an array", "in no field", "not closed"],
)
def test_a_missing_part_may_be_in_an_unreadable_event(rest: bytes, make: Make) -> None:
    lost = make(b'data: {"id": 1}\n\n' + rest, headers=STREAM)
    reading.unfailed(lost)
    with undecided(Reason.EVENT_LOST, "x1"):
        reading.ended(lost)


def test_an_unterminated_done_loses_nothing(make: Make) -> None:
    reading.ended(make(b'data: {"id": 1}\n\nretry: 5\n\ndata: [DONE]', headers=STREAM))


def test_chunks_are_sorted_by_choice(make: Make) -> None:
    body = b'data: {"choices": [{"index": 1}, {"index": 0}]}\n\n'
    body += b'data: {"choices": [{"index": 0}, {"index": true}, {}]}\n\n'
    found = reading.by_choice(make(body, headers=STREAM))
    assert {index: len(chunks) for index, chunks in found.items()} == {1: 1, 0: 2}
    with undecided(Reason.NO_INDEXED_CHOICE, "x1"):
        reading.by_choice(make(b'data: {"choices": [{}]}\n\n', headers=STREAM))


@pytest.mark.parametrize(("value", "count"), [(3, 3), (True, None), (1.0, None), ("1", None), (None, None)])
def test_a_count_is_a_whole_number(value: object, count: int | None) -> None:
    assert reading.count(value) == count


def test_usage_and_delta_are_objects_or_nothing() -> None:
    assert reading.usage({"usage": {"total_tokens": 1}}) == {"total_tokens": 1}
    assert reading.usage({"usage": []}) is None
    assert reading.delta({"delta": {"content": "x"}}) == {"content": "x"}
    assert reading.delta({"delta": None}) == {}


def test_a_position_has_offset_time_and_bytes() -> None:
    chunks = (Chunk(0.1, b"data: a\n\n"), Chunk(0.4, b"data: \xff" + b"x" * 500 + b"\n\n"))
    exchange = Exchange("x1", "k", Request("GET", "/"), 200, (), chunks, None, 0.5)
    place = position(exchange, 9)
    assert (place.offset, place.seconds) == (9, 0.4)
    assert place.excerpt.startswith("data: \\xffxxx")
    deviation = Deviation("a", "b").located(exchange, 0, 9)
    assert (deviation.expected, deviation.found) == ("a", "b")
    assert deviation.at is not None
    assert deviation.at.excerpt == "data: a"
    cut = position(exchange, 9, 9 + EXCERPT + 1).excerpt
    assert cut.endswith("…")
