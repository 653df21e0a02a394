"""Correct streams pass through byte for byte: those of the ideal target, and recorded ones of the API itself.

GONOGO_RECORDED_STREAMS names a folder of *.bin files, each the raw body of an answer to POST /chat/completions with
stream and include_usage. Recordings of third parties are not part of the project.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gonogo_server.repair.base import Requested
from gonogo_server.repair.stream import StreamRepair
from server.repair.gateway import NOW, asked, chunks, streamed, text_of

if TYPE_CHECKING:
    from gonogo.evidence import Record

FOLDER = os.environ.get("GONOGO_RECORDED_STREAMS")
STREAMS = sorted(Path(FOLDER).glob("*.bin")) if FOLDER else []
COUNTED = Requested(
    "chat", "a", stream=True, include_usage=True, choices=3, tools=True, fresh_id="x", now=NOW
)


@pytest.mark.skipif(FOLDER is None, reason="GONOGO_RECORDED_STREAMS names no folder")
def test_there_are_recorded_streams() -> None:
    assert STREAMS, f"{FOLDER} holds no *.bin files"


@pytest.mark.parametrize("size", [None, 1, 7])
@pytest.mark.parametrize("path", STREAMS, ids=[path.stem for path in STREAMS])
def test_a_recorded_stream_passes_through_byte_for_byte(path: Path, size: int | None) -> None:
    data = path.read_bytes()
    pieces = [data[at : at + size] for at in range(0, len(data), size)] if size else [data]
    noted: list[str] = []
    assert streamed(pieces, StreamRepair(COUNTED, noted.append)) == (data, None)
    assert noted == []


@pytest.mark.parametrize("path", STREAMS, ids=[path.stem for path in STREAMS])
def test_a_recorded_stream_that_is_written_anew_says_the_same(path: Path) -> None:
    data = path.read_bytes()
    rewritten, error = streamed([data], StreamRepair(COUNTED, lambda _: None, rewrite=True))
    assert error is None
    assert chunks(rewritten) == chunks(data)
    assert text_of(chunks(rewritten)) == text_of(chunks(data))


def test_every_stream_of_a_sound_server_passes_through_byte_for_byte(clean: Record) -> None:
    streams = [e for e in clean.exchanges if e.status == 200 and e.is_stream and e.failure is None]
    assert len(streams) > 20
    for exchange in streams:
        noted: list[str] = []
        repair = StreamRepair(asked(exchange), noted.append)
        pieces = [chunk.data for chunk in exchange.chunks]
        if b'"error"' in exchange.body or not exchange.body.endswith(b"data: [DONE]\n\n"):
            continue  # an abandoned stream, or one that fails on purpose
        assert streamed(pieces, repair) == (exchange.body, None), exchange.stimulus
        assert noted == [], exchange.stimulus


def test_the_text_of_a_chunk_that_is_edited_stays_what_it_was() -> None:
    text = '\u2028\x7f "\\ud83d\\ude00 \u00e9\u0301 </s> \\u0000'
    chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    data = b"".join(f"data: {json.dumps(one)}\n\n".encode() for one in (chunk, last))
    out, error = streamed([data], StreamRepair(COUNTED, lambda _: None))
    assert error is None
    assert text_of(chunks(out)) == text
