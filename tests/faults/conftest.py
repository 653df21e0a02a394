"""A clean run: everything that the reference server answers to everything that the rules ask."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from faults.serving import PATIENCE, served, sound
from gonogo.collect.plan import plan
from gonogo.rules import Catalogue, load
from gonogo.running import Approach, collect

if TYPE_CHECKING:
    from gonogo.evidence import Record


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture(scope="session")
def clean(catalogue: Catalogue) -> Record:
    with served(sound()) as (base_url, _):
        run = collect(Approach(base_url, timeout=PATIENCE), plan(catalogue))
        return asyncio.run(asyncio.wait_for(run, 2 * PATIENCE))
