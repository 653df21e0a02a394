"""From findings to a judgement: which of several decides, and its content."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from gonogo.judge.deciding import Finding, decide
from gonogo.judge.outcome import Deviation, Refused, Undecided, saw
from gonogo.reasons import NOT_APPLICABLE, UNREAD, Reason
from gonogo.verdict import Because, Evidence, Level, Position, Rule, Verdict, Witness

if TYPE_CHECKING:
    from conftest import Judge, Make
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

RULE = Rule("a.b", "A rule", Level.MUST, "s", "w")
TWICE = (
    "When a chat completion is requested with {}\n"
    "And the same request is sent again\n"
    'Then the answer\'s status is 200\nAnd "id" is the same in the answers'
)
AGAIN = "POST /chat/completions {} #2"
REFUSAL = 'When a chat completion is wrongly requested with {"n": 0}\nThen the status of the refusal is 400'
WRONG = 'POST /chat/completions {"n":0}'


@pytest.fixture
def exchanges(make: Make) -> list[Exchange]:
    return [make(name=f"x{number}") for number in range(1, 6)]


def outcomes(exchanges: list[Exchange]) -> list[tuple[Outcome, Verdict]]:
    """One finding of each kind with its verdict, in order of precedence."""
    return [
        (Deviation("a", "b"), Verdict.FAIL),
        (saw("id", exchanges[1]), Verdict.PASS),
        (Undecided(Reason.NO_TEXT, ("x3",)), Verdict.INCONCLUSIVE),
        (Refused(Reason.REFUSED, ("x4",), {"status": 400}), Verdict.UNSUPPORTED),
        (Undecided(Reason.BUSY, ("x5",), {"status": 429}), Verdict.INCONCLUSIVE),
    ]


def test_of_two_findings_the_stronger_decides_in_whichever_order(exchanges: list[Exchange]) -> None:
    ranked = outcomes(exchanges)
    for (n, (first, verdict)), (m, (second, _)) in itertools.combinations(enumerate(ranked), 2):
        pair = [Finding((exchanges[n],), first), Finding((exchanges[m],), second)]
        strong = decide(RULE, pair)
        assert strong == decide(RULE, pair[::-1])
        assert strong.verdict is verdict
        assert {piece.exchange for piece in strong.evidence} == {f"x{n + 1}"}


@pytest.mark.parametrize("reason", sorted(UNREAD))
def test_the_reason_of_an_unread_answer_comes_last(reason: Reason, exchanges: list[Exchange]) -> None:
    unread = Finding((exchanges[0],), Undecided(reason, ("x1",), {"status": 500, "failure": "gone"}))
    read = Finding((exchanges[1],), Undecided(Reason.NO_CHOICES, ("x2",)))
    no = Finding((exchanges[2],), Refused(Reason.REFUSED, ("x3",)))
    assert decide(RULE, [unread, read]).because == Because(Reason.NO_CHOICES, {}, ("x2",))
    assert decide(RULE, [unread, no]).verdict is Verdict.UNSUPPORTED
    assert decide(RULE, [unread]).because is not None


def test_a_missing_exchange_is_reported_before_an_unread_answer(
    exchanges: list[Exchange],
) -> None:
    unread = Finding((exchanges[0],), Undecided(Reason.BUSY, ("x1",)))
    gap = Because(Reason.NOT_RECORDED)
    assert decide(RULE, [unread], [gap]).because == gap
    assert decide(RULE, [], []).because == Because(Reason.NOTHING_RECORDED)


@pytest.mark.parametrize("reason", Reason)
def test_a_rule_is_not_applicable_where_its_case_did_not_occur_and_open_otherwise(
    reason: Reason, exchanges: list[Exchange]
) -> None:
    found = decide(RULE, [Finding((exchanges[0],), Undecided(reason, ("x1",)))])
    expected = Verdict.NOT_APPLICABLE if reason in NOT_APPLICABLE else Verdict.INCONCLUSIVE
    if reason in {Reason.NO_EMBEDDING_MODEL, Reason.NO_SUCH_OPERATION}:
        expected = Verdict.UNSUPPORTED
    assert (found.verdict, found.because) == (expected, Because(reason, {}, ("x1",)))
    assert found.evidence == (Evidence("x1"),)


def test_a_rule_about_a_refusal_is_not_applicable_where_nothing_was_refused(
    make: Make, judged: Judge
) -> None:
    found = judged(REFUSAL, make({}, key=WRONG))
    assert found.verdict is Verdict.NOT_APPLICABLE
    assert found.because == Because(Reason.NOT_REFUSED, {"status": 200}, ("x1",))


def test_a_correct_refusal_outranks_a_missing_one(make: Make, judged: Judge) -> None:
    twice = REFUSAL.replace("\nThen", "\nAnd a chat completion is requested with {}\nThen")
    found = judged(twice, make({}, status=400, key=WRONG), make({}, name="x2"))
    assert found.verdict is Verdict.PASS
    assert {witness.exchange for witness in found.witnesses} == {"x1"}


def test_a_pass_has_every_witness_once_and_its_exchanges_as_evidence(exchanges: list[Exchange]) -> None:
    first, second = exchanges[:2]
    found = decide(
        RULE,
        [
            Finding((first,), saw("id", first)),
            Finding((first,), saw("id", first)),
            Finding((second,), saw("delta", second, count=4)),
        ],
    )
    assert found.witnesses == (Witness("x1", "id"), Witness("x2", "delta", 4))
    assert found.evidence == (Evidence("x1"), Evidence("x2"))
    assert (found.broken, found.looked_at) == (0, 3)


def test_a_deviation_found_in_several_exchanges_says_what_was_in_each(exchanges: list[Exchange]) -> None:
    place = Position(3, 0.1, "data")
    one, other = Deviation("a", "b", place), Deviation("a", "c")
    found = decide(RULE, [Finding((exchanges[0],), one), Finding((exchanges[1],), other)])
    assert (found.expected, found.actual, found.broken, found.looked_at) == ("a", "b", 2, 2)
    assert [(piece.exchange, piece.position, piece.actual) for piece in found.evidence] == [
        ("x1", place, "b"),
        ("x2", None, "c"),
    ]


def test_a_check_that_names_a_few_of_many_exchanges_shows_those(exchanges: list[Exchange]) -> None:
    place = Position(3, 0.1, "data")
    deviation = Deviation("a", "b", place, also=(("x4", "d"), ("x2", "e")))
    found = decide(RULE, [Finding(tuple(exchanges), deviation)])
    assert [(piece.exchange, piece.position, piece.actual) for piece in found.evidence] == [
        ("x4", place, "d"),
        ("x2", None, "e"),
    ]


def test_a_rule_that_compares_is_kept_by_its_comparison_only(make: Make, judged: Judge) -> None:
    first, second = make({"id": "a"}), make({"id": "a"}, key=AGAIN, name="x2")
    found = judged(TWICE, first, second)
    assert found.verdict is Verdict.PASS
    assert {witness.what for witness in found.witnesses} == {'"id"'}
    assert {witness.exchange for witness in found.witnesses} == {"x1", "x2"}


def test_answers_that_are_right_by_themselves_do_not_keep_a_rule_that_cannot_compare_them(
    make: Make, judged: Judge
) -> None:
    found = judged(TWICE, make({"id": "a"}), make({}, key=AGAIN, name="x2"))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.witnesses == ()
