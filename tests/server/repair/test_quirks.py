"""The handling of rules that a report lists as broken."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from gonogo.report import json as suite_report
from gonogo.rules import catalogue
from gonogo.verdict import Verdict
from gonogo_server import repair
from gonogo_server.errors import BadRequest, BadSettings
from gonogo_server.repair.quirks import BROKEN, REPORT_VERSION, ROWS, Quirks, action
from gonogo_server.repair.refusals import REFUSALS
from gonogo_server.repair.table.row import Action, Does
from server.repair.reports import chat, completion, quirks, report, rule

RULES = [scenario.rule for scenario in catalogue.load(fuzz=True)]
COMMAND = (
    "curl -sS -i http://127.0.0.1:8181/v1/chat/completions -H 'content-type: application/json' --data-raw "
    '\'{"model": "m", "messages": [{"role": "user", "content": "Hi"}], "seed": -9223372036854775808}\''
)


def test_every_rule_of_the_suite_has_a_row() -> None:
    assert [each.id for each in RULES if action(each.id) is None] == []


WRITTEN = {"stream.ends", "embeddings.response.content_type"}
"""Rules that the gateway keeps because it writes the answers itself."""


def test_a_must_rule_that_is_called_repaired_is_one_that_a_repair_is_named_after() -> None:
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(repair.__path__, f"{repair.__name__}.")
    ]
    named = {name for module in modules for name in getattr(module, "RULES", ())}
    musts = [each.id for each in RULES if each.level.value == "must"]
    said = {name for name in musts if (row := action(name)) and row.action is Action.REPAIRED}
    assert said - named <= WRITTEN


PASSED_ON = {
    # What fails upstream fails here.
    "chat.response.status",
    "completions.response.status",
    "embeddings.response.status",
    # Only the upstream has the model and its tokenizer.
    "embeddings.input.text",
}


def test_must_rules_that_are_passed_on_are_these_and_no_others() -> None:
    musts = [each.id for each in RULES if each.level.value == "must"]
    passed = {name for name in musts if (row := action(name)) and row.action is Action.PASSED_ON}
    assert passed == PASSED_ON


def test_every_row_is_about_a_rule_of_the_suite() -> None:
    ids = [each.id for each in RULES]
    for row in ROWS:
        for name in row.rules:
            assert any(each == name or (name.endswith(".") and each.startswith(name)) for each in ids), name
        assert row.kept is None or row.kept in ids
        assert row.what.endswith(".")


def test_no_row_stands_behind_one_that_always_holds() -> None:
    for each in RULES:
        about = [row for row in ROWS if row.covers(each.id)]
        most = max(row.covers(each.id) for row in about)
        exact = [
            row.cause is None and row.kept is None and not row.failed_only
            for row in about
            if row.covers(each.id) == most
        ]
        assert True not in exact[:-1], each.id


def test_a_row_that_refuses_says_what_and_one_that_only_tells_does_nothing() -> None:
    refused = {refusal.does for refusal in REFUSALS}
    for row in ROWS:
        refuses = [does for does in row.does if does.value.startswith("refuse-")]
        assert set(refuses) <= refused
        assert bool(row.does) == (row.action in {Action.EMULATED, Action.REFUSED}), row
        assert row.action is not Action.REFUSED or refuses, row


def test_the_report_that_is_read_is_the_one_that_the_suite_writes() -> None:
    assert suite_report.REPORT_VERSION == REPORT_VERSION
    written = suite_report.schema()["$defs"]["rule"]["required"]
    assert set(rule("x")) <= set(written)
    assert {verdict.value for verdict in Verdict} >= BROKEN


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "not a gonogo report"),
        ({"rules": []}, "not a gonogo report"),
        ({"report_version": 1, "rules": []}, "has version 1"),
        ({"report_version": 2}, "lacks the verdicts"),
        ({"report_version": 2, "rules": [{"id": "chat.stream.done"}]}, "lacks the verdicts"),
    ],
)
def test_another_file_is_refused_in_one_sentence_that_says_what_to_give(document: object, says: str) -> None:
    with pytest.raises(BadSettings) as caught:
        Quirks.read(document)
    assert says in str(caught.value)
    assert "gonogo check URL --json FILE" in str(caught.value)


def test_a_server_that_keeps_every_rule_has_no_quirks() -> None:
    kept = quirks(rule("choices.chat.number", "pass"), rule("chat.stream.done", "not-applicable"))
    assert not kept.does
    assert not kept.table()


def test_the_table_has_a_row_for_each_broken_rule_also_where_nothing_is_done() -> None:
    table = quirks("choices.chat.number", "chat.stream.done", rule("text.leading_space", "warn")).table()
    assert [(row.rule, row.action) for row in table] == [
        ("choices.chat.number", "emulated"),
        ("chat.stream.done", "repaired"),
        ("text.leading_space", "passed on"),
    ]


def test_a_rule_of_a_later_suite_is_passed_on_by_name() -> None:
    (row,) = quirks("chat.later.rule").table()
    assert (row.action, row.what) == ("passed on", "This gateway does not know the rule.")


def test_features_that_an_upstream_refuses_are_emulated_if_possible() -> None:
    found = quirks(rule("completions.echo.text", "unsupported", reason="refused"))
    assert found.does == {Does.ECHO: "completions.echo.text"}


def test_an_operation_that_is_not_there_has_no_quirks() -> None:
    assert not quirks(rule("completions.echo.text", "unsupported", reason="no-such-operation")).does


def test_the_cause_of_a_broken_connection_is_read_from_the_command() -> None:
    found = quirks(rule("http.complete", exchanges=["x1", "x2"], curl=COMMAND))
    assert found.does == {Does.REFUSE_NEGATIVE_SEED: "http.complete"}
    assert [row.what for row in found.table()] == ["A 'seed' below 0 is refused."]


def test_requests_of_the_kind_that_ended_an_upstream_are_not_sent_to_it() -> None:
    actual = (
        'status 404, after one of POST /completions {"max_tokens":2,"prompt":["One","Two"]} | POST /completions'
        ' {"prompt":[1,2]} | POST /chat/completions with bytes that are not UTF-8 | POST /completions {"prompt":[]}'
    )
    dead = rule("http.survives", actual=actual, curl=COMMAND, exchanges=["x9"])
    assert [each.requests for each in [completion(dead, prompt=["One", "Two"])]] == [
        ({"model": "m", "prompt": "One"}, {"model": "m", "prompt": "Two"})
    ]
    with pytest.raises(BadRequest, match="in tokens"):
        completion(dead, prompt=[1, 2])


TOO_LONG = COMMAND.replace('"Hi"', '"' + 100 * "a" + '"')


def test_a_prompt_as_long_as_the_one_that_failed_is_refused_as_too_long() -> None:
    failed = rule("errors.context.harmless", curl=TOO_LONG)
    with pytest.raises(
        BadRequest, match=r"prompt is too long: it has 120 characters.* failed at 100"
    ) as caught:
        chat(failed, messages=[{"role": "user", "content": "a" * 60}] * 2)
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "messages")
    assert chat(failed, messages=[{"role": "user", "content": "a" * 99}]).requests
    assert completion(failed, prompt="a" * 100).requests  # the limit for these is unknown


def test_each_of_several_models_has_its_own_quirks_and_any_other_those_of_all() -> None:
    ignored = ("choices.chat.number", "logprobs.chat.present")
    parts = [
        {**report(name), "target": {"model": model, "embedding_model": "e"}}
        for name, model in zip(ignored, "ab", strict=True)
    ]
    known = Quirks.read({**report(*ignored), "target": {"model": None}, "models": parts})
    assert known.checked == ("a", "b", "e")
    assert set(known.of("a").does) == {Does.CHOICES, Does.REFUSE_BEST_OF}
    assert set(known.of("b").does) == {Does.REFUSE_LOGPROBS}
    assert known.of("c").does.keys() == known.of("a").does.keys() | known.of("b").does.keys()
    assert [(told.rule, told.what.rpartition(" (")[2]) for told in known.table()] == [
        ("choices.chat.number", "a)"),
        ("logprobs.chat.present", "b)"),
    ]


def test_an_unexplained_failure_is_reported() -> None:
    (row,) = quirks(rule("http.survives", actual='after POST /chat/completions {"messages":[]}')).table()
    assert (row.action, row.what.partition(":")[0]) == (
        "passed on",
        "Nothing known here sets this request apart",
    )


def test_a_usage_beside_choices_is_repaired_and_one_that_is_missing_is_had_from_a_whole_answer() -> None:
    whole = rule("chat.response.usage", "pass")
    moved = quirks(rule("chat.stream.usage", cause="usage-beside-choices"), whole)
    assert (moved.does, moved.table()[0].action) == ({}, "repaired")
    assert quirks("chat.stream.usage", whole).does == {Does.CHAT_USAGE_WHOLE: "chat.stream.usage"}
    assert quirks("chat.stream.usage").does == {Does.REFUSE_USAGE: "chat.stream.usage"}


def test_nothing_is_done_about_a_rule_that_the_settings_pass_on() -> None:
    broken = report("embeddings.response.usage", "embeddings.dimensions.length")
    found = Quirks.read(broken, pass_on=("embeddings.response.usage",))
    assert set(found.does) == {Does.REFUSE_DIMENSIONS}
    assert ("embeddings.response.usage", "passed on", "The setting pass_on names it.") in found.table()


def test_of_several_models_the_setting_is_for_each() -> None:
    broken = report("embeddings.response.usage")
    several = {**broken, "models": [{**broken, "target": {"model": "m"}}]}
    assert not Quirks.read(several, pass_on=("embeddings.response.usage",)).of("m").does


def test_a_rule_to_pass_on_that_the_report_lacks_is_refused() -> None:
    with pytest.raises(
        BadSettings, match=r"The setting 'pass_on' names 'embeddings\.usage', which is no rule"
    ):
        Quirks.read(report("embeddings.response.usage"), pass_on=("embeddings.usage",))


EVERYTHING = report(*(each.id for each in RULES if each.level.value != "may"))


def test_a_request_that_asks_for_nothing_is_sent_to_a_server_that_breaks_every_rule() -> None:
    whole = Quirks.read(EVERYTHING)
    assert len(whole.table()) == len(EVERYTHING["rules"])
    neutral = {"temperature": 1, "top_p": 1, "n": 1, "logprobs": False, "logit_bias": None, "stop": None}
    made = chat(*EVERYTHING["rules"], **neutral)
    (sent,) = made.requests
    assert {name: value for name, value in sent.items() if name not in {"stream", "stream_options"}} == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 1,
        "top_p": 1,
    }


@pytest.mark.parametrize("group", ["responses", "messages"])
def test_an_endpoint_that_the_report_says_is_missing_is_translated(group: str) -> None:
    missing = rule(f"{group}.a.b", "unsupported", reason="no-such-operation")
    does = Does.TRANSLATE_RESPONSES if group == "responses" else Does.TRANSLATE_MESSAGES
    assert quirks(missing).does == {does: f"{group}.a.b"}
    assert quirks(missing, rule(f"{group}.a.c", "pass")).does == {}


def test_an_endpoint_that_fails_is_translated_and_one_that_only_warns_is_forwarded() -> None:
    failed = quirks(rule("responses.text.output"))
    assert set(failed.does) == {Does.TRANSLATE_RESPONSES}
    warned = quirks(rule("responses.text.output", "warn"))
    assert not warned.does
    assert [row.action for row in warned.table()] == ["passed on"]
