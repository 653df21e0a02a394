"""A small report made by hand: one rule of each verdict, on two exchanges."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gonogo.evidence import Record, Target
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.report.model import Report, build
from gonogo.verdict import Evidence, Judgement, Level, Position, Rule, Verdict

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


def judgement(
    rule_id: str,
    verdict: Verdict,
    message: str = "Kept",
    *,
    expected: str | None = None,
    evidence: tuple[Evidence, ...] = (Evidence("x1"),),
) -> Judgement:
    level = Level.SHOULD if verdict is Verdict.WARN else Level.MUST
    rule = Rule(rule_id, f"Title of {rule_id}", level, f"source of {rule_id}", f"reason of {rule_id}")
    actual = message if expected is not None else None
    return Judgement(rule, verdict, message, expected, actual, evidence)


PASSED = judgement("chat.shape", Verdict.PASS)
FAILED = judgement(
    "chat.stream.done",
    Verdict.FAIL,
    "The stream ended \x1b[31mwithout it",
    expected="[DONE]",
    evidence=(Evidence("x2", Position(6, 0.25, 'data: {"a": "\x1b[31m"}')), Evidence("x1")),
)
WARNED = judgement("chat.stream.usage", Verdict.WARN, "There is none", expected="usage")
REFUSED = judgement("embeddings.shape", Verdict.UNSUPPORTED, "Refused with 404 (x2)")
UNDECIDED = judgement("chat.stop", Verdict.INCONCLUSIVE, "The model stopped early")
WAIVED = replace(
    judgement(
        "chat.tools.ids", Verdict.WAIVED, "Two calls share one (waived: our issue 12)", expected="two ids"
    ),
    waived="our issue 12",
)
BROKEN = judgement("chat.seed", Verdict.ERROR, "The check broke", evidence=())


@pytest.fixture
def rows() -> dict[Verdict, Judgement]:
    """One judgement of each verdict."""
    every = (PASSED, FAILED, WARNED, REFUSED, UNDECIDED, WAIVED, BROKEN)
    return {judgement.verdict: judgement for judgement in every}


@pytest.fixture
def make(rows: dict[Verdict, Judgement]) -> Callable[..., Report]:
    """A report on the judgements of these verdicts, or on those given."""

    def report(
        *verdicts: Verdict | Judgement,
        seconds: float | None = 1.5,
        truncated: bool = False,
        **options: object,
    ) -> Report:
        record = Record(
            Target("http://127.0.0.1:8000/v1", "m"),
            "2026-01-02T03:04:05+00:00",
            (PLAIN, STREAMED),
            truncated=truncated,
        )
        chosen = [found if isinstance(found, Judgement) else rows[found] for found in verdicts]
        return build(chosen, record, seconds=seconds, **options)

    return report
