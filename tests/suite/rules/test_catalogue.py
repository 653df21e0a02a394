from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from gonogo.errors import FeatureError, UsageError
from gonogo.judge import bind
from gonogo.rules import Catalogue, load
from gonogo.rules.catalogue import parse_feature
from gonogo.stimuli.phrases import Ask, Watch
from gonogo.verdict import Level

RULE = """
  @must @chat.stream.done
  Scenario: A stream ends with exactly one [DONE]
    Source: guide, Streaming;
      recorded streams.
    Why: clients hang without it.
    When a chat completion is streamed with {"max_tokens": 8}
    Then the stream contains exactly one "[DONE]"
    And nothing follows the "[DONE]"
"""


def feature(*rules: str) -> str:
    return "Feature: Streams\n  What a stream is.\n" + "".join(rules)


def one(rule: str) -> None:
    parse_feature(feature(rule), "x.feature")


def test_a_scenario_is_a_rule() -> None:
    (scenario,) = parse_feature(feature(RULE), "chat.feature")
    rule = scenario.rule
    assert (rule.id, rule.group, rule.level) == ("chat.stream.done", "chat.stream", Level.MUST)
    assert rule.title == "A stream ends with exactly one [DONE]"
    assert rule.source == "guide, Streaming; recorded streams."
    assert rule.why == "clients hang without it."
    assert rule.steps[0] == 'When a chat completion is streamed with {"max_tokens": 8}'
    assert scenario.thens == (
        'the stream contains exactly one "[DONE]"',
        'nothing follows the "[DONE]"',
    )
    assert scenario.where == "chat.feature:5"


def test_a_rule_asks_for_the_stimuli_of_its_when_steps_and_for_those_they_need() -> None:
    rule = RULE.replace("    Then", "    And the same request is sent again\n    Then", 1)
    (scenario,) = parse_feature(feature(rule), "x.feature")
    first, second = scenario.looks
    assert isinstance(first, Ask)
    assert isinstance(second, Ask)
    assert second.stimulus.key == first.stimulus.key + " #2"
    assert [stimulus.key for stimulus in scenario.stimuli] == [
        first.stimulus.key,
        first.stimulus.key,
        second.stimulus.key,
    ]


def test_a_rule_that_watches_asks_for_one_exchange_of_the_kind() -> None:
    rule = re.sub("When .*", "When any chat completion is streamed", RULE)
    (scenario,) = parse_feature(feature(rule), "x.feature")
    (look,) = scenario.looks
    assert isinstance(look, Watch)
    assert [stimulus.key for stimulus in scenario.stimuli] == ['POST /chat/completions {"stream":true}']


def needing(needs: str, rule_id: str = "chat.stream.done") -> str:
    """The rule with a line of needs, with its own id and title."""
    own = RULE.replace("chat.stream.done", rule_id).replace("A stream ends", f"{rule_id} ends")
    return own.replace("    When", f"    Needs: {needs}\n    When", 1)


MALFORMED = {
    "no Gherkin": (RULE.replace("    Then", "    Finally"), "is not Gherkin"),
    "a rule without a level": (RULE.replace("@must ", ""), "a rule must have two tags, its level and its id"),
    "a rule without an id": (RULE.replace(" @chat.stream.done", ""), "a rule must have two tags"),
    "a rule of two levels": (RULE.replace("@must", "@must @should"), "found @must @should @chat.stream.done"),
    "a tag more": (RULE.replace("@must", "@must @slow"), "a rule must have two tags"),
    "a rule without a source": (RULE.replace("Source:", "From:"), 'the description lacks "Source:"'),
    "a rule with an empty reason": (RULE.replace("clients hang without it.", ""), 'lacks "Why:"'),
    "needs that name nothing": (needing(""), '"Needs:" must list rule ids'),
    "needs with no comma": (needing("chat.a chat.b"), '"Needs:" must list rule ids'),
    "needs named twice": (needing("chat.a, chat.a"), '"Needs:" must list rule ids, each once'),
    "a Given": (
        RULE.replace("    When", "    Given a server\n    When"),
        '"Given" is not allowed in a rule; use When and Then',
    ),
    "no When": (re.sub(" *When.*\n", "", RULE), "at least one When and one Then"),
    "no Then": (RULE[: RULE.index("    Then")], "at least one When and one Then"),
    "a When that nobody knows": (
        RULE.replace("is streamed", "is sung"),
        "no phrase matches 'a chat completion is sung",
    ),
    "a body that is no JSON": (RULE.replace("8}", "8,}"), "Illegal trailing comma|Expecting property name"),
    "a repetition of nothing": (
        re.sub("When .*", "When the same request is sent again", RULE),
        'no request comes before "the same request is sent again"',
    ),
    "a repetition of what is watched": (
        re.sub("When .*", "When any stream is asked for\n    And the same request is sent again", RULE),
        "no request comes before",
    ),
    "a background": ("\n  Background:\n    Given a server\n", "only scenarios"),
    "an outline": (
        RULE.replace("Scenario:", "Scenario Outline:") + "    Examples:\n      | n |\n      | 1 |\n",
        "only scenarios without examples",
    ),
}


