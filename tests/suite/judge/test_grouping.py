"""Causes: several findings combined into one, by needs, by positions, and by known faults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gonogo.evidence import Record, Target
from gonogo.judge.causes import explain, grouping
from gonogo.judge.causes.diagnosis import Diagnosis, Sighting
from gonogo.judge.causes.grouping import needed
from gonogo.reasons import Reason
from gonogo.verdict import Because, Cause, Evidence, Judgement, Level, Position, Rule, Verdict, Witness

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Make

    Explain = Callable[..., tuple[dict[str, Judgement], tuple[Cause, ...]]]

PLACE = Position(7, 0.1, "data: {}")


@pytest.fixture
def explained(make: Make) -> Explain:
    """Explain the judgements of a record with the exchanges x1 to x9."""
    record = Record(Target("http://h/v1"), "", tuple(make(name=f"x{n}") for n in range(1, 10)), {})

    def run(*judgements: Judgement) -> tuple[dict[str, Judgement], tuple[Cause, ...]]:
        linked, causes = explain(judgements, record)
        assert [one.rule for one in linked] == [one.rule for one in judgements]
        return {one.rule.id: one for one in linked}, causes

    return run


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make these the known faults."""

    def use(*diagnoses: Diagnosis) -> None:
        monkeypatch.setattr(grouping, "DIAGNOSES", diagnoses)

    use()
    return use


def broken(
    rule_id: str, *exchanges: str, needs: tuple[str, ...] = (), level: Level = Level.MUST, actual: str = ""
) -> Judgement:
    verdict = Verdict.FAIL if level is Level.MUST else Verdict.WARN
    pieces = tuple(Evidence(name, PLACE) for name in exchanges)
    rule = Rule(rule_id, f"title of {rule_id}", level, "s", f"why {rule_id}", needs=needs)
    return Judgement(rule, verdict, "expected", actual or f"actual of {rule_id}", pieces, broken=len(pieces))


def kept(rule_id: str, *, needs: tuple[str, ...] = ()) -> Judgement:
    rule = Rule(rule_id, f"title of {rule_id}", Level.MUST, "s", "w", needs=needs)
    return Judgement(rule, Verdict.PASS, witnesses=(Witness("x1", "id"),))


def left_open(rule_id: str, *about: str, needs: tuple[str, ...] = ()) -> Judgement:
    rule = Rule(rule_id, f"title of {rule_id}", Level.MUST, "s", "w", needs=needs)
    return Judgement(rule, Verdict.INCONCLUSIVE, because=Because(Reason.NO_TEXT, {}, about))


def diagnosis(
    explains: str, *exchanges: str, name: str = "known-fault", lead: str | None = None
) -> Diagnosis:
    sighting = Sighting("seen so", exchanges, lead=lead)
    return Diagnosis(name, "A known fault", "clients break", (explains,), lambda _: sighting)


def test_the_needs_of_a_rule_are_transitive_and_nearest_first() -> None:
    rules = [kept("a.a"), kept("a.b", needs=("a.a",)), kept("a.c"), kept("a.d", needs=("a.b", "a.c", "a.x"))]
    by_id = {one.rule.id: one for one in rules}
    assert [one.rule.id for one in needed(by_id["a.d"], by_id)] == ["a.b", "a.c", "a.a"]
    assert list(needed(by_id["a.a"], by_id)) == []


def test_a_rule_that_needs_a_broken_one_joins_its_cause(known: object, explained: Explain) -> None:
    found, causes = explained(
        broken("a.a.root", "x1"),
        kept("a.a.between", needs=("a.a.root",)),
        broken("a.a.leaf", "x1", "x2", needs=("a.a.between",)),
    )
    assert [(cause.id, cause.rules) for cause in causes] == [("a.a.root", ("a.a.root", "a.a.leaf"))]
    assert found["a.a.leaf"].cause == found["a.a.root"].cause == "a.a.root"
    assert found["a.a.between"].cause is None


