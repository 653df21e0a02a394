"""Answers of HTTP/1.1 as the gateway reads them: what h11 takes is taken, and what it refuses is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import h11
import httpcore2
import pytest
from gonogo_server.providers.upstream.parsing import LARGEST_HEAD, Parser

if TYPE_CHECKING:
    from collections.abc import Sequence

OK: Final = b"HTTP/1.1 200 OK\r\n"
COUNTED: Final = OK + b"Content-Length: 5\r\n\r\n"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK: Final = b"5\r\nhello\r\n"
END: Final = b"0\r\n\r\n"

WHOLE: Final = {
    "counted": COUNTED + b"hello",
    "chunks": CHUNKED + CHUNK + b"3\r\n yo\r\n" + END,
    "a chunk with an extension": CHUNKED + b"5;a=b\r\nhello\r\n" + END,
    "a padded size": CHUNKED + b"5  \r\nhello\r\n" + END,
    "a trailer": CHUNKED + CHUNK + b"0\r\nX: y\r\n\r\n",
    "a length beside the chunks": OK
    + b"Content-Length: 3\r\nTransfer-Encoding: Chunked\r\n\r\n"
    + CHUNK
    + END,
    "spaces around values": OK + b"X:  a \r\nTransfer-Encoding:  chunked \r\n\r\n" + CHUNK + END,
    "ended by the connection": OK + b"\r\nhello",
    "of HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "without a body": b"HTTP/1.1 204 No Content\r\n\r\n",
    "after informations": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
    + COUNTED
    + b"hello",
    "without a reason": b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
    "a head with bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "an offer to upgrade": OK + b"Upgrade: h2c\r\nContent-Length: 5\r\n\r\nhello",
    "closing": OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello",
}
BROKEN: Final = {
    "nothing": b"",
    "words": b"hello\r\n\r\n",
    "a cut head": OK + b"X: a",
    "only an information": b"HTTP/1.1 100 Continue\r\n\r\n",
    "an upgrade that nobody asked for": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc",
    "less than counted": COUNTED + b"hell",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "no length": OK + b"Content-Length: x\r\n\r\nhello",
    "a length below zero": OK + b"Content-Length: -5\r\n\r\nhello",
    "a length with a plus": OK + b"Content-Length: +5\r\n\r\nhello",
    "a cut chunk": CHUNKED + b"5\r\nhel",
    "no last chunk": CHUNKED + CHUNK,
    "a cut last chunk": CHUNKED + CHUNK + b"0\r\n",
    "no size": CHUNKED + CHUNK + b"zz\r\nhello\r\n" + END,
    "an empty size": CHUNKED + CHUNK + b"\r\nhello\r\n" + END,
    "a size below zero": CHUNKED + CHUNK + b"-5\r\nhello\r\n" + END,
    "a size with 0x": CHUNKED + CHUNK + b"0x5\r\nhello\r\n" + END,
    "a size behind a space": CHUNKED + CHUNK + b" 5\r\nhello\r\n" + END,
    "a size beyond 64 bits": CHUNKED + CHUNK + b"f" * 21 + b"\r\nhello\r\n" + END,
    "a chunk longer than its size": CHUNKED + b"3\r\nhello\r\n" + END,
    "a chunk without its line end": CHUNKED + b"5\r\nhelloXX" + END,
    "a chunk with a bare line feed": CHUNKED + b"5\r\nhello\n" + END,
    "a size with a bare line feed": CHUNKED + b"5\nhello\r\n" + END,
    "a bad trailer": CHUNKED + CHUNK + b"0\r\nX y\r\n\r\n",
    "another coding": OK + b"Transfer-Encoding: gzip\r\n\r\nhello",
    "two codings": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNK + END,
    "a header without a colon": OK + b"Xa\r\nContent-Length: 5\r\n\r\nhello",
    "a space before the colon": OK + b"X : a\r\nContent-Length: 5\r\n\r\nhello",
    "a header without a name": OK + b": a\r\nContent-Length: 5\r\n\r\nhello",
    "a NUL": OK + b"X: a\0b\r\nContent-Length: 5\r\n\r\nhello",
    "a status of two digits": b"HTTP/1.1 99 X\r\n\r\n",
    "a status of letters": b"HTTP/1.1 2x0 X\r\n\r\n",
}


def by_h11(data: Sequence[bytes]) -> tuple[int, list[tuple[bytes, bytes]], bytes] | bytes:
    """What h11 reads: status, headers and body, or the body before what it refuses."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    http.send(h11.EndOfMessage())
    head, body = None, b""
    try:
        for some in (*data, b""):
            http.receive_data(some)
            while (event := http.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Response):
                    head = event
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    assert head is not None
                    return (
                        head.status_code,
                        [(bytes(name), bytes(value)) for name, value in head.headers],
                        body,
                    )
    except h11.RemoteProtocolError:
        pass
    return body


