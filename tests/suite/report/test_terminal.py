"""The text for terminals: complete, safe to print, easy to copy from, with the most important last."""

from __future__ import annotations

from dataclasses import replace
from string import Formatter
from typing import TYPE_CHECKING

import pytest
from gonogo.baseline import Kind, Problem
from gonogo.reasons import Reason
from gonogo.report import finding
from gonogo.report.finding import MOST_IDS
from gonogo.report.terminal import FIRST_WHOLE, MOST_WARNINGS, MOST_WHOLE, Detail
from gonogo.report.wording import visible
from gonogo.verdict import Because, Cause, Level, Verdict
from suite.report.printed import COMMAND, FAIL, PASS, WARN, several, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.report.model import Report
    from gonogo.verdict import Judgement

STALE = Problem(Kind.STALE, "chat.shape", "baseline.toml", 4, "baseline.toml, line 4: delete the line.")
NUMBERS = "2 requests, 7 prompt and 3 completion tokens, 1.5 s"


def values_for(reason: Reason) -> dict[str, object]:
    """Long values for everything that a reason's template names."""
    return {name: "value " * 20 for _, name, _, _ in Formatter().parse(reason.template) if name}


class TestAReason:
    @pytest.mark.parametrize(
        ("abouts", "shown"),
        [
            ([("x178",), ("x178",)], " (x178)"),
            ([("x1", "x2"), ("x2", "x1")], " (x1, x2)"),
            ([("x1",), ("x2",)], ""),
            ([("x1",), ()], ""),
            ([(), ()], ""),
            ([tuple(f"x{n}" for n in range(MOST_IDS + 1))] * 2, ""),
        ],
    )
    def test_names_the_exchanges_where_all_its_rules_are_about_the_same_few(
        self,
        make: Callable[..., Report],
        rows: Mapping[Verdict, Judgement],
        abouts: list[tuple[str, ...]],
        shown: str,
    ) -> None:
        found = several(rows[Verdict.INCONCLUSIVE], len(abouts))
        lost = [
            replace(judgement, because=Because(Reason.TARGET_LOST, about=about))
            for judgement, about in zip(found, abouts, strict=True)
        ]
        lines = text_of(make(*lost)).splitlines()

        assert f"INCONCLUSIVE   {len(abouts)}  {Reason.TARGET_LOST.template}{shown}" in lines


