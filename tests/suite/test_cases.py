"""Small inputs that servers failed at and the suite missed: each now has its verdict, as have correct answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from faults.fault import turned, verdicts
from gonogo.exchange import FailureKind
from gonogo.faults.catalogue.stops import saying
from gonogo.faults.editing import (
    answer,
    changed,
    each,
    failing,
    has_choice,
    header,
    made,
    put,
    refused,
    silent,
)
from gonogo.faults.picks import asked
from gonogo.faults.rule_picks import last
from gonogo.judge import judge
from gonogo.rules import load
from gonogo.verdict import Verdict
from ideal.running import record_run

if TYPE_CHECKING:
    from typing import Any

    from gonogo.evidence import Record
    from gonogo.faults.editing import Change, Edit

STREAMED = asked('POST /chat/completions {"stream":true}')


@pytest.fixture(scope="module")
def clean() -> Record:
    return asyncio.run(record_run(load()))


def at(rule: str, *edits: Edit) -> Change:
    """The answer to the last request of a rule, edited."""
    return changed(last(rule), *edits)


def lost_arguments(value: Any) -> None:  # noqa: ANN401 - JSON
    for call in value["choices"][0]["delta"].get("tool_calls", []) if has_choice(value) else []:
        call["function"]["arguments"] = ""


ONE_VECTOR = answer(made("data", lambda old: [entry | {"embedding": old[0]["embedding"]} for entry in old]))
SILENCE = silent(FailureKind.TIMEOUT)
FAIL, WARN, PASS, UNSUPPORTED = Verdict.FAIL, Verdict.WARN, Verdict.PASS, Verdict.UNSUPPORTED

CASES = (
    ("echo in a stream is refused", "completions.echo.stream", refused(400), FAIL),
    ("echo in a stream breaks off", "completions.echo.stream", failing(FailureKind.RESET, keep=1), FAIL),
    ("a stream without its echo", "completions.echo.stream", saying(" four"), FAIL),
    ("two texts of one start have one vector", "embeddings.input.not_cut", ONE_VECTOR, FAIL),
    ("two texts of one start are refused", "embeddings.input.not_cut", refused(400), PASS),
    ("cut arguments in the history are a 500", "tools.harmless.arguments_cut", refused(500), FAIL),
    ("cut arguments in the history are refused", "tools.harmless.arguments_cut", refused(400), PASS),
    ("empty arguments in the history are a 500", "tools.harmless.arguments_empty", refused(500), FAIL),
    ("empty arguments in the history are refused", "tools.harmless.arguments_empty", refused(400), PASS),
    ("empty content beside a call is refused", "tools.history.empty_content", refused(400), FAIL),
    ("a body in chunks is taken for empty", "http.chunked", refused(400), FAIL),
    ("silence to a body in chunks", "http.chunked", SILENCE, FAIL),
    ("a length is required", "http.chunked", refused(411), UNSUPPORTED),
    ("the body of an offer to upgrade is dropped", "http.upgrade_offer", refused(400), FAIL),
    ("silence to an offer to upgrade", "http.upgrade_offer", SILENCE, FAIL),
    ("gzip that was not requested", "http.coding", header("content-encoding", "gzip"), WARN),
    ("a schema with definitions is a 500", "structured.harmless.definitions", refused(500), FAIL),
    ("a schema with definitions is refused", "structured.harmless.definitions", refused(400), PASS),
    (
        "a schema with definitions is refused, and not kept",
        "structured.schema.definitions",
        refused(400),
        UNSUPPORTED,
    ),
    (
        "a schema with definitions is ignored",
        "structured.schema.definitions",
        answer(put("choices.0.message.content", "{}")),
        FAIL,
    ),
    ("a late system message is a 500", "chat.harmless.late_system", refused(500), FAIL),
    ("a late system message is refused", "chat.harmless.late_system", refused(400), PASS),
    ("two users in a row are a 500", "chat.harmless.two_users", refused(500), FAIL),
    ("two users in a row are refused", "chat.harmless.two_users", refused(400), PASS),
    ("a property without a type is refused", "tools.request.untyped", refused(400), FAIL),
    ("the arguments of a second call are lost", "tools.stream.arguments_of_two", each(lost_arguments), FAIL),
)


@pytest.mark.parametrize(
    ("rule", "edit", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_small_input_has_the_right_verdict(clean: Record, rule: str, edit: Edit, expected: Verdict) -> None:
    change = changed(STREAMED, edit) if rule == "http.coding" else at(rule, edit)
    (found,) = judge(change(clean), load().select([rule]), load())
    assert found.verdict is expected


def test_a_raw_line_separator_in_a_stream_is_not_a_defect(clean: Record) -> None:
    """Readers that split at Unicode line ends break on it; it is still valid."""
    separated = each(made("choices.0.delta", lambda old: {**old, "x_note": "a\u2028b"}), where=has_choice)
    found = verdicts(changed(STREAMED, separated)(clean), load())
    assert turned(found) == set()