def test_the_order_of_the_rules_does_not_matter_to_a_need(known: object, explained: Explain) -> None:
    _, causes = explained(broken("a.a.leaf", "x1", needs=("a.a.root",)), broken("a.a.root", "x1"))
    assert [set(cause.rules) for cause in causes] == [{"a.a.root", "a.a.leaf"}]


def test_a_rule_that_needs_what_is_broken_in_other_exchanges_is_a_cause_of_its_own(
    known: object, explained: Explain
) -> None:
    _, causes = explained(broken("a.a.root", "x1"), broken("a.a.leaf", "x2", needs=("a.a.root",)))
    assert [cause.rules for cause in causes] == [("a.a.root",), ("a.a.leaf",)]


def test_rules_that_need_nothing_broken_are_causes_of_their_own(known: object, explained: Explain) -> None:
    _, causes = explained(
        broken("a.a.one", "x1"), broken("a.a.two", "x2", needs=("a.a.three",)), kept("a.a.three")
    )
    assert [cause.rules for cause in causes] == [("a.a.one",), ("a.a.two",)]
    assert (causes[0].title, causes[0].seen, causes[0].breaks) == (
        "title of a.a.one",
        "actual of a.a.one",
        "why a.a.one",
    )
    assert [cause.evidence for cause in causes] == [Evidence("x1", PLACE), Evidence("x2", PLACE)]


def test_a_comparison_of_surfaces_is_not_left_open_by_what_else_is_wrong_with_an_answer(
    known: object, explained: Explain
) -> None:
    compared = left_open("responses.same.text", "x1", "x2")
    varied = replace(compared, because=Because(Reason.NOT_REPEATED, {}, ("x1", "x2")))
    found, _ = explained(broken("responses.response.metadata", "x1"), varied)
    assert (found["responses.same.text"].verdict, found["responses.same.text"].cause) == (
        Verdict.INCONCLUSIVE,
        None,
    )


def test_an_echo_joins_the_cause_that_covers_its_exchanges(known: object, explained: Explain) -> None:
    _, causes = explained(
        broken("clients.some.chat", "x1", "x2"), broken("a.a.one", "x1", "x2", "x3"), broken("a.a.two", "x4")
    )
    assert [cause.rules for cause in causes] == [("a.a.one", "clients.some.chat"), ("a.a.two",)]


def test_an_echo_that_several_causes_cover_joins_the_one_that_has_most(
    known: object, explained: Explain
) -> None:
    _, causes = explained(
        broken("a.a.one", "x1"), broken("a.a.two", "x2", "x3"), broken("clients.some.chat", "x1", "x2", "x3")
    )
    assert {cause.rules for cause in causes} == {("a.a.one",), ("a.a.two", "clients.some.chat")}


def test_an_echo_stays_alone_where_one_of_its_exchanges_is_not_covered(
    known: object, explained: Explain
) -> None:
    _, causes = explained(broken("a.a.one", "x1"), broken("clients.some.chat", "x1", "x2"))
    assert [cause.rules for cause in causes] == [("a.a.one",), ("clients.some.chat",)]


def test_only_echoes_join_a_cause_by_their_exchanges(known: object, explained: Explain) -> None:
    _, causes = explained(broken("a.a.one", "x1", "x2"), broken("a.a.two", "x1"))
    assert [cause.rules for cause in causes] == [("a.a.one",), ("a.a.two",)]


def test_one_requirement_of_two_operations_is_one_cause(known: object, explained: Explain) -> None:
    _, causes = explained(
        broken("chat.response.usage_total", "x1"),
        broken("completions.stream.usage_total", "x2"),
        broken("embeddings.response.usage_total", "x3"),
        broken("chat.response.id", "x4"),
    )
    assert [cause.rules for cause in causes] == [
        ("chat.response.usage_total", "completions.stream.usage_total"),
        ("embeddings.response.usage_total",),
        ("chat.response.id",),
    ]