def by_parser(data: Sequence[bytes]) -> tuple[int, list[tuple[bytes, bytes]], bytes] | bytes:
    """What the parser reads, in the same form."""
    parser, body = Parser(), b""
    try:
        for some in data:
            if not parser.done:
                body += parser.feed(some)
        while not parser.done:
            body += parser.feed(b"")
            parser.end()
    except httpcore2.RemoteProtocolError:
        return body
    headers = [(name.lower(), value) for name, value in parser.headers]
    return parser.status, headers, body


def _lower(read: tuple[int, list[tuple[bytes, bytes]], bytes] | bytes) -> object:
    """h11 writes the one transfer coding in small letters."""
    if isinstance(read, bytes):
        return read
    status, headers, body = read
    return status, [(name, value.lower()) for name, value in headers], body


def split(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize("said", WHOLE.values(), ids=WHOLE.keys())
def test_a_whole_answer_is_read_as_h11_reads_it(said: bytes) -> None:
    for pieces in ([said], split(said)):
        read = by_parser(pieces)
        assert isinstance(read, tuple)
        assert _lower(read) == _lower(by_h11(pieces))


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN.keys())
def test_an_answer_that_h11_refuses_is_refused_and_loses_no_good_body(said: bytes) -> None:
    expected = by_h11(split(said))
    assert isinstance(expected, bytes)
    for pieces in ([said], split(said)):
        assert by_parser(pieces) == expected


@pytest.mark.parametrize(
    "after", [b"junk", COUNTED + b"hello", b"HTTP/1.1 20"], ids=["junk", "an answer", "a part"]
)
@pytest.mark.parametrize("said", [COUNTED + b"hello", CHUNKED + CHUNK + END], ids=["counted", "chunks"])
def test_bytes_after_a_response_are_ignored_and_the_connection_is_not_reused(
    said: bytes, after: bytes
) -> None:
    parser = Parser()
    assert parser.feed(said + after) == b"hello"
    assert (parser.done, parser.status, parser.reason, parser.reusable) == (True, 200, b"OK", False)


@pytest.mark.parametrize(
    ("said", "reusable"),
    [
        (COUNTED + b"hello", True),
        (CHUNKED + CHUNK + END, True),
        (WHOLE["closing"], False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", False),
        (WHOLE["ended by the connection"], False),
    ],
    ids=["counted", "chunks", "closing", "HTTP/1.0", "without a length"],
)
def test_a_connection_serves_another_request_where_its_answer_lets_it(said: bytes, *, reusable: bool) -> None:
    parser = Parser()
    assert parser.feed(said) == b"hello"
    if not parser.done:
        parser.end()
    assert parser.reusable is reusable


def test_a_head_that_is_too_large_is_refused_before_it_ends() -> None:
    parser = Parser()
    parser.feed(OK)
    with pytest.raises(httpcore2.RemoteProtocolError, match="head"):
        parser.feed(b"X: " + b"a" * LARGEST_HEAD)
