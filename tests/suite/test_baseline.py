"""What a team accepts is waived with its reason, and an entry that is no longer needed is no-go."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from gonogo.baseline import Kind, read, updated, waive
from gonogo.errors import UsageError
from gonogo.verdict import Judgement, Level, Rule, Verdict, Waiver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from gonogo.baseline import Baseline, Problem

    Run = Callable[..., Result]

TODAY = date(2026, 6, 15)
PASS, FAIL, WARN, WAIVED = Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.WAIVED
UNDECIDED = (Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE, Verdict.ERROR)
RULES = ("chat.done", "chat.order", "models.list")


def judged(rule_id: str, verdict: Verdict) -> Judgement:
    level = Level.SHOULD if verdict is WARN else Level.MUST
    found = {"expected": "there", "actual": "it is not there"} if verdict in (FAIL, WARN) else {}
    return Judgement(Rule(rule_id, "Title", level, "source", "why"), verdict, **found)


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., Path]:
    """Write these lines into a baseline file."""

    def write(*lines: str) -> Path:
        path = tmp_path / "baseline.toml"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write


@pytest.fixture
def baseline(store: Callable[..., Path]) -> Callable[..., Baseline]:
    """The baseline of these lines, which may be unfinished."""
    return lambda *lines: read(store(*lines), unfinished=True)


def problems(found: Baseline, *judgements: Judgement, today: date = TODAY) -> list[Problem]:
    return waive(judgements, found, RULES, today)[1]


class TestAnEntry:
    @pytest.mark.parametrize("verdict", [FAIL, WARN])
    def test_turns_a_broken_rule_into_a_waived_one_that_says_what_and_why(
        self, baseline: Callable[..., Baseline], verdict: Verdict
    ) -> None:
        listed = baseline('"chat.done" = { reason = "our issue 12" }')
        (judgement,), broken = waive([judged("chat.done", verdict)], listed, RULES, TODAY)

        assert judgement == replace(
            judged("chat.done", verdict), verdict=WAIVED, waived=Waiver("our issue 12")
        )
        assert (judgement.expected, judgement.actual) == ("there", "it is not there")
        assert broken == []

    def test_leaves_a_waived_rule_its_cause(self, baseline: Callable[..., Baseline]) -> None:
        listed = baseline('"chat.done" = { reason = "r" }')
        (judgement,), _ = waive([replace(judged("chat.done", FAIL), cause="no-end")], listed, RULES, TODAY)

        assert (judgement.verdict, judgement.cause) == (WAIVED, "no-end")

    def test_says_until_when_it_holds(self, baseline: Callable[..., Baseline]) -> None:
        listed = baseline('"chat.done" = { reason = "our issue 12", expires = 2026-06-15 }')
        (judgement,), broken = waive([judged("chat.done", FAIL)], listed, RULES, TODAY)

        assert judgement.verdict is WAIVED
        assert judgement.waived == Waiver("our issue 12", "2026-06-15")
        assert broken == []

    def test_leaves_every_other_rule_as_it_is(self, baseline: Callable[..., Baseline]) -> None:
        other = judged("chat.order", FAIL)

        assert waive([other], baseline('"chat.done" = { reason = "r" }'), RULES, TODAY) == ([other], [])

    def test_is_stale_once_its_rule_passes(self, baseline: Callable[..., Baseline]) -> None:
        listed = baseline("# why", "", '"chat.done" = { reason = "r" }')
        (problem,) = problems(listed, judged("chat.done", PASS))

        assert (problem.kind, problem.rule, problem.line) == (Kind.STALE, "chat.done", 3)
        assert problem.message == f"{listed.path}, line 3: chat.done passes now; delete the line."

    @pytest.mark.parametrize("verdict", UNDECIDED)
    def test_is_not_stale_where_its_rule_could_not_be_decided(
        self, baseline: Callable[..., Baseline], verdict: Verdict
    ) -> None:
        listed = baseline('"chat.done" = { reason = "r" }')
        undecided = judged("chat.done", verdict)

        assert waive([undecided], listed, RULES, TODAY) == ([undecided], [])

    def test_is_neither_stale_nor_expired_where_its_rule_was_left_out(
        self, baseline: Callable[..., Baseline]
    ) -> None:
        listed = baseline('"chat.done" = { reason = "r", expires = 2020-01-01 }')

        assert problems(listed, judged("models.list", PASS)) == []

    @pytest.mark.parametrize(("verdict", "after"), [(PASS, PASS), (FAIL, WAIVED), (WARN, WAIVED)])
    def test_that_is_flaky_may_pass_or_break(
        self, baseline: Callable[..., Baseline], verdict: Verdict, after: Verdict
    ) -> None:
        listed = baseline('"chat.done" = { reason = "r", flaky = true }')
        (judgement,), broken = waive([judged("chat.done", verdict)], listed, RULES, TODAY)

        assert (judgement.verdict, broken) == (after, [])

    @pytest.mark.parametrize("flaky", ["", ", flaky = true"])
    def test_past_its_date_waives_nothing_and_breaks_the_gate(
        self, baseline: Callable[..., Baseline], flaky: str
    ) -> None:
        listed = baseline(f'"chat.done" = {{ reason = "r", expires = 2026-06-14{flaky} }}')
        (judgement,), (problem,) = waive([judged("chat.done", FAIL)], listed, RULES, TODAY)

        assert judgement.verdict is FAIL
        assert problem.kind is Kind.EXPIRED
        assert problem.message == (
            f"{listed.path}, line 1: chat.done was waived until 2026-06-14; delete the line or extend the date."
        )

    def test_past_its_date_whose_rule_passes_is_just_deleted(self, baseline: Callable[..., Baseline]) -> None:
        listed = baseline('"chat.done" = { reason = "r", expires = 2026-06-14 }')

        assert [p.kind for p in problems(listed, judged("chat.done", PASS))] == [Kind.STALE]

    @pytest.mark.parametrize(
        ("rule", "mend"),
        [("chat.dome", "delete the line, or change it to chat.done"), ("x.y", "delete the line")],
    )
    def test_for_a_rule_that_does_not_exist_breaks_the_gate(
        self, baseline: Callable[..., Baseline], rule: str, mend: str
    ) -> None:
        listed = baseline(f'"{rule}" = {{ reason = "r" }}')
        (problem,) = problems(listed, judged("models.list", PASS))

        assert problem.kind is Kind.UNKNOWN
        assert problem.message == f"{listed.path}, line 1: the rule {rule} does not exist; {mend}."


class TestTheFile:
    def test_may_have_comments_blank_lines_windows_line_ends_and_a_byte_order_mark(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "b.toml"
        path.write_bytes(b'\xef\xbb\xbf# ours\r\n\r\n"a.b" = { reason = "r" } # later\r\n"c.d".reason = "s"')

        assert {rule: (e.line, e.reason) for rule, e in read(path).entries.items()} == {
            "a.b": (3, "r"),
            "c.d": (4, "s"),
        }

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("chat.done = { reason = 'r' }", "a rule id must be in quotes, as in"),
            ('["chat.done"]', "begins a table; an entry is one line, such as"),
            ('"chat.done" = "r"', "chat.done has no fields; an entry looks like"),
            ('"chat.done" = { reason = """', "is not an entry ("),
            (
                '"chat.done" = { reason = "r", until = 2027-01-31 }',
                'has the unknown field "until"; the fields are reason,',
            ),
            ('"chat.done" = { reason = 12 }', "the reason must be a string"),
            (
                '"chat.done" = { reason = "r", expires = "2027-01-31" }',
                "expires must be a date without quotes",
            ),
            ('"chat.done" = { reason = "r", expires = 2027-01-31T00:00:00Z }', "and without a time"),
            ('"chat.done" = { reason = "r", flaky = "yes" }', "flaky must be true or false"),
            ('"models.list" = { reason = "again" }', "models.list is already in line 1; delete one of them."),
        ],
    )
    def test_that_is_not_understood_is_refused_with_its_line(
        self, store: Callable[..., Path], line: str, said: str
    ) -> None:
        path = store('"models.list" = { reason = "r" }', line)

        with pytest.raises(UsageError) as refused:
            read(path)

        assert str(refused.value).startswith(f"{path}, line 2")
        assert said in str(refused.value)

    def test_with_an_entry_that_gives_no_reason_is_refused(self, store: Callable[..., Path]) -> None:
        path = store('"a.b" = { reason = "" }', '"c.d" = { reason = "r" }', '"e.f" = { reason = "  " }')

        with pytest.raises(UsageError) as refused:
            read(path)

        assert str(refused.value) == (
            f"{path}, lines 1, 3: the reason is empty; write why the deviation is accepted, or delete the line."
        )

    def test_that_is_not_text_or_not_a_file_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "b.toml"
        path.write_bytes(b"\xff")

        with pytest.raises(UsageError, match="it must be UTF-8"):
            read(path)
        with pytest.raises(UsageError, match=r"^Cannot read .*: Is a directory\."):
            read(tmp_path)
        with pytest.raises(UsageError, match=r"does not exist; --update-baseline creates it\."):
            read(tmp_path / "none.toml")


