"""Recorded answers of the API itself: no rule about streams may find anything in them.

GONOGO_RECORDED_STREAMS names a folder of *.bin files, each the raw body of an answer to POST /chat/completions with
stream and include_usage. Recordings of third parties are not part of the project.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faults.fault import turned, verdicts
from gonogo import sse
from gonogo.faults.editing import body, header
from gonogo.report.wording import message
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.rules import Catalogue

COUNTED = 'POST /chat/completions {"stream":true,"stream_options":{"include_usage":true}}'
FOLDER = os.environ.get("GONOGO_RECORDED_STREAMS")
STREAMS = sorted(Path(FOLDER).glob("*.bin")) if FOLDER else []

pytestmark = pytest.mark.skipif(FOLDER is None, reason="GONOGO_RECORDED_STREAMS names no folder")


def test_there_are_recorded_streams() -> None:
    assert STREAMS, f"{FOLDER} holds no *.bin files"


@pytest.mark.parametrize("path", STREAMS, ids=[path.stem for path in STREAMS])
def test_a_recorded_stream_has_no_anomaly(path: Path) -> None:
    assert sse.parse(path.read_bytes()).counts == {}


@pytest.mark.parametrize("path", STREAMS, ids=[path.stem for path in STREAMS])
def test_no_rule_about_streams_finds_anything_in_a_recorded_stream(
    path: Path, clean: Record, catalogue: Catalogue
) -> None:
    template = next(exchange for exchange in clean.exchanges if exchange.stimulus == COUNTED)
    # The files do not say when they were recorded.
    undated = header("date", None)(body(path.read_bytes())(template))
    recorded = replace(undated, sent=None)
    found = verdicts(replace(clean, exchanges=(recorded,)), catalogue)
    assert {rule_id: message(found[rule_id]) for rule_id in turned(found)} == {}
    passed = {rule_id for rule_id, judgement in found.items() if judgement.verdict is Verdict.PASS}
    assert {"chat.stream.done", "chat.stream.finish_once", "chat.stream.usage", "stream.json"} <= passed
