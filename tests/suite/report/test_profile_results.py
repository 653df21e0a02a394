"""Profiles in reports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import jsonschema_rs
import pytest
from gonogo.report import json as json_report
from gonogo.report import junit, markdown
from gonogo.report.model import Gate
from gonogo.report.profile_results import ProfileResult, Unmet, unmet
from gonogo.verdict import Verdict

from .printed import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.report.model import Report

REFUSED = ProfileResult(
    "embedding", 1, 0, unsupported=(Unmet("embeddings", ("embeddings.shape",)),), required=True
)
UNDECIDED = ProfileResult("agent", 1, 0, undecided=("chat.stop",), required=True)
HELD = ProfileResult("core", 1, 1)
PART = ProfileResult("completion", 1, 1, left_out=12)
SENTENCE = 'The target does not support everything that the profile "embedding" requires: embeddings'


@pytest.fixture
def refused(make: Callable[..., Report]) -> Report:
    """A run with a required profile that the target does not fully support."""
    return replace(make(Verdict.PASS, Verdict.UNSUPPORTED), profiles=(HELD, PART, REFUSED))


def test_a_required_profile_that_is_refused_is_no_go_and_says_what_and_why(refused: Report) -> None:
    assert refused.gate is Gate.NO_GO
    assert [(name, said) for name, said in unmet(refused)] == [
        ("embedding", f"{SENTENCE} (the target refuses this with 404).")
    ]


def test_a_profile_that_is_not_required_does_not_close_the_gate(refused: Report) -> None:
    assert replace(refused, profiles=(replace(REFUSED, required=False),)).gate is Gate.GO


def test_a_required_profile_that_is_open_was_not_judged(make: Callable[..., Report]) -> None:
    report = replace(make(Verdict.PASS, Verdict.INCONCLUSIVE), profiles=(UNDECIDED,))

    assert report.gate is Gate.NOT_JUDGED
    assert "requires could be decided: chat.stop." in text_of(report)


def test_every_report_says_which_profiles_hold_but_of_those_that_were_judged_in_part(refused: Report) -> None:
    text, page = text_of(refused), markdown.render(refused)

    assert f"{SENTENCE} (the target refuses this with 404)." in text
    assert "profiles  core go, embedding no-go\n" in text
    assert "Profiles: core **go**, embedding **no-go**" in page
    assert SENTENCE in page
    assert 'name="profile.embedding"' in junit.render(refused)


def test_the_json_report_names_every_profile_and_keeps_its_schema(refused: Report) -> None:
    document = json_report.document(refused)

    jsonschema_rs.validator_for(json_report.schema()).validate(document)
    assert [(held["name"], held["verdict"]) for held in document["profiles"]] == [
        ("core", "go"),
        ("completion", "not-judged"),
        ("embedding", "no-go"),
    ]
    assert document["profiles"][2]["unsupported"] == [
        {"surface": "embeddings", "rules": ["embeddings.shape"]}
    ]