class TestTheUpdate:
    def test_of_no_file_lists_what_broke_the_gate_and_leaves_the_reason_to_a_person(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "b.toml"
        found = [judged("chat.done", FAIL), judged("chat.order", WARN), judged("models.list", PASS)]
        path.write_text(updated(found, read(path, unfinished=True), RULES, strict=False))

        assert tomllib.loads(path.read_text()) == {"chat.done": {"reason": ""}}
        with pytest.raises(UsageError, match="line 3: the reason is empty"):
            read(path)

    def test_of_a_strict_run_lists_warnings_too(self, baseline: Callable[..., Baseline]) -> None:
        text = updated([judged("chat.order", WARN)], baseline(), RULES, strict=True)

        assert list(tomllib.loads(text)) == ["chat.order"]

    def test_keeps_entries_comments_and_dates_and_drops_what_is_superfluous(
        self, baseline: Callable[..., Baseline]
    ) -> None:
        lines = [
            "# the gateway rewrites these",
            '"chat.done" = { reason = "r", expires = 2020-01-01 }  # see issue 12',
            "",
            '"chat.order" = { reason = "at times", flaky = true }',
            '"models.list" = { reason = "passes" }',
            '"no.such" = { reason = "unknown" }',
        ]
        found = [judged("chat.done", FAIL), judged("chat.order", PASS), judged("models.list", PASS)]
        text = updated(found, baseline(*lines), RULES, strict=False)

        assert text.splitlines() == lines[:4]

    def test_keeps_the_entries_of_rules_that_were_not_looked_at(
        self, baseline: Callable[..., Baseline]
    ) -> None:
        line = '"chat.done" = { reason = "r" }'

        assert updated([judged("models.list", PASS)], baseline(line), RULES, strict=False) == f"{line}\n"


FEW = ("--only", "models", "--only", "chat.stream.done")  # the rules of the evidence


class TestTheCommand:
    def test_waives_a_broken_rule_in_every_report_and_says_go(
        self, gonogo: Run, broken_evidence: Path, store: Callable[..., Path], tmp_path: Path
    ) -> None:
        listed = store('"chat.stream.done" = { reason = "our issue 12" }')
        report = tmp_path / "r.json"
        result = gonogo("judge", broken_evidence, *FEW, "--baseline", listed, "--json", report)
        rules = {rule["id"]: rule for rule in json.loads(report.read_bytes())["rules"]}

        assert result.exit_code == 0, result.output
        assert "WAIVED         1  broken and waived by the baseline\n" in result.stdout
        assert "FAIL" not in result.stdout
        assert result.stdout.splitlines()[-1].startswith("GO  0 failed, ")
        assert ", 1 waived; " in result.stdout.splitlines()[-1]
        assert rules["chat.stream.done"]["verdict"] == "waived"
        assert rules["chat.stream.done"]["waived"] == "our issue 12"
        assert rules["chat.stream.done"]["expected"]
        assert rules["chat.stream.done"]["actual"]

    def test_names_what_is_waived_and_why_where_all_is_shown(
        self, gonogo: Run, broken_evidence: Path, store: Callable[..., Path]
    ) -> None:
        listed = store('"chat.stream.done" = { reason = "our issue 12" }')
        result = gonogo("judge", broken_evidence, *FEW, "--baseline", listed, "--verbose")
        (line,) = [line for line in result.stdout.splitlines() if line.startswith("  chat.stream.done  ")]

        assert line.endswith("(waived: our issue 12)")

    def test_says_no_go_and_names_the_lines_of_entries_that_are_not_needed(
        self, gonogo: Run, reference_url: str, store: Callable[..., Path]
    ) -> None:
        listed = store('"chat.stream.done" = { reason = "r" }', '"no.such.rule" = { reason = "r" }')
        result = gonogo("check", reference_url, *FEW, "--baseline", listed)
        *_, first, second, last = result.stdout.splitlines()

        assert result.exit_code == 1
        assert first == f"{listed}, line 1: chat.stream.done passes now; delete the line."
        assert second.startswith(f"{listed}, line 2: the rule no.such.rule does not exist; delete the line")
        assert last.startswith("NO-GO  0 failed, ")

    @pytest.mark.parametrize(("expires", "status"), [("2000-01-01", 1), ("9999-12-31", 0)])
    def test_looks_at_the_date(
        self, gonogo: Run, broken_evidence: Path, store: Callable[..., Path], expires: str, status: int
    ) -> None:
        listed = store(f'"chat.stream.done" = {{ reason = "r", expires = {expires} }}')
        result = gonogo("judge", broken_evidence, *FEW, "--baseline", listed)

        assert result.exit_code == status
        assert result.stdout.count("\nFAIL  ") == status
        assert ("\n  rules     chat.stream.done" in result.stdout) is bool(status)

    def test_goes_from_no_go_to_go_by_an_update_and_a_reason(
        self, gonogo: Run, broken_evidence: Path, tmp_path: Path
    ) -> None:
        listed = tmp_path / "b.toml"
        first = gonogo("judge", broken_evidence, *FEW, "--baseline", listed, "--update-baseline")
        unfinished = gonogo("judge", broken_evidence, *FEW, "--baseline", listed)
        listed.write_text(listed.read_text().replace('reason = ""', 'reason = "our issue 12"'))
        finished = gonogo("judge", broken_evidence, *FEW, "--baseline", listed)

        assert first.exit_code == 1  # judged by the old file: there was none
        assert first.stderr == (
            f"{listed} now has 1 entry, 1 without a reason; add the reason or delete the line.\n"
        )
        assert unfinished.exit_code == 2
        assert unfinished.stderr.startswith(f"{listed}, line 3: the reason is empty; write why")
        assert finished.exit_code == 0

    def test_drops_by_an_update_what_passes(
        self, gonogo: Run, clean_evidence: Path, store: Callable[..., Path]
    ) -> None:
        listed = store("# ours", '"chat.stream.done" = { reason = "r" }')
        gonogo("judge", clean_evidence, *FEW, "--baseline", listed, "--update-baseline")

        assert listed.read_text() == "# ours\n"
        assert gonogo("judge", clean_evidence, *FEW, "--baseline", listed).exit_code == 0

    def test_leaves_no_file_behind_where_nothing_could_be_judged(self, gonogo: Run, tmp_path: Path) -> None:
        listed = tmp_path / "b.toml"
        result = gonogo("judge", tmp_path / "none.jsonl", "--baseline", listed, "--update-baseline")

        assert result.exit_code == 2
        assert not listed.exists()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--update-baseline"], "--update-baseline needs --baseline FILE.\n"),
            (
                ["--baseline", "/no-such/b.toml"],
                "/no-such/b.toml does not exist; --update-baseline creates it.\n",
            ),
            (
                ["--baseline", "/no-such/b.toml", "--update-baseline"],
                "Cannot write /no-such/b.toml: No such file or directory.\n",
            ),
        ],
    )
    def test_that_cannot_be_obeyed_is_one_sentence_before_anything_is_sent(
        self, gonogo: Run, arguments: list[str], said: str
    ) -> None:
        result = gonogo("check", "http://127.0.0.1:1/v1", *arguments)

        assert (result.exit_code, result.stderr, result.stdout) == (2, said, "")
