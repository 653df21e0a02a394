"""What every test stands on."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure(config: pytest.Config) -> None:
    """Keep what is compiled in pytest's cache where the environment wants no __pycache__ beside the sources.

    Otherwise every worker, and each of the hundred processes that tests start, compiles all that it imports.
    """
    cache: pytest.Cache | None = getattr(config, "cache", None)
    if not sys.dont_write_bytecode or cache is None:
        return
    sys.pycache_prefix = str(cache.mkdir("bytecode"))
    sys.dont_write_bytecode = False
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(autouse=True, scope="session")
def _listening_to_ctrl_c() -> Iterator[None]:
    """A script that runs the tests in the background makes them, and all they start, deaf to Ctrl-C (POSIX, 2.11).

    A process that has a handler of its own starts others without one, so that theirs is Python's.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
