"""Shared parts of the local provider's operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gonogo_server.compilation.compiler import Compiler
    from gonogo_server.engine.base import Engine
    from gonogo_server.response_store.sqlite import ResponseStore
    from gonogo_server.settings import Settings


@dataclass(frozen=True, slots=True)
class Means:
    """The engine, what tries schemas, the settings, and the store of responses, if any."""

    engine: Engine
    compiler: Compiler
    settings: Settings
    store: ResponseStore | None = None
