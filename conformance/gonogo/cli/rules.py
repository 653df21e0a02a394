"""`gonogo rules` and `gonogo explain`: list and explain the rules."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import click

from gonogo.cli import options
from gonogo.cli.printing import show
from gonogo.errors import UsageError
from gonogo.report.curl import curl
from gonogo.rules import Scenario, load
from gonogo.rules.examples import Example, examples
from gonogo.rules.profiles import named
from gonogo.stimuli.fuzzed import GROUPS
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.played import GROUP as GATEWAY
from gonogo.stimuli.stimulus import NotPossible, Subject
from gonogo.verdict import Level

EXAMPLE_URL = "http://127.0.0.1:8000/v1"
EXAMPLE_SUBJECT = Subject("MODEL", "EMBEDDING-MODEL")

HELP = "Ids of rules or groups."


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", help=HELP)
@options.profile
@click.option("--phrases", is_flag=True, help="List the When and Then step phrases instead of the rules.")
def rules(*, ids: tuple[str, ...], profiles: tuple[str, ...], phrases: bool) -> None:
    """List the rules by group, with id, level and title."""
    if phrases:
        if ids or profiles:
            raise UsageError("--phrases takes no ids or profiles; remove them.")
        _show_phrases()
        return
    wanted = named(profiles)
    scenarios = [
        scenario
        for scenario in load(fuzz=True, node=True, gateway=True).select(ids)
        if not wanted or any(profile.covers(scenario.rule.id) for profile in wanted)
    ]
    if not scenarios:
        raise UsageError("No rule matches both the ids and the profiles.")
    groups = Counter(scenario.rule.group for scenario in scenarios)
    widest = max(len(scenario.rule.id) for scenario in scenarios)
    lines = []
    for group, number in groups.items():
        lines += [f"{group} ({number})"]
        lines += [
            f"  {rule.id:<{widest}}  {rule.level:<6}  {rule.title}"
            for rule in (scenario.rule for scenario in scenarios)
            if rule.group == group
        ]
    levels = Counter(scenario.rule.level for scenario in scenarios)
    counts = ", ".join(f"{levels[level]} {level}" for level in Level)
    lines += [
        f"Profile {profile.name}: {profile.title}; requires {', '.join(profile.requires)}"
        for profile in wanted
    ]
    show([*lines, f"{len(scenarios)} rules: {counts}"])


def _show_phrases() -> None:
    from gonogo.judge import bind  # noqa: F401, PLC0415 - registers the Then phrases, and takes half a second
    from gonogo.judge.steps import then  # noqa: PLC0415 - as above

    for keyword, patterns in (("When", when.patterns), ("Then", then.patterns)):
        show([f"{keyword} ({len(patterns)})", *(f"  {pattern}" for pattern in patterns)])
    show(["Fields are in braces: {body:json} is a JSON value, {number:d} a number, {field} any text."])


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...", help=HELP)
def explain(*, ids: tuple[str, ...]) -> None:
    """Explain a rule: requirement, source, clients that break, steps, and examples."""
    for index, scenario in enumerate(load(fuzz=True, node=True, gateway=True).select(ids)):
        show([*([""] if index else []), *_explanation(scenario)])


def _explanation(scenario: Scenario) -> Iterator[str]:
    rule = scenario.rule
    yield f"{rule.id} ({rule.level})"
    yield f"  {rule.title}"
    yield f"  source: {rule.source}"
    yield f"  why:    {rule.why}"
    yield f"  since:  rule set {rule.since}{f', until {rule.until}' if rule.until else ''}"
    yield "  steps:"
    yield from (f"    {step}" for step in rule.steps)
    yield from _examples(examples().get(rule.id))
    command = _command(scenario)
    if command is not None:
        yield f"  try it: {command}"


def _examples(found: Example | str | None) -> Iterator[str]:
    """An answer that passes the rule, and one that breaks it, with the finding."""
    if found is None:
        return
    if isinstance(found, str):
        yield f"  no example: {found}"
        return
    yield f"  good answer to {found.asked}"
    yield from _quoted(found.good)
    yield f"  bad answer: {found.fault} ({found.imitates})"
    yield from _quoted(found.bad)
    yield f"    expected: {found.expected}"
    yield f"    actual:   {found.actual}"


def _quoted(excerpt: str) -> Iterator[str]:
    return (f"    | {line}".rstrip() for line in excerpt.split("\n"))


def _command(scenario: Scenario) -> str | None:
    """A request of the rule as a command; None if every request is built from an earlier answer.

    It is the last one that can be built: if answers are compared, the first is the plain one, which works.
    """
    if scenario.rule.group in GROUPS:
        return f"gonogo check {EXAMPLE_URL} --fuzz --only {scenario.rule.id}"
    if scenario.rule.id.startswith(f"{GATEWAY}."):
        return f"gonogo check {EXAMPLE_URL} --upstream-faults --only {scenario.rule.id}"
    for look in reversed(scenario.looks):
        for stimulus in (look.stimulus,) if isinstance(look, Ask) else look.needs[:1]:
            with suppress(NotPossible, KeyError):
                return curl(stimulus.build(EXAMPLE_SUBJECT, {}), EXAMPLE_URL)
    return None
