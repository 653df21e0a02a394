"""What every test stands on."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager

_OF_CHILDREN = "COVERAGE_PROCESS_CONFIG"
"""The variable that has a child process measured; coverage sets it."""
_MEASURED = ("gonogo", "gonogo_contract", "gonogo_server")
_BY_THEMSELVES = ("gonogo.__main__", "gonogo.suite", "gonogo_server.__main__", "gonogo_server.replicas.")
"""What runs when it is imported, or is pytest's to import."""
_OF_EVERY_TEST = {"_listening_to_ctrl_c", "_unmeasured_processes", "request"}
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
        _MAIN.rest()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """The process that hands the tests out to workers runs none of our lines, and would trace every report."""
    controller = _controller(session.config)
    if controller is not None and not _is_worker(session.config):
        controller.cov.stop()


class _MainThread:
    """Whether the thread of the tests is traced: tracing makes each call of a function three times as slow.

    Of pytest's own work on a test that is a third, and none of it is measured. Other threads are traced all the time:
    one for which tracing was stopped is not traced again.
    """

    def __init__(self) -> None:
        self._tracer: Any = None

    def rest(self) -> None:
        """Trace nothing until the next fixture or test."""
        self._tracer = sys.gettrace() or self._tracer
        sys.settrace(None)

    def stop(self) -> None:
        """Trace nothing, also no fixture and no test, until the next rest; what measures was stopped."""
        self._tracer = None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Trace a fixture or a test; within another one that goes on."""
        if self._tracer is None or sys.gettrace() is not None:
            yield
            return
        sys.settrace(self._tracer)
        try:
            yield
        finally:
            self.rest()


_MAIN = _MainThread()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    """Fixtures are measured."""
    with _MAIN.at_work():
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    """Tests are measured."""
    with _MAIN.at_work():
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(
    item: pytest.Function, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """What fixtures do at their end is measured, where a test may have some that end with it."""
    of_its_own = set(item.fixturenames) - _OF_EVERY_TEST
    if not of_its_own and nextitem is not None and nextitem.parent is item.parent:
        return (yield)
    with _MAIN.at_work():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """As pytest-cov's own marker `no_cover`, which fails where nothing is measured (`--no-cov`)."""
    controller = _controller(item.config)
    if controller is None or item.get_closest_marker("unmeasured") is None:
        return (yield)
    controller.pause()
    _MAIN.stop()
    try:
        return (yield)
    finally:
        controller.resume()
        _MAIN.rest()


@pytest.fixture(scope="session")
def unmeasured_part(pytestconfig: pytest.Config) -> Callable[[], AbstractContextManager[None]]:
    """A block within a test that is not measured: it runs what other tests measure, before what this one is about."""
    controller = _controller(pytestconfig)

    @contextmanager
    def paused() -> Iterator[None]:
        if controller is None or not controller.started:
            yield
            return
        controller.pause()
        try:
            yield
        finally:
            controller.resume()

    return paused


def _controller(config: pytest.Config) -> Any:  # noqa: ANN401 - of pytest-cov, which has no types
    """What measures; None if nothing is measured."""
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
