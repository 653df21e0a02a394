"""The comparison of two reports: only a change for the worse is no-go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.errors import UsageError
from gonogo.report import diff
from gonogo.report.diff import Change, compare
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]

WORSE, BETTER, OTHER = Change.WORSE, Change.BETTER, Change.OTHER


def rule(rule_id: str, verdict: str, level: str = "must") -> dict[str, Any]:
    return {
        "id": rule_id,
        "title": f"Title of {rule_id}",
        "level": level,
        "group": rule_id.rpartition(".")[0],
        "verdict": verdict,
        "message": f"It is {verdict}",
        "expected": None,
        "actual": None,
        "cause": None,
        "reason": None,
        "values": {},
        "witnesses": [],
        "exchanges": [],
        "position": None,
        "curl": None,
        "source": "source",
        "why": "why",
    }


def report(*rules: dict[str, Any], **head: object) -> dict[str, Any]:
    return {
        "gonogo": "0.1.0",
        "report_version": 2,
        "verdict": "go",
        "target": {"base_url": "http://h/v1", "model": "m", "embedding_model": None},
        "started": "2026-01-02T03:04:05+00:00",
        "seconds": None,
        "strict": False,
        "unmet": [],
        "cost": {"requests": 0, "prompt_tokens": 0, "completion_tokens": 0},
        "totals": {verdict.value: 0 for verdict in Verdict},
        "causes": [],
        "rules": list(rules),
        **head,
    }


def of_version_1(report: dict[str, Any]) -> dict[str, Any]:
    """The same report in the form from before causes and reasons."""
    rules = [
        {
            name: value
            for name, value in rule.items()
            if name not in {"cause", "reason", "values", "witnesses"}
        }
        for rule in report["rules"]
    ]
    totals = {verdict: number for verdict, number in report["totals"].items() if verdict != "not-applicable"}
    kept = {name: value for name, value in report.items() if name != "causes"}
    return {**kept, "report_version": 1, "rules": rules, "totals": totals}


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Write a report into a file."""

    def write(report: dict[str, Any]) -> Path:
        path = tmp_path / "report.json"
        path.write_text(json.dumps(report))
        return path

    return write


@pytest.mark.parametrize(
    ("old", "new", "level", "change"),
    [
        ("pass", "fail", "must", WORSE),
        ("pass", "warn", "should", WORSE),
        ("pass", "unsupported", "must", WORSE),
        ("unsupported", "fail", "must", WORSE),
        ("warn", "fail", "must", WORSE),
        ("inconclusive", "fail", "must", WORSE),
        ("error", "warn", "should", WORSE),
        ("pass", "waived", "must", WORSE),
        ("unsupported", "waived", "should", WORSE),
        ("fail", "pass", "must", BETTER),
        ("fail", "unsupported", "must", BETTER),
        ("waived", "pass", "must", BETTER),
        ("waived", "unsupported", "should", BETTER),
        ("unsupported", "pass", "must", BETTER),
        ("fail", "waived", "must", OTHER),
        ("waived", "fail", "must", OTHER),
        ("waived", "warn", "should", OTHER),
        ("pass", "inconclusive", "must", OTHER),
        ("fail", "inconclusive", "must", OTHER),
        ("fail", "error", "must", OTHER),
        ("inconclusive", "pass", "must", OTHER),
        ("inconclusive", "unsupported", "must", OTHER),
        ("inconclusive", "error", "must", OTHER),
        ("pass", "not-applicable", "must", OTHER),
        ("fail", "not-applicable", "must", OTHER),
        ("warn", "not-applicable", "should", OTHER),
        ("not-applicable", "pass", "must", OTHER),
        ("not-applicable", "unsupported", "must", OTHER),
        ("not-applicable", "fail", "must", WORSE),
    ],
)
def test_a_change_of_verdict_is_worse_better_or_neither(
    old: str, new: str, level: str, change: Change
) -> None:
    (difference,) = compare(report(rule("a.b", old, level)), report(rule("a.b", new, level))).differences

    assert difference.change is change


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_same_verdict_twice_is_not_a_difference(verdict: Verdict) -> None:
    found = compare(report(rule("a.b", verdict)), report(rule("a.b", verdict)))

    assert (found.differences, found.same, found.is_worse) == ((), 1, False)


