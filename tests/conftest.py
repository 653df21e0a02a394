"""The set-up of all tests: bytecode, signals, and what coverage measures."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import httpcore2
import pytest

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager

_OF_CHILDREN = "COVERAGE_PROCESS_CONFIG"
"""The environment variable that makes a child process measured; coverage sets it."""
_MEASURED = ("gonogo", "gonogo_contract", "gonogo_server")
_BY_THEMSELVES = ("gonogo.__main__", "gonogo.suite", "gonogo_server.__main__", "gonogo_server.replicas.")
"""Modules that run on import, or that pytest has to import itself."""
_OF_EVERY_TEST = {"_certificates_are_read_once", "_listening_to_ctrl_c", "_unmeasured_processes", "request"}
_FOREIGN = ("openai", "schemathesis", "transformers", "uvicorn")
"""The slowest imports of our modules; not mlx, before which a BLAS has to be loaded."""


def pytest_configure(config: pytest.Config) -> None:
    """Configure once for all workers."""
    os.environ.pop(_OF_CHILDREN, None)  # otherwise each child is measured twice
    config.addinivalue_line("markers", "unmeasured: coverage is not measured while the test runs")
    _keep_bytecode(config)


def _keep_bytecode(config: pytest.Config) -> None:
    """Keep compiled modules in pytest's cache if the environment disables __pycache__ beside the sources.

    Otherwise every worker, and each of the hundred processes that tests start, compiles everything that it imports.
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
    """Restore the handling of Ctrl-C: a script that runs the tests in the background disables it (POSIX, 2.11).

    A process with its own handler starts child processes with the default, so that theirs is Python's.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Import our modules first, measured; collect without measuring, because tracing makes it take twice as long."""
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
    """Do not measure the process that distributes tests: it runs none of our lines, and would trace every report."""
    controller = _controller(session.config)
    if controller is not None and not _is_worker(session.config):
        controller.cov.stop()


class _MainThread:
    """Whether the main thread is traced: tracing makes each function call three times as slow.

    A third of that is pytest's own work, which is not measured. Other threads are traced all the time, because a thread
    for which tracing was stopped is not traced again.
    """

    def __init__(self) -> None:
        self._tracer: Any = None

    def rest(self) -> None:
        """Trace nothing until the next fixture or test."""
        self._tracer = sys.gettrace() or self._tracer
        sys.settrace(None)

    def stop(self) -> None:
        """Trace nothing, not even fixtures and tests, until the next rest: measuring was stopped."""
        self._tracer = None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Trace a fixture or a test; a nested one continues."""
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
    """Measure fixtures."""
    with _MAIN.at_work():
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    """Measure tests."""
    with _MAIN.at_work():
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(
    item: pytest.Function, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Measure the teardown of fixtures, if the test may have some that end with it."""
    of_its_own = set(item.fixturenames) - _OF_EVERY_TEST
    if not of_its_own and nextitem is not None and nextitem.parent is item.parent:
        return (yield)
    with _MAIN.at_work():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Like pytest-cov's own marker `no_cover`, which fails if nothing is measured (`--no-cov`)."""
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
    """A block in a test that is not measured: it only repeats what other tests measure."""
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
    """pytest-cov's controller; None if nothing is measured."""
    return getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)


def _is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests."""
    return hasattr(config, "workerinput") or not config.getoption("numprocesses", 0)


@pytest.fixture(autouse=True, scope="session")
def _certificates_are_read_once() -> Iterator[None]:
    """Read the system's certificates once, and not for each client, which takes 60 ms."""
    read = httpcore2.default_ssl_context

    @cache
    def context(_file: str | None, _folder: str | None, trust_env: bool) -> ssl.SSLContext:  # noqa: FBT001 - a key
        return read(_trust_env=trust_env)

    def shared(*, _trust_env: bool = True) -> ssl.SSLContext:
        return context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"), _trust_env)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpcore2, "default_ssl_context", shared)
        yield


@pytest.fixture(autouse=True, scope="session")
def _unmeasured_processes() -> Iterator[str | None]:
    """Do not measure processes that tests start, so that they start sooner and run up to three times as fast."""
    configuration = os.environ.pop(_OF_CHILDREN, None)
    yield configuration
    if configuration is not None:
        os.environ[_OF_CHILDREN] = configuration


@pytest.fixture
def measured_processes(_unmeasured_processes: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the processes that this test starts, because they run lines that no test runs in its own process."""
    if _unmeasured_processes is not None:
        monkeypatch.setenv(_OF_CHILDREN, _unmeasured_processes)
