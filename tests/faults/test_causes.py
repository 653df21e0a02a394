"""One cause, one finding, with the right name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from faults.faulty import FaultyTarget
from gonogo.exchange import FailureKind
from gonogo.faults.editing import (
    answer,
    answered,
    changed,
    cut,
    each,
    failing,
    has_choice,
    made,
    put,
    refused,
)
from gonogo.faults.kinds import KINDS, Faulty, dropping
from gonogo.faults.picks import asked, either
from gonogo.faults.rule_picks import first, last
from gonogo.faults.sections import FAULTS
from gonogo.judge import explain, judge
from gonogo.judge.causes.diagnoses import DIAGNOSES
from gonogo.verdict import Verdict
from ideal.running import record_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from faults.fault import Rejudge
    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.rules import Catalogue
    from gonogo.verdict import Cause, Judgement

    Part = Callable[[], AbstractContextManager[None]]
    Run = Callable[[Faulty], tuple[Record, list[Judgement]]]
    Judged = Callable[[str], tuple[Record, list[Judgement]]]
    Explained = Callable[[str], tuple[Record, list[Judgement], tuple[Cause, ...]]]

UNLISTED = frozenset({"empty-answers"})
"""Servers that list no model, so that the model must be given."""


def _run(server: Faulty, rejudge: Rejudge, named: str | None = None) -> tuple[Record, list[Judgement]]:
    run = record_run(rejudge.catalogue, FaultyTarget(server), model=named, embedding_model=named)
    return rejudge.run(asyncio.run(run))


@pytest.fixture(scope="module")
def run(rejudge: Rejudge, unmeasured_part: Part) -> Run:
    """Run the requests on a faulty server, and judge them. The diagnosis alone is measured, an eighth of the work."""

    def unmeasured(server: Faulty) -> tuple[Record, list[Judgement]]:
        with unmeasured_part():
            return _run(server, rejudge)

    return unmeasured


@pytest.fixture(scope="module")
def judged(rejudge: Rejudge, unmeasured_part: Part) -> Judged:
    """The run on a server with a kind of fault, once for all tests."""

    @cache
    def known(name: str) -> tuple[Record, list[Judgement]]:
        with unmeasured_part():
            return _run(KINDS[name](), rejudge, "some-model" if name in UNLISTED else None)

    return known


@pytest.fixture
def explained(judged: Judged) -> Explained:
    """The findings of a kind of fault, with their causes."""

    def find(name: str) -> tuple[Record, list[Judgement], tuple[Cause, ...]]:
        record, found = judged(name)
        judgements, causes = explain(found, record)
        return record, judgements, causes

    return find


@pytest.mark.parametrize("name", KINDS)
def test_a_known_kind_of_fault_is_one_cause_and_has_its_name(name: str, explained: Explained) -> None:
    record, judgements, causes = explained(name)
    assert [cause.id for cause in causes] == [name]
    (cause,) = causes
    broken = {j.rule.id for j in judgements if j.verdict in {Verdict.FAIL, Verdict.WARN}}
    assert set(cause.rules) == broken
    assert all(j.cause == name for j in judgements if j.rule.id in broken)
    assert cause.seen
    assert cause.breaks
    assert cause.evidence is not None
    assert cause.evidence.exchange in {exchange.id for exchange in record.exchanges}


@pytest.mark.unmeasured  # the whole judge is measured elsewhere
@pytest.mark.parametrize("name", list(KINDS)[::20])
def test_reusing_judgements_of_the_clean_run_equals_judging_all(
    name: str, judged: Judged, rejudge: Rejudge
) -> None:
    record, judgements = judged(name)
    assert judgements == judge(record, tuple(rejudge.catalogue), rejudge.catalogue)


def test_every_known_kind_of_fault_changes_a_request_or_an_answer(clean: Record) -> None:
    assert [name for name in KINDS if not any([*map(_changes(KINDS[name]()), clean.exchanges)])] == []


def _changes(faulty: Faulty) -> Callable[[Exchange], bool]:
    """Whether the fault changes a request or an answer."""

    def changed(exchange: Exchange) -> bool:
        fields, edited = exchange.request.fields, faulty.edit(exchange)
        answers = [(e.status, e.headers, e.chunks, e.failure) for e in (exchange, edited)]
        return answers[0] != answers[1] or faulty.rewrite(dict(fields)) != fields

    return changed


def test_every_known_kind_of_fault_is_played_by_a_server() -> None:
    assert sorted(diagnosis.id for diagnosis in DIAGNOSES) == sorted(KINDS)
    assert len(KINDS) >= 25


def test_no_two_kinds_of_fault_have_one_title() -> None:
    titles = [diagnosis.title for diagnosis in DIAGNOSES]
    assert len(set(titles)) == len(titles)


def test_a_server_that_keeps_the_contract_has_no_cause(clean: Record, catalogue: Catalogue) -> None:
    judgements = judge(clean, tuple(catalogue), catalogue)
    assert explain(judgements, clean) == (judgements, ())


def test_a_rule_that_a_cause_leaves_open_is_not_applicable_and_names_it(explained: Explained) -> None:
    _, judgements, (cause,) = explained("tool-choice-ignored")
    open_rules = [j for j in judgements if j.rule.id in cause.undecided]
    assert {"tools.call.id", "tools.stream.name"} <= {j.rule.id for j in open_rules}
    assert all((j.verdict, j.cause) == (Verdict.NOT_APPLICABLE, cause.id) for j in open_rules)


def test_two_independent_faults_are_two_causes(run: Run) -> None:
    first, second = KINDS["role-in-every-delta"](), KINDS["param-missing"]()
    server = KINDS["role-in-every-delta"]()
    server.edit = lambda exchange: second.edit(first.edit(exchange))
    record, judgements = run(server)
    _, causes = explain(judgements, record)
    assert _ids(causes) == {"role-in-every-delta", "param-missing"}


def test_a_cause_never_breaks_a_rule_or_mends_one(judged: Judged) -> None:
    record, before = judged("cumulative-deltas")
    after, _ = explain(before, record)
    decided = {Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.UNSUPPORTED}
    assert [j.verdict for j in before if j.verdict in decided] == [
        j.verdict for j in after if j.verdict in decided
    ]


def test_a_server_error_is_not_hidden_behind_the_form_of_errors(rejudge: Rejudge) -> None:
    """An image makes llama.cpp's server fail, and its errors have no param either: two causes, the worse one a must."""
    pictured = last("chat.request.picture")
    record = changed(pictured, refused(500, NO_PARAM))(_edited(rejudge.clean, KINDS["param-missing"]()))
    causes = {cause.id: cause for cause in _causes(record, rejudge)}
    assert "http.no_server_error" in causes
    assert "http.no_server_error" not in causes["param-missing"].rules


