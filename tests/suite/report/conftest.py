"""A small report made by hand: one rule of each verdict, on two exchanges; each broken rule is its own cause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gonogo.evidence import Record, Target
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.reasons import Reason
from gonogo.report.model import Report, build
from gonogo.verdict import (
    Because,
    Cause,
    Evidence,
    Judgement,
    Level,
    Position,
    Rule,
    Verdict,
    Waiver,
    Witness,
)

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = (("content-type", "application/json"),)
STREAM = (("content-type", "text/event-stream"),)


def exchange(
    exchange_id: str, request: Request, body: bytes, headers: tuple[tuple[str, str], ...]
) -> Exchange:
    return Exchange(exchange_id, exchange_id, request, 200, headers, (Chunk(0.25, body),), None, 0.5)


PLAIN = exchange(
    "x1",
    Request("POST", "/chat/completions", JSON, b'{"model": "m"}'),
    b'{"usage": {"prompt_tokens": 7, "completion_tokens": 3}}',
    JSON,
)
STREAMED = exchange(
    "x2",
    Request("POST", "/chat/completions", JSON, b'{"model": "m", "stream": true}'),
    b'data: {"a": "\x1b[31m"}\n\n',
    STREAM,
)


def rule(rule_id: str, level: Level = Level.MUST) -> Rule:
    return Rule(rule_id, f"Title of {rule_id}", level, f"source of {rule_id}", f"reason of {rule_id}")


PASSED = Judgement(
    rule("chat.shape"),
    Verdict.PASS,
    evidence=(Evidence("x1"),),
    witnesses=(Witness("x1", "chunk with an id", 3), Witness("x2", "chunk with an id")),
    looked_at=2,
)
FAILED = Judgement(
    rule("chat.stream.done"),
    Verdict.FAIL,
    expected="[DONE]",
    actual="the stream ended \x1b[31mwithout it",
    evidence=(Evidence("x2", Position(6, 0.25, 'data: {"a": "\x1b[31m"}')), Evidence("x1")),
    broken=2,
    looked_at=3,
)
WARNED = Judgement(
    rule("chat.stream.usage", Level.SHOULD),
    Verdict.WARN,
    expected="usage",
    actual="there is none",
    evidence=(Evidence("x1"),),
    broken=1,
    looked_at=1,
)
REFUSED = Judgement(
    rule("embeddings.shape"),
    Verdict.UNSUPPORTED,
    because=Because(Reason.REFUSED, {"status": 404}, ("x2",)),
    evidence=(Evidence("x2"),),
)
UNDECIDED = Judgement(
    rule("chat.stop"),
    Verdict.INCONCLUSIVE,
    because=Because(Reason.LIMIT_NOT_REACHED, {"found": 3, "limit": 8}, ("x1",)),
    evidence=(Evidence("x1"),),
)
OUT_OF_PLACE = Judgement(
    rule("errors.context.code"),
    Verdict.NOT_APPLICABLE,
    because=Because(Reason.NOT_REFUSED, {"status": 200}, ("x1",)),
    evidence=(Evidence("x1"),),
)
WAIVED = Judgement(
    rule("chat.tools.ids"),
    Verdict.WAIVED,
    expected="two ids",
    actual="two calls share one",
    evidence=(Evidence("x1"),),
    broken=1,
    looked_at=1,
    waived=Waiver("our issue 12", "2027-01-31"),
)
BROKEN = Judgement(
    rule("chat.seed"),
    Verdict.ERROR,
    because=Because(Reason.CHECK_BROKE, {"error": "KeyError: 'a'", "where": "seeds.py:7"}),
)
FOUND = {Verdict.FAIL, Verdict.WARN, Verdict.WAIVED}


def own_cause(judgement: Judgement) -> Cause:
    """The cause of a broken rule that nothing else explains."""
    shown = judgement.evidence[0] if judgement.evidence else None
    known = judgement.rule
    return Cause(known.id, known.title, judgement.actual or "", known.why, (known.id,), evidence=shown)


@pytest.fixture
def rows() -> dict[Verdict, Judgement]:
    """One judgement of each verdict."""
    every = (PASSED, FAILED, WARNED, REFUSED, UNDECIDED, OUT_OF_PLACE, WAIVED, BROKEN)
    return {judgement.verdict: judgement for judgement in every}


@pytest.fixture
def make(rows: dict[Verdict, Judgement]) -> Callable[..., Report]:
    """A report on the judgements of these verdicts, or on the given ones; `causes` explain what is broken.

    A broken rule that none of them names is its own cause.
    """

    def report(
        *verdicts: Verdict | Judgement,
        seconds: float | None = 1.5,
        truncated: bool = False,
        causes: tuple[Cause, ...] = (),
        **options: object,
    ) -> Report:
        record = Record(
            Target("http://127.0.0.1:8000/v1", "m"),
            "2026-01-02T03:04:05+00:00",
            (PLAIN, STREAMED),
            truncated=truncated,
        )
        chosen = [found if isinstance(found, Judgement) else rows[found] for found in verdicts]
        names = {rule_id: cause.id for cause in causes for rule_id in (*cause.rules, *cause.undecided)}
        broken = {found.rule.id: found for found in chosen if found.verdict in FOUND}
        alone = tuple(own_cause(found) for rule_id, found in broken.items() if rule_id not in names)
        names |= {cause.id: cause.id for cause in alone}
        linked = [replace(found, cause=names.get(found.rule.id)) for found in chosen]
        return build(linked, record, seconds=seconds, causes=(*causes, *alone), **options)

    return report