class TestTheOrder:
    def test_is_numbers_open_questions_warnings_failures_verdict(self, make: Callable[..., Report]) -> None:
        text = text_of(make(FAIL, PASS, Verdict.INCONCLUSIVE, WARN, Verdict.WAIVED, Verdict.UNSUPPORTED))
        places = [
            text.index(part)
            for part in (
                "section  fail", "\nUNSUPPORTED ", "\nINCONCLUSIVE ", "\nWAIVED ", "\nWARN  ", "\nFAIL  ", "\nNO-GO  ",
            )
        ]  # fmt: skip

        assert places == sorted(places)

    @pytest.mark.parametrize("detail", [Detail.SCREEN, Detail.ALL])
    def test_puts_failures_after_warnings(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement], detail: Detail
    ) -> None:
        warned = [
            replace(found, rule=replace(found.rule, id=f"chat.w{n}"))
            for n, found in enumerate(several(rows[WARN], 3))
        ]
        text = text_of(make(*several(rows[FAIL], MOST_WHOLE + 2), *warned), detail)

        assert text.count("\nWARN  ") == 3
        assert text.count("\nFAIL  ") == MOST_WHOLE + 2
        assert text.rindex("\nWARN  ") < text.index("\nFAIL  ")

    def test_puts_the_first_cause_nearest_to_the_verdict(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        text = text_of(make(*several(rows[FAIL], MOST_WHOLE)))
        heads = [line for line in text.splitlines() if line.startswith("FAIL  ")]

        assert heads == [f"FAIL  Title {n}  [chat.stream.r{n}]" for n in reversed(range(MOST_WHOLE))]
        assert "in full" not in text

    def test_says_how_to_see_all_causes_in_full_where_most_have_one_line(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        text = text_of(make(*several(rows[FAIL], MOST_WHOLE + 2)))
        hint = f"the next {FIRST_WHOLE} causes are shown in full; -v shows all {MOST_WHOLE + 2} in full\n\nFAIL  "

        assert text.count(hint) == 1
        assert text.partition(hint)[2].count("  source ") == FIRST_WHOLE

    @pytest.mark.parametrize("detail", list(Detail))
    @pytest.mark.parametrize("verdicts", [(PASS,), (FAIL, PASS), (WARN, PASS), tuple(Verdict)])
    def test_ends_with_the_verdict_and_has_one_empty_line_at_a_time(
        self, make: Callable[..., Report], detail: Detail, verdicts: tuple[Verdict, ...]
    ) -> None:
        report = make(*verdicts, require=["embeddings"], problems=[STALE])
        text = text_of(report, detail)

        assert text.splitlines()[-1].startswith(("NO-GO  ", "NOT JUDGED  "))
        assert text.endswith(f"; {NUMBERS}\n")
        assert "\n\n\n" not in text


class TestWarnings:
    def test_are_a_line_each_with_the_rules(self, make: Callable[..., Report]) -> None:
        lines = text_of(make(PASS, WARN)).splitlines()

        assert [line for line in lines if line.startswith("WARN")] == [
            "WARN  Title of chat.stream.usage  chat.stream.usage"
        ]

    def test_are_cut_and_counted_or_all_shown(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        report = make(*several(rows[WARN], MOST_WARNINGS + 2))
        screen = text_of(report)

        assert screen.count("\nWARN  ") == MOST_WARNINGS
        assert "\n      and 2 more causes of warnings; -v lists them\n" in screen
        assert text_of(report, Detail.ALL).count("\nWARN  ") == MOST_WARNINGS + 2


class TestNumbers:
    def test_stand_by_section_where_something_is_broken_and_the_last_line_has_those_of_all(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        elsewhere = replace(rows[PASS], rule=replace(rows[PASS].rule, id="models.list.ok"))
        lines = text_of(make(PASS, FAIL, WARN, elsewhere, Verdict.NOT_APPLICABLE)).splitlines()

        assert [line.split() for line in lines[2:5]] == [
            ["section", "fail", "warn", "pass"],
            ["chat", "1", "1", "1"],
            [],
        ]
        assert lines[-1] == f"NO-GO  1 failed, 1 warned, 2 passed; {NUMBERS}"

    def test_stand_by_group_where_all_is_shown(self, make: Callable[..., Report]) -> None:
        lines = text_of(make(PASS, FAIL, WARN, Verdict.UNSUPPORTED), Detail.ALL).splitlines()

        assert [line.split() for line in lines[2:6]] == [
            ["group", "fail", "warn", "pass", "unsupported"],
            ["chat", "·", "·", "1", "·"],
            ["chat.stream", "1", "1", "·", "·"],
            ["embeddings", "·", "·", "·", "1"],
        ]

    def test_are_not_there_where_nothing_is_broken(self, make: Callable[..., Report]) -> None:
        assert text_of(make(PASS)).splitlines()[2:] == [f"GO  0 failed, 1 passed; {NUMBERS}"]


class TestWhatWasLeftOpen:
    def test_is_a_line_for_each_reason_with_the_number_of_its_rules(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        refused = rows[Verdict.UNSUPPORTED]
        other = replace(
            refused,
            rule=replace(refused.rule, id="embeddings.b"),
            because=Because(Reason.REFUSED, {"status": 404}, ("x1",)),
        )
        lines = text_of(make(PASS, refused, Verdict.INCONCLUSIVE, other)).splitlines()

        assert lines[2:] == [
            "UNSUPPORTED    2  the target refuses this with 404",
            "INCONCLUSIVE   1  the model stopped after 3 of 8 tokens (x1)",
            "",
            f"GO  0 failed, 1 passed, 2 unsupported, 1 inconclusive; {NUMBERS}",
        ]

    def test_names_its_rules_with_their_exchanges_where_all_is_shown(
        self, make: Callable[..., Report]
    ) -> None:
        text = text_of(make(PASS, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE), Detail.ALL)

        assert (
            "UNSUPPORTED    1  the target refuses this with 404\n"
            "  embeddings.shape  Title of embeddings.shape (x2)\n"
            "INCONCLUSIVE   1  the model stopped after 3 of 8 tokens\n"
            "  chat.stop  Title of chat.stop (x1)\n"
        ) in text

    def test_has_the_reason_of_most_rules_first(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        one = rows[Verdict.INCONCLUSIVE]
        silent = replace(one, because=Because(Reason.NOTHING_RECORDED))
        lines = text_of(make(one, *several(silent, 2))).splitlines()

        assert [line for line in lines if line.startswith("INCONCLUSIVE")] == [
            "INCONCLUSIVE   2  no such exchange was recorded",
            "INCONCLUSIVE   1  the model stopped after 3 of 8 tokens (x1)",
        ]

    def test_by_a_value_of_the_target_cannot_steer_the_terminal(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        said = Because(Reason.NOT_LISTED, {"model": "\x1b[2J {status} x1"})
        text = text_of(make(PASS, replace(rows[Verdict.INCONCLUSIVE], because=said)))

        assert r"  the model \x1b[2J {status} x1 is not in the list" in text

    def test_because_of_a_cause_is_not_applicable_and_named_only_where_all_is_shown(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        cause = Cause("no-end", "t", "s", "b", ("chat.stream.done",), ("errors.context.code",))
        report = make(FAIL, Verdict.NOT_APPLICABLE, causes=(cause,))

        assert "errors.context.code" not in text_of(report)
        assert (
            "NOT-APPLICABLE   1  the target did not refuse the request, but answered 200\n"
            "  errors.context.code  Title of errors.context.code (x1)  because of no-end\n"
        ) in text_of(report, Detail.ALL)

    def test_of_an_optional_feature_says_that_it_is_not_there(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        optional = replace(
            rows[WARN], verdict=Verdict.UNSUPPORTED, rule=replace(rows[WARN].rule, level=Level.MAY)
        )

        assert "UNSUPPORTED    1  an optional feature is missing\n" in text_of(make(PASS, optional))

    def test_has_what_the_baseline_waives_with_its_reason_where_all_is_shown(
        self, make: Callable[..., Report]
    ) -> None:
        report = make(PASS, Verdict.WAIVED)
        line = "WAIVED         1  broken and waived by the baseline\n"
        told = "  chat.tools.ids  two calls share one (waived until 2027-01-31: our issue 12)\n"

        assert line in text_of(report)
        assert "our issue 12" not in text_of(report)
        assert line + told in text_of(report, Detail.ALL)

    @pytest.mark.parametrize("detail", [Detail.SCREEN, Detail.ALL])
    def test_names_waived_rules_of_a_warning_behind_those_that_warn(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement], detail: Detail
    ) -> None:
        waived, warned = rows[Verdict.WAIVED], rows[WARN]
        cause = Cause("bare", "Fields are missing", "two", "clients", (waived.rule.id, warned.rule.id))
        text = text_of(make(waived, warned, causes=(cause,)), detail)

        assert "WARN  Fields are missing" in text
        assert f"{warned.rule.id}, {waived.rule.id}" in text


class TestQuiet:
    @pytest.mark.parametrize("verdict", [FAIL, WARN, Verdict.INCONCLUSIVE, Verdict.WAIVED])
    def test_is_the_verdict_alone(self, make: Callable[..., Report], verdict: Verdict) -> None:
        report = make(PASS, verdict)

        assert text_of(report, Detail.QUIET) == text_of(report).splitlines()[-1] + "\n"

    def test_says_what_breaks_the_gate_beside_rules(self, make: Callable[..., Report]) -> None:
        report = make(PASS, WARN, strict=True, require=["embeddings"], problems=[STALE])

        assert text_of(report, Detail.QUIET).splitlines() == [
            'The group "embeddings" is required, but the target does not support all of its rules.',
            "baseline.toml, line 4: delete the line.",
            "The run is strict: warnings are no-go.",
            f"NO-GO  0 failed, 1 warned, 1 passed; {NUMBERS}",
        ]

    @pytest.mark.parametrize(
        ("verdict", "shown", "hidden"),
        [
            (Verdict.ERROR, "(ERROR above)", "(run without --quiet to see it)"),
            (Verdict.INCONCLUSIVE, "the reasons are above.", "run without --quiet to see the reasons."),
        ],
    )
    def test_points_at_nothing_that_it_does_not_show(
        self, make: Callable[..., Report], verdict: Verdict, shown: str, hidden: str
    ) -> None:
        why, last = text_of(make(verdict), Detail.QUIET).splitlines()

        assert hidden in why
        assert last.startswith("NOT JUDGED  ")
        assert shown in text_of(make(verdict))
        assert hidden not in text_of(make(verdict))


def test_a_pipe_gets_neither_colours_nor_wrapped_lines(make: Callable[..., Report]) -> None:
    text = text_of(make(PASS, FAIL, WARN), width=40)

    assert "\x1b" not in text
    assert text == text_of(make(PASS, FAIL, WARN), width=1000)
    assert f"  repeat it {COMMAND}\n" in text


def test_a_narrow_terminal_wraps_prose_but_never_ids_or_commands(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    long_rule = replace(rows[FAIL].rule, id="chat." + "x" * 70, why="word " * 30)
    lines = text_of(make(replace(rows[FAIL], rule=long_rule)), terminal=True, width=60).splitlines()

    assert f"  rules     {long_rule.id}" in lines
    assert sum("word" in line for line in lines) > 1
    assert all(len(line) <= 60 for line in lines if "word" in line)
    assert any(line.endswith("""--data-raw '{"model": "m", "stream": true}'""") for line in lines)


def test_a_bug_in_a_check_is_not_blamed_on_the_target(make: Callable[..., Report]) -> None:
    text = text_of(make(PASS, Verdict.ERROR))

    assert (
        "ERROR  chat.seed\n  actual    internal error while checking these answers: KeyError: 'a' (seeds.py:7)\n"
        in text
    )
    assert "not caused by the target" in text
    assert text.splitlines()[-1].startswith("NOT JUDGED  0 failed, 1 passed, 1 not judged;")


def test_a_run_without_one_decision_says_so(make: Callable[..., Report]) -> None:
    assert "No rule could be decided" in text_of(make(Verdict.INCONCLUSIVE))


def test_other_reasons_for_no_go_are_printed(make: Callable[..., Report]) -> None:
    text = text_of(make(PASS, WARN, Verdict.UNSUPPORTED, strict=True, require=["embeddings"]))

    assert 'The group "embeddings" is required' in text
    assert "The run is strict" in text


def test_truncated_evidence_is_reported(make: Callable[..., Report]) -> None:
    assert "is incomplete" in text_of(make(PASS, truncated=True, seconds=None))


def test_nothing_from_a_target_can_steer_the_terminal() -> None:
    assert visible("a\x1b]0;x\x07\r\n\u202eé漢") == r"a\x1b]0;x\x07\r\n\u202eé漢"
    assert visible("::error::x ::x std::x ##[error]x ##vso[x] ## x") == (
        r":\x3aerror::x :\x3ax std::x #\x23[error]x #\x23vso[x] ## x"
    )


class TestTheScreen:
    def test_has_three_of_40_lines_for_20_causes_with_long_texts_and_one_for_none(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        long = replace(rows[FAIL], actual="there is a long text " * 20, expected="an answer " * 60)
        left = rows[Verdict.UNSUPPORTED]
        refused = [
            replace(
                left,
                rule=replace(left.rule, id=f"chat.{reason.value}"),
                because=Because(reason, values_for(reason)),
            )
            for reason in Reason
        ]
        warned = [
            replace(found, rule=replace(found.rule, id=f"chat.w{n}"))
            for n, found in enumerate(several(rows[WARN], 30))
        ]
        broken = text_of(make(*several(long, 20), *warned, *refused), terminal=True, width=80).splitlines()
        clean = text_of(make(PASS, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE), terminal=True).splitlines()

        assert sum(-(-len(line) // 80) or 1 for line in broken) <= 120
        assert len(clean) <= 40

    def test_shows_what_differs_although_the_beginning_is_the_same(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        same = "the same beginning of both texts, " * 6
        far = replace(rows[FAIL], expected=f"{same}right and more", actual=f"{same}wrong and more")
        text = text_of(make(*several(far, MOST_WHOLE + 1)), terminal=True)

        assert (
            text.count("wrong and more") >= MOST_WHOLE + 1 - FIRST_WHOLE
        )  # prose that is shown in full is wrapped

    def test_leaves_a_long_command_to_more_detail(
        self, make: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(finding, "MOST_ROWS", 1)
        narrow = text_of(make(FAIL), terminal=True)

        assert COMMAND not in narrow
        assert "characters; -v prints it" in narrow
        assert COMMAND in text_of(make(FAIL), Detail.ALL, terminal=True)
