"""The recorder: sends one request and records all received bytes with their times.

It uses httpx2's transport, not its client: the client would keep cookies, parse the target of a redirect that is never
followed, and add its own headers. Each request is sent once, on a new connection: a server may close an idle one at any
moment (RFC 9112, section 9.3.1), which could be mistaken for its answer. A new connection costs 0.6 ms on loopback, and
a TLS handshake elsewhere.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from time import perf_counter, time
from typing import TYPE_CHECKING, Self
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from gonogo import __version__
from gonogo.addresses import parted, secrets_of, with_query
from gonogo.collect.trust import told_of_tls
from gonogo.errors import UsageError
from gonogo.exchange import Chunk, Exchange, Failure, FailureKind, Headers, Request, header
from gonogo.redaction import looks_secret, redact

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from types import TracebackType

    from gonogo.redaction import OwnHeader

MAX_BODY = 16 * 2**20
"""The default limit of a body in bytes: a thousand times an ordinary answer."""

MAX_STREAM = 2 * 2**20
"""The most bytes of an event stream that are kept: about 8,000 tokens, while a few are requested. Judging takes about a
second per MiB."""

SEEN_ENDLESS = 3
"""After this number of endless answers larger than `LATER_BODY`, that is the limit of each later one."""
LATER_BODY = 2**17
"""Bytes: ten times an ordinary answer of a few tokens. The limit of an answer in one JSON text is eight times as high,
because vectors are long."""

LINGER = 0.1
"""Seconds for which a connection is observed after an answer: enough for a server that closes it with the answer."""

_MOST_CHUNKS = 10_000  # from here on chunks are joined: storing single bytes would take 100 times their size
_JOINED = 4096  # bytes

_LONGEST_MESSAGE = 200


class TooLargeError(Exception):
    """The body exceeded the limit of the recorder."""


# The first class that matches decides; an exception that matches none is a bug of ours and is not recorded.
_KINDS: tuple[tuple[type[Exception], FailureKind], ...] = (
    (TooLargeError, FailureKind.TOO_LARGE),
    (httpx2.TimeoutException, FailureKind.TIMEOUT),
    (httpx2.ConnectError, FailureKind.CONNECT),
    (httpx2.ProxyError, FailureKind.CONNECT),
    (httpx2.NetworkError, FailureKind.RESET),
    (httpx2.RemoteProtocolError, FailureKind.PROTOCOL),
    (httpx2.DecodingError, FailureKind.PROTOCOL),
    (TimeoutError, FailureKind.TIMEOUT),
    (OSError, FailureKind.RESET),  # errors of TLS within a connection reach us unwrapped
)

_FAILURES = tuple(known for known, _ in _KINDS)

# How httpcore2 and h11 begin the message of a protocol error that is an early end of the connection.
_CLOSED = ("Server disconnected", "peer closed connection")


class Recorder:
    """Records exchanges with one target; an asynchronous context manager.

    Paths are appended to `base_url` ("http://127.0.0.1:8000/v1"). Raises UsageError if it is not a valid URL. Its
    query, if it has one, is appended to every request and is not recorded in exchanges. `api_key` is sent as a bearer
    token with each request that has no Authorization header, or in the header that the request names, unless it is
    anonymous. `timeout` is the limit in seconds of one whole exchange: connecting, sending, and the complete answer.
    `max_body` is the limit in bytes of one decoded body. `headers` are added to each request that has none of that
    name; those that look like a credential are omitted if a request is anonymous or has an Authorization header, so
    that a wrong key is its only credential. `trust` is the TLS context; None trusts the authorities of certifi, as
    Python's HTTP clients do.

    A proxy in the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY) is used, because some targets cannot be
    reached without one, but never for a loopback address. No other environment variable changes the requests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        max_body: int = MAX_BODY,
        headers: tuple[OwnHeader, ...] = (),
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._url = _base(base_url)
        self._api_key = api_key
        self._timeout = timeout
        self._max_body = max_body
        self._endless = 0
        self._headers = headers
        in_headers = (secret for own in headers for secret in own.secrets)
        self._secrets = (api_key, *in_headers, *secrets_of(base_url))
        proxy = _proxy(self._url)
        self._is_direct = proxy is None
        self._transport = httpx2.AsyncHTTPTransport(
            verify=True if trust is None else trust,
            proxy=proxy,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
        """Send the request and record the answer or the failure; times run from the call.

        For a request that lingers, the exchange records whether the connection was closed after the answer without
        notice, unless a proxy is in between.

        Method, path, headers and body are sent unchanged. Accept, Accept-Encoding, User-Agent and Authorization are
        added if the request has none of that name, and are in the request of the exchange, secrets redacted; Host and
        Content-Length are added too. Informational responses are skipped, redirects not followed. The first 10,000
        pieces of a body are chunks of their own; pieces beyond are joined to chunks of 4 KiB, each with the time of its
        last byte. An answer is complete once enough of it was read. If several answers did not end, less is read of
        later ones.

        Never raises because of the target's behaviour. Raises ValueError if the request cannot be sent as HTTP/1.1.
        """
        asked = replace(request, headers=request.headers + self._missing_headers(request))
        outgoing = self._outgoing(asked)
        answer = _Answer(self._max_body, perf_counter(), self._endless >= SEEN_ENDLESS)
        failure = None
        try:
            async with asyncio.timeout(self._timeout):
                await self._receive(outgoing, answer, request)
        except httpx2.LocalProtocolError as error:
            raise ValueError(f"cannot send {request.method} {request.path}: {error}") from error
        except _FAILURES as error:
            failure = self._failure(error, answer)
            self._endless += answer.size >= min(LATER_BODY, self._max_body)
        return redact(answer.exchange(id, stimulus, asked, failure), *self._secrets, own=self._headers)

    def _missing_headers(self, request: Request) -> Headers:
        own = {
            header.name.lower(): header.value for header in self._headers if self._may_send(header, request)
        }
        added = own | {name: value for name, value in self._usual_headers(request).items() if name not in own}
        return tuple((name, value) for name, value in added.items() if header(request.headers, name) is None)

    def _may_send(self, own: OwnHeader, request: Request) -> bool:
        is_without_key = request.anonymous or header(request.headers, "authorization") is not None
        return not (is_without_key and looks_secret(own.name))

    def _usual_headers(self, request: Request) -> dict[str, str]:
        usual = {
            "accept": "*/*",
            "accept-encoding": "identity",  # so that chunks arrive as they were sent
            "user-agent": f"gonogo/{__version__}",
        }
        if self._api_key is not None and not request.anonymous:
            bearer = "Bearer " if request.key_in == "authorization" else ""
            usual[request.key_in] = f"{bearer}{self._api_key}"
        return usual

    def _outgoing(self, request: Request) -> httpx2.Request:
        path, _, query = self._url.raw_path.partition(b"?")
        target = path.rstrip(b"/") + with_query(request.path, query.decode()).encode()
        outgoing = httpx2.Request(
            request.method,
            self._url,
            headers=[(name.encode(), value.encode("latin-1")) for name, value in request.headers],
            content=_content(request),
            extensions={"target": target},  # the path unchanged, including dots and escapes
        )
        outgoing.method = request.method  # the method unchanged, including lower case
        return outgoing

    async def _receive(self, outgoing: httpx2.Request, answer: _Answer, request: Request) -> None:
        response = await self._transport.handle_async_request(outgoing)
        try:
            answer.begin(response)
            if request.lingers and self._is_direct and "content-encoding" not in response.headers:
                assert isinstance(response.stream, httpx2.AsyncByteStream)
                async for piece in response.stream:  # which leaves the connection unchanged
                    answer.add(piece)
                answer.ended = answer.elapsed()
                answer.hung_up = await _hung_up(response)
                return
            async for piece in response.aiter_bytes():
                answer.add(piece)
                if request.enough is not None and answer.size >= request.enough:
                    break
        finally:
            await response.aclose()

    def _failure(self, error: Exception, answer: _Answer) -> Failure:
        kind = failure_kind(error)
        assert kind is not None
        message = {
            FailureKind.TIMEOUT: f"no complete answer within {self._timeout:g} s",
            FailureKind.TOO_LARGE: f"the body is larger than {answer.limit} bytes",
            FailureKind.RESET: "the connection closed before the answer was complete",
            FailureKind.CONNECT: _reason(error),
            FailureKind.PROTOCOL: _reason(error),
        }[kind]
        return Failure(kind, answer.elapsed(), message)


async def _hung_up(response: httpx2.Response) -> bool:
    """Whether the target closes the connection after the complete answer without having announced it.

    HTTP/1.0 closes it by default (RFC 9112, section 9.3).
    """
    said = {token.strip().lower() for token in response.headers.get("connection", "").split(",")}
    if response.extensions["http_version"] != b"HTTP/1.1" or "close" in said:
        return False
    try:
        return not await response.extensions["network_stream"].read(1, timeout=LINGER)
    except httpcore2.ReadTimeout:
        return False
    except httpcore2.NetworkError:  # it was reset
        return True


def _content(request: Request) -> bytes | AsyncIterator[bytes] | None:
    """The body; in two chunks if the headers declare chunked coding."""
    if header(request.headers, "transfer-encoding") == "chunked":
        return _pieces(request.body)
    return request.body or None


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    half = len(body) // 2
    for piece in (body[:half], body[half:]):
        if piece:
            yield piece


def failure_kind(error: Exception) -> FailureKind | None:
    """The kind of failure of a transport exception; None if it is a bug of ours."""
    if isinstance(error, httpx2.RemoteProtocolError) and str(error).startswith(_CLOSED):
        return FailureKind.RESET
    return next((kind for known, kind in _KINDS if isinstance(error, known)), None)


@dataclass(slots=True)
class _Answer:
    """The received part of one answer, in bounded memory."""

    limit: int
    began: float
    wary: bool = False
    status: int | None = None
    headers: Headers = ()
    size: int = 0
    chunks: list[Chunk] = field(default_factory=list)
    joined: bytearray = field(default_factory=bytearray)
    joined_at: float = 0.0
    sent: float = field(default_factory=time)
    ended: float | None = None
    hung_up: bool | None = None

    def elapsed(self) -> float:
        return perf_counter() - self.began

    def begin(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        # Latin-1 maps every byte to one character and back (RFC 9110, section 5.5: obs-text is opaque).
        self.headers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in response.headers.raw)
        streams = (header(self.headers, "content-type") or "").lower().startswith("text/event-stream")
        if streams:
            self.limit = min(self.limit, MAX_STREAM)
        if self.wary:
            self.limit = min(self.limit, LATER_BODY if streams else 8 * LATER_BODY)

    def add(self, piece: bytes) -> None:
        kept = piece[: self.limit - self.size]
        self.size += len(kept)
        if len(self.chunks) < _MOST_CHUNKS:
            if kept:
                self.chunks.append(Chunk(self.elapsed(), kept))
        else:
            self._join(kept)
        if len(kept) < len(piece):
            raise TooLargeError

    def _join(self, piece: bytes) -> None:
        self.joined += piece
        self.joined_at = self.elapsed()
        if len(self.joined) >= _JOINED:
            self._flush()

    def _flush(self) -> None:
        if self.joined:
            self.chunks.append(Chunk(self.joined_at, bytes(self.joined)))
            self.joined.clear()

    def exchange(self, key: str, stimulus: str, request: Request, failure: Failure | None) -> Exchange:
        self._flush()
        return Exchange(
            id=key,
            stimulus=stimulus,
            request=request,
            status=self.status,
            headers=self.headers,
            chunks=tuple(self.chunks),
            failure=failure,
            seconds=failure.at if failure else self.ended or self.elapsed(),
            sent=round(self.sent, 3),
            hung_up=self.hung_up,
        )


def _base(base_url: str) -> httpx2.URL:
    root, _ = parted(base_url)  # shown without the query, which may contain a key
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise UsageError(f'"{root}" is not a URL: {error}.') from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise UsageError(f'"{root}" is not a base URL; give one like http://127.0.0.1:8000/v1.')
    if url.port is not None and not 0 < url.port < 2**16:
        raise UsageError(f'"{root}" has port {url.port}; a port must be between 1 and 65535.')
    if url.userinfo:
        raise UsageError("The base URL contains a user name or password; set GONOGO_API_KEY instead.")
    if url.fragment:
        raise UsageError(f'"{root}" has a fragment; a base URL must end with its path or its query.')
    return url


def _proxy(url: httpx2.URL) -> str | None:
    if _is_loopback(url.host) or proxy_bypass(url.host):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _reason(error: BaseException) -> str:
    """The message of the deepest cause: "Connection refused", not "All connection attempts failed"."""
    while cause := _cause(error):
        error = cause
    if told := told_of_tls(error):
        return told[:_LONGEST_MESSAGE].rstrip(".")
    system = os.strerror(error.errno) if isinstance(error, ConnectionError) and error.errno else None
    message = system or getattr(error, "strerror", None) or str(error) or type(error).__name__
    return message[:_LONGEST_MESSAGE].rstrip(".")


def _cause(error: BaseException) -> BaseException | None:
    if isinstance(error, BaseExceptionGroup):
        return error.exceptions[0]  # one exception for each address of the host
    wrapped = error.args[0] if error.args else None  # httpcore2 clears __cause__ and keeps the cause here
    return error.__cause__ or (wrapped if isinstance(wrapped, BaseException) else None)
