from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo.errors import FeatureError
from gonogo.exchange import Failure, FailureKind
from gonogo.judge import bind
from gonogo.judge.steps import then
from gonogo.rules.catalogue import parse_feature
from gonogo.stimuli.stimulus import NO_EMBEDDING_MODEL
from gonogo.verdict import Level, Verdict

if TYPE_CHECKING:
    from conftest import Judge, Make
    from gonogo.exchange import Exchange

ASK = "When a chat completion is requested with {}\n"
TWICE = ASK + "And the same request is sent again\n"
WATCH = "When any chat completion is requested\n"
AGAIN = "POST /chat/completions {} #2"
OTHER = 'POST /chat/completions {"n":1}'
STATUS = "Then the answer's status is 200"
IDS = 'Then "id" differs between the answers'
IDENTIFIED = 'Then "id" in the answer is a string that is not empty'
REFUSED = "Then the request is refused with 4xx"
RESET = Failure(FailureKind.RESET, 0.5, "the connection broke")


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
    assert found.message == "The status is 201"
    assert [evidence.exchange for evidence in found.evidence] == ["x1"]


def test_what_is_right_passes_and_says_on_what(make: Make, judged: Judge) -> None:
    found = judged(ASK + STATUS, make({}))
    assert (found.verdict, found.message) == (Verdict.PASS, "Kept")
    assert [evidence.exchange for evidence in found.evidence] == ["x1"]


@pytest.mark.parametrize("status", [400, 404, 422, 501])
def test_a_plain_refusal_is_unsupported(status: int, make: Make, judged: Judge) -> None:
    found = judged(ASK + STATUS, make({}, status=status))
    assert found.verdict is Verdict.UNSUPPORTED
    assert f"{status}" in found.message


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (302, ""),
        (401, ": set GONOGO_API_KEY to a key that it takes"),
        (403, ": set GONOGO_API_KEY to a key that it takes"),
        (429, ": the target was busy; a smaller --concurrency asks less at a time"),
        (500, ": another rule speaks of that"),
        (503, ": the target was busy; a smaller --concurrency asks less at a time"),
    ],
)
def test_an_answer_that_says_nothing_of_the_feature_is_inconclusive_and_says_what_to_do(
    status: int, advice: str, make: Make, judged: Judge
) -> None:
    found = judged(ASK + STATUS, make({}, status=status))
    assert (found.verdict, found.message) == (Verdict.INCONCLUSIVE, f"x1 was answered with {status}{advice}")


def test_a_connection_that_failed_is_inconclusive_for_rules_of_answers(make: Make, judged: Judge) -> None:
    found = judged(ASK + STATUS, make(status=None, failure=RESET))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.message == "x1 was not answered whole: the connection broke"


def test_a_request_that_was_not_sent_is_inconclusive_with_the_reason(judged: Judge) -> None:
    found = judged(ASK + STATUS, unsent={"POST /chat/completions {}": "the target was gone"})
    assert (found.verdict, found.message) == (Verdict.INCONCLUSIVE, "The target was gone")


def test_a_rule_that_watches_says_why_what_it_needs_was_not_sent(judged: Judge) -> None:
    found = judged(WATCH + STATUS, unsent={"POST /chat/completions {}": "the target was gone"})
    assert (found.verdict, found.message) == (Verdict.INCONCLUSIVE, "The target was gone")


def test_without_a_model_for_embeddings_they_are_not_offered(judged: Judge) -> None:
    asked = "When embeddings are requested with {}\n"
    found = judged(asked + STATUS, unsent={"POST /embeddings {}": NO_EMBEDDING_MODEL})
    assert (found.verdict, found.rule.level) == (Verdict.UNSUPPORTED, Level.MUST)
    assert "--embedding-model" in found.message


def test_evidence_without_the_request_says_to_collect_again(judged: Judge) -> None:
    found = judged(ASK + STATUS)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.message == "The evidence does not hold this request; collect it again"


def test_a_rule_that_watches_what_nobody_sent_is_inconclusive(judged: Judge) -> None:
    assert judged(WATCH + STATUS).message == "Nothing of the kind was recorded"


def test_one_deviation_among_many_is_the_verdict_and_is_counted(make: Make, judged: Judge) -> None:
    exchanges = [make({}, name="x1"), make({}, status=202, name="x2", key=AGAIN)]
    found = judged(TWICE + STATUS, *exchanges)
    assert found.verdict is Verdict.FAIL
    assert found.message == "The status is 202 (in 1 of 2 exchanges)"


