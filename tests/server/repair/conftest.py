"""A clean run, answered by the ideal target, and what every rule says of a changed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults.fault import Rejudge
from ideal.clean import catalogue, clean

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.rules import Catalogue

__all__ = ["catalogue", "clean", "rejudge"]


@pytest.fixture(scope="session")
def rejudge(clean: Record, catalogue: Catalogue) -> Rejudge:
    return Rejudge(clean, catalogue)
