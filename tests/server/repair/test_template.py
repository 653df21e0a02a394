"""Chunks that differ from the one before only in their text are passed on unparsed; others are parsed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from gonogo_server.repair.documents import chunks, frame
from gonogo_server.repair.stream import StreamRepair
from gonogo_server.repair.template import Template
from hypothesis import given, settings
from hypothesis import strategies as st
from server.repair.gateway import streamed
from server.repair.test_stream import CHAT, DONE, FIRST, HI, LAST, USAGE, event, piece

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document

OTHERS = (
    piece({"content": "other id"}) | {"id": "chatcmpl-2"},
    piece({"content": "a role", "role": "assistant"}),
    piece({"content": None}),
    piece({"content": "\ud83d"}),
    piece({"content": "\ude42"}),
    piece({"content": "counted"}, usage=USAGE),
    piece({"content": "of the next choice"}, index=1),
    piece({"content": "ends", "refusal": None}, "length"),
    piece({"content": "beside"}, service_tier="none"),
    piece({}),
    piece({"tool_calls": []}),
    LAST,
    {"choices": []},
    {"error": {"message": "It broke."}},
)
"""Chunks that a stage edits, holds or drops, and other ends of a stream."""
PIECES = st.one_of(st.text().map(lambda text: piece({"content": text})), st.sampled_from(OTHERS))
TEXT = event(HI).removeprefix(b"data: ").removesuffix(b"\n\n")


class _Nothing:
    """A stage that passes everything; with it, no chunk uses a template."""

    def chunk(self, chunk: Document) -> Iterable[Document]:
        return (chunk,)

    def end(self) -> Iterable[Document]:
        return ()


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12), st.booleans())
def test_a_stream_is_repaired_as_if_every_chunk_went_through_the_stages(
    sent: list[Document],
    escaped: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    pieces = [
        b"data: " + json.dumps(each, ensure_ascii=escaped).encode(errors="replace") + b"\n\n" for each in sent
    ]
    noted: list[str] = []
    slowly: list[str] = []
    out = streamed([event(FIRST), *pieces, DONE], StreamRepair(CHAT, noted.append))
    assert repr(out) == repr(
        streamed([event(FIRST), *pieces, DONE], StreamRepair(CHAT, slowly.append, [_Nothing()]))
    )
    assert noted == slowly


def template(data: bytes = TEXT) -> Template | None:
    (chunk,) = chunks(data, lambda _: None)
    return Template.of(data, chunk)


def test_a_chunk_of_another_text_keeps_its_bytes_and_says_what_they_say() -> None:
    made = template()
    assert made is not None
    for text in ("", "two words", "é漢🙂"):
        data = json.dumps(piece({"content": text}), ensure_ascii=False).encode()
        chunk = made.chunk(data)
        assert chunk is not None
        assert (chunk, frame(chunk)) == (json.loads(data), b"data: " + data + b"\n\n")


@pytest.mark.parametrize(
    "data",
    [
        TEXT.replace(b'"m"', b'"n"'),
        TEXT.replace(b"Hi", b'Hi", "role": "assistant'),
        TEXT.replace(b"Hi", b"\\ud83d"),
        TEXT.replace(b"Hi", b"\xff"),
        TEXT.replace(b"Hi", b"a\tb"),
        TEXT.replace(b"Hi", b"").replace(b'""', b'"'),
        TEXT.replace(b"null", b'"stop"'),
        b"",
    ],
)
def test_a_chunk_that_differs_in_more_than_plain_text_has_to_be_read(data: bytes) -> None:
    made = template()
    assert made is not None
    assert made.chunk(data) is None


@pytest.mark.parametrize(
    "data",
    [
        event(FIRST)[6:-2],
        event(LAST)[6:-2],
        event(piece({"content": "a \\ b"}))[6:-2],
        TEXT.replace(b'"Hi"', b'"Hi", "content": "Hi"'),
        TEXT.replace(b'{"id"', b'{"x": {"content": "Hi"}, "id"'),
        TEXT.replace(b", ", b",\n"),
        TEXT.replace(b"1760000000", b"NaN"),
    ],
)
def test_other_chunks_are_no_template(data: bytes) -> None:
    assert template(data) is None
