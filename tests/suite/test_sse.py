from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from gonogo.sse import EXCERPT, KEPT_PER_KIND, AnomalyKind, Decoder, Event, EventStream, parse
from httpx_sse import EventSource
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable

K = AnomalyKind
MIB = 2**20


def feed(pieces: Iterable[bytes]) -> EventStream:
    decoder = Decoder()
    for piece in pieces:
        decoder.feed(piece)
    return decoder.finish()


def one_by_one(data: bytes) -> EventStream:
    return feed(bytes([byte]) for byte in data)


def read(data: bytes) -> EventStream:
    """Whole and one byte at a time, with the same result."""
    stream = parse(data)
    assert one_by_one(data) == stream
    return stream


def data_of(data: bytes) -> list[str]:
    return [event.data for event in read(data).events]


def kinds(data: bytes) -> list[str]:
    return [anomaly.kind for anomaly in read(data).anomalies]


class TestTheExamplesOfTheStandard:
    """WHATWG HTML, section 9.2.6, in its order."""

    def test_a_multi_line_event_is_joined_by_line_feeds(self) -> None:
        assert data_of(b"data: YHOO\ndata: +2\ndata: 10\n\n") == ["YHOO\n+2\n10"]

    def test_comment_id_reset_of_id_and_leading_space(self) -> None:
        stream = read(
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"
        )
        assert [(event.data, event.id) for event in stream.events] == [
            ("first event", "1"),
            ("second event", ""),
            (" third event", ""),
        ]
        assert stream.comments == (" test stream",)

    def test_empty_data_is_dispatched_and_the_last_block_is_not(self) -> None:
        assert data_of(b"data\n\ndata\ndata\n\ndata:") == ["", "\n"]

    def test_one_space_after_the_colon_is_ignored(self) -> None:
        assert data_of(b"data:test\n\ndata: test\n\n") == ["test", "test"]


class TestLines:
    @pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
    def test_end_in_lf_cr_or_crlf(self, end: str) -> None:
        assert data_of(end.join(["data: a", "data: b", "", "data: c", "", ""]).encode()) == ["a\nb", "c"]

    def test_may_end_each_in_its_own_way(self) -> None:
        assert data_of(b"data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\r\n") == ["a\nb\nc", "d"]

    @pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
    def test_do_not_end_in_anything_else(self, character: str) -> None:
        assert data_of(f"data: a{character}b\n\n".encode()) == [f"a{character}b"]

    def test_that_end_in_crlf_split_between_pieces_end_once(self) -> None:
        assert feed([b"data: a\r", b"\n\r", b"\n"]) == parse(b"data: a\r\n\r\n")

    def test_that_end_in_cr_at_the_very_end_are_complete(self) -> None:
        assert data_of(b"data: a\r\r") == ["a"]

    def test_of_four_mebibytes_are_read_whole(self) -> None:
        line = b"x" * (4 * MIB)
        pieces = [line[start : start + 1000] for start in range(0, len(line), 1000)]
        [event] = feed([b"data: ", *pieces, b"\n\n"]).events
        assert len(event.data) == 4 * MIB


