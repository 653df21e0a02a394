"""The gateway's repairs applied to exchanges, without a gateway."""

from __future__ import annotations

import json
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from gonogo.exchange import Chunk
from gonogo_server.envelope import envelope
from gonogo_server.errors import ServerError, UpstreamError
from gonogo_server.repair import body, documents, models
from gonogo_server.repair.base import Requested
from gonogo_server.repair.errors import upstream_error
from gonogo_server.repair.stream import StreamRepair

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonogo.exchange import Exchange
    from gonogo_server.repair.base import Document, Noted, Operation

DONE = b"data: [DONE]\n\n"
BROKEN = b'data: {"error":{"message":"It broke.","type":"server_error","param":null,"code":null}}\n\n'
NOW = 1_760_000_000
OPERATIONS: dict[str, Operation] = {
    "/chat/completions": "chat",
    "/completions": "completion",
    "/embeddings": "embedding",
}
PREFIXES = {"/chat/completions": "chatcmpl-", "/completions": "cmpl-", "/embeddings": ""}


def asked(exchange: Exchange) -> Requested:
    """The properties of a recorded request."""
    date = exchange.header("date")
    fields = exchange.request.fields
    options = fields.get("stream_options")
    prompt = fields.get("prompt")
    several = isinstance(prompt, list) and prompt and not isinstance(prompt[0], int)
    return Requested(
        operation=OPERATIONS[exchange.request.path],
        model=str(fields.get("model") or ""),
        stream=fields.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        choices=(len(prompt) if several else 1) * (fields.get("n") or 1),
        logprobs=bool(fields.get("logprobs")),
        tools=bool(fields.get("tools")),
        base64=fields.get("encoding_format") == "base64",
        fresh_id=f"{PREFIXES[exchange.request.path]}fresh-{exchange.id}",
        now=int(parsedate_to_datetime(date).timestamp()) if date else NOW,
    )


def streamed(
    pieces: Iterable[bytes], repair: StreamRepair, *, broken: bool = False
) -> tuple[bytes, ServerError | None]:
    """The bytes that a client gets, and the error that ends them."""
    out: list[bytes] = []
    try:
        for piece in pieces:
            out += map(documents.frame, repair.feed(piece))
            if repair.done:
                break
        if not broken or repair.done or repair.finished:
            out += map(documents.frame, repair.end())
        else:
            return b"".join([*out, BROKEN]), None
    except ServerError as error:
        last = b"data: " + envelope(error).model_dump_json(by_alias=True).encode() + b"\n\n"
        return b"".join([*out, last]), error
    return b"".join([*out, DONE]), None


def repaired(exchange: Exchange, noted: Noted) -> Exchange:
    """The exchange as a client of the gateway sees it."""
    if exchange.status is None or exchange.status == 401:
        return exchange  # no answer, or a wrong key, which a gateway reports itself
    if exchange.status >= 300:
        return _refusal(exchange)
    if exchange.request.method in ("GET", "POST"):
        exchange = replace(exchange, status=200)
    if exchange.request.path in OPERATIONS and exchange.request.fields.get("stream") is True:
        return _stream(exchange, noted)
    if exchange.request.method not in ("GET", "POST") or exchange.status != 200:
        return exchange
    return _whole(exchange, noted)


def _stream(exchange: Exchange, noted: Noted) -> Exchange:
    repair = StreamRepair(asked(exchange), noted, media_type=exchange.media_type)
    pieces = [chunk.data for chunk in exchange.chunks]
    data, error = streamed(pieces, repair, broken=exchange.failure is not None)
    if error is not None and data.startswith(b'data: {"error":'):
        return _failed(exchange, error)  # nothing was sent yet, so the error gets a status
    whole = replace(exchange, failure=None, headers=_with_type(exchange, "text/event-stream"))
    return replace(whole, chunks=_timed(exchange, data))


def _whole(exchange: Exchange, noted: Noted) -> Exchange:
    try:
        if exchange.failure is not None:
            raise UpstreamError("The connection to the upstream broke.")
        data = documents.body(_document(exchange, noted))
    except ServerError as error:
        return _failed(exchange, error)
    head = _with_type(exchange, "application/json")
    return replace(exchange, headers=head, chunks=_timed(exchange, data))


def _document(exchange: Exchange, noted: Noted) -> Document:
    if exchange.request.path in OPERATIONS:
        return body.repaired(asked(exchange), exchange.body, noted)
    found = body.read(exchange.body, noted)
    mend = models.model_list if exchange.request.path == "/models" else models.model
    return mend(found, noted, owner="upstream", since=NOW)


def _failed(exchange: Exchange, error: ServerError) -> Exchange:
    data = envelope(error).model_dump_json(by_alias=True).encode()
    head = _with_type(exchange, "application/json")
    return replace(exchange, status=error.status, failure=None, headers=head, chunks=_timed(exchange, data))


def _refusal(exchange: Exchange) -> Exchange:
    headers = {name.lower(): value for name, value in exchange.headers}
    assert exchange.status is not None
    return _failed(exchange, upstream_error(exchange.status, headers, exchange.body))


def _with_type(exchange: Exchange, media_type: str) -> tuple[tuple[str, str], ...]:
    kept = [pair for pair in exchange.headers if pair[0].lower() not in ("content-type", "content-length")]
    return (*kept, ("content-type", media_type))


def _timed(exchange: Exchange, data: bytes) -> tuple[Chunk, ...]:
    parts = [part + b"\n\n" for part in data.split(b"\n\n") if part] if data.startswith(b"data:") else [data]
    times = [chunk.at for chunk in exchange.chunks] or [exchange.seconds]
    return tuple(Chunk(times[min(place, len(times) - 1)], part) for place, part in enumerate(parts))


def chunks(data: bytes) -> list[Document]:
    """The chunks of a stream from the gateway."""
    events = [part.removeprefix(b"data: ") for part in data.split(b"\n\n") if part]
    return [json.loads(event) for event in events if event != b"[DONE]"]


def text_of(chunks: Sequence[Document], index: int = 0) -> str:
    """The text of a choice."""
    choices = [c for chunk in chunks for c in chunk.get("choices") or () if c["index"] == index]
    return "".join((c["delta"].get("content") if "delta" in c else c["text"]) or "" for c in choices)
