"""Large bodies in evidence files: compressed, and unchanged when they are read."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gonogo.errors import EvidenceError
from gonogo.evidence import read
from gonogo.exchange import Chunk
from gonogo.exchange_json import MOST_PLAIN
from suite.test_evidence import EXCHANGE, written

if TYPE_CHECKING:
    from pathlib import Path


def packed(data: bytes) -> str:
    return b64encode(zlib.compress(data)).decode()


class TestABodyOfVectors:
    """Larger than 64 KiB: compressed, and unchanged when it is read."""

    TEXT = json.dumps({"data": [{"embedding": [number / 7 for number in range(8000)]}]}).encode()
    BIG = replace(
        EXCHANGE, chunks=(Chunk(0.1, TEXT[:70_000]), Chunk(0.1, b""), Chunk(0.3, TEXT[70_000:] + b"\xff"))
    )

    def test_is_kept_whole_in_less_room(self, tmp_path: Path) -> None:
        path = tmp_path / "e.jsonl"
        written(path, self.BIG)
        (stored,) = read(path).exchanges

        assert stored.chunks == self.BIG.chunks
        assert path.stat().st_size < 0.8 * len(self.TEXT)

    def test_is_text_as_long_as_it_is_small(self, tmp_path: Path) -> None:
        path = tmp_path / "e.jsonl"
        written(path, replace(EXCHANGE, chunks=(Chunk(0.1, b"x" * MOST_PLAIN),)))
        assert b'"zlib"' not in path.read_bytes()

    @pytest.mark.parametrize(
        ("chunks", "sentence"),
        [
            (
                {"zlib": "eJwDAAAAAAE=", "pieces": [[0.1, 5]]},
                "the packed body has not the length of its pieces",
            ),
            ({"zlib": "eJwDAAAAAAE=", "pieces": [[0.1, 10**9]]}, "1000000000 bytes are more than a body has"),
            ({"zlib": "AAAA", "pieces": [[0.1, 5]]}, "while decompressing"),
            ({"zlib": packed(b"x" * 100), "pieces": [[0.1, 5]]}, "has not the length of its pieces"),
        ],
    )
    def test_that_is_not_what_its_pieces_say_is_one_sentence(
        self, tmp_path: Path, chunks: object, sentence: str
    ) -> None:
        path = tmp_path / "e.jsonl"
        written(path, EXCHANGE)
        header, line = path.read_text().splitlines()
        path.write_text(header + "\n" + json.dumps(json.loads(line) | {"chunks": chunks}) + "\n")
        with pytest.raises(
            EvidenceError, match=rf"^Line 2 of .* is not valid gonogo evidence: chunks: .*{sentence}"
        ):
            read(path)
