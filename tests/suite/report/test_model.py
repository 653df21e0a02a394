"""The gate's verdict follows the table of verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo.baseline import Kind, Problem
from gonogo.report.model import Gate, position_of, shown_exchange
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.report.model import Report
    from gonogo.verdict import Judgement

PASS, FAIL, WARN = Verdict.PASS, Verdict.FAIL, Verdict.WARN
UNSUPPORTED, INCONCLUSIVE, ERROR = Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE, Verdict.ERROR
WAIVED = Verdict.WAIVED
STALE = Problem(Kind.STALE, "chat.shape", "baseline.toml", 4, "baseline.toml, line 4: delete the line.")


@pytest.mark.parametrize(
    ("verdicts", "options", "gate"),
    [
        ([PASS], {}, Gate.GO),
        ([PASS, WARN, UNSUPPORTED, INCONCLUSIVE], {}, Gate.GO),
        ([PASS, FAIL], {}, Gate.NO_GO),
        ([PASS, WARN], {"strict": True}, Gate.NO_GO),
        ([PASS, UNSUPPORTED], {"require": ["embeddings"]}, Gate.NO_GO),
        ([PASS, UNSUPPORTED], {"require": ["chat"]}, Gate.GO),
        ([PASS, INCONCLUSIVE], {"require": ["chat.stop"]}, Gate.NO_GO),
        ([UNSUPPORTED, INCONCLUSIVE], {}, Gate.NOT_JUDGED),
        ([], {}, Gate.NOT_JUDGED),
        ([PASS, FAIL, ERROR], {}, Gate.NOT_JUDGED),
        ([PASS, WAIVED], {"strict": True}, Gate.GO),
        ([WAIVED], {}, Gate.GO),
        ([PASS], {"problems": [STALE]}, Gate.NO_GO),
    ],
)
def test_the_verdicts_and_options_decide_the_gate(
    make: Callable[..., Report], verdicts: list[Verdict], options: dict[str, object], gate: Gate
) -> None:
    assert make(*verdicts, **options).gate is gate


def test_a_required_group_that_is_refused_is_named(make: Callable[..., Report]) -> None:
    assert make(PASS, UNSUPPORTED, require=["chat", "embeddings"]).unmet == ("embeddings",)


def test_a_required_group_is_not_met_by_one_whose_name_only_begins_alike(make: Callable[..., Report]) -> None:
    assert make(PASS, require=["cha"]).unmet == ("cha",)


def test_totals_count_every_verdict_zeros_included(make: Callable[..., Report]) -> None:
    totals = make(PASS, FAIL, FAIL).totals

    assert (totals[PASS], totals[FAIL], totals[WARN]) == (1, 2, 0)
    assert set(totals) == set(Verdict)


def test_the_exchange_with_the_place_is_shown_before_the_others(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    report = make(FAIL)
    shown = shown_exchange(rows[FAIL], report.exchanges)
    position = position_of(rows[FAIL])

    assert shown is not None
    assert shown.id == "x2"
    assert position is not None
    assert position.offset == 6
    assert shown_exchange(rows[ERROR], report.exchanges) is None
    assert position_of(rows[PASS]) is None