@pytest.mark.parametrize(
    ("old", "new"), [("inconclusive", "not-applicable"), ("not-applicable", "inconclusive")]
)
def test_from_one_verdict_that_tells_nothing_to_the_other_is_no_difference(old: str, new: str) -> None:
    found = compare(report(rule("a.b", old)), report(rule("a.b", new)))

    assert (found.differences, found.same, found.is_worse) == ((), 1, False)


def test_must_rules_stand_first_among_those_of_one_kind_and_keep_their_order() -> None:
    levels = {"a.may": "may", "a.should": "should", "a.must": "must", "b.should": "should", "b.must": "must"}
    broken = {"must": "fail", "should": "warn", "may": "unsupported"}
    old = report(*(rule(rule_id, "pass", level) for rule_id, level in levels.items()))
    new = report(*(rule(rule_id, broken[level], level) for rule_id, level in levels.items()))
    found = compare(old, new)

    assert [d.id for d in found.of(WORSE)] == ["a.must", "b.must", "a.should", "b.should", "a.may"]
    assert [d.id for d in compare(new, old).of(BETTER)] == [d.id for d in found.of(WORSE)]
    assert [d.level for d in found.differences] == ["must", "must", "should", "should", "may"]


def test_worse_rules_precede_better_ones_at_any_level() -> None:
    old = report(rule("a.better", "fail"), rule("a.worse", "pass", "should"))
    new = report(rule("a.better", "pass"), rule("a.worse", "warn", "should"))

    assert [d.id for d in compare(old, new).differences] == ["a.worse", "a.better"]


class TestAReportOfVersion1:
    def test_is_read_and_compared_with_one_of_version_2(
        self, stored: Callable[[dict[str, Any]], Path]
    ) -> None:
        old = diff.read(stored(of_version_1(report(rule("a.b", "pass"), rule("a.c", "inconclusive")))))
        new = diff.read(stored(report(rule("a.b", "fail"), rule("a.c", "not-applicable"))))

        assert "causes" not in old
        assert [(d.change, d.id) for d in compare(old, new).differences] == [(WORSE, "a.b")]
        assert [(d.change, d.id) for d in compare(new, old).differences] == [(BETTER, "a.b")]

    @pytest.mark.parametrize("lacking", ["title", "level", "verdict", "message", "source"])
    def test_has_what_both_versions_have(
        self, stored: Callable[[dict[str, Any]], Path], lacking: str
    ) -> None:
        old = of_version_1(report(rule("a.b", "pass")))
        del old["rules"][0][lacking]

        with pytest.raises(UsageError, match=f'is a damaged report: "{lacking}" is a required property'):
            diff.read(stored(old))


@pytest.mark.parametrize("lacking", ["causes", "totals", "rules"])
def test_a_report_of_version_2_has_all_that_its_version_has(
    stored: Callable[[dict[str, Any]], Path], lacking: str
) -> None:
    whole = report(rule("a.b", "pass"))
    assert diff.read(stored(whole)) == whole
    del whole[lacking]

    with pytest.raises(UsageError, match=f'is a damaged report: "{lacking}" is a required property'):
        diff.read(stored(whole))


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_a_rule_of_one_report_only_appeared_or_went_away_and_makes_nothing_worse(verdict: str) -> None:
    found = compare(report(rule("a.old", verdict)), report(rule("a.new", verdict)))

    assert [(d.change, d.id, d.old, d.new) for d in found.differences] == [
        (Change.APPEARED, "a.new", None, verdict),
        (Change.WENT_AWAY, "a.old", verdict, None),
    ]
    assert not found.is_worse


def test_other_versions_targets_and_models_are_noted() -> None:
    moved = {"base_url": "http://other/v1", "model": "n", "embedding_model": None}
    found = compare(report(), report(gonogo="0.2.0", target=moved))

    assert found.notes == (
        "The reports differ in gonogo: 0.1.0 before, 0.2.0 now.",
        "The reports differ in target: http://h/v1 before, http://other/v1 now.",
        "The reports differ in model: m before, n now.",
    )


