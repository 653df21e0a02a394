"""What every test stands on."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_OF_CHILDREN = "COVERAGE_PROCESS_CONFIG"
"""The variable that has a child process measured; coverage sets it."""
_MEASURED = ("gonogo", "gonogo_contract", "gonogo_server")
_BY_THEMSELVES = ("gonogo.__main__", "gonogo.suite", "gonogo_server.__main__")
"""What runs when it is imported, or is pytest's to import."""
_FOREIGN = ("openai", "schemathesis", "transformers", "uvicorn")
"""What our modules import and takes longest; not mlx, before which a BLAS has to be loaded."""


def pytest_configure(config: pytest.Config) -> None:
    """Once for all workers."""
    os.environ.pop(_OF_CHILDREN, None)  # else each of them is measured twice
    config.addinivalue_line("markers", "unmeasured: coverage is not measured while the test runs")
    _keep_bytecode(config)


def _keep_bytecode(config: pytest.Config) -> None:
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


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collecting is not measured, as tracing makes it take twice as long: ours is imported first, and measured."""
    controller = _controller(session.config)
    if controller is None or not _is_worker(session.config):
        return (yield)
    controller.pause()
    for name in _FOREIGN:
        importlib.import_module(name)
    controller.resume()
    for name in _MEASURED:
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            if not module.name.startswith(_BY_THEMSELVES):
                importlib.import_module(module.name)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """As pytest-cov's own marker `no_cover`, which fails where nothing is measured (`--no-cov`)."""
    controller = _controller(item.config)
    if controller is None or item.get_closest_marker("unmeasured") is None:
        return (yield)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()


def _controller(config: pytest.Config) -> Any:  # noqa: ANN401 - of pytest-cov, which has no types
    """What measures; None where nothing is measured."""
    return getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)


def _is_worker(config: pytest.Config) -> bool:
    """Whether tests run in this process."""
    return hasattr(config, "workerinput") or not config.getoption("numprocesses", 0)


@pytest.fixture(autouse=True, scope="session")
def _unmeasured_processes() -> Iterator[str | None]:
    """Processes that tests start are not measured, which lets them begin sooner and run up to three times as fast."""
    configuration = os.environ.pop(_OF_CHILDREN, None)
    yield configuration
    if configuration is not None:
        os.environ[_OF_CHILDREN] = configuration


@pytest.fixture
def measured_processes(_unmeasured_processes: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that this test starts are measured: they run what no test runs in its own process."""
    if _unmeasured_processes is not None:
        monkeypatch.setenv(_OF_CHILDREN, _unmeasured_processes)