@pytest.mark.parametrize(("rule", "said"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_rule_is_refused_with_its_place_and_what_is_wrong(rule: str, said: str) -> None:
    with pytest.raises(FeatureError, match=rf"^x\.feature.*(?s:.*)({said})"):
        one(rule)


def test_an_empty_feature_file_is_refused() -> None:
    with pytest.raises(FeatureError, match=r"^x\.feature contains no feature"):
        parse_feature("# nothing yet\n", "x.feature")


def test_two_rules_of_one_id_are_refused() -> None:
    other = RULE.replace("A stream ends", "Every stream ends")
    with pytest.raises(
        FeatureError, match=r"x\.feature:14: 'chat\.stream\.done' is already used at x\.feature:5"
    ):
        Catalogue(parse_feature(feature(RULE, other), "x.feature"))


def test_two_rules_of_one_title_are_refused() -> None:
    other = RULE.replace("@chat.stream.done", "@chat.stream.end")
    with pytest.raises(FeatureError, match=r"'A stream ends .*' is already used"):
        Catalogue(parse_feature(feature(RULE, other), "x.feature"))


def test_a_rule_names_the_rules_that_it_needs() -> None:
    text = feature(needing("chat.b,\n      chat.c", "chat.a"), needing("chat.c", "chat.b"), RULE)
    needs = {s.rule.id: s.rule.needs for s in parse_feature(text, "x.feature")}
    assert needs == {"chat.a": ("chat.b", "chat.c"), "chat.b": ("chat.c",), "chat.stream.done": ()}


def test_rules_that_need_each_other_in_a_line_are_a_catalogue() -> None:
    rules = (needing("chat.b", "chat.a"), needing("chat.stream.done", "chat.b"), RULE)
    assert len(Catalogue(parse_feature(feature(*rules), "x.feature"))) == 3


def test_a_need_that_is_not_a_rule_is_refused() -> None:
    with pytest.raises(FeatureError, match=r'^x\.feature:5: chat\.a needs "chat\.b", which is not a rule$'):
        Catalogue(parse_feature(feature(needing("chat.b", "chat.a")), "x.feature"))


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([needing("chat.a", "chat.a")], r"^x\.feature:5: chat\.a needs chat\.a$"),
        (
            [needing("chat.b", "chat.a"), needing("chat.a", "chat.b")],
            r"^x\.feature:(5: chat\.a needs chat\.b needs chat\.a|15: chat\.b needs chat\.a needs chat\.b)$",
        ),
    ],
    ids=["itself", "each other"],
)
def test_needs_that_go_in_a_circle_are_refused(rules: list[str], said: str) -> None:
    with pytest.raises(FeatureError, match=said):
        Catalogue(parse_feature(feature(*rules), "x.feature"))


def test_a_request_that_is_valid_here_and_wrong_there_is_refused() -> None:
    other = (
        RULE.replace("done", "limit", 1)
        .replace("A stream", "No stream")
        .replace("is streamed", "is wrongly streamed")
    )
    with pytest.raises(FeatureError, match="is declared valid in one place and wrong in another"):
        Catalogue(parse_feature(feature(RULE, other), "x.feature"))


