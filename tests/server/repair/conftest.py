"""A clean run against the ideal target, and the judgements of a changed one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from faults.fault import Rejudge
from ideal.clean import catalogue
from ideal.clean import clean as whole

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.rules import Catalogue

__all__ = ["catalogue", "clean", "rejudge", "whole"]

OTHER_SURFACES = ("/responses", "/messages")


@pytest.fixture(scope="session")
def clean(whole: Record) -> Record:
    """Upstream answers to chats, completions and embeddings, which the repairs are for."""
    kept = (each for each in whole.exchanges if not each.request.path.startswith(OTHER_SURFACES))
    return replace(whole, exchanges=tuple(kept))


@pytest.fixture(scope="session")
def rejudge(clean: Record, catalogue: Catalogue) -> Rejudge:
    return Rejudge(clean, catalogue)
