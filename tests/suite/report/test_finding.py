"""A cause, and a single rule, as users read them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.report.finding import MOST_IDS, rule_lines
from gonogo.report.terminal import FIRST_WHOLE, MOST_WHOLE, Detail
from gonogo.verdict import Cause, Verdict
from suite.report.printed import COMMAND, FAIL, PASS, WARN, several, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.report.model import Report
    from gonogo.verdict import Judgement


class TestACause:
    def test_that_fails_shows_requirement_expected_actual_evidence_clients_rules_and_command(
        self, make: Callable[..., Report]
    ) -> None:
        text = text_of(make(PASS, FAIL))
        block = text[text.index("FAIL  ") : text.index("\n\nNO-GO")]

        assert block.splitlines() == [
            "FAIL  Title of chat.stream.done  [chat.stream.done]",
            "  source    must; source of chat.stream.done",
            "  expected  [DONE]",
            r"  actual    the stream ended \x1b[31mwithout it (in 2 of 3 exchanges)",
            (
                "  evidence  x2: POST /chat/completions -> 200 in 0.500 s; "
                r'byte 6 after 0.250 s: data: {"a": "\x1b[31m"}'
            ),
            "  breaks    reason of chat.stream.done",
            "  rules     chat.stream.done",
            f"  repeat it {COMMAND}",
        ]

    def test_that_is_a_known_fault_says_what_was_seen_and_is_shown_once_for_all_its_rules(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        ids = ("chat.stream.done", "chat.stream.usage")
        cause = Cause(
            "no-end", "Streams never end", "no \x1b end", "all clients", ids, ("chat.stop",),
            rows[FAIL].evidence[0],
        )  # fmt: skip
        text = text_of(make(FAIL, WARN, Verdict.INCONCLUSIVE, causes=(cause,)))

        assert "FAIL  Streams never end  [no-end]\n" in text
        assert "\n  seen      no \\x1b end\n" in text
        assert "\n  breaks    all clients\n" in text
        assert "\n  rules     chat.stream.done, chat.stream.usage; 1 more not applicable\n" in text
        assert text.count("repeat it") == 1
        assert "WARN  " not in text

    def test_of_many_rules_names_the_first_and_counts_the_rest_or_names_them_all(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        broken = several(rows[FAIL], MOST_IDS + 5)
        ids = tuple(judgement.rule.id for judgement in broken)
        report = make(*broken, causes=(Cause("c", "t", "s", "b", ids),))

        assert f"  rules     {', '.join(ids[:MOST_IDS])} and 5 more\n" in text_of(report)
        assert f"  rules     {', '.join(ids)}\n" in text_of(report, Detail.ALL)

    def test_with_no_one_place_shows_the_beginning_of_the_body(self, make: Callable[..., Report]) -> None:
        text = text_of(make(WARN), Detail.ALL)

        assert (
            '  evidence  x1: POST /chat/completions -> 200 in 0.500 s; {"usage": {"prompt_tokens": 7' in text
        )

    def test_without_an_exchange_has_neither_evidence_nor_command(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        text = text_of(make(replace(rows[FAIL], evidence=())))

        assert "FAIL  Title of chat.stream.done" in text
        assert "  evidence" not in text
        assert "  repeat it" not in text

    def test_cuts_long_texts_around_the_first_difference(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        same = "a" * 5000
        text = text_of(make(replace(rows[FAIL], expected=f"{same}bee", actual=f"{same}cow")))
        expected, actual = (
            next(line for line in text.splitlines() if line.startswith(f"  {label}"))
            for label in ("expected", "actual")
        )

        assert "…a" in expected
        assert expected.endswith("abee")
        assert "acow (in 2 of 3 exchanges)" in actual
        assert max(len(expected), len(actual)) < 300

    def test_is_brief_where_it_is_not_among_the_first_that_fail_and_cannot_steer_the_terminal_there(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        text = text_of(make(*several(rows[FAIL], MOST_WHOLE + 1)))
        brief = f"FAIL  Title {MOST_WHOLE}  chat.stream.r{MOST_WHOLE}\n"

        assert text.count("repeat it") == FIRST_WHOLE
        assert f"{brief}      the stream ended \\x1b[31mwithout it\n" in text
        assert "\x1b" not in text

    def test_is_whole_where_all_is_shown(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        report = make(*several(rows[FAIL], MOST_WHOLE + 3), WARN)

        assert text_of(report, Detail.ALL).count("repeat it") == MOST_WHOLE + 4


class TestOneRuleByItself:
    def test_that_is_broken_has_all_that_a_cause_has(
        self, make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
    ) -> None:
        report = make(FAIL)

        assert rule_lines(report, report.judgement("chat.stream.done")) == [
            "FAIL  chat.stream.done",
            "  requires  Title of chat.stream.done (must; source of chat.stream.done)",
            "  expected  [DONE]",
            r"  actual    the stream ended \x1b[31mwithout it (in 2 of 3 exchanges)",
            (
                "  evidence  x2: POST /chat/completions -> 200 in 0.500 s; "
                r'byte 6 after 0.250 s: data: {"a": "\x1b[31m"}'
            ),
            (
                "  breaks    reason of chat.stream.done; "
                'measured on "chat streams without [DONE]": none of 10 clients breaks'
            ),
            f"  repeat it {COMMAND}",
        ]

    def test_names_a_cause_that_is_not_the_rule_itself(self, make: Callable[..., Report]) -> None:
        report = make(FAIL, causes=(Cause("no-end", "Streams never end", "s", "b", ("chat.stream.done",)),))

        assert "  cause     Streams never end [no-end]" in rule_lines(
            report, report.judgement("chat.stream.done")
        )

    def test_that_is_undecided_has_a_reason(self, make: Callable[..., Report]) -> None:
        report = make(Verdict.INCONCLUSIVE)
        lines = rule_lines(report, report.judgement("chat.stop"))

        assert lines[:3] == [
            "INCONCLUSIVE  chat.stop",
            "  requires  Title of chat.stop (must; source of chat.stop)",
            "  actual    the model stopped after 3 of 8 tokens",
        ]
