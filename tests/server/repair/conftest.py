"""A clean run, answered by the ideal target, and what every rule says of a changed one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from faults.fault import Rejudge
from gonogo.rules import Catalogue, load
from ideal.running import record_run

if TYPE_CHECKING:
    from gonogo.evidence import Record


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture(scope="session")
def clean(catalogue: Catalogue) -> Record:
    return asyncio.run(record_run(catalogue))


@pytest.fixture(scope="session")
def rejudge(clean: Record, catalogue: Catalogue) -> Rejudge:
    return Rejudge(clean, catalogue)