class TestText:
    def test_split_inside_a_character_is_whole_again(self) -> None:
        assert data_of("data: Grüße 你好 🎉\n\n".encode()) == ["Grüße 你好 🎉"]

    def test_loses_one_byte_order_mark_at_the_start_only(self) -> None:
        stream = read(b"\xef\xbb\xbfdata: \xef\xbb\xbfa\n\n")
        assert [event.data for event in stream.events] == ["\ufeffa"]
        assert [(anomaly.kind, anomaly.offset) for anomaly in stream.anomalies] == [(K.BOM, 0)]
        assert stream.events[0].offset == 3

    def test_after_a_second_byte_order_mark_is_an_unknown_field(self) -> None:
        assert kinds(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n") == [K.BOM, K.UNKNOWN_FIELD, K.NO_DATA_EVENT]

    def test_that_is_not_utf_8_is_replaced_and_reported_with_its_place(self) -> None:
        stream = read(b"data: a\n\ndata: \xe4\xbd!\n\n")
        [anomaly] = stream.anomalies
        assert stream.events[1].data == "\ufffd!"
        assert (anomaly.kind, anomaly.offset) == (K.INVALID_UTF8, 15)
        assert "e4 bd" in anomaly.message


class TestFields:
    def test_of_an_event_are_told_in_their_order(self) -> None:
        [event] = read(b"id: 7\nevent: ping\ndata: a\nretry: 10\nx: y\ndata: b\n\n").events
        assert event == Event(
            data="a\nb",
            event="ping",
            id="7",
            retry=10,
            offset=0,
            end=50,
            data_lines=2,
            fields=("id", "event", "data", "retry", "x", "data"),
        )

    def test_that_name_an_event_last_for_that_event(self) -> None:
        stream = read(b"event: a\nevent: b\ndata: 1\n\ndata: 2\n\nevent: c\n\ndata: 3\n\nevent:\ndata: 4\n\n")
        assert [event.event for event in stream.events] == ["b", "message", "message", "message"]

    def test_that_set_an_id_last_until_it_is_set_again(self) -> None:
        stream = read(b"id: 1\n\ndata: a\n\nid: 2\ndata: b\n\nid\ndata: c\n\n")
        assert [event.id for event in stream.events] == ["1", "2", ""]

    def test_are_distinguished_by_case_and_spaces(self) -> None:
        stream = read(b"Data: a\ndata : b\n data: c\n\n")
        assert stream.events == ()
        assert stream.counts == {K.UNKNOWN_FIELD: 3, K.NO_DATA_EVENT: 1}

    def test_keep_every_colon_but_the_first(self) -> None:
        assert data_of(b"data: a: b:c\n\n") == ["a: b:c"]

    @pytest.mark.parametrize(
        ("value", "retry"), [(b"3000", 3000), (b"007", 7), (b"", None), (b"-1", None), (b"1.5", None)]
    )
    def test_that_set_a_retry_take_ascii_digits_only(self, value: bytes, retry: int | None) -> None:
        stream = read(b"retry: %s\ndata: a\n\n" % value)
        assert stream.events[0].retry == retry
        assert (K.BAD_RETRY in stream.counts) is (retry is None)

    @pytest.mark.parametrize("digits", ["١٢", "²", "9" * 5000])
    def test_that_set_a_retry_no_clock_can_hold_are_reported(self, digits: str) -> None:
        stream = read(f"retry: {digits}\ndata: a\n\n".encode())
        assert stream.events[0].retry is None
        assert K.BAD_RETRY in stream.counts

    def test_that_set_an_id_with_nul_are_ignored(self) -> None:
        stream = read(b"id: 1\ndata: a\n\nid: 2\x003\ndata: b\n\n")
        assert [event.id for event in stream.events] == ["1", "1"]
        assert stream.of(K.NUL_IN_ID)[0].offset == 15


class TestTheEnd:
    @pytest.mark.parametrize(
        "rest", [b"data: [DONE]", b"data: [DONE]\n", b"data: [DO", b"d", b"id: 1\n", b"data\n: c\n"]
    )
    def test_inside_an_event_dispatches_nothing_and_is_reported(self, rest: bytes) -> None:
        stream = read(b"data: a\n\n" + rest)
        assert [event.data for event in stream.events] == ["a"]
        [anomaly] = stream.of(K.INCOMPLETE_EVENT)
        assert anomaly.offset == 9

    def test_inside_an_event_quotes_what_was_pending(self) -> None:
        assert "[DONE]" in read(b"data: a\ndata: [DONE]").of(K.INCOMPLETE_EVENT)[0].text

    @pytest.mark.parametrize("rest", [b"", b": bye\n", b": by"])
    def test_after_an_event_or_a_comment_loses_nothing(self, rest: bytes) -> None:
        assert K.INCOMPLETE_EVENT not in read(b"data: a\n\n" + rest).counts

    @pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b":", b"\n"])
    def test_of_a_stream_without_events_is_not_an_error(self, data: bytes) -> None:
        stream = read(data)
        assert stream.events == ()
        assert K.INCOMPLETE_EVENT not in stream.counts


class TestAnomalies:
    def test_are_none_in_the_plain_form(self) -> None:
        assert read(b'data: {"a": 1}\n\ndata: [DONE]\n\n').anomalies == ()

    @pytest.mark.parametrize(
        ("data", "kind", "offset"),
        [
            (b"data: a\r\n\n", K.CRLF, 7),
            (b"data: a\rdata: b\n\n", K.CR, 7),
            (b"data: a\n\ndata:{}\n\n", K.NO_SPACE, 9),
            (b"data: a\ndata\n\n", K.FIELD_WITHOUT_COLON, 8),
            (b"data: a\nfoo: b\n\n", K.UNKNOWN_FIELD, 8),
            (b"data: a\nevent: b\n\n", K.EVENT_NAME, 8),
            (b"data: a\nid: b\n\n", K.ID_FIELD, 8),
            (b"data: a\nretry: 1\n\n", K.RETRY_FIELD, 8),
            (b"data: a\n: b\n\n", K.COMMENT, 8),
            (b"data: a\n\ndata: b\ndata: c\n\n", K.MULTI_LINE_DATA, 9),
            (b"data: a\n\nid: 1\n\n", K.NO_DATA_EVENT, 9),
            (b"data: a\n\n\n", K.EXTRA_BLANK_LINE, 9),
        ],
    )
    def test_have_a_kind_an_offset_and_a_sentence(self, data: bytes, kind: AnomalyKind, offset: int) -> None:
        [anomaly, *_] = read(data).of(kind)
        assert anomaly.offset == offset
        assert anomaly.message.endswith(".")

    def test_are_ordered_by_offset(self) -> None:
        stream = read(b"id: 1\nfoo\n\n: c\r\n\ndata:x\ndata: y\n\ndata: z")
        offsets = [anomaly.offset for anomaly in stream.anomalies]
        assert offsets == sorted(offsets)

    def test_of_one_kind_are_counted_beyond_those_kept(self) -> None:
        stream = parse(b": keep-alive\n\n" * 1000)
        assert len(stream.anomalies) == KEPT_PER_KIND
        assert stream.counts == {K.COMMENT: 1000}

    def test_quote_no_more_than_an_excerpt(self) -> None:
        stream = parse(b":" + b"c" * MIB + b"\n" + b"f" * MIB + b"\n\ndata: " + b"d" * MIB)
        assert all(len(anomaly.text) <= EXCERPT for anomaly in stream.anomalies)
        assert all(len(anomaly.message) <= 2 * EXCERPT for anomaly in stream.anomalies)

    def test_are_not_raised_by_a_space_left_out_before_nothing(self) -> None:
        assert read(b"data:\n\n").anomalies == ()

    def test_leave_a_blank_line_after_a_comment_alone(self) -> None:
        assert kinds(b": keep-alive\n\ndata: a\n\n") == [K.COMMENT]


