"""The reader of an upstream's events: by the standard, and leniently where the meaning is certain."""

from __future__ import annotations

from itertools import pairwise

import pytest
from gonogo import sse
from gonogo_server.errors import UpstreamError
from gonogo_server.repair.reading import EventReader
from hypothesis import given
from hypothesis import strategies as st

ONE = b'data: {"a":1}\n\n'
LINES = st.sampled_from(
    [
        b"",
        b"data: {}",
        b'data: {"text":"\xe2\x80\xa8\xf0\x9f\x94\x94"}',
        b'data:{"a":1}',
        b"data",
        b"data: ",
        b"data:  ",
        b": ping",
        b"event: error",
        b"id: 5",
        b"trace: 1",
        b"ping",
        b'{"bare":1}',
        b'{"cut":',
        b"data: [DONE]",
        b"[DONE]",
        b"\xef\xbb\xbfdata: {}",
    ]
)
STREAMS = st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n", b""])), max_size=12).map(
    lambda lines: b"".join(line + end for line, end in lines)
)


def read(pieces: list[bytes]) -> tuple[list[tuple[bytes, str]], set[str]]:
    noted: list[str] = []
    reader = EventReader(noted.append)
    events = [event for piece in pieces for event in reader.feed(piece)] + reader.end()
    assert len(noted) == len(set(noted)), "each rule is noted once"
    return [(event.data, event.name) for event in events], set(noted)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


@given(STREAMS, st.lists(st.integers(0, 500), max_size=8))
def test_any_split_of_the_bytes_gives_the_same_events(data: bytes, cuts: list[int]) -> None:
    assert read(split(data, cuts)) == read([data])


@given(STREAMS)
def test_bytes_that_come_one_by_one_give_the_same_events(data: bytes) -> None:
    assert read([bytes([byte]) for byte in data]) == read([data])


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_no_bytes_can_break_the_reader_and_no_split_matters(pieces: list[bytes]) -> None:
    assert read(pieces) == read([b"".join(pieces)])


PLAIN = st.lists(
    st.tuples(
        st.sampled_from(
            [b"data: x", b"data:y", b"data: {}", b": c", b"id: 1", b"event: e", b"", b"data: \xe2\x80\xa8"]
        ),
        st.sampled_from([b"\n", b"\r\n", b"\r"]),
    ),
    max_size=14,
).map(lambda lines: b"".join(line + end for line, end in lines) + b"\n\n")


@given(PLAIN)
def test_events_with_named_fields_are_dispatched_as_in_the_standard(data: bytes) -> None:
    events, _ = read([data])
    assert [(one.decode(), name or "message") for one, name in events] == [
        (event.data, event.event) for event in sse.parse(data).events if event.data.strip(" ")
    ]


@pytest.mark.parametrize(
    ("data", "events", "noted"),
    [
        (ONE, [b'{"a":1}'], set()),
        (b": ping\n\n" + ONE, [b'{"a":1}'], set()),
        (b"\xef\xbb\xbf" + ONE, [b'{"a":1}'], {"stream.bom"}),
        (ONE.replace(b"\n", b"\r\n"), [b'{"a":1}'], {"stream.line_ends"}),
        (ONE.replace(b"\n", b"\r"), [b'{"a":1}'], {"stream.line_ends"}),
        (ONE.replace(b": ", b":", 1), [b'{"a":1}'], {"stream.space"}),
        (b"event: x\n" + ONE, [b'{"a":1}'], {"stream.data_only"}),
        (b"trace: 1\n" + ONE, [b'{"a":1}'], {"stream.fields"}),
        (b"id: 5\n\n" + ONE, [b'{"a":1}'], {"stream.data_only", "stream.no_empty_events"}),
        (b"data: {\ndata: }\n\n", [b"{\n}"], {"stream.one_line"}),
        (b"data:\n\n" + ONE, [b'{"a":1}'], {"stream.no_empty_events"}),
        (b'data: {"a":1}', [b'{"a":1}'], {"stream.complete_events"}),
        (b"data: [DONE]\n", [b"[DONE]"], {"stream.complete_events"}),
        (b'data: {"a"', [], set()),
        (b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}'], {"stream.fields"}),
        (b'{\n "a": 1\n}\n', [b'{\n "a": 1\n}'], set()),
        (b'{"a":1}', [b'{"a":1}'], {"stream.fields"}),
        ('data: {"a":"\u2028\u0085"}\n\n'.encode(), ['{"a":"\u2028\u0085"}'.encode()], set()),
    ],
)
def test_malformed_events_are_read_leniently_and_noted(
    data: bytes, events: list[bytes], noted: set[str]
) -> None:
    found, said = read([data])
    assert [one for one, _ in found] == events
    assert said == noted


def test_the_name_of_an_event_is_told() -> None:
    assert read([b'event: error\ndata: {"a":1}\n\n'])[0] == [(b'{"a":1}', "error")]


@pytest.mark.parametrize("piece", [b"x" * 60, b"data: x\n" * 60, b'data: {"a":"' + b"x" * 60 + b'"}\n\n'])
def test_an_event_without_end_is_given_up(piece: bytes) -> None:
    reader = EventReader(lambda _: None, most=50)
    with pytest.raises(UpstreamError, match="more than 50 bytes") as raised:
        reader.feed(piece)
    assert raised.value.status == 502


def test_many_events_together_may_be_longer_than_one_may_be() -> None:
    reader = EventReader(lambda _: None, most=50)
    assert len(reader.feed(ONE * 100)) == 100
    assert [len(reader.feed(bytes([byte]))) for byte in ONE * 20].count(1) == 20
