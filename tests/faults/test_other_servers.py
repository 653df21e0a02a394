"""No false alarms: conforming servers that behave unlike ours break no rule."""

from __future__ import annotations

import asyncio
import random
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from faults.fault import BROKEN, verdicts
from faults.other_servers import (
    Other,
    among_many,
    beyond_reasoning,
    byte_tokens,
    calls_at_once,
    declining,
    decorated,
    framing,
    musing,
    one_choice_after_another,
    refusing,
    respelled,
    retrieving_any,
    saying,
    scaled,
    thinking,
)
from gonogo.reasons import Reason
from gonogo.report.wording import message
from gonogo.verdict import Verdict
from ideal.running import record_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.fault import Rejudge
    from gonogo.evidence import Record
    from gonogo.faults.editing import Edit
    from gonogo.rules import Catalogue
    from gonogo.verdict import Judgement

HINT = " Use 'max_completion_tokens' instead."
REASONING = (refusing(beyond_reasoning, "unsupported_parameter", hint=HINT), saying(thinking))


def _restless() -> Callable[[str], str]:
    draws = random.Random(7)
    return lambda text: "".join(chr(ord(c) + draws.randint(0, 1)) if "a" <= c < "z" else c for c in text)


def _given(name: str) -> Edit:
    """A model that refuses one parameter by name, without a code."""
    return refusing(lambda body: name if body.get(name) not in (None, [], "none") else None, None)


SERVERS: dict[str, tuple[Edit, ...]] = {
    "models that reason, of the API": (*REASONING, saying(decorated)),
    "a model at temperature 1 only": (
        refusing(
            lambda body: "temperature" if body.get("temperature") not in (None, 1) else None,
            "unsupported_value",
        ),
    ),
    "short answers after more or less thought": (saying(musing()),),
    "a model without tools": (_given("tools"),),
    "a model without streams' options": (_given("stream_options"),),
    "text that is another each time": (saying(respelled(_restless())),),
    "text of spaces and line ends": (saying(respelled(lambda text: "\n" * len(text))),),
    "text that is empty": (saying(respelled(lambda _: "")),),
    "a model that declines": (saying(declining),),
    "tokens of bytes": (saying(byte_tokens(lambda byte: f"bytes:\\x{byte:02x}")),),
    "tokens of bytes that nobody can read": (saying(byte_tokens(lambda _: "\ufffd")),),
    "vectors that are not normalised": (saying(scaled),),
    "one choice after the other": (framing(one_choice_after_another, "/chat/completions", "/completions"),),
    "calls in one piece": (framing(calls_at_once, "/chat/completions"),),
}


def run(catalogue: Catalogue, *edits: Edit) -> Record:
    return asyncio.run(record_run(catalogue, Other(*edits)))


def judged(rejudge: Rejudge, *edits: Edit) -> dict[str, Judgement]:
    _, judgements = rejudge.run(run(rejudge.catalogue, *edits))
    return {found.rule.id: found for found in judgements}


ACROSS = "*.same.*"
"""Rules that compare surfaces: these habits affect only chat and completions, so texts may differ."""


def alarms(found: dict[str, Judgement]) -> dict[str, str]:
    wrong = BROKEN | {Verdict.ERROR}
    return {
        rule: message(judgement)
        for rule, judgement in found.items()
        if judgement.verdict in wrong and not fnmatchcase(rule, ACROSS)
    }


@pytest.mark.parametrize("edits", SERVERS.values(), ids=SERVERS)
def test_a_server_of_other_habits_raises_no_alarm(edits: tuple[Edit, ...], rejudge: Rejudge) -> None:
    assert alarms(judged(rejudge, *edits)) == {}


@pytest.fixture(scope="module")
def reasoning(rejudge: Rejudge) -> dict[str, Judgement]:
    return judged(rejudge, *REASONING)


def test_a_model_that_knows_the_newer_limit_only_is_asked_with_that(reasoning: dict[str, Judgement]) -> None:
    found = reasoning
    assert sum(judgement.verdict is Verdict.PASS for judgement in found.values()) > len(found) // 2
    assert {found[rule].verdict for rule in ("chat.stream.id", "chat.request.parts", "chat.response.id")} == {
        Verdict.PASS
    }


def test_a_parameter_refused_by_code_and_name_is_unsupported(reasoning: dict[str, Judgement]) -> None:
    found = reasoning
    lacking = ("chat.request.temperature_zero", "chat.request.stop_string", "chat.request.stop_list")
    assert {found[rule].verdict for rule in lacking} == {Verdict.UNSUPPORTED}
    said = [found[rule].because for rule in lacking]
    assert [because and because.reason for because in said] == [Reason.UNSUPPORTED_BY_MODEL] * len(said)
    assert [because and because.values for because in said] == [
        {"param": param, "status": 400} for param in ("temperature", "stop", "stop")
    ]
    assert [because and because.about for because in said] == [
        (found[rule].evidence[-1].exchange,) for rule in lacking
    ]


@pytest.mark.parametrize(
    ("wrong", "code", "rule"),
    [
        (
            lambda body: "store" if "store" in body else None,
            "unsupported_parameter",
            "chat.request.bookkeeping",
        ),
        (lambda body: "stop" if "stop" in body else None, "unsupported_value", "chat.request.nulls"),
        (lambda body: "stop" if body.get("stop") else None, "invalid_value", "chat.request.stop_list"),
    ],
    ids=["what has no effect", "null", "another code"],
)
def test_a_parameter_that_every_model_has_must_be_accepted(
    wrong: Callable[[dict[str, object]], str | None], code: str, rule: str, rejudge: Rejudge
) -> None:
    found = judged(rejudge, refusing(wrong, code))
    assert found[rule].verdict is Verdict.FAIL


def test_among_hundreds_of_models_one_is_named(catalogue: Catalogue) -> None:
    edits = (saying(among_many), retrieving_any)
    record = asyncio.run(
        record_run(catalogue, Other(*edits), model="ideal", embedding_model="org/ideal-embedder")
    )
    found = verdicts(record, catalogue)
    assert alarms(found) == {}
    assert found["models.list.serves"].verdict is Verdict.PASS
