"""Clean runs: everything that rules ask, answered by the ideal target, and by the reference server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from faults.fault import Rejudge
from faults.serving import PATIENCE, served, sound
from gonogo.asking import Approach, collect
from gonogo.collect.plan import plan
from gonogo.rules import Catalogue, load
from ideal.running import record_run

if TYPE_CHECKING:
    from gonogo.evidence import Record


_KEY = "a-key-of-the-tests"


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture(scope="session")
def clean(catalogue: Catalogue) -> Record:
    return asyncio.run(record_run(catalogue))


@pytest.fixture(scope="session")
def rejudge(clean: Record, catalogue: Catalogue) -> Rejudge:
    return Rejudge(clean, catalogue)


@pytest.fixture(scope="session")
def referred(catalogue: Catalogue) -> Record:
    with served(sound(_KEY)) as (base_url, _):
        # The scripted model is asked for embeddings too, and says plainly that it makes none.
        approach = Approach(base_url, embedding_model="scripted", api_key=_KEY, timeout=PATIENCE)
        run = collect(approach, plan(catalogue))
        (record,) = asyncio.run(asyncio.wait_for(run, 2 * PATIENCE))
        return record
