"""Sentences are built last: templates are ours; values come from a target and are not interpreted."""

from __future__ import annotations

import re
from dataclasses import replace
from string import Formatter
from typing import TYPE_CHECKING

import pytest
from gonogo.reasons import Reason
from gonogo.report.wording import (
    MOST_WITNESSES,
    around_difference,
    clause,
    filled,
    message,
    shared_clause,
    witnessed,
)
from gonogo.verdict import Because, Verdict, Waiver, Witness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.verdict import Judgement

HOSTILE = ["x1", "(x1)", "{status}", "{", "}", "{0}", "{a.b!r:>9}", "%s", "", "\x1b[31m", "in x2, x3"]


def names_in(reason: Reason) -> list[str]:
    """The names in braces of a template."""
    return [name for _, name, _, _ in Formatter().parse(reason.template) if name is not None]


class TestATemplate:
    @pytest.mark.parametrize("reason", list(Reason))
    def test_is_a_clause_whose_names_in_braces_are_identifiers(self, reason: Reason) -> None:
        parts = list(Formatter().parse(reason.template))

        assert reason.template.strip() == reason.template != ""
        assert not reason.template.endswith(".")
        assert all(name.isidentifier() for name in names_in(reason))
        assert all(not spec and not conversion for _, _, spec, conversion in parts)

    @pytest.mark.parametrize("reason", list(Reason))
    def test_names_no_exchange(self, reason: Reason) -> None:
        assert not re.search(r"\b[xgs]\d+\b|\bexchange_id\b", reason.template)

    @pytest.mark.parametrize("reason", list(Reason))
    def test_is_filled_with_a_value_for_each_name_and_nothing_else_changes(self, reason: Reason) -> None:
        values = {name: f"<{name}>" for name in names_in(reason)}
        expected = reason.template
        for name in values:
            expected = expected.replace(f"{{{name}}}", f"<{name}>")

        assert filled(reason, values) == expected
        assert not set("{}") & set(expected)

    @pytest.mark.parametrize("reason", [reason for reason in Reason if names_in(reason)])
    def test_without_one_of_its_values_is_a_mistake_of_ours(self, reason: Reason) -> None:
        with pytest.raises(KeyError):
            filled(reason, {})

    def test_has_a_code_of_its_own_for_programs(self) -> None:
        codes = [reason.value for reason in Reason]

        assert len(set(codes)) == len(codes)
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code) for code in codes)
        assert Reason("no-done") is Reason.NO_DONE


class TestAValue:
    @pytest.mark.parametrize("reason", [reason for reason in Reason if len(set(names_in(reason))) == 1])
    def test_is_left_as_it_is(self, reason: Reason) -> None:
        (name,) = set(names_in(reason))
        before, after = reason.template.split(f"{{{name}}}")

        told = [clause(Because(reason, {name: said}, ("x1",))) for said in HOSTILE]
        assert told == [before + said + after for said in HOSTILE]

    def test_with_the_name_of_another_is_not_filled_in(self) -> None:
        because = Because(
            Reason.NO_SUCH_OPERATION, {"operation": "{status} {operation}", "status": "{operation}"}
        )

        assert clause(because) == "the target has no {status} {operation} ({operation})"

    def test_of_a_number_is_written_as_one(self) -> None:
        assert clause(Because(Reason.REFUSED, {"status": 404})) == "the target refuses this with 404"


class TestSharedByRules:
    def test_is_the_clause_where_all_values_are_the_same(self) -> None:
        one = Because(Reason.LIMIT_NOT_REACHED, {"found": 3, "limit": 8}, ("x1",))
        other = replace(one, about=("x9",))

        assert shared_clause([one, other]) == "the model stopped after 3 of 8 tokens"

    def test_has_an_ellipsis_for_each_value_that_differs(self) -> None:
        told = [Because(Reason.LIMIT_NOT_REACHED, {"found": found, "limit": 8}) for found in (3, 3, 5)]

        assert shared_clause(told) == "the model stopped after … of 8 tokens"

    def test_of_one_rule_is_its_own(self) -> None:
        assert shared_clause([Because(Reason.NOT_LISTED, {"model": "x1 {model}"})]) == (
            "the model x1 {model} is not in the list"
        )


