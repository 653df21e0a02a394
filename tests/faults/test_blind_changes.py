"""Random changes of the evidence: the judge never crashes, and never passes what the strict parser calls broken."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from faults.fault import BROKEN, verdicts
from gonogo import sse
from gonogo.exchange import FailureKind
from gonogo.faults.editing import body, failing, frames, header, raw, rechunked, silent, status
from gonogo.report.wording import message
from gonogo.sse import AnomalyKind
from gonogo.verdict import Verdict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from faults.fault import Rejudge
    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Edit
    from gonogo.rules import Catalogue
    from gonogo.verdict import Judgement

# The rule about each anomaly that the strict parser reports.
RULES = {
    AnomalyKind.INCOMPLETE_EVENT: "stream.complete_events",
    AnomalyKind.NO_DATA_EVENT: "stream.no_empty_events",
    AnomalyKind.INVALID_UTF8: "stream.utf8",
    AnomalyKind.UNKNOWN_FIELD: "stream.fields",
    AnomalyKind.FIELD_WITHOUT_COLON: "stream.fields",
    AnomalyKind.EVENT_NAME: "stream.data_only",
    AnomalyKind.ID_FIELD: "stream.data_only",
    AnomalyKind.CRLF: "stream.line_ends",
    AnomalyKind.CR: "stream.line_ends",
    AnomalyKind.NO_SPACE: "stream.space",
    AnomalyKind.BOM: "stream.bom",
    AnomalyKind.MULTI_LINE_DATA: "stream.one_line",
}
OF_CHUNKS = frozenset({AnomalyKind.EVENT_NAME, AnomalyKind.ID_FIELD})
"""Anomalies only for streams of chunks: streams of other surfaces have named events."""
DONE_RULES = {"POST /chat/completions": "chat.stream.done", "POST /completions": "completions.stream.done"}

LEAVES = st.none() | st.booleans() | st.integers(-2, 2**70) | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "id", "index", "usage", "content", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
ODD_LINES = st.sampled_from(
    [
        b"data: {}\n\n",
        b"data: [DONE]\n\n",
        b"data:\n\n",
        b"\n",
        b"\r\n\r\n",
        b"event: x\n\n",
        b"id: 1\n",
        b": hi\n",
        b"data: [DONE]",
        b"\xff\n\n",
        b"data: null\n\n",
        b'data: {"error": 1}\n\n',
        b'data: {"choices": [1]}\n\n',
        b'data: {"id": "\\ud83c"}\n\n',
    ]
)


def _retyped(draw_path: list[int], value: Any) -> Edit:  # noqa: ANN401 - JSON
    """Replaces a value somewhere in the JSON of a whole answer, or of one event."""

    def edit(data: bytes) -> bytes:
        head, text = (b"data: ", data[6:]) if data.startswith(b"data: ") else (b"", data)
        try:
            root = json.loads(text)
        except ValueError:
            return data
        return head + json.dumps(_replaced(root, draw_path, value)).encode() + (b"\n\n" if head else b"")

    def change(exchange: Exchange) -> Exchange:
        if exchange.media_type != "text/event-stream":
            return raw(edit)(exchange)
        chosen = draw_path[0] if draw_path else 0
        return frames(
            lambda old: [edit(f) if n == chosen % len(old) else f for n, f in enumerate(old)] if old else old
        )(exchange)

    return change


def _replaced(root: Any, path: list[int], value: Any) -> Any:  # noqa: ANN401 - JSON
    """Replace the value at the path of numbers; a path that reaches a leaf stops there."""
    if not path or not isinstance(root, (dict, list)) or not root:
        return value
    keys = list(root) if isinstance(root, dict) else list(range(len(root)))
    key = keys[path[0] % len(keys)]
    root[key] = _replaced(root[key], path[1:], value)
    return root


def _shuffled(order: list[int]) -> Edit:
    return frames(lambda old: [old[n % len(old)] for n in order] if old else old)


def _spliced(at: int, length: int, data: bytes) -> Edit:
    return raw(lambda old: old[: at % (len(old) + 1)] + data + old[at % (len(old) + 1) + length :])


NUMBERS = st.integers(0, 5000)
EDITS: st.SearchStrategy[Edit] = st.one_of(
    st.builds(_retyped, st.lists(st.integers(0, 11), max_size=5), VALUES),
    st.builds(_shuffled, st.lists(st.integers(0, 12), max_size=14)),
    st.builds(_spliced, NUMBERS, st.integers(0, 40), st.binary(max_size=6)),
    st.builds(_spliced, NUMBERS, st.just(0), ODD_LINES),
    st.builds(_spliced, NUMBERS, st.just(10**6), st.just(b"")),
    st.builds(rechunked, st.integers(1, 64)),
    st.builds(body, st.binary(max_size=30) | ODD_LINES),
    st.builds(
        status, st.sampled_from([100, 200, 201, 204, 301, 400, 401, 404, 405, 422, 429, 500, 501, 503])
    ),
    st.builds(
        header,
        st.just("content-type"),
        st.sampled_from(
            [None, "", "application/json", "text/event-stream", "TEXT/PLAIN", ";", "application/json;"]
        ),
    ),
    st.builds(failing, st.sampled_from(FailureKind), st.just("it failed"), st.none() | st.integers(0, 5)),
    st.builds(silent, st.sampled_from(FailureKind)),
)


def _changed(record: Record, changes: list[tuple[int, Edit]]) -> Record:
    exchanges = list(record.exchanges)
    for number, edit in changes:
        at = number % len(exchanges)
        exchanges[at] = edit(exchanges[at])
    return replace(record, exchanges=tuple(exchanges))


@pytest.mark.unmeasured  # it runs the same lines as the faults, a hundred times
@settings(
    derandomize=True,
    max_examples=100,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes=st.lists(st.tuples(st.integers(0, 59), EDITS), min_size=1, max_size=8))
def test_the_judge_never_breaks_and_never_passes_a_broken_stream(
    changes: list[tuple[int, Edit]], rejudge: Rejudge
) -> None:
    record = _changed(rejudge.clean, changes)
    found = rejudge(record)
    assert {rule_id: message(one) for rule_id, one in found.items() if one.verdict is Verdict.ERROR} == {}
    for exchange in record.exchanges:
        if _is_read(exchange, rejudge.catalogue):
            _expect_what_the_parser_sees(exchange, found)


def _is_read(exchange: Exchange, catalogue: Catalogue) -> bool:
    """Whether this is a non-empty, accepted answer to a valid streamed request."""
    stimulus = catalogue.stimulus(exchange.stimulus)
    return (
        stimulus is not None
        and stimulus.valid
        and stimulus.streamed
        and exchange.status is not None
        and 200 <= exchange.status < 300
        and exchange.media_type != "application/json"
        and bool(exchange.body)
        and (exchange.failure is None or exchange.failure.kind is not FailureKind.TOO_LARGE)
    )


def _expect_what_the_parser_sees(exchange: Exchange, found: dict[str, Judgement]) -> None:
    stream = sse.parse(exchange.body)
    rule = DONE_RULES.get(" ".join(exchange.stimulus.split(" ")[:2]))
    for kind in RULES.keys() & stream.counts.keys() - (OF_CHUNKS if rule is None else frozenset()):
        assert found[RULES[kind]].verdict in BROKEN, (kind, exchange.body)
    if rule is None:
        return
    ends = sum(event.data == "[DONE]" for event in stream.events)
    failed = any(event.data.lstrip().startswith("{") and '"error"' in event.data for event in stream.events)
    if ends > 1 or (ends == 0 and exchange.failure is None and not failed):
        assert found[rule].verdict is Verdict.FAIL, exchange.body


NESTED = {depth: b'{"choices":' + b"[" * depth + b"]" * depth + b"}" for depth in (500, 100_000)}


@pytest.mark.parametrize(
    "text",
    [
        *NESTED.values(),
        b'{"id": "\\uD83C", "\\udf89": [], "error": {"message": "\\ud83c"}}',
        b'{"id": 1e999, "created": -1e999}',
        b'{"created": 1%s}' % (b"0" * 400),
        b'{"id": "\\u0000", "error": true}',
    ],
    ids=[*NESTED, "surrogates", "infinite", "long", "nul"],
)
@pytest.mark.parametrize("form", [b"%s", b"data: %s\n\n"], ids=["whole", "streamed"])
def test_json_at_the_limits_of_readers_does_not_break_the_judge(
    text: bytes, form: bytes, clean: Record, catalogue: Catalogue
) -> None:
    odd = body(form % text)
    record = replace(clean, exchanges=tuple(odd(exchange) for exchange in clean.exchanges))
    found = verdicts(record, catalogue)
    assert {rule_id: message(one) for rule_id, one in found.items() if one.verdict is Verdict.ERROR} == {}
