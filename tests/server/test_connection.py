"""Connections: events are sent as they come, and the parser checks every request."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

import h11
import pytest
from gonogo_server import serve
from gonogo_server.connection.parser import Parser
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

pytestmark = pytest.mark.anyio

CLOSE = "connection: close"
STREAM = (
    b'{"model": "scripted", "stream": true, "max_tokens": 2, "messages": [{"role": "user", "content": "Hi"}]}'
)


def request(path: str, version: str = "1.1", *headers: str, body: bytes = b"") -> bytes:
    lines = [f"POST {path} HTTP/{version}", "host: x", "content-type: application/json", *headers]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


async def exchange(host: str, port: int, *requests: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"".join(requests))
    received = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


async def received(live: httpx2.AsyncClient, *requests: bytes) -> bytes:
    """All bytes that the server sends in answer to raw bytes until it closes the connection."""
    return await exchange(live.base_url.host, live.base_url.port or 0, *requests)


async def asked(live: httpx2.AsyncClient, *requests: bytes) -> tuple[bytes, bytes]:
    """The head and body of the server's answer to raw bytes."""
    head, _, body = (await received(live, *requests)).partition(b"\r\n\r\n")
    return head.lower(), body


async def test_a_client_of_an_older_version_gets_the_events_and_then_the_end_of_the_connection(
    live: httpx2.AsyncClient,
) -> None:
    head, body = await asked(live, request("/v1/chat/completions", "1.0", body=STREAM))
    assert b"transfer-encoding" not in head
    assert body.startswith(b"data: {")
    assert body.endswith(b"data: [DONE]\n\n")


async def test_no_event_waits_for_the_client_to_confirm_another() -> None:
    undelayed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        undelayed.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with serve._bind(Settings(port=0)) as listener:
        async with asyncio.timeout(30), await asyncio.start_server(accepted, sock=listener):
            await exchange(*listener.getsockname(), b"")
            assert await undelayed == 1


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
@pytest.mark.parametrize("length", [None, b"10"], ids=["without a length", "with its length"])
def test_a_response_is_written_as_h11_writes_it(version: bytes, length: bytes | None) -> None:
    headers = [] if length is None else [(b"content-length", length)]
    events = [
        h11.Response(status_code=200, headers=headers),
        *(h11.Data(data=data) for data in (b"hello", b"", b"world")),
        h11.EndOfMessage(),
    ]
    written = []
    for http in (Parser(h11.SERVER), h11.Connection(h11.SERVER)):
        http.receive_data(b"GET / HTTP/%b\r\nhost: x\r\n\r\n" % version)
        http.next_event()
        written.append([http.send(event) or b"" for event in events] + [str(http.our_state).encode()])
    assert written[0] == written[1]