def test_a_pass_outweighs_a_refusal_and_a_refusal_what_is_unknown(make: Make, judged: Judge) -> None:
    refused, unknown = make({}, status=400, key=AGAIN, name="x2"), make({}, status=500, key=AGAIN, name="x2")
    assert judged(TWICE + STATUS, make({}), refused).verdict is Verdict.PASS
    assert judged(TWICE + STATUS, make({}, status=429), refused).verdict is Verdict.UNSUPPORTED
    assert judged(TWICE + STATUS, make({}, status=429), unknown).verdict is Verdict.INCONCLUSIVE


def test_an_answer_that_was_read_and_left_it_open_outweighs_a_refusal(make: Make, judged: Judge) -> None:
    refused = make({}, status=400, key=AGAIN, name="x2")
    found = judged(TWICE + IDENTIFIED, make({}), refused)
    assert (found.verdict, found.message) == (Verdict.INCONCLUSIVE, '"id" of x1 is not a string')
    assert [evidence.exchange for evidence in found.evidence] == ["x1"]


def test_the_reason_is_taken_from_an_answer_that_the_rule_speaks_of(make: Make, judged: Judge) -> None:
    words = "Then the message says something"
    refused = make({"detail": "no"}, status=400, key=AGAIN, name="x2")
    assert judged(TWICE + words, make({}), refused).message == "x2 has no error object"
    assert judged(ASK + words, make({})).message == "x1 was not refused, but answered with 200"


def test_a_comparison_shows_the_last_exchange_first(make: Make, judged: Judge) -> None:
    found = judged(TWICE + IDS, make({"id": "a"}), make({"id": "a"}, key=AGAIN, name="x2"))
    assert found.verdict is Verdict.FAIL
    assert [evidence.exchange for evidence in found.evidence] == ["x2", "x1"]


def test_a_comparison_passes_only_where_the_single_checks_do(make: Make, judged: Judge) -> None:
    steps = TWICE + STATUS + "\nAnd " + IDS.removeprefix("Then ")
    first, second = make({"id": "a"}), make({"id": "b"}, key=AGAIN, name="x2")
    assert judged(steps, first, second).verdict is Verdict.PASS
    broken = make({"id": "b"}, key=AGAIN, name="x2", status=202)
    assert judged(steps, first, broken).verdict is Verdict.FAIL
    refused = make({"id": "b"}, key=AGAIN, name="x2", status=400)
    assert judged(steps, first, refused).verdict is Verdict.UNSUPPORTED


def test_a_deviation_of_a_later_step_comes_before_what_an_earlier_could_not_tell(
    make: Make, judged: Judge
) -> None:
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
    assert found.message.startswith("The check broke on these answers: KeyError: 'x1' (test_judging.py:")


def test_a_step_that_nobody_knows_is_a_mistake_in_the_feature() -> None:
    head = "Feature: f\n  @must @a.b\n  Scenario: s\n    Source: s\n    Why: w\n"
    text = f"{head}    When the models are listed\n    Then all is well\n"
    (scenario,) = parse_feature(text, "a.feature")
    with pytest.raises(FeatureError, match=r"^a\.feature:3: no phrase fits 'all is well'"):
        bind(scenario)


def test_a_body_too_large_to_keep_is_not_judged(make: Make, judged: Judge) -> None:
    steps = "When a chat completion is streamed with {}\nThen the stream carries chunks"
    large = Failure(FailureKind.TOO_LARGE, 0.5, "the body is larger than 5 bytes")
    key = 'POST /chat/completions {"stream":true}'
    found = judged(steps, make(b"data:", key=key, failure=large))
    assert found.message == "x1 was not answered whole: the body is larger than 5 bytes"


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
    assert found.message == f"There is no such operation: status {status} (x1)"


def test_a_wrong_404_of_an_operation_that_is_there_is_judged(make: Make, judged: Judge) -> None:
    steps = (
        "When a chat completion is requested with {}\n"
        'And a chat completion is wrongly requested with {"n": 0}\n'
        "Then the status of the refusal is 400"
    )
    wrong = 'POST /chat/completions {"n":0}'
    found = judged(steps, make({}), make({}, status=404, key=wrong, name="x2"))
    assert found.verdict is Verdict.FAIL


def test_no_connection_at_all_is_no_refusal(make: Make, judged: Judge) -> None:
    hostile = 'When a chat completion is wrongly requested with {"n": 0}\n'
    key = 'POST /chat/completions {"n":0}'
    broken = judged(hostile + REFUSED, make(status=None, failure=RESET, key=key))
    assert (broken.verdict, broken.actual) == (Verdict.FAIL, "the connection broke")
    slow = Failure(FailureKind.TIMEOUT, 2.0, "no answer within 2 s")
    assert judged(hostile + REFUSED, make(status=None, failure=slow, key=key)).verdict is Verdict.INCONCLUSIVE