def test_the_same_thing_in_the_same_places_is_one_cause(known: object, explained: Explain) -> None:
    _, causes = explained(
        broken("a.a.one", "x1", actual="the same"),
        broken("b.b.two", "x1", actual="the same"),
        broken("b.b.three", "x2", actual="the same"),
    )
    assert [cause.rules for cause in causes] == [("a.a.one", "b.b.two"), ("b.b.three",)]


def test_a_rule_that_is_left_open_for_a_broken_one_is_not_applicable_and_names_the_cause(
    known: object, explained: Explain
) -> None:
    found, (cause,) = explained(
        broken("a.a.root", "x1"),
        left_open("a.a.leaf", "x1", needs=("a.a.root",)),
        left_open("a.a.other", "x1"),
    )
    assert (found["a.a.leaf"].verdict, found["a.a.leaf"].cause) == (Verdict.NOT_APPLICABLE, "a.a.root")
    assert found["a.a.leaf"].because == Because(Reason.NO_TEXT, {}, ("x1",))
    assert (found["a.a.other"].verdict, found["a.a.other"].cause) == (Verdict.INCONCLUSIVE, None)
    assert (cause.rules, cause.undecided) == (("a.a.root",), ("a.a.leaf",))


def test_a_known_fault_takes_the_rules_that_it_explains_where_it_was_seen(
    known: Callable[..., None], explained: Explain
) -> None:
    known(diagnosis("a.*", "x1", "x2", lead="a.a.two"))
    found, causes = explained(
        broken("a.a.one", "x1"),
        broken("a.a.two", "x2", "x3"),
        broken("a.a.elsewhere", "x4"),
        broken("b.b.one", "x1"),
        left_open("a.a.open", "x2"),
        left_open("a.a.open_elsewhere", "x4"),
        left_open("b.b.open", "x2"),
    )
    first = causes[0]
    assert (first.id, first.title, first.seen, first.breaks) == (
        "known-fault",
        "A known fault",
        "seen so",
        "clients break",
    )
    assert first.rules == ("a.a.two", "a.a.one")
    assert first.undecided == ("a.a.open",)
    assert [cause.rules for cause in causes[1:]] == [("a.a.elsewhere",), ("b.b.one",)]
    assert {rule_id for rule_id, one in found.items() if one.verdict is Verdict.NOT_APPLICABLE} == {
        "a.a.open"
    }


def test_a_rule_that_one_known_fault_explains_is_not_explained_twice(
    known: Callable[..., None], explained: Explain
) -> None:
    known(diagnosis("a.a.one", "x1", name="first"), diagnosis("a.*", "x1", name="second"))
    _, causes = explained(broken("a.a.one", "x1"), broken("a.a.two", "x1"))
    assert [(cause.id, cause.rules) for cause in causes] == [
        ("first", ("a.a.one",)),
        ("second", ("a.a.two",)),
    ]


def test_a_known_fault_that_was_seen_elsewhere_explains_nothing(
    known: Callable[..., None], explained: Explain
) -> None:
    known(diagnosis("a.*", "x9"))
    _, causes = explained(broken("a.a.one", "x1"))
    assert [cause.id for cause in causes] == ["a.a.one"]


def test_causes_of_must_rules_come_first(known: object, explained: Explain) -> None:
    _, causes = explained(broken("a.a.should", "x1", level=Level.SHOULD), broken("a.a.must", "x2"))
    assert [cause.id for cause in causes] == ["a.a.must", "a.a.should"]


def test_the_must_rule_of_a_cause_leads(known: object, explained: Explain) -> None:
    _, (cause,) = explained(
        broken("a.a.root", "x1", level=Level.SHOULD), broken("a.a.leaf", "x1", needs=("a.a.root",))
    )
    assert (cause.id, cause.rules) == ("a.a.leaf", ("a.a.leaf", "a.a.root"))


def test_nothing_broken_has_no_cause(known: object, explained: Explain) -> None:
    found, causes = explained(kept("a.a.one"), left_open("a.a.two", "x1"))
    assert causes == ()
    assert [one.verdict for one in found.values()] == [Verdict.PASS, Verdict.INCONCLUSIVE]
