"""TLS with certificates of a CA that only the test knows."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trustme
from gonogo.collect.greeting import _refuse_silence
from gonogo.collect.recorder import Recorder
from gonogo.collect.trust import told_of_tls, trust
from gonogo.errors import TargetError, UsageError
from gonogo.exchange import Exchange, Failure, FailureKind, Request
from suite.collect.raw_answers import OK

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def record(
    authority: trustme.CA,
    context: ssl.SSLContext | None,
    name: str = "127.0.0.1",
    until: datetime | None = None,
) -> Exchange:
    """One exchange with a server on loopback, with a certificate of this authority for this name."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        writer.close()

    async def run() -> Exchange:
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name, not_after=until).configure_cert(served)
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=served)
        async with server:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with Recorder(url, timeout=15, trust=context) as recorder:
                return await recorder.record(Request("GET", "/x"), id="x1", stimulus="test")

    return asyncio.run(asyncio.wait_for(run(), 30))


def test_a_certificate_of_an_unknown_authority_is_a_connection_failure(authority: trustme.CA) -> None:
    exchange = record(authority, trust())
    assert exchange.failure.kind is FailureKind.CONNECT
    assert exchange.failure.message == (
        "its certificate is not trusted: unable to get local issuer certificate"
    )


def test_the_file_of_its_authority_makes_it_one(authority: trustme.CA, ca_file: Path) -> None:
    assert record(authority, trust(ca_file)).body == b"ok"


def test_a_known_authority_does_not_vouch_for_another_host(authority: trustme.CA, ca_file: Path) -> None:
    assert record(authority, trust(ca_file), "elsewhere.example").failure.kind is FailureKind.CONNECT


def test_insecure_takes_any_certificate_for_any_host(authority: trustme.CA) -> None:
    assert record(authority, trust(insecure=True), "elsewhere.example").body == b"ok"


def test_tls_problems_are_reported_with_advice(authority: trustme.CA, ca_file: Path) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    none = "or skip verification with --insecure."
    unknown, expired, other = (
        record(authority, trust(), "127.0.0.1"),
        record(authority, trust(ca_file), "127.0.0.1", past),
        record(authority, trust(ca_file), "elsewhere.example"),
    )
    assert told(unknown).endswith(f"; give the certificates to trust with --ca-file, {none}")
    assert told(expired).endswith(f": certificate has expired; renew it, {none}")
    assert told(other).endswith(
        f"is not valid for '127.0.0.1'; use a name that the certificate covers, {none}"
    )


def test_a_tls_error_of_an_http_address_suggests_http() -> None:
    error = ssl.SSLError(1, "as OpenSSL says it")
    error.reason = "WRONG_VERSION_NUMBER"
    failure = Failure(FailureKind.CONNECT, 0.1, str(told_of_tls(error)))
    silent = Exchange("x1", "test", Request("GET", "/models"), None, (), (), failure, 0.1)
    assert told(silent).endswith(
        "does not speak a supported TLS version (wrong version number); does it expect http:// instead?"
    )


def told(exchange: Exchange) -> str:
    """The message with which a run ends if this is its first exchange."""
    with pytest.raises(TargetError) as ended:
        _refuse_silence(exchange, "https://h/v1")
    assert str(ended.value).startswith("Could not connect to https://h/v1: it")
    return str(ended.value)


def test_a_file_that_cannot_be_obeyed_is_one_sentence(tmp_path: Path) -> None:
    none, empty = tmp_path / "none.pem", tmp_path / "empty.pem"
    empty.write_text("no certificate\n")
    with pytest.raises(UsageError, match=r"^Cannot read --ca-file .*none\.pem: No such file or directory\.$"):
        trust(none)
    with pytest.raises(UsageError, match=r"empty\.pem contains no PEM certificates\.$"):
        trust(empty)
    with pytest.raises(UsageError, match="remove one of them"):
        trust(empty, insecure=True)
