"""Base URLs, failed connections, proxies, and the failures of the transport."""

from __future__ import annotations

import asyncio
import errno
import inspect
import socket
from typing import TYPE_CHECKING

import httpx2
import pytest
from gonogo.collect.recorder import Recorder, _reason, failure_kind
from gonogo.errors import UsageError
from gonogo.exchange import FailureKind, Request
from suite.collect.raw_answers import OK, sends

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

    from tests.suite.collect.conftest import Wire


@pytest.mark.parametrize(
    ("base_url", "sentence"),
    [
        ("127.0.0.1:8000", "not a base URL"),
        ("ftp://127.0.0.1", "not a base URL"),
        ("http://", "not a base URL"),
        ("http://host:port", "not a URL"),
        ("http://host:99999", "between 1 and 65535"),
        ("http://me:secret@127.0.0.1/v1", "GONOGO_API_KEY"),
        ("http://127.0.0.1/v1?key=secret#top", "must end with its path or its query"),
        ("ftp://127.0.0.1?key=secret", "not a base URL"),
    ],
)
def test_an_invalid_base_url_is_refused_with_one_sentence(base_url: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as error:
        Recorder(base_url)
    assert "secret" not in str(error.value)


class TestNoConnection:
    def record(self, base_url: str) -> Exchange:
        async def run() -> Exchange:
            async with Recorder(base_url, timeout=15) as recorder:
                return await recorder.record(Request("GET", "/x"), id="x1", stimulus="test")

        return asyncio.run(run())

    def test_is_said_where_nothing_listens(self) -> None:
        with socket.socket() as bound:  # bound and not listening: no other process gets this port meanwhile
            bound.bind(("127.0.0.1", 0))
            exchange = self.record(f"http://127.0.0.1:{bound.getsockname()[1]}")
        assert exchange.failure.kind is FailureKind.CONNECT
        assert exchange.failure.message == "Connection refused"
        assert exchange.status is None

    def test_has_the_reason_of_the_first_address_where_a_host_has_several(self) -> None:
        refused = [
            ConnectionRefusedError(errno.ECONNREFUSED, f"('{host}', 1)") for host in ("::1", "127.0.0.1")
        ]
        error = OSError("All connection attempts failed")
        error.__cause__ = ExceptionGroup("multiple connection attempts failed", refused)
        assert _reason(httpx2.ConnectError(str(error))) == "All connection attempts failed"
        assert _reason(error) == "Connection refused"

    @pytest.mark.parametrize(
        ("answer", "why"),
        [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "wrong version number"), (b"", "the connection closed")],
    )
    def test_is_said_where_tls_meets_none(self, wire: Wire, answer: bytes, why: str) -> None:
        async def run() -> Exchange:
            async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.read(100)
                writer.write(answer)
                writer.close()

            server = await asyncio.start_server(behave, "127.0.0.1", 0)
            async with server:
                url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
                async with Recorder(url, timeout=15) as recorder:
                    return await recorder.record(Request("GET", "/x"), id="x1", stimulus="test")

        exchange = asyncio.run(run())
        assert exchange.failure.kind is FailureKind.CONNECT
        assert exchange.failure.message == f"it does not speak a supported TLS version ({why})"


class TestProxies:
    @pytest.fixture(autouse=True)
    def _environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)

    def test_of_the_environment_are_not_used_for_loopback(
        self, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        assert wire.record(sends(OK)).status == 200

    @pytest.mark.parametrize("host", ["localhost", "api.localhost", "127.1.2.3", "[::1]"])
    def test_are_not_used_for_any_name_of_loopback(self, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
        monkeypatch.setenv("ALL_PROXY", "unusable://proxy")
        Recorder(f"http://{host}:8000/v1")

    @pytest.mark.parametrize("form", ["http://{}", "{}"])
    @pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
    def test_of_the_environment_are_used_for_other_hosts(
        self, wire: Wire, monkeypatch: pytest.MonkeyPatch, name: str, form: str
    ) -> None:
        async def run() -> Exchange:
            async with wire.serve(sends(OK)) as proxy:
                monkeypatch.setenv(name, form.format(proxy.removeprefix("http://")))
                monkeypatch.delenv("REQUEST_METHOD", raising=False)
                async with Recorder("http://target.invalid/v1", timeout=15) as recorder:
                    return await recorder.record(Request("GET", "/x"), id="x1", stimulus="test")

        assert asyncio.run(run()).status == 200
        assert wire.heads[0].startswith(b"GET http://target.invalid/v1/x HTTP/1.1\r\n")

    def test_are_left_out_for_hosts_in_no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "unusable://proxy")
        monkeypatch.setenv("NO_PROXY", "target.invalid")
        Recorder("http://target.invalid/v1")


OURS = {  # exceptions for our own mistakes, and exceptions of the client API, which is not used
    httpx2.LocalProtocolError,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
    httpx2.CookieConflict,
    httpx2.HTTPStatusError,
    httpx2.TooManyRedirects,
    httpx2.SSEError,
    httpx2.StreamError,
    httpx2.StreamConsumed,
    httpx2.StreamClosed,
    httpx2.ResponseNotRead,
    httpx2.RequestNotRead,
}


def exceptions_of_httpx2() -> list[type[Exception]]:
    public = [getattr(httpx2, name) for name in httpx2.__all__]
    errors = [thing for thing in public if inspect.isclass(thing) and issubclass(thing, Exception)]
    return [error for error in errors if not error.__subclasses__() or error in OURS]


@pytest.mark.parametrize("error", exceptions_of_httpx2(), ids=lambda error: error.__name__)
def test_every_exception_of_the_transport_is_a_failure_or_known_as_ours(error: type[Exception]) -> None:
    instance = error.__new__(error)
    assert (failure_kind(instance) is None) is (error in OURS)
