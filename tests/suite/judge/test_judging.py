from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo.errors import FeatureError
from gonogo.exchange import Failure, FailureKind
from gonogo.judge import bind
from gonogo.judge.steps import then
from gonogo.reasons import Reason
from gonogo.rules.catalogue import parse_feature
from gonogo.verdict import Because, Level, Verdict, Witness

if TYPE_CHECKING:
    from conftest import Judge, Make
    from gonogo.exchange import Exchange
    from gonogo.verdict import Judgement

ASK = "When a chat completion is requested with {}\n"
TWICE = ASK + "And the same request is sent again\n"
WATCH = "When any chat completion is requested\n"
AGAIN = "POST /chat/completions {} #2"
OTHER = 'POST /chat/completions {"n":1}'
STATUS = "Then the answer's status is 200"
IDS = 'Then "id" is the same in the answers'
IDENTIFIED = 'Then "id" in the answer is a string that is not empty'
REFUSED = "Then the request is refused with 4xx"
GONE = Because(Reason.TARGET_LOST, about=("x9",))
RESET = Failure(FailureKind.RESET, 0.5, "the connection broke")


def open_for(found: Judgement, reason: Reason, *about: str, **values: object) -> bool:
    """Whether the rule was left undecided for this reason, with the exchanges concerned as evidence."""
    assert [piece.exchange for piece in found.evidence] == list(about)
    assert (found.expected, found.actual, found.witnesses) == (None, None, ())
    return found.verdict is Verdict.INCONCLUSIVE and found.because == Because(reason, values, about)


@pytest.mark.parametrize(
    ("level", "verdict"),
    [("must", Verdict.FAIL), ("should", Verdict.WARN), ("may", Verdict.UNSUPPORTED)],
)
def test_a_deviation_weighs_as_much_as_its_rule(
    level: str, verdict: Verdict, make: Make, judged: Judge
) -> None:
    found = judged(ASK + STATUS, make({}, status=201), level=level)
    assert found.verdict is verdict
    assert (found.expected, found.actual) == ("status 200", "the status is 201")
    assert (found.because, found.witnesses, found.broken, found.looked_at) == (None, (), 1, 1)
    assert [evidence.exchange for evidence in found.evidence] == ["x1"]


def test_correct_answers_pass_with_their_witnesses(make: Make, judged: Judge) -> None:
    found = judged(ASK + STATUS, make({}))
    assert (found.verdict, found.because) == (Verdict.PASS, None)
    assert found.witnesses == (Witness("x1", "status 200"),)
    assert [evidence.exchange for evidence in found.evidence] == ["x1"]


@pytest.mark.parametrize("status", [400, 404, 422, 501])
def test_a_plain_refusal_is_unsupported(status: int, make: Make, judged: Judge) -> None:
    asked = 'When a chat completion is requested with {"n": 1}\n'
    found = judged(asked + STATUS, make({}, status=status, key=OTHER))
    assert found.verdict is Verdict.UNSUPPORTED
    assert found.because == Because(Reason.REFUSED, {"status": status}, ("x1",))
    assert [evidence.exchange for evidence in found.evidence] == ["x1"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (302, Reason.OTHER_STATUS),
        (401, Reason.UNAUTHORIZED),
        (403, Reason.UNAUTHORIZED),
        (429, Reason.BUSY),
        (500, Reason.SERVER_ERROR),
        (503, Reason.BUSY),
    ],
)
def test_an_answer_that_says_nothing_of_the_feature_is_inconclusive(
    status: int, reason: Reason, make: Make, judged: Judge
) -> None:
    assert open_for(judged(ASK + STATUS, make({}, status=status)), reason, "x1", status=status)


def test_rules_undecided_because_of_a_key_or_load_have_advice() -> None:
    assert "set GONOGO_API_KEY" in Reason.UNAUTHORIZED.template
    assert "--concurrency" in Reason.BUSY.template


def test_a_connection_that_failed_is_inconclusive_for_rules_of_answers(make: Make, judged: Judge) -> None:
    found = judged(ASK + STATUS, make(status=None, failure=RESET))
    assert open_for(found, Reason.NOT_WHOLE, "x1", failure="the connection broke")