def test_a_response_that_has_ended_takes_no_more() -> None:
    http = Parser(h11.SERVER)
    http.receive_data(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    http.next_event()
    for event in (h11.Response(status_code=200, headers=[]), h11.EndOfMessage()):
        http.send(event)
    with pytest.raises(h11.LocalProtocolError):
        http.send(h11.Data(data=b"hello"))


POST = b"POST /v1/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
NO_REQUESTS: dict[str, tuple[bytes, int]] = {
    "without a host": (b"GET /v1/models HTTP/1.1\r\n\r\n", 400),
    "with two hosts": (b"GET /v1/models HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400),
    "with a header that is too large": (b"GET /v1/models HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 70_000, 431),
    "that is none": (b"what is this\r\n\r\n", 400),
    "with a target that is no url": (b"GET http://[a/v1/models HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "with two lengths": (
        POST + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        400,
    ),
    "with two lengths that differ": (POST + b"content-length: 4\r\ncontent-length: 5\r\n\r\naaaa", 400),
    "with a transfer coding that is not read": (POST + b"transfer-encoding: gzip, chunked\r\n\r\n", 501),
    "with a chunk that is none": (POST + b"transfer-encoding: chunked\r\n\r\nx\r\n", 400),
    "to which no body belongs": (b"HEAD /v1/models HTTP/1.1\r\nx: y\r\n\r\n", 400),
}


@pytest.mark.parametrize(("raw", "status"), NO_REQUESTS.values(), ids=NO_REQUESTS)
async def test_a_request_that_cannot_be_read_is_refused_in_the_envelope(
    live: httpx2.AsyncClient, keeps_contract: Callable[[str, object], None], raw: bytes, status: int
) -> None:
    head, body = await asked(live, raw)
    assert head.startswith(f"http/1.1 {status} ".encode())
    assert b"content-type: application/json" in head
    assert b"connection: close" in head
    keeps_contract("ErrorEnvelope", json.loads(body))
    assert json.loads(body)["error"]["code"] == "invalid_http"
    assert (await live.get("/models")).status_code == 200


async def test_a_target_may_be_a_whole_url(live: httpx2.AsyncClient) -> None:
    target = b"GET HTTP://user@elsewhere:80/v1/models/scripted?a=b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    head, body = await asked(live, target)
    assert head.startswith(b"http/1.1 200 ")
    assert json.loads(body)["id"] == "scripted"


def test_the_host_of_such_a_target_is_what_counts() -> None:
    parser = Parser(h11.SERVER)
    parser.receive_data(b"GET http://user@elsewhere:80?a=b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n")
    read = parser.next_event()
    assert isinstance(read, h11.Request)
    assert read.target == b"/?a=b"
    assert list(read.headers) == [(b"host", b"elsewhere:80"), (b"accept", b"*/*")]


@pytest.mark.parametrize("settings", [Settings(head_timeout=0.05)])
@pytest.mark.parametrize("before", [b"", b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n"])
async def test_a_head_that_does_not_come_to_its_end_is_a_408(live: httpx2.AsyncClient, before: bytes) -> None:
    head, _, rest = (await received(live, before + b"GET /v1/models HTTP/1.1\r\nhost:")).rpartition(
        b"HTTP/1.1 "
    )
    assert rest.startswith(b"408 ")
    assert json.loads(rest.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_too_slow"
    assert head.startswith(b"HTTP/1.1 200 ") is bool(before)


@pytest.mark.parametrize("settings", [Settings(head_timeout=0.05)])
async def test_a_connection_that_asks_nothing_is_closed_without_a_word(live: httpx2.AsyncClient) -> None:
    assert await received(live, b"") == b""


BODY = POST + b"content-length: 100\r\n\r\n"


@pytest.mark.parametrize("settings", [Settings(body_idle_timeout=0.05), Settings(body_timeout=0.05)])
async def test_a_body_that_does_not_come_to_its_end_is_a_408_and_the_end(live: httpx2.AsyncClient) -> None:
    head, body = await asked(live, BODY + b"{")
    assert head.startswith(b"http/1.1 408 ")
    assert b"connection: close" in head
    assert json.loads(body)["error"]["code"] == "request_too_slow"


@pytest.mark.parametrize("settings", [Settings(body_timeout=0.05, body_idle_timeout=60)])
async def test_a_body_that_trickles_is_stopped_too(live: httpx2.AsyncClient) -> None:
    reader, writer = await asyncio.open_connection(live.base_url.host, live.base_url.port or 0)
    writer.write(POST + b"transfer-encoding: chunked\r\n\r\n")
    answered = asyncio.create_task(reader.readline())
    while not answered.done():
        writer.write(b"1\r\n \r\n")
        await asyncio.wait((answered,), timeout=0.001)
    assert (await answered).startswith(b"HTTP/1.1 408 ")
    writer.close()


@pytest.mark.parametrize("settings", [Settings(head_timeout=0.05)])
async def test_a_client_that_keeps_sending_a_refused_body_is_disconnected(live: httpx2.AsyncClient) -> None:
    said = await received(live, b"POST /v1/nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("settings", [Settings(max_connections=2)])
async def test_past_the_limit_a_connection_is_a_503(live: httpx2.AsyncClient) -> None:
    address = live.base_url.host, live.base_url.port or 0
    held = [await asyncio.open_connection(*address) for _ in range(2)]
    for _, writer in held:
        writer.write(b"GET /v1/models HTTP/1.1\r\n")
    said = await received(live, b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1\r\n" in said
    assert json.loads(said.partition(b"\r\n\r\n")[2])["error"]["code"] == "too_many_connections"
    for reader, writer in held:
        writer.write(b"host: x\r\nconnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()


@pytest.mark.parametrize("settings", [Settings(max_running=1, max_queue=0)])
async def test_bodies_that_do_not_come_take_no_place_from_those_that_do(live: httpx2.AsyncClient) -> None:
    address = live.base_url.host, live.base_url.port or 0
    unfinished = [await asyncio.open_connection(*address) for _ in range(20)]
    for reader, writer in unfinished:
        writer.write(POST + b"content-length: 100\r\nexpect: 100-continue\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 100 ")  # the server waits for the body
    answer = await live.post("/completions", json={"model": "scripted", "prompt": "Hi"})
    assert answer.status_code == 200
    for _, writer in unfinished:
        writer.close()


@pytest.mark.parametrize(("encoding", "status"), [("gzip", 415), ("identity", 200), ("", 200)])
async def test_a_compressed_body_is_a_415(live: httpx2.AsyncClient, encoding: str, status: int) -> None:
    body = {"model": "scripted", "prompt": "Hi"}
    response = await live.post("/completions", json=body, headers={"content-encoding": encoding})
    assert response.status_code == status
    assert status == 200 or response.json()["error"]["code"] == "unsupported_content_encoding"


def chunks(body: bytes) -> list[bytes]:
    """The chunks of a body, one for each write."""
    size, _, rest = body.partition(b"\r\n")
    length = int(size, 16)
    return [rest[:length], *chunks(rest[length + 2 :])] if length else []


async def test_events_that_are_there_together_are_written_at_once(live: httpx2.AsyncClient) -> None:
    body = b'{"model": "scripted", "prompt": "Hi", "n": 8, "max_tokens": 3, "stream": true}'
    _, stream = await asked(live, request("/v1/completions", "1.1", CLOSE, body=body))
    *tokens, done = chunks(stream)
    counts = [chunk.count(b"data: ") for chunk in tokens]
    assert min(counts) >= 8
    assert sum(counts) == 8 * 4
    assert done == b"data: [DONE]\n\n"


async def test_an_event_that_is_there_alone_is_written_alone(live: httpx2.AsyncClient) -> None:
    body = b'{"model": "scripted", "prompt": "Hi", "max_tokens": 3, "stream": true}'
    _, stream = await asked(live, request("/v1/completions", "1.1", CLOSE, body=body))
    assert [chunk.count(b"data: ") for chunk in chunks(stream)] == [1, 1, 2, 1]


WHOLE = b'{"model": "scripted", "max_tokens": 4, "messages": [{"role": "user", "content": "Say hello."}]}'
H2C = ("upgrade: h2c", "http2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA")


def in_chunks(*headers: str) -> bytes:
    head = request("/v1/chat/completions", "1.1", *headers, "transfer-encoding: chunked")
    head = head.replace(b"content-length: 0\r\n", b"")
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(WHOLE), WHOLE)


@pytest.mark.parametrize(
    "sent",
    [
        in_chunks(CLOSE),
        in_chunks("connection: Upgrade, HTTP2-Settings, close", *H2C),
        request(
            "/v1/chat/completions", "1.1", "connection: Upgrade, HTTP2-Settings, close", *H2C, body=WHOLE
        ),
    ],
    ids=["in chunks", "in chunks, with an offer to upgrade", "with an offer to upgrade"],
)
async def test_a_body_is_read_in_every_framing_of_clients(live: httpx2.AsyncClient, sent: bytes) -> None:
    head, body = await asked(live, sent)
    assert head.startswith(b"http/1.1 200 ")
    assert json.loads(body)["choices"][0]["finish_reason"] == "length"


async def test_two_requests_at_once_may_have_one_id(live: httpx2.AsyncClient) -> None:
    sent = request("/v1/chat/completions", "1.1", CLOSE, "x-request-id: one-for-two", body=WHOLE)
    answers = await asyncio.gather(*(asked(live, sent) for _ in range(2)))
    assert [head.partition(b"\r\n")[0] for head, _ in answers] == [b"http/1.1 200 ok"] * 2
