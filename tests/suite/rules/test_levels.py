"""The same bytes have the same level: rules with the same check on another path have one level, or a stated reason."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from gonogo.judge import bind
from gonogo.judge.checks import bodies, chunks, schema
from gonogo.rules import load
from gonogo.verdict import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from gonogo.rules import Catalogue, Scenario
    from gonogo.verdict import Rule

ALIKE: dict[Callable[..., object], str] = {
    schema.answer_field_fits: "a field fits",
    schema.answer_field_fits_apart: "a field fits",
    schema.chunk_field_fits: "a field fits",
    schema.chunk_field_fits_apart: "a field fits",
    schema.answer_rest_fits: "the rest fits",
    schema.chunk_rest_fits: "the rest fits",
    schema.answer_has_no_idle_null: "no idle null",
    schema.chunk_has_no_idle_null: "no idle null",
    bodies.not_empty: "not empty",
    chunks.never_empty: "not empty",
    bodies.unix_seconds: "seconds",
    chunks.chunk_time: "seconds",
    bodies.answered_now: "now",
    chunks.chunk_now: "now",
}
"""Checks of a whole answer and of the chunks of a stream that look for the same deviation."""
PATHS = frozenset({"response", "stream", "limit", "entry", "call"})
"""The part of an id that names a path: the rest means the same on every path."""
ORDER = (Level.MAY, Level.SHOULD, Level.MUST)

WEAKER = {
    # ---- acceptance: must for the others
    "chat.request.silent_turns": "templates of some models have no place for a turn without text",
    "http.charset": "the parameter has no meaning in JSON (RFC 8259 section 11): who refuses it breaks no schema",
    "sampling.accepted.bookkeeping": "that it is taken is a must; how much of it is kept differs by provider",
    "sampling.accepted.bias_empty": "who has no logit_bias may refuse it by its name",
    "structured.text.accepted": "who has no response formats may refuse the field by its name",
    "tools.request.none_without_tools": "who has no tools may refuse the field by its name",
    "tools.request.named": "a server may know the words and not the object, and say so",
    "chat.request.picture_seen": "how many tokens a picture takes stands nowhere",
    # ---- refusal: should for the others
    "errors.refused.model_missing": "a server of one model may answer for it",
    "errors.unknown_field.refused": "a field of another version may be passed over",
    "sampling.refused.bookkeeping": "it has no effect, so that nothing goes unnoticed",
    "sampling.refused.bias_list": "who honours a list has an extension",
    # ---- no failure: must for the others
    "chat.harmless.half_pair": "RFC 8259 section 8.2 foresees that software fails on it",
    "http.head": "it is no operation of the contract",
    "http.options": "it is no operation of the contract",
    "http.trailing_slash": "it is no path of the contract",
    "http.client_leaves": "who leaves has given up the answer that RFC 9110 section 3.4 promises",
    # ---- in one schema or path, but not in the other
    "completions.stream.same_id": "only the schema of chats says that each chunk has the same id",
    "chat.response.id_not_empty": "the id of an answer is of no use to the next request, that of a call is",
    "chat.stream.id_not_empty": "the id of an answer is of no use to the next request, that of a call is",
    "chat.response.usage": "the schema of whole answers does not require it; include_usage promises it in streams",
    "completions.response.usage": "as in chats",
    "embeddings.response.usage_total": "the schema of embeddings does not say of what it is the total",
    "tools.stream.type": "the schema of fragments does not require it",
    "completions.echo.nothing_else": "likelihoods take one pass of the model, which some servers count as a token",
    "responses.call.id": "a call is joined to its result by its call_id, and the schema lets the id be left out",
    "chat.response.seconds": "it minds a time before 2001 too, which a server without a clock tells",
    "chat.stream.seconds": "as whole",
    "completions.response.seconds": "as in chats",
    "models.entry.seconds": "as in chats",
    "messages.response.id_not_empty": "as in chats",
    "messages.tools.stream_input": "clients that were measured begin with nothing where it is not there",
    "messages.errors.unknown_model": "a server of one model may answer for it",
    "responses.stream.named": "one of the two documents about responses says nothing of the names of events",
    "errors.envelope.unknown_route": "it is no path of the contract",
    "errors.envelope.wrong_method": "it is no operation of the contract",
}
"""Rules with a lower level than another with the same check, and the reason."""

UNLIKE = {
    (
        "http.no_server_error",
        "stream.no_error",
    ): "RFC 9110 speaks of the status, and an error in mid-stream has none",
    ("errors.token_limit.harmless", "errors.token_limit.late"): "as above",
    ("models.retrieve.unknown", "errors.refused.unknown_model"): (
        "a server of one model may answer a chat for every name, and has no entry to show for it"
    ),
    ("chat.response.content_type", "errors.envelope.content_type"): (
        "the official document describes the content of a 200, and of no refusal"
    ),
    ("chat.request.nulls", "chat.response.nulls"): (
        "a null that the schema allows must be taken; one that it does not is read by most clients"
    ),
}
"""Rules about the same kind of bytes with different checks: the higher level, the lower one, and the reason."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def _things(scenario: Scenario) -> Iterator[Hashable]:
    """What a rule looks for, independent of the path."""
    for bound in bind(scenario):
        run, field = bound.check.run, str(bound.values.get("field", ""))
        kinds = bound.values.get("kinds")
        yield ALIKE.get(run, run), field.removeprefix("choices[].").removeprefix("message."), kinds
    *_, form, last = scenario.rule.id.split(".")
    if form in PATHS and scenario.rule.id.count(".") > 1:
        yield last


def _weaker(catalogue: Catalogue) -> dict[str, Rule]:
    """Rules with a lower level than another that looks for the same, by id, with that other rule."""
    alike: dict[Hashable, list[Rule]] = defaultdict(list)
    for scenario in catalogue:
        for thing in _things(scenario):
            alike[thing].append(scenario.rule)
    found = {}
    for rules in alike.values():
        strongest = max(rules, key=lambda rule: ORDER.index(rule.level))
        found |= {rule.id: strongest for rule in rules if rule.level is not strongest.level}
    return found


def test_rules_that_look_for_the_same_bind_alike_or_say_why_not(catalogue: Catalogue) -> None:
    found = _weaker(catalogue)
    assert {
        f"{name} is weaker than {other.id}" for name, other in found.items() if name not in WEAKER
    } == set()
    assert sorted(WEAKER.keys() - found.keys()) == []


def test_a_must_rule_with_a_weaker_counterpart_has_a_binding_source(catalogue: Catalogue) -> None:
    """If one of two similar rules is weaker, the must of the other comes from a schema, guide, standard or RFC."""
    binding = ("schema", "guide", "SSE standard", "RFC", "Fetch standard")
    others = {rule.id: rule.source for rule in _weaker(catalogue).values() if rule.level is Level.MUST}
    assert {name: source for name, source in others.items() if not source.startswith(binding)} == {}


@pytest.mark.parametrize(("more", "less"), UNLIKE)
def test_two_rules_that_do_not_bind_alike_are_listed_as_such(
    more: str, less: str, catalogue: Catalogue
) -> None:
    levels = {scenario.rule.id: ORDER.index(scenario.rule.level) for scenario in catalogue}
    assert levels[more] > levels[less]
