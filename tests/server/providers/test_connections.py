"""Connections of a gateway to its upstreams: kept, ended, through a proxy, and by HTTP/2."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import trustme
from server.conftest import PATIENCE, listen
from server.providers.http2 import speaking_http2
from server.providers.upstreams import STREAM, STREAMED, for_ever, gateway, http, replying

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

pytestmark = pytest.mark.anyio

CHAT = "/chat/completions"


async def test_a_connection_serves_the_next_stream_too() -> None:
    connections: set[object] = set()

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        connections.add(scope["client"])
        await replying(*STREAM)(scope, receive, send)

    async with listen(http(noting)) as upstream, gateway(upstream.base_url) as client:
        for _ in range(3):
            assert (await client.post(CHAT, json=STREAMED)).content == b"".join(STREAM)
    assert len(connections) == 1


async def test_an_upstream_that_does_not_end_after_done_blocks_no_client() -> None:
    async with (
        listen(replying(*STREAM, after=for_ever)) as upstream,
        gateway(upstream.base_url) as client,
        asyncio.timeout(PATIENCE),
    ):
        assert (await client.post(CHAT, json=STREAMED)).content == b"".join(STREAM)


async def test_an_upstream_elsewhere_is_asked_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(dict(scope["headers"])[b"host"].decode())
        await replying(*STREAM)(scope, receive, send)

    async with listen(http(proxy)) as standing_between:
        monkeypatch.setenv("HTTP_PROXY", str(standing_between.base_url).removesuffix("/v1/"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with gateway("http://upstream.invalid/v1") as client:
            assert (await client.post(CHAT, json=STREAMED)).content == b"".join(STREAM)
    assert seen == ["upstream.invalid"]


async def test_http2_is_spoken_where_the_settings_say_so_and_the_upstream_offers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with (
        speaking_http2(authority, STREAM) as upstream,
        gateway(upstream.url, lab={"http2": True}) as client,
    ):
        answers = await asyncio.gather(*(client.post(CHAT, json=STREAMED) for _ in range(3)))
        answers.append(await client.post(CHAT, json=STREAMED))
    assert {answer.content for answer in answers} == {b"".join(STREAM)}
    assert [request[":path"] for request in upstream.requests] == ["/v1/chat/completions"] * 4
    assert upstream.connections == 1


async def test_without_the_setting_an_upstream_gets_http1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with speaking_http2(authority, STREAM) as upstream, gateway(upstream.url) as client:
        answer = await client.post(CHAT, json=STREAMED)
    assert answer.status_code == 502
    assert upstream.requests == []