def test_accepted_invalid_requests_and_an_ignored_parameter_are_separate_causes(
    rejudge: Rejudge,
) -> None:
    floats = answered({"object": "list", "data": [VECTOR], "model": "ideal", "usage": USED})
    encoded = either(last("embeddings.format.base64"), last("embeddings.refused.format"))
    accepted = changed(encoded, floats)(_edited(rejudge.clean, KINDS["not-validated"]()))
    found = _ids(_causes(accepted, rejudge))
    assert {"base64-ignored", "not-validated"} <= found
    assert not any(".refused." in name for name in found)


def test_wrong_requests_that_end_in_a_server_error_without_json_are_called_that(rejudge: Rejudge) -> None:
    crash = refused(500, b"Internal Server Error", "text/plain")
    wrong = ("malformed_json", "empty_body", "not_an_object", "messages_string")
    record = changed(either(*(last(f"errors.refused.{name}") for name in wrong)), crash)(rejudge.clean)
    assert "server-errors-for-wrong-types" in _ids(_causes(record, rejudge))


def test_valid_and_invalid_requests_that_crash_a_server_are_separate_causes(rejudge: Rejudge) -> None:
    crash = refused(500, b"Internal Server Error", "text/plain")
    wrong, valid = KINDS["server-errors-for-wrong-types"](), ("chat.request.parts", "chat.request.picture")
    record = changed(either(*map(last, valid)), crash)(_edited(rejudge.clean, wrong))
    causes = {cause.id: set(cause.rules) for cause in _causes(record, rejudge)}
    assert causes.keys() == {"server-errors-for-wrong-types", "server-errors-for-valid-requests"}
    assert causes["server-errors-for-valid-requests"] == {"http.no_server_error", "chat.request.parts"}


