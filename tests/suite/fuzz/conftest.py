"""Generated cases, made once for all tests."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from gonogo.fuzz import Budget
from gonogo.fuzz.source import Told, generated
from suite.fuzz.passes import Change, Pass, run_pass

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange, Request

CASES = 640
SHORT = 2000  # characters; longer lists of tokens add nothing
BUDGET = Budget(cases=CASES)


@pytest.fixture(scope="session")
def told(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """The generated cases of seed 0. Generating takes ten seconds; a second process reads those of the first."""
    own = tmp_path_factory.getbasetemp()
    stored = (own if worker_id == "master" else own.parent) / "told.json"
    if not stored.exists():
        new = own / "new.json"
        new.write_text(json.dumps(asyncio.run(generated(0, CASES))))
        new.replace(stored)
    cases: list[Told] = json.loads(stored.read_text())
    return cases


@pytest.fixture(scope="session")
def over(told: list[Told]) -> Callable[..., Pass]:
    """Fuzz the ideal target with the cases of seed 0, with changed answers."""

    short = [case for case in told if len(str(case["body"])) < SHORT]

    async def source(_seed: int, most: int) -> list[Told]:
        return short[:most]

    def run(change: Change = _unchanged, budget: Budget = BUDGET) -> Pass:
        return run_pass(change, budget, source)

    return run


@pytest.fixture(scope="session")
def sound(over: Callable[..., Pass]) -> Pass:
    """The pass over the ideal target, whose answers are unchanged."""
    return over()


def _unchanged(_: Request, exchange: Exchange) -> Exchange:
    return exchange
