"""Stored reports side by side: differences, details, and that no target can act in the page."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.report import badge
from gonogo.report import json as json_report
from gonogo.report.html.matrix import render as render_html
from gonogo.report.matrix import Matrix, Server, build, label_of, render_markdown, render_text, servers_of
from gonogo.report.model import Gate
from suite.test_diff import report, rule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

HOSTILE = '"><script>alert(1)</script>\x1b[31m|`@someone'


def broken(rule_id: str, said: str) -> dict[str, Any]:
    return rule(rule_id, "fail") | {
        "expected": "2 choices",
        "actual": said,
        "message": said,
        "exchanges": ["x17"],
        "position": {"offset": 40, "seconds": 0.1, "excerpt": said},
        "curl": "curl -sS http://h/v1/chat/completions",
    }


@pytest.fixture
def two() -> Matrix:
    """Two servers: the second breaks a rule that the first passes, and has one rule more."""
    first = report(rule("chat.a.one", "pass"), rule("chat.a.two", "inconclusive"))
    second = report(
        broken("chat.a.one", "there is 1"),
        rule("chat.a.two", "pass"),
        rule("keys.b.one", "pass"),
        verdict="no-go",
    )
    return build([Server("one 1.0", first), Server("two 2.0", second)])


def test_rows_are_rules_in_groups_with_a_cell_for_each_server(two: Matrix) -> None:
    assert [(group.name, [row.id for row in group.rows]) for group in two.groups] == [
        ("chat.a", ["chat.a.one", "chat.a.two"]),
        ("keys.b", ["keys.b.one"]),
    ]
    assert two.groups[1].rows[0].cells[0] is None


def test_servers_differ_by_verdicts_but_not_by_what_was_left_open_or_not_judged(two: Matrix) -> None:
    differing = [row.id for group in two.groups for row in group.rows if row.differs]

    assert differing == ["chat.a.one"]


def test_a_report_on_several_models_is_a_column_for_each() -> None:
    parts = [
        report(target={"base_url": "http://h/v1", "model": name, "embedding_model": None})
        for name in ("s", "l")
    ]

    assert [server.label for server in servers_of(report(models=parts), "server 1")] == [
        "server 1, s",
        "server 1, l",
    ]


def test_a_column_is_called_by_the_label_of_its_run_else_by_its_address() -> None:
    assert label_of(report(label="mine 1.2")) == "mine 1.2"
    assert label_of(report()) == "http://h/v1"


def test_a_report_from_before_there_were_profiles_is_judged_by_its_rules() -> None:
    some = Server("s", report(rule("embeddings.response.status", "pass")))

    assert some.profiles["embedding"] is Gate.NOT_JUDGED  # no rule about inputs
    assert Server("s", report(profiles=[{"name": "core", "verdict": "go"}])).profiles["core"] is Gate.GO


def test_the_text_is_a_line_for_each_server_and_says_in_how_many_rules_they_differ(two: Matrix) -> None:
    lines = render_text(two).splitlines()

    assert lines[0].startswith("one 1.0  go  ")
    assert lines[1].startswith("two 2.0  no-go  ")
    assert lines[-1] == "2 servers, 3 rules; the servers differ in 1."


def test_the_text_of_one_report_asks_for_a_second() -> None:
    alone = build([Server("a", report(rule("chat.stream.done", "pass"), rule("chat.stream.id", "pass")))])
    assert render_text(alone).splitlines()[-1] == "1 server, 2 rules; give a second report to compare."


def test_reports_of_different_rule_sets_are_called_that() -> None:
    found = build([Server("a", report(rule_set="2026-12")), Server("b", report(rule_set="2027-03"))])

    assert list(found.notes) == ["The reports have different rule sets: 2026-12, 2027-03."]


def test_markdown_lists_the_broken_rules_and_nothing_of_a_target_acts(two: Matrix) -> None:
    page = render_markdown(two)

    assert "| `chat.a.one` | Title of chat.a.one | ✓ | ✗ |" in page
    assert "chat.a.two" not in page
    hostile = render_markdown(build([Server(HOSTILE, report(rule("a.b.c", "fail")))]))

    assert hostile.count("<script>") == 1
    assert r'| ``"><script>alert(1)</script>\x1b[31m\|`@someone`` |' in hostile


def test_markdown_gives_each_cause_with_its_source_and_the_bytes_where_it_was_seen() -> None:
    found = broken("chat.a.one", "there is 1") | {"source": "schema, Answer.choices"}
    cause = {
        "title": "Title of chat.a.one",
        "verdict": "fail",
        "seen": "there is 1",
        "rules": ["chat.a.one"],
        "position": {"offset": 40, "seconds": 0.1, "excerpt": 'data: {"a": 1}'},
    }
    page = render_markdown(build([Server("one", report(found, causes=[cause, cause | {"position": None}]))]))

    row = "| fail | Title of chat.a.one | must; schema, Answer.choices | `there is 1` | "
    assert f'{row}40: `data: {{"a": 1}}` | 1 |' in page
    assert f"{row} | 1 |" in page


def test_a_broken_cell_of_the_page_opens_to_its_evidence(two: Matrix) -> None:
    page = render_html(two)

    assert 'popovertarget="c1-chat-a-one"' in page
    assert "byte 40: there is 1" in page
    assert "curl -sS http://h/v1/chat/completions" in page
    assert 'popovertarget="c0-chat-a-one"' not in page


def test_nothing_of_a_target_acts_in_the_page() -> None:
    page = render_html(build([Server(HOSTILE, report(broken("chat.a.one", HOSTILE)))]))

    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m" in page


@pytest.mark.parametrize(
    ("profile", "said"),
    [(None, "gonogo: no-go"), ("core", "gonogo core: go"), ("agent", "gonogo agent: not judged")],
)
def test_a_badge_is_the_verdict_of_a_report_or_of_a_profile(profile: str | None, said: str) -> None:
    found = report(verdict="no-go", profiles=[{"name": "core", "verdict": "go"}])
    drawn = ET.fromstring(badge.render(found, profile))

    assert drawn.get("aria-label") == said


def test_a_compact_report_is_one_and_keeps_what_is_broken() -> None:
    passed = rule("chat.a.two", "pass") | {
        "curl": "curl x",
        "witnesses": [{"what": "w", "count": 1, "exchanges": ["x1"]}],
    }
    text = json_report.compact(report(broken("chat.a.one", "there is 1"), passed))
    kept = json.loads(text)

    assert kept["rules"][0] == broken("chat.a.one", "there is 1")
    assert kept["rules"][1] == rule("chat.a.two", "pass") | {"source": "", "why": ""}
    assert [line for line in text.splitlines() if '"id":' in line] == text.splitlines()[-4:-2]


class TestTheCommand:
    @pytest.fixture
    def stored(self, tmp_path: Path) -> Path:
        path = tmp_path / "report.json"
        path.write_text(json.dumps(report(rule("chat.a.one", "pass"), label="mine 1.2")))
        return path

    def test_names_columns_by_their_labels_and_writes_every_form(
        self, gonogo: Callable[..., Result], stored: Path, tmp_path: Path
    ) -> None:
        page, markdown = tmp_path / "m.html", tmp_path / "m.md"
        done = gonogo("matrix", stored, f"other=2={stored}", "--html", page, "--markdown", markdown)

        assert done.exit_code == 0, done.output
        assert [line.split("  ")[0] for line in done.stdout.splitlines()[:2]] == ["mine 1.2", "other=2"]
        assert page.read_text().startswith("<!doctype html>")
        assert "`other=2`" in markdown.read_text()

    def test_refuses_two_columns_of_one_name(self, gonogo: Callable[..., Result], stored: Path) -> None:
        done = gonogo("matrix", stored, stored)

        assert done.exit_code == 2
        assert 'Two columns have the name "mine 1.2"' in done.stderr

    def test_prints_a_badge(self, gonogo: Callable[..., Result], stored: Path) -> None:
        assert gonogo("badge", stored, "--profile", "core").stdout.startswith("<svg ")
