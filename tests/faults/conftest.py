"""Clean runs: all requests of the rules, answered by the ideal target, and by the reference server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faults.fault import Rejudge
from faults.serving import PATIENCE, served, sound
from gonogo.collect.plan import plan
from gonogo.collection import Approach, collect
from ideal.clean import catalogue, clean

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.rules import Catalogue

__all__ = ["catalogue", "clean", "referred", "rejudge"]

_KEY = "a-key-of-the-tests"
_FOLDER = Path(__file__).parent
_EVERY = 4
_ALL_MEASURED = {"test_causes"}
"""Each kind of fault has its own diagnosis, whose lines nothing else runs."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure every fourth case of a test; the others run the same lines, at a third of the cost."""
    for item in items:
        if item.path.parent == _FOLDER and item.path.stem not in _ALL_MEASURED and _is_one_of_many(item):
            item.add_marker(pytest.mark.unmeasured)


def _is_one_of_many(item: pytest.Item) -> bool:
    numbers: dict[str, int] = item.callspec.indices if hasattr(item, "callspec") else {}
    return any(number % _EVERY for number in numbers.values())


@pytest.fixture(scope="session")
def rejudge(clean: Record, catalogue: Catalogue) -> Rejudge:
    return Rejudge(clean, catalogue)


@pytest.fixture(scope="session")
def referred(catalogue: Catalogue) -> Record:
    with served(sound(_KEY)) as (base_url, _):
        # The scripted model gets embedding requests too, and refuses them.
        approach = Approach(base_url, embedding_model="scripted", api_key=_KEY, timeout=PATIENCE)
        run = collect(approach, plan(catalogue))
        (record,) = asyncio.run(asyncio.wait_for(run, 2 * PATIENCE))
        return record
