"""Requests that disturb one another: an answer that is requested again alone is also judged as it was in parallel."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from faults.fault import turned, verdicts
from gonogo.faults.catalogue.http_answers import GREEDY
from gonogo.faults.editing import answer, put, refused
from ideal.running import record_run
from ideal.target import IdealTarget

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.exchange import Exchange, Request
    from gonogo.faults.editing import Edit
    from gonogo.rules import Catalogue


class Disturbed(IdealTarget):
    """The first answer to one request, which is sent in parallel with others, differs from the later ones."""

    def __init__(self, edit: Edit) -> None:
        super().__init__()
        self._edit = edit
        self._has_come = False

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
        """The exchange; requested alone, it is correct."""
        exchange = await super().record(request, id=id, stimulus=stimulus)
        if stimulus != GREEDY or self._has_come:
            return exchange
        self._has_come = True
        return self._edit(exchange)


def _other_text(clean: Record) -> str:
    other = next(
        e for e in clean.exchanges if e.stimulus == 'POST /completions {"max_tokens":24,"temperature":0}'
    )
    said: str = json.loads(other.body)["choices"][0]["text"]
    return said


def _found(said: str, catalogue: Catalogue) -> set[str]:
    """The rules with a finding if this text is answered in parallel, and the right one to the request alone."""
    disturbed = Disturbed(answer(put("choices.0.message.content", said)))
    record = asyncio.run(record_run(catalogue, disturbed))
    assert len([e for e in record.exchanges if e.stimulus == GREEDY]) == 2
    return turned(verdicts(record, catalogue))


def test_an_answer_to_another_parallel_request_is_found(clean: Record, catalogue: Catalogue) -> None:
    assert _found(_other_text(clean), catalogue) == {"http.beside"}


def test_a_text_with_other_rounding_in_a_batch_is_not_a_finding(catalogue: Catalogue) -> None:
    assert _found("Rounded otherwise, it reads this.", catalogue) == set()


def test_a_failure_of_a_parallel_request_is_a_failure(catalogue: Catalogue) -> None:
    record = asyncio.run(record_run(catalogue, Disturbed(refused(500))))
    assert "http.no_server_error" in turned(verdicts(record, catalogue))
