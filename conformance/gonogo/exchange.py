"""An exchange: a request and everything that was received, as timed raw bytes.

`gonogo.collect` records it, `gonogo.evidence` stores it, and all other modules only read it. No I/O; nothing here
interprets a body.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Headers = tuple[tuple[str, str], ...]


class FailureKind(StrEnum):
    """How an exchange ended without a complete response."""

    CONNECT = "connect"  # no connection: refused, unknown host, TLS
    TIMEOUT = "timeout"  # the time limit of one exchange ran out
    RESET = "reset"  # the connection broke, or closed before the response was complete
    PROTOCOL = "protocol"  # the received bytes are not HTTP
    TOO_LARGE = "too-large"  # the body exceeded the recorder's limit; the bytes before it are kept


@dataclass(frozen=True, slots=True)
class Failure:
    """The way the connection failed, `at` seconds after the request was sent; `message` is a clause for a sentence."""

    kind: FailureKind
    at: float
    message: str


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `path` begins with "/" and follows the base URL; `body` has the sent bytes.

    Instructions to the recorder, which are not stored: a request that is `anonymous` is sent without the key of the
    run, `key_in` is the header that carries it, `enough` is how many bytes of the answer's body are read before the
    connection is closed (None: all), and if it `lingers` the recorder watches the connection for a moment after the
    answer.
    """

    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""
    anonymous: bool = False
    enough: int | None = None
    lingers: bool = False
    key_in: str = "authorization"

    @property
    def operation(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    @property
    def json(self) -> object:
        """The body as JSON, or None if it is empty or not JSON (some requests are broken on purpose).

        JSON that is nested too deeply for Python's parser counts as not JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the body's JSON object; empty if the body is anything else."""
        value = self.json
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of the body as they arrived: `at` seconds after the request was sent."""

    at: float
    data: bytes


@dataclass(frozen=True, eq=False)
class Exchange:
    """A request and its answer; compared and cached by identity.

    `id` is unique in one evidence file ("x17"); `stimulus` is the key of the stimulus that caused it.
    `status` is None if no response began; `failure` is None if the response is complete.
    `headers` keep their order and repetitions. `seconds` runs from sending to the last byte (or failure).
    `model` is its model in a run with several models; None if it is about the endpoint and therefore all models.
    `sent` is when it was sent, a Unix time by the recorder's clock, and `hung_up` is whether the target closed the
    connection after the whole answer without notice: None if that was not observed.
    """

    id: str
    stimulus: str
    request: Request
    status: int | None
    headers: Headers
    chunks: tuple[Chunk, ...]
    failure: Failure | None
    seconds: float
    model: str | None = None
    sent: float | None = None
    hung_up: bool | None = None

    @property
    def body(self) -> bytes:
        """The whole body, with content codings decoded."""
        return b"".join(chunk.data for chunk in self.chunks)

    @property
    def json(self) -> object:
        """The body parsed by Python's JSON parser; None if it is not JSON, or is nested too deeply.

        Checks use `gonogo.judge.reading`, which is strict.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def header(self, name: str) -> str | None:
        """The field's value, repeated fields joined by ", " (RFC 9110 section 5.3), or None."""
        return header(self.headers, name)

    @cached_property
    def media_type(self) -> str | None:
        """The media type of the response in lower case, without parameters, or None."""
        value = self.header("content-type")
        return None if value is None else value.partition(";")[0].strip().lower()

    @property
    def is_stream(self) -> bool:
        """Whether the response declares an event stream, requested or not."""
        return self.media_type == "text/event-stream"

    def arrival(self, offset: int) -> float | None:
        """Seconds after which the byte at `offset` of the body had arrived; None past its end."""
        end = 0
        for chunk in self.chunks:
            end += len(chunk.data)
            if offset < end:
                return chunk.at
        return None


def header(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """Join all values of a field (names are case-insensitive), or return None if it is absent."""
    wanted = name.lower()
    values = [value for key, value in headers if key.lower() == wanted]
    return ", ".join(values) if values else None
