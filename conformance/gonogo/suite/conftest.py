"""The fixtures, hooks and steps of the pytest suite. Its options are in `gonogo.suite.options`."""

from __future__ import annotations

import asyncio
import functools
import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pytest_bdd import parsers
from pytest_bdd import then as bdd_then
from pytest_bdd import when as bdd_when

from gonogo.collect.plan import plan
from gonogo.collection import Approach, collect
from gonogo.errors import GonogoError, UsageError
from gonogo.evidence import Record, read_each
from gonogo.judge import explain, judge
from gonogo.judge.steps import then
from gonogo.report.finding import rule_lines
from gonogo.report.model import Report, build
from gonogo.report.together import together
from gonogo.report.wording import message
from gonogo.rules import Scenario, load
from gonogo.stimuli.extra import parse_extra
from gonogo.stimuli.phrases import when
from gonogo.suite import options
from gonogo.suite.options import EMBEDDING_MODEL, EVIDENCE, EXTRA_BODY, MODEL, ONLY, RESUME, URL
from gonogo.verdict import Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

RULE = "gonogo_rule"


class ShouldWarning(UserWarning):
    """A should rule was broken."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the levels as markers, so that `-m must` selects by them."""
    config.addinivalue_line("markers", f"{RULE}(id): the rule that a scenario states")
    for level in Level:
        config.addinivalue_line("markers", f"{level}: a rule of that level")


@pytest.hookimpl(tryfirst=True)
def pytest_bdd_apply_tag(tag: str, function: Callable[..., object]) -> bool:
    """Mark a scenario with its level, and with its id as the argument of a marker."""
    marker = getattr(pytest.mark, tag) if tag in list(Level) else getattr(pytest.mark, RULE)(tag)
    marker(function)
    return True


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let `-k` also select by rule id."""
    item.extra_keyword_matches.update(_ids(item))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the rules that `--gonogo-only` does not name; other tests stay."""
    if not config.pluginmanager.has_plugin(options.__name__):
        how = f"pytest -p {options.__name__} --pyargs {options.__package__} {URL} URL"
        pytest.exit(f"The options of the suite are missing; run: {how}", returncode=2)
    try:
        chosen = {scenario.rule.id for scenario in load().select(config.getoption(ONLY))}
    except UsageError as error:
        pytest.exit(str(error), returncode=2)
    left = [item for item in items if any(name not in chosen for name in _ids(item))]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def _ids(item: pytest.Item) -> list[str]:
    """The rule id of a test; empty if it is not a scenario."""
    return [marker.args[0] for marker in item.iter_markers(RULE)]


@pytest.fixture(scope="session")
def records(request: pytest.FixtureRequest) -> tuple[Record, ...]:
    """The evidence of each model, collected once per run for the selected scenarios."""
    option = request.config.getoption
    wanted = _wanted(request)
    try:
        if option(RESUME) and not (option(EVIDENCE) and option(URL)):
            raise UsageError(
                f"{RESUME} continues a run: give its evidence file with {EVIDENCE} and its target with {URL}."
            )
        if option(EVIDENCE) and not option(URL):
            return read_each(option(EVIDENCE))
        if not option(URL):
            raise UsageError(f"Give the target with {URL}, or a recorded run with {EVIDENCE}.")
        return asyncio.run(collect(_approach(option), plan(s for s in load() if s.rule.id in wanted)))
    except GonogoError as error:
        pytest.exit(_OF_THE_COMMAND.sub("--gonogo-", str(error)), returncode=2)


# Options that an error message names in the form of the command line.
_OF_THE_COMMAND = re.compile(r"--(?=(?:model|embedding-model|evidence|extra-body|resume)\b)")


def _approach(option: Callable[[str], Any]) -> Approach:
    """The target from the options; its key comes from the environment."""
    return Approach(
        option(URL),
        api_key=os.environ.get("GONOGO_API_KEY") or os.environ.get("OPENAI_API_KEY"),
        models=tuple(option(MODEL)),
        embedding_model=option(EMBEDDING_MODEL),
        evidence=Path(option(EVIDENCE)) if option(EVIDENCE) else None,
        extra_body=parse_extra(option(EXTRA_BODY)) if option(EXTRA_BODY) else {},
        resume=option(RESUME),
    )


@pytest.fixture(scope="session")
def report(records: tuple[Record, ...], request: pytest.FixtureRequest) -> Report:
    """The verdicts and causes for the selected scenarios."""
    wanted = _wanted(request)
    scenarios = tuple(scenario for scenario in load() if scenario.rule.id in wanted)
    parts = []
    for record in records:
        judgements, causes = explain(judge(record, scenarios, load()), record)
        parts.append(build(judgements, record, causes=causes))
    return together(parts)


def _wanted(request: pytest.FixtureRequest) -> set[str]:
    return {name for item in request.session.items for name in _ids(item)}


@pytest.fixture
def rule(request: pytest.FixtureRequest) -> Scenario:
    """The rule under test."""
    return _scenarios()[request.node.get_closest_marker(RULE).args[0]]


@functools.cache
def _scenarios() -> dict[str, Scenario]:
    return {scenario.rule.id: scenario for scenario in load()}


@bdd_when(parsers.re("(?P<text>.+)"))
def asked(rule: Scenario, text: str) -> None:
    """A When step: its request is in the evidence, or the Then steps report why it is not.

    One step function accepts every text, because pytest-bdd searches all step functions for each step. The vocabulary
    of the suite, which has bound the rule already, knows the text.
    """
    assert rule.looks
    when.find(text)


@bdd_then(parsers.re("(?P<text>.+)"))
def checked(rule: Scenario, report: Report, text: str) -> None:
    """A Then step: the rule is judged as a whole, once, so that every runner gives the same verdict."""
    then.find(text)
    judgement = report.judgement(rule.rule.id)
    if judgement.verdict is Verdict.PASS:
        return
    if judgement.verdict not in {Verdict.FAIL, Verdict.ERROR, Verdict.WARN}:
        pytest.skip(f"{judgement.verdict}: {message(judgement)}")
    details = "\n".join(rule_lines(report, judgement))
    if judgement.verdict is not Verdict.WARN:
        pytest.fail(details, pytrace=False)
    warnings.warn(ShouldWarning(details), stacklevel=2)