def test_a_wrong_shape_of_logprobs_is_another_cause_than_streams_without_any(rejudge: Rejudge) -> None:
    """mlx_lm.server: whole answers have log probabilities without bytes, streams have none."""
    shapeless = changed(last("logprobs.chat.present"), answer(cut("choices.0.logprobs.content.*.bytes")))
    silent = changed(last("logprobs.chat.streamed"), each(put("choices.0.logprobs", None), where=has_choice))
    causes = {cause.id: cause for cause in _causes(silent(shapeless(rejudge.clean)), rejudge)}
    assert "logprobs.chat.shape" not in causes["logprobs-ignored"].rules
    assert "logprobs.chat.shape" in causes


def test_defects_before_a_target_died_are_another_cause(run: Run) -> None:
    """mlx_lm.server: its errors are strings, including the one that says that its thread died."""
    dying, told = KINDS["target-died"](), KINDS["error-string"]()
    server = replace(dying, edit=lambda exchange: told.edit(dying.edit(exchange)))
    causes = {cause.id: cause for cause in _of_server(server, run)}
    assert "errors.envelope.object" not in causes["target-died"].rules
    assert "errors.envelope.object" in causes["error-string"].rules


def test_base64_is_not_blamed_where_the_same_text_has_another_vector_each_time(
    clean: Record, catalogue: Catalogue
) -> None:
    """llama.cpp's server, while it handles other requests."""
    turned = made("data.0.embedding", lambda old: [old[1] + 0.5, -old[0] - 0.5, *old[2:]])
    shaky = changed(first("embeddings.input.repeats"), answer(turned))(clean)
    rules = ("embeddings.input.repeats", "embeddings.format.base64_value")
    found = {j.rule.id: j.verdict for j in judge(shaky, catalogue.select(rules), catalogue)}
    assert found["embeddings.input.repeats"] is Verdict.WARN
    assert found["embeddings.format.base64_value"] is Verdict.INCONCLUSIVE


def test_an_empty_stream_that_was_left_at_the_time_limit_is_not_called_empty(
    clean: Record, catalogue: Catalogue
) -> None:
    events = catalogue.select(["chat.stream.events"])
    found = {
        kind: {
            j.rule.id: j.verdict
            for j in judge(changed(STREAMED, failing(kind, keep=0))(clean), events, catalogue)
        }
        for kind in (FailureKind.TIMEOUT, FailureKind.RESET)
    }
    assert found[FailureKind.TIMEOUT]["chat.stream.events"] is not Verdict.FAIL
    assert found[FailureKind.RESET]["chat.stream.events"] is Verdict.FAIL


def test_nulls_in_answers_are_another_cause_than_nulls_that_are_refused(rejudge: Rejudge) -> None:
    record = _edited(_edited(rejudge.clean, KINDS["nulls-in-answers"]()), KINDS["nulls-refused"]())
    assert {"nulls-in-answers", "nulls-refused"} <= _ids(_causes(record, rejudge))


def test_a_limit_that_is_ignored_is_called_so_where_no_answer_has_usage(run: Run) -> None:
    unlimited, uncounted = KINDS["limit-ignored"](), KINDS["usage-missing"]()
    server = replace(unlimited, edit=uncounted.edit)
    causes = {cause.id: cause for cause in _of_server(server, run)}
    assert "chat.limit.max_tokens" in causes["limit-ignored"].rules
    assert "words although the token limit is" in causes["limit-ignored"].seen
    assert "chat.response.usage" in causes["usage-missing"].rules


def test_a_stream_that_was_left_at_the_time_limit_is_not_called_cut(rejudge: Rejudge) -> None:
    slow = changed(STREAMED, failing(FailureKind.TIMEOUT, keep=3))(rejudge.clean)
    broken_off = changed(STREAMED, failing(FailureKind.RESET, keep=3))(rejudge.clean)
    assert "stream-cut" not in _ids(_causes(slow, rejudge))
    assert "stream-cut" in _ids(_causes(broken_off, rejudge))