def test_the_text_groups_what_changed_and_ends_with_the_answer() -> None:
    old = report(rule("a.b", "pass"), rule("a.c", "fail"), rule("a.d", "pass"))
    new = report(rule("a.b", "fail"), rule("a.c", "pass"), rule("a.d", "pass"), verdict="no-go")

    assert diff.render_text(compare(old, new)).splitlines() == [
        "Worse (1):",
        "  a.b  pass -> fail  Title of a.b",
        "    It is fail",
        "Better (1):",
        "  a.c  fail -> pass  Title of a.c",
        "1 worse, 1 better, 0 appeared, 0 went away, 1 unchanged; the gate was go and is no-go.",
    ]


def test_the_markdown_has_a_table_for_each_kind_of_change() -> None:
    text = diff.render_markdown(
        compare(report(rule("a.b", "pass")), report(rule("a.b", "fail"), gonogo="0.2.0"))
    )

    assert text.startswith("## gonogo diff: worse\n\n1 worse, 0 better,")
    assert "`The reports differ in gonogo: 0.1.0 before, 0.2.0 now.`" in text
    assert "### Worse\n\n| rule | verdict | requirement | found |\n" in text
    assert "| `a.b` | pass -> fail | Title of a.b | `It is fail` |\n" in text


class TestTheCommand:
    @pytest.fixture
    def reports(self, gonogo: Run, clean_evidence: Path, broken_evidence: Path, tmp_path: Path) -> list[Path]:
        """A report on a conforming server, and on the same one without [DONE]."""
        paths = [tmp_path / "clean.json", tmp_path / "broken.json"]
        for stored, path in zip((clean_evidence, broken_evidence), paths, strict=True):
            gonogo("judge", stored, "--only", "models", "--only", "chat.stream.done", "--json", path)
        return paths

    def test_leaves_with_1_where_something_got_worse(self, gonogo: Run, reports: list[Path]) -> None:
        result = gonogo("diff", *reports)

        assert result.exit_code == 1
        assert result.stdout.startswith("Worse (1):\n  chat.stream.done  pass -> fail  ")
        assert result.stdout.splitlines()[-1].endswith("the gate was go and is no-go.")

    def test_leaves_with_0_where_nothing_did(self, gonogo: Run, reports: list[Path]) -> None:
        clean, broken = reports

        assert gonogo("diff", broken, clean).exit_code == 0
        assert gonogo("diff", broken, broken).exit_code == 0

    def test_writes_json_and_markdown(self, gonogo: Run, reports: list[Path], tmp_path: Path) -> None:
        page = tmp_path / "d.md"
        result = gonogo("diff", *reports, "--json", "-", "--markdown", page)
        document = json.loads(result.stdout)

        assert document["worse"] is True
        assert document["verdict"] == {"old": "go", "new": "no-go"}
        assert [(d["change"], d["id"], d["level"]) for d in document["differences"]] == [
            ("worse", "chat.stream.done", "must")
        ]
        assert page.read_text().startswith("## gonogo diff: worse\n")
        assert result.stderr.startswith("Worse (1):")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, ": No such file or directory."),
            (b"<html>", " is not JSON; give a report written by gonogo check --json."),
            (b"\xff", " is not JSON; give a report"),
            (b"[]", " is not a report; give one written by gonogo check --json."),
            (b'{"report_version": 3}', " has report version 3; this gonogo reads versions 1 and 2."),
            (b'{"report_version": "2"}', " has report version '2'; this gonogo reads versions 1 and 2."),
            (b'{"report_version": true}', " has report version True; this gonogo reads versions 1 and 2."),
            (b'{"report_version": [2]}', " has report version [2]; this gonogo reads versions 1 and 2."),
            (b'{"report_version": 1}', ' is a damaged report: "gonogo" is a required property.'),
            (b'{"report_version": 2}', ' is a damaged report: "gonogo" is a required property.'),
        ],
    )
    def test_says_of_a_file_that_is_no_report_what_it_is_in_one_sentence(
        self, gonogo: Run, reports: list[Path], tmp_path: Path, content: bytes | None, said: str
    ) -> None:
        other = tmp_path / "other.json"
        if content is not None:
            other.write_bytes(content)
        result = gonogo("diff", reports[0], other)

        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{other}{said}" in result.stderr
        assert result.stderr.count("\n") == 1


def test_a_report_nested_beyond_reading_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)

    with pytest.raises(UsageError, match="is not JSON"):
        diff.read(path)