def test_a_request_that_was_not_sent_is_inconclusive_with_the_reason(judged: Judge) -> None:
    found = judged(ASK + STATUS, unsent={"POST /chat/completions {}": GONE})
    assert open_for(found, Reason.TARGET_LOST, "x9")


def test_a_rule_that_watches_says_why_what_it_needs_was_not_sent(judged: Judge) -> None:
    found = judged(WATCH + STATUS, unsent={"POST /chat/completions {}": GONE})
    assert open_for(found, Reason.TARGET_LOST, "x9")


def test_without_a_model_for_embeddings_they_are_not_offered(judged: Judge) -> None:
    asked = "When embeddings are requested with {}\n"
    found = judged(asked + STATUS, unsent={"POST /embeddings {}": Because(Reason.NO_EMBEDDING_MODEL)})
    assert (found.verdict, found.rule.level) == (Verdict.UNSUPPORTED, Level.MUST)
    assert found.because == Because(Reason.NO_EMBEDDING_MODEL)
    assert "--embedding-model" in Reason.NO_EMBEDDING_MODEL.template


def test_evidence_without_the_request_says_to_collect_again(judged: Judge) -> None:
    assert open_for(judged(ASK + STATUS), Reason.NOT_RECORDED)


def test_a_rule_about_exchanges_that_were_not_sent_is_inconclusive(judged: Judge) -> None:
    assert open_for(judged(WATCH + STATUS), Reason.NOTHING_RECORDED)


def test_one_deviation_among_many_is_the_verdict_and_is_counted(make: Make, judged: Judge) -> None:
    exchanges = [make({}, name="x1"), make({}, status=202, name="x2", key=AGAIN)]
    found = judged(TWICE + STATUS, *exchanges)
    assert found.verdict is Verdict.FAIL
    assert (found.actual, found.broken, found.looked_at) == ("the status is 202", 1, 2)
    assert [(piece.exchange, piece.actual) for piece in found.evidence] == [("x2", "the status is 202")]


def test_a_pass_outweighs_a_refusal_and_a_refusal_what_is_unknown(make: Make, judged: Judge) -> None:
    refused, unknown = make({}, status=400, key=AGAIN, name="x2"), make({}, status=500, key=AGAIN, name="x2")
    assert judged(TWICE + STATUS, make({}), refused).verdict is Verdict.PASS
    assert judged(TWICE + STATUS, make({}, status=429), refused).verdict is Verdict.UNSUPPORTED
    assert judged(TWICE + STATUS, make({}, status=429), unknown).verdict is Verdict.INCONCLUSIVE


def test_an_answer_that_was_read_and_left_it_open_outweighs_a_refusal(make: Make, judged: Judge) -> None:
    refused = make({}, status=400, key=AGAIN, name="x2")
    found = judged(TWICE + IDENTIFIED, make({}), refused)
    assert open_for(found, Reason.FIELD_NOT, "x1", field="id", kind="a string")


def test_the_reason_is_taken_from_an_answer_that_the_rule_speaks_of(make: Make, judged: Judge) -> None:
    words = "Then the message is not empty"
    refused = make({"detail": "no"}, status=400, key=AGAIN, name="x2")
    assert open_for(judged(TWICE + words, make({}), refused), Reason.NO_ERROR_OBJECT, "x2")


def test_a_comparison_shows_the_last_exchange_first(make: Make, judged: Judge) -> None:
    found = judged(TWICE + IDS, make({"id": "a"}), make({"id": "b"}, key=AGAIN, name="x2"))
    assert found.verdict is Verdict.FAIL
    assert [evidence.exchange for evidence in found.evidence] == ["x2", "x1"]


def test_a_comparison_passes_only_where_the_single_checks_do(make: Make, judged: Judge) -> None:
    steps = TWICE + STATUS + "\nAnd " + IDS.removeprefix("Then ")
    first, second = make({"id": "a"}), make({"id": "a"}, key=AGAIN, name="x2")
    assert judged(steps, first, second).verdict is Verdict.PASS
    broken = make({"id": "a"}, key=AGAIN, name="x2", status=202)
    assert judged(steps, first, broken).verdict is Verdict.FAIL
    refused = make({"id": "a"}, key=AGAIN, name="x2", status=400)
    assert judged(steps, first, refused).verdict is Verdict.UNSUPPORTED


