"""The results of a check: no pass without a witness, and no stop without a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo.exchange import Failure, FailureKind
from gonogo.judge.outcome import (
    Deviation,
    Kept,
    Refused,
    Stop,
    Undecided,
    refused,
    saw,
    unanswered,
    undecided,
)
from gonogo.judge.steps import Bound, Check, Of
from gonogo.reasons import Reason
from gonogo.verdict import Because, Witness

if TYPE_CHECKING:
    from conftest import Make
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

RESET = Failure(FailureKind.RESET, 0.5, "the connection broke")


def test_nothing_is_kept_without_a_witness() -> None:
    with pytest.raises(ValueError, match="kept by what was seen"):
        Kept(())


def test_each_exchange_with_an_observation_gets_a_witness(make: Make) -> None:
    first, second = make(name="x1"), make(name="x2")
    assert saw("delta", first, second, count=3) == Kept(
        (Witness("x1", "delta", 3), Witness("x2", "delta", 3))
    )


@pytest.mark.parametrize("count", [0, False])
def test_zero_observations_leave_the_rule_undecided(count: int, make: Make) -> None:
    found = saw("delta", make(name="x1"), count=count)
    assert found == Undecided(Reason.NOTHING_SEEN, ("x1",), {"what": "delta"})


def test_no_observation_in_any_exchange_leaves_the_rule_undecided() -> None:
    assert saw("delta") == Undecided(Reason.NOTHING_SEEN, (), {"what": "delta"})


def test_a_stop_has_the_outcome_with_its_exchanges_and_values(make: Make) -> None:
    open_, no = undecided(Reason.CUT_OFF, make(name="x3"), finish_reason="length"), refused(Reason.REFUSED)
    assert open_.outcome == Undecided(Reason.CUT_OFF, ("x3",), {"finish_reason": "length"})
    assert no.outcome == Refused(Reason.REFUSED)
    assert open_.outcome.because == Because(Reason.CUT_OFF, {"finish_reason": "length"}, ("x3",))
    assert no.outcome.because == Because(Reason.REFUSED)


def test_failed_and_unsent_exchanges_are_distinguished(make: Make) -> None:
    whole, begun = make(status=None, failure=RESET), make(status=200, failure=RESET)
    assert unanswered(whole).outcome.reason is Reason.NO_ANSWER
    assert unanswered(begun).outcome.reason is Reason.NOT_WHOLE
    assert unanswered(make(status=302)).outcome == Undecided(Reason.OTHER_STATUS, ("x1",), {"status": 302})


@pytest.mark.parametrize(
    ("of", "status", "outcome"),
    [
        (Of.ACCEPTED, 200, None),
        (Of.ACCEPTED, 400, Refused(Reason.REFUSED, ("x1",), {"status": 400})),
        (Of.ACCEPTED, 501, Refused(Reason.REFUSED, ("x1",), {"status": 501})),
        (Of.ACCEPTED, 429, Undecided(Reason.BUSY, ("x1",), {"status": 429})),
        (Of.ACCEPTED, 500, Undecided(Reason.SERVER_ERROR, ("x1",), {"status": 500})),
        (Of.BEGUN, 404, Refused(Reason.REFUSED, ("x1",), {"status": 404})),
        (Of.REFUSED, 200, Undecided(Reason.NOT_REFUSED, ("x1",), {"status": 200})),
        (Of.REFUSED, 302, Undecided(Reason.NOT_REFUSED, ("x1",), {"status": 302})),
        (Of.REFUSED, 401, Undecided(Reason.UNAUTHORIZED, ("x1",), {"status": 401})),
        (Of.REFUSED, 400, None),
        (Of.REFUSED, 500, None),
        (Of.ANSWERED, 500, None),
        (Of.ANY, 429, None),
    ],
)
def test_a_check_sees_only_the_answers_that_it_speaks_of(
    of: Of, status: int, outcome: Outcome | None, make: Make
) -> None:
    exchange = make(status=status)
    found = Bound(Check(_seen, of, several=False), {})(exchange)
    assert found == (outcome or saw("answer", exchange))


@pytest.mark.parametrize(
    ("of", "failure", "seen"),
    [
        (Of.ACCEPTED, FailureKind.RESET, False),
        (Of.ANSWERED, FailureKind.RESET, False),
        (Of.BEGUN, FailureKind.RESET, True),
        (Of.BEGUN, FailureKind.TOO_LARGE, False),
        (Of.ANY, FailureKind.TOO_LARGE, True),
    ],
)
def test_an_incomplete_answer_is_only_for_checks_that_read_beginnings(
    of: Of, failure: FailureKind, make: Make, *, seen: bool
) -> None:
    exchange = make(failure=Failure(failure, 0.5, "gone"))
    found = Bound(Check(_seen, of, several=False), {})(exchange)
    not_whole = Undecided(Reason.NOT_WHOLE, ("x1",), {"failure": "gone"})
    assert found == (saw("answer", exchange) if seen else not_whole)


def test_a_stop_of_a_reader_is_the_outcome_and_other_exceptions_are_bugs(make: Make) -> None:
    def stopping(exchange: Exchange) -> Outcome:
        raise undecided(Reason.NO_TEXT, exchange)

    def breaking(exchange: Exchange) -> Outcome:
        raise KeyError(exchange.id)

    assert Bound(Check(stopping, Of.ANY, several=False), {})(make()) == Undecided(Reason.NO_TEXT, ("x1",))
    with pytest.raises(KeyError):
        Bound(Check(breaking, Of.ANY, several=False), {})(make())


def test_a_stop_is_not_a_deviation() -> None:
    stop = Stop(Undecided(Reason.NO_TEXT))
    assert str(stop) == "no-text"
    assert not isinstance(stop.outcome, Deviation)


def _seen(exchange: Exchange) -> Outcome:
    return saw("answer", exchange)