def test_offsets_cut_the_stream_into_its_events() -> None:
    data = b": c\n\xc3\xa4: x\ndata: a\n\ndata: b\r\n\r\n"
    first, second = read(data).events
    assert data[first.offset : first.end] == b"\xc3\xa4: x\ndata: a\n\n"
    assert data[second.offset : second.end] == b"data: b\r\n\r\n"


@pytest.mark.unmeasured  # 100,000 events run the same lines as one
def test_events_alike_share_what_they_have_in_common() -> None:
    stream = parse(b"data\n\n" * 100_000)
    assert len(stream.events) == 100_000
    assert len({id(event.fields) for event in stream.events}) == 1


ODD = st.lists(
    st.sampled_from(
        [
            b"data",
            b"id",
            b"event",
            b"retry",
            b"x",
            b":",
            b" ",
            b"\n",
            b"\r",
            b"\r\n",
            b"1",
            b"\0",
            b"{}",
            b"\xef\xbb\xbf",
            b"\xe2\x80\xa8",
            b"\xff",
            "é🎉".encode(),
            b"[DONE]",
        ]
    ),
    max_size=60,
).map(b"".join)


@given(ODD | st.binary(max_size=200), st.data())
def test_the_way_a_stream_is_cut_changes_nothing(data: bytes, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert feed(pieces) == parse(data) == one_by_one(data)


@given(ODD | st.binary(max_size=200))
def test_every_event_lies_where_its_offsets_say(data: bytes) -> None:
    stream = parse(data)
    place = 0
    for event in stream.events:
        assert place <= event.offset < event.end <= len(data)
        [again] = parse(data[event.offset : event.end]).events
        assert (again.data, again.event, again.retry) == (event.data, event.event, event.retry)
        place = event.end
    assert all(0 <= anomaly.offset <= len(data) for anomaly in stream.anomalies)


WORDS = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=12)
BLOCKS = st.fixed_dictionaries(
    {"data": st.lists(WORDS, min_size=1, max_size=3)},
    optional={"event": WORDS, "id": WORDS, "retry": st.integers(0, 10**6).map(str), "x": WORDS},
)


@given(st.lists(BLOCKS, max_size=5), st.sampled_from(["\n", "\r", "\r\n"]), WORDS)
def test_httpx_sse_reads_the_same_where_both_follow_the_standard(
    blocks: list[dict[str, list[str] | str]], end: str, comment: str
) -> None:
    """httpx-sse dispatches blocks without data too, so each block has some here."""
    lines = []
    for block in blocks:
        lines.append(f":{comment}")
        for name, value in block.items():
            values = value if isinstance(value, list) else [value]
            lines += [f"{name}: {each}" for each in values]
        lines.append("")
    data = "".join(line + end for line in lines).encode()
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=data)
    theirs = [(e.data, e.event, e.id, e.retry) for e in EventSource(response).iter_sse()]
    assert [(e.data, e.event, e.id, e.retry) for e in parse(data).events] == theirs


@given(st.lists(st.recursive(st.none() | st.text(), st.lists, max_leaves=5), max_size=5))
def test_json_comes_through_as_it_was_written(values: list[object]) -> None:
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    data = "".join(f"data: {text}\n\n" for text in texts).encode("utf-8", "replace")
    stream = parse(data)
    assert stream.anomalies == ()
    assert [event.data.encode() for event in stream.events] == [t.encode("utf-8", "replace") for t in texts]