def test_a_deviation_of_a_later_step_outranks_an_undecided_earlier_one(make: Make, judged: Judge) -> None:
    steps = ASK + 'Then "id" in the answer is a string that is not empty\nAnd the answer is one JSON object'
    assert judged(steps, make([])).verdict is Verdict.FAIL


def test_a_check_that_breaks_is_an_error_of_ours_and_costs_its_rule_only(
    make: Make, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_(exchange: Exchange) -> None:
        raise KeyError(exchange.id)

    check, _ = then.find("there are 2 choices")
    monkeypatch.setattr("gonogo.judge.reading.answer", break_)
    assert check.run.__module__ == "gonogo.judge.checks.several"
    found = judged(ASK + "Then there are 2 choices", make({}))
    assert found.verdict is Verdict.ERROR
    assert found.because is not None
    assert found.because.reason is Reason.CHECK_BROKE
    assert found.because.values["error"] == "KeyError: 'x1'"
    assert str(found.because.values["where"]).startswith("test_judging.py:")


def test_an_unknown_step_is_a_feature_error() -> None:
    head = "Feature: f\n  @must @a.b\n  Scenario: s\n    Source: s\n    Why: w\n"
    text = f"{head}    When the models are listed\n    Then all is well\n"
    (scenario,) = parse_feature(text, "a.feature")
    with pytest.raises(FeatureError, match=r"^a\.feature:3: no phrase matches 'all is well'"):
        bind(scenario)


def test_a_body_too_large_to_keep_is_not_judged(make: Make, judged: Judge) -> None:
    steps = "When a chat completion is streamed with {}\nThen the stream carries chunks"
    large = Failure(FailureKind.TOO_LARGE, 0.5, "the body is larger than 5 bytes")
    key = 'POST /chat/completions {"stream":true}'
    found = judged(steps, make(b"data:", key=key, failure=large))
    assert open_for(found, Reason.NOT_WHOLE, "x1", failure="the body is larger than 5 bytes")


@pytest.mark.parametrize("status", [404, 405, 501])
def test_the_refusals_of_an_operation_that_is_not_there_are_unsupported(
    status: int, make: Make, judged: Judge
) -> None:
    steps = (
        "When a chat completion is requested with {}\n"
        'And a chat completion is wrongly requested with {"n": 0}\n'
        "Then the status of the refusal is 400"
    )
    wrong = 'POST /chat/completions {"n":0}'
    found = judged(steps, make({}, status=status), make({}, status=status, key=wrong, name="x2"))
    assert found.verdict is Verdict.UNSUPPORTED
    assert found.because == Because(
        Reason.NO_SUCH_OPERATION, {"operation": "POST /chat/completions", "status": status}, ("x1",)
    )


def test_a_wrong_404_of_an_operation_that_is_there_is_judged(make: Make, judged: Judge) -> None:
    steps = (
        "When a chat completion is requested with {}\n"
        'And a chat completion is wrongly requested with {"n": 0}\n'
        "Then the status of the refusal is 400"
    )
    wrong = 'POST /chat/completions {"n":0}'
    found = judged(steps, make({}), make({}, status=404, key=wrong, name="x2"))
    assert found.verdict is Verdict.FAIL


def test_a_missing_connection_is_not_a_refusal(make: Make, judged: Judge) -> None:
    hostile = 'When a chat completion is wrongly requested with {"n": 0}\n'
    key = 'POST /chat/completions {"n":0}'
    broken = judged(hostile + REFUSED, make(status=None, failure=RESET, key=key))
    assert (broken.verdict, broken.actual) == (Verdict.FAIL, "the connection broke")
    slow = Failure(FailureKind.TIMEOUT, 2.0, "no answer within 2 s")
    assert judged(hostile + REFUSED, make(status=None, failure=slow, key=key)).verdict is Verdict.INCONCLUSIVE
