from __future__ import annotations

from typing import TYPE_CHECKING

import jsonschema_rs
import pytest
from gonogo_contract import component_schema

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def admits() -> Callable[[str, object], bool]:
    """Tells whether a value matches a component of the contract."""

    def ask(name: str, value: object) -> bool:
        return jsonschema_rs.validator_for(component_schema(name)).is_valid(value)

    return ask