def test_the_catalogue_ships_with_rules_whose_checks_exist() -> None:
    catalogue = load()
    assert len(catalogue) > 200
    assert all(bind(scenario) for scenario in catalogue)


def test_a_must_rests_on_a_schema_a_guide_the_sse_standard_or_an_rfc() -> None:
    binding = ("schema", "guide", "SSE standard", "RFC")
    musts = [scenario.rule for scenario in load() if scenario.rule.level is Level.MUST]
    assert [rule.id for rule in musts if not rule.source.startswith(binding)] == []


def test_rules_are_selected_by_id_and_by_what_they_lie_under() -> None:
    catalogue = load()
    chosen = {scenario.rule.id for scenario in catalogue.select(["models.list", "chat.stream.done"])}
    assert {"models.list.json", "chat.stream.done"} <= chosen
    assert not any(rule_id.startswith(("models.entry", "chat.stream.id")) for rule_id in chosen)


def test_skipped_rules_are_not_selected() -> None:
    catalogue = load()
    left = {scenario.rule.id for scenario in catalogue.select(skip=["chat", "errors.envelope.code"])}
    assert "models.list.json" in left
    assert "errors.envelope.code" not in left
    assert not any(rule_id.startswith("chat.") for rule_id in left)


def test_a_selector_is_not_a_string_prefix() -> None:
    with pytest.raises(UsageError, match=r'There is no rule or group "chat\.str"'):
        load().select(["chat.str"])


def test_a_selector_that_fits_nothing_is_refused_with_what_is_near() -> None:
    with pytest.raises(
        UsageError, match=r'There is no rule or group "chat\.steam"; did you mean chat\.stream'
    ):
        load().select(["chat.steam"])
    with pytest.raises(UsageError, match='There is no rule or group "zzz"; "gonogo rules" lists all rules'):
        load().select(skip=["zzz"])


def test_a_recorded_key_leads_back_to_its_stimulus() -> None:
    catalogue = load()
    known = catalogue.stimulus('POST /chat/completions {"stream":true}')
    assert known is not None
    assert known.streamed
    assert catalogue.stimulus("POST /nowhere {}") is None
    alive = catalogue.stimulus("alive after POST /chat/completions []")
    assert alive is not None
    assert not alive.valid


def test_the_example_of_contributing_is_a_rule_whose_steps_mean_something() -> None:
    text = (Path(__file__).resolve().parents[3] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```gherkin\n(.*?)```", text, re.DOTALL)
    (scenario,) = parse_feature(f"Feature: Of the papers\n{example}", "CONTRIBUTING.md")
    (shipped,) = load().select([scenario.rule.id])

    assert [stimulus.key for stimulus in scenario.stimuli]
    assert len(bind(scenario)) == len(scenario.thens)
    assert scenario.rule.level is shipped.rule.level


SOURCES = (
    "schema",
    "guide",
    "API reference",
    "Open Responses",
    "SSE standard",
    "RFC",
    "Fetch standard",
    "recorded",
    "SDK behaviour",
    "project decision",
)
SHARED = {
    "SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.",
    "the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.",
    "strictly typed clients fail to decode a response without it.",
    "a value out of range is the caller's error, but a 500 blames the server (raullenchai/Rapid-MLX PR#740).",
}
"""Reasons that are the same for every parameter or field: the exception of an SDK, its message, and decoding."""
MOST = 5
"""The maximum number of rules with one reason: those about one field of several answers."""


def test_every_source_says_of_what_kind_it_is() -> None:
    assert [
        s.rule.id for s in load(fuzz=True, node=True, gateway=True) if not s.rule.source.startswith(SOURCES)
    ] == []


def test_a_rule_has_its_own_reason_or_one_that_few_others_have() -> None:
    counts = Counter(scenario.rule.why for scenario in load(fuzz=True, node=True, gateway=True))
    assert {why for why, number in counts.items() if number > MOST} == SHARED
