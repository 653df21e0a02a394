"""Fixtures: a clean run against the ideal target, once for the tests of a folder whose conftest imports them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
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
