"""No witness, no pass: if a thing is omitted everywhere, no rule about that thing passes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from faults.blanks import BLANKS
from faults.fault import turned
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from faults.fault import Rejudge
    from gonogo.exchange import Exchange
    from gonogo.verdict import Judgement

ACCEPTED = "that the request is accepted, which no text of an answer says"
REFUSED = "the status, and the word is of the request"


@dataclass(frozen=True)
class Left:
    """What may still pass for a server that omits something everywhere.

    `speaks` matches the titles of the rules about the thing. `kept` are patterns for the ids of those that may pass
    anyway, with their witnesses.
    """

    speaks: str
    kept: dict[str, str]


LEFT: dict[str, Left] = {
    "no choices": Left(
        r"choice|message|delta|\btexts?\b(?!/)|\bfinish|logprobs|log probabilit|\btool|\bcalls?\b|\brole\b|refusal",
        {
            "*.stream.choices": "that the array is there, as in a usage chunk it must be",
            "chat.stream.usage": "that the usage chunk has none",
            "*.parts_rendered": "the tokens of the prompt",
            "chat.request.system_rendered": "the tokens of the prompt",
        },
    ),
    "no text and no calls": Left(
        r"\btexts?\b(?!/)|character|\bcalls?\b|stop sequence|argument|content(?! type)",
        {
            "*.request.stop_*": ACCEPTED,
            "*.history.*": ACCEPTED,
            "chat.request.parts*": ACCEPTED,
            "structured.text.accepted": ACCEPTED,
            "*.harmless.*": ACCEPTED,
            "*.tool_calls": "that no list of calls is there",
            "tools.none.silent": "that no call is there, where none was wanted",
            "chat.response.content": "that the content is null",
            "chat.stream.finish_empty": "that a chunk adds no text",
            "completions.*.text": "that the field is there, if empty",
            "http.coding": "the head",
            "logprobs.*": "the tokens of the log probabilities, which are left",
        },
    ),
    "no chunks": Left(r"chunk|delta|usage|choice|\bfinish", {}),
    "empty usage": Left(
        r"usage|\btokens\b|counted",
        {
            "chat.stream.has_choices": "the other chunks",
            "chat.stream.usage_last": "the place of the chunk",
            "chat.stream.usage_once": "that there is one",
            "*.stream.usage_unasked": "that there is none",
            "completions.prompt.token*": "the choices",
            "logprobs.*": "the tokens of the log probabilities",
            "text.*": "the text",
        },
    ),
    "no calls of tools": Left(
        r"\btools?\b|\bcalls?\b|argument",
        {
            "*.tool_calls": "that no list of calls is there",
            "tools.none.silent": "that no call is there, where none was wanted",
            "tools.request.*": ACCEPTED,
            "tools.history.*": ACCEPTED,
            "tools.harmless.arguments_*": ACCEPTED,
            "tools.harmless.malformed": ACCEPTED,
        },
    ),
    "no log probabilities": Left(
        r"log probabilit|logprobs|alternatives|offsets|of a token|spell",
        {
            "*.response.logprobs": "that the field is null",
            "completions.stream.logprobs": "that the field is null",
        },
    ),
    "no embeddings": Left(
        r"vector|\bdata\b|\btexts?\b|dimension|base64|number",
        {},
    ),
    "no models": Left(
        r"\b(every|each|no|its|the|two) model\b|\bmodels\b(?!.*\bHEAD)|\blist\b",
        {
            "clients.openai_python.models": "that an empty list is read",
            "models.list.there": "the status",
            "models.list.status": "the status",
            "models.list.content_type": "the head",
            "models.list.json": "the object around the list",
            "models.list.object": "the object around the list",
        },
    ),
    "refusals without a body": Left(
        r"error(?! with)|\bmessages?\b|envelope|\bparam|\bcode\b",
        {
            "errors.refused.*": REFUSED,
            "errors.harmless.*": REFUSED,
            "errors.status.*": REFUSED,
            "errors.token_limit.late": REFUSED,
            "sampling.harmless.bookkeeping": REFUSED,
            "sampling.refused.bookkeeping": REFUSED,
            "messages.errors.refused": REFUSED,
            "messages.errors.status": REFUSED,
            "messages.errors.unknown_model*": REFUSED,
        },
    ),
}


def fits(rule_id: str, pattern: str) -> bool:
    """Whether the id matches the pattern, in which "*" stands for any characters."""
    return fnmatchcase(rule_id, pattern)


@dataclass(frozen=True)
class Judged:
    """The judgements if a thing is omitted, and the exchanges that each rule reads."""

    name: str
    looked_at: dict[str, list[Exchange]]
    found: dict[str, Judgement]


@pytest.fixture(scope="module", params=BLANKS)
def judged(request: pytest.FixtureRequest, rejudge: Rejudge) -> Judged:
    """Judged once for both tests of a thing, which therefore run one after the other."""
    name: str = request.param
    record = BLANKS[name](rejudge.clean)
    looked_at = rejudge.subjects(record)
    return Judged(name, looked_at, rejudge(record, looked_at))


def test_an_omitted_field_passes_no_rule_about_it(judged: Judged, rejudge: Rejudge) -> None:
    left, found = LEFT[judged.name], judged.found
    changed = _ids_of_changed(rejudge, judged.looked_at)
    speaking = [
        judgement
        for rule_id, judgement in found.items()
        if re.search(left.speaks, judgement.rule.title, re.IGNORECASE) and changed[rule_id]
    ]
    passed = {
        judgement.rule.id
        for judgement in speaking
        if judgement.verdict is Verdict.PASS
        and any(witness.exchange in changed[judgement.rule.id] for witness in judgement.witnesses)
    }

    assert len(speaking) > len(passed)
    assert {
        rule_id for rule_id in passed if not any(fits(rule_id, pattern) for pattern in left.kept)
    } == set()
    assert [pattern for pattern in left.kept if not any(fits(rule_id, pattern) for rule_id in passed)] == []


def test_an_omitted_field_is_found(judged: Judged) -> None:
    assert turned(judged.found)
    assert [
        rule_id for rule_id, judgement in judged.found.items() if judgement.verdict is Verdict.ERROR
    ] == []


def test_every_omission_lists_the_rules_that_may_pass() -> None:
    assert LEFT.keys() == BLANKS.keys()


def _ids_of_changed(rejudge: Rejudge, looked_at: dict[str, list[Exchange]]) -> dict[str, set[str]]:
    """The ids of the changed exchanges that each rule reads."""
    old = set(rejudge.clean.exchanges)
    return {rule_id: {e.id for e in exchanges if e not in old} for rule_id, exchanges in looked_at.items()}