class TestTheMessage:
    def test_of_a_broken_rule_is_what_was_there_and_how_often(
        self, rows: Mapping[Verdict, Judgement]
    ) -> None:
        several = replace(rows[Verdict.FAIL], actual="no end", broken=2, looked_at=3)

        assert message(several) == "no end (in 2 of 3 exchanges)"
        assert message(replace(several, broken=1, looked_at=1)) == "no end"

    def test_of_a_pass_is_what_was_seen(self, rows: Mapping[Verdict, Judgement]) -> None:
        assert message(rows[Verdict.PASS]) == "observed: chunk with an id (x4)"

    def test_of_what_was_left_open_is_the_reason(self, rows: Mapping[Verdict, Judgement]) -> None:
        assert message(rows[Verdict.INCONCLUSIVE]) == "the model stopped after 3 of 8 tokens"

    @pytest.mark.parametrize(
        ("waiver", "told"),
        [
            (Waiver("our issue 12"), "(waived: our issue 12)"),
            (Waiver("our issue 12", "2027-01-31"), "(waived until 2027-01-31: our issue 12)"),
        ],
    )
    def test_of_a_waived_rule_is_what_was_there_and_why_it_may_be(
        self, rows: Mapping[Verdict, Judgement], waiver: Waiver, told: str
    ) -> None:
        waived = replace(rows[Verdict.WAIVED], actual="two {calls} of x1", waived=waiver)

        assert message(waived) == f"two {{calls}} of x1 {told}"


class TestWitnesses:
    def test_are_counted_together_the_most_frequent_first(self) -> None:
        seen = [Witness("x1", "stop"), Witness("x1", "chunk", 2), Witness("x2", "chunk", 3)]

        assert witnessed(seen) == "chunk (x5), stop (x1)"

    def test_of_many_kinds_are_cut(self) -> None:
        seen = [Witness("x1", f"kind {n}", 9 - n) for n in range(MOST_WITNESSES + 1)]

        assert witnessed(seen) == "kind 0 (x9), kind 1 (x8), kind 2 (x7), …"


class TestCuttingAroundTheFirstDifference:
    def test_leaves_short_texts_whole(self) -> None:
        assert around_difference("abc", "abd", 3) == ("abc", "abd")

    @pytest.mark.parametrize("at", [0, 1, 50, 99, 100, 500, 997, 999])
    @pytest.mark.parametrize("most", [3, 30, 200])
    def test_shows_the_place_in_both_with_an_ellipsis_where_something_is_missing(
        self, at: int, most: int
    ) -> None:
        one, other = "a" * at + "B" + "a" * (999 - at), "a" * at + "C" + "a" * (999 - at)
        cut = around_difference(one, other, most)

        assert [text.count(mark) for text, mark in zip(cut, "BC", strict=True)] == [1, 1]
        for text, whole in zip(cut, (one, other), strict=True):
            inside = text.removeprefix("…").removesuffix("…")
            assert len(inside) == most
            assert inside in whole
            assert text.startswith("…") is not whole.startswith(inside)
            assert text.endswith("…") is not whole.endswith(inside)

    def test_shows_the_end_of_the_text_that_the_other_goes_beyond(self) -> None:
        short, long = around_difference("a" * 100, "a" * 100 + "b" * 100, 30)

        assert short == "…" + "a" * 30
        assert long == "…" + "a" * 10 + "b" * 20 + "…"

    def test_of_a_short_and_a_long_text_keeps_the_short_one(self) -> None:
        assert around_difference("abc", "x" * 50, 10) == ("abc", "x" * 10 + "…")