def test_a_stream_that_was_left_at_the_time_limit_lost_no_piece(rejudge: Rejudge) -> None:
    (held,) = [fault for fault in FAULTS if fault.name == "the end of a stream is held back for good"]
    left = changed(COUNTED, failing(FailureKind.TIMEOUT, keep=6))
    assert _ids(_causes(left(held.change(rejudge.clean)), rejudge)) == {
        "stop.stream.released",
        "http.in_time",
    }


NO_PARAM = b'{"error": {"message": "no pictures", "type": "server_error", "code": 500}}'
VECTOR = {"object": "embedding", "index": 0, "embedding": [0.6, 0.8]}
USED = {"prompt_tokens": 6, "total_tokens": 6}
COUNTED = asked(
    'POST /chat/completions {"max_tokens":24,"stream":true,"stream_options":{"include_usage":true},"temperature":0}'
)
STREAMED = asked('POST /chat/completions {"stream":true}')


def _edited(record: Record, faulty: Faulty) -> Record:
    return replace(record, exchanges=tuple(map(faulty.edit, record.exchanges)))


def _causes(record: Record, rejudge: Rejudge) -> tuple[Cause, ...]:
    record, judgements = rejudge.run(record)
    return explain(judgements, record)[1]


def _of_server(server: Faulty, run: Run) -> tuple[Cause, ...]:
    record, judgements = run(server)
    return explain(judgements, record)[1]


def _ids(causes: Sequence[Cause]) -> set[str]:
    return {cause.id for cause in causes}


@pytest.mark.parametrize(
    ("name", "kept_in", "told"),
    [
        ("limit-ignored", "streams", "in whole chat completions and whole completions only"),
        ("limit-ignored", "wholes", "in streamed chat completions and streamed completions only"),
        ("stop-ignored", "streams", "in whole chat completions and whole completions only"),
        ("stop-ignored", "wholes", "in streamed chat completions and streamed completions only"),
        ("logprobs-ignored", "wholes", "in streamed chat completions and streamed completions only"),
        ("n-ignored", "wholes", "in streamed chat completions and streamed completions only"),
        ("stop-ignored", "nothing", None),
        ("limit-ignored", "nothing", None),
    ],
)
def test_a_parameter_that_one_form_ignores_is_reported_with_the_form(
    name: str, kept_in: str, told: str | None, run: Run
) -> None:
    faulty = KINDS[name]()
    keeps = {"streams": (True,), "wholes": (False,), "nothing": ()}[kept_in]

    def rewrite(fields: dict[str, Any]) -> dict[str, Any]:
        return fields if (fields.get("stream") is True) in keeps else faulty.rewrite(fields)

    record, judgements = run(Faulty(rewrite=rewrite))
    _, causes = explain(judgements, record)
    (cause,) = [cause for cause in causes if cause.id == name]
    assert told in cause.seen if told else not cause.seen.endswith("only")


@pytest.mark.parametrize(("dropped", "told"), [("max_completion_tokens", True), ("max_tokens", False)])
def test_a_limit_ignored_only_under_its_newer_name_is_reported_with_the_name(
    dropped: str, *, told: bool, run: Run
) -> None:
    record, judgements = run(Faulty(rewrite=dropping(dropped)))
    _, causes = explain(judgements, record)
    (cause,) = [cause for cause in causes if cause.id == "limit-ignored"]
    assert cause.seen.endswith(", by max_completion_tokens only") is told


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("usage-missing", {"chat.stream.usage_schema", "chat.response.usage_repeats"}),
        ("logprobs-ignored", {"chat.stream.logprobs", "logprobs.chat.bytes"}),
        ("tool-choice-ignored", {"chat.stream.finish_called", "chat.response.finish_called"}),
    ],
)
def test_a_rule_without_observations_because_of_a_cause_is_not_applicable(
    name: str, rules: set[str], explained: Explained
) -> None:
    _, judgements, _ = explained(name)
    assert {j.rule.id for j in judgements if j.verdict is Verdict.NOT_APPLICABLE} >= rules
