"""What every test stands on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="session")
def _listening_to_ctrl_c() -> Iterator[None]:
    """A script that runs the tests in the background makes them, and all they start, deaf to Ctrl-C (POSIX, 2.11).

    A process that has a handler of its own starts others without one, so that theirs is Python's.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
