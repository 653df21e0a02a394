"""The requests and answers of the upstream as exchanges of the evidence. No I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import accumulate
from time import time
from typing import TYPE_CHECKING

from gonogo.exchange import Chunk, Exchange, Failure, FailureKind, Request, header
from gonogo.redaction import REDACTED, looks_secret
from gonogo.stimuli import played, plays
from gonogo.stimuli.plays import Play

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_SECOND = "/second"
_CLOSED = "the gateway closed the connection"


@dataclass
class Seen:
    """The requests that the upstream received, by the text that names the play, in the order of completion.

    `secrets` are the keys of the client, which no gateway passes on.
    """

    secrets: Collection[str] = ()
    done: dict[str, list[Exchange]] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    """The number of open requests for each play."""
    greeted: set[str] = field(default_factory=set)
    """The texts of received messages."""

    def answer(self, request: Request) -> Exchange:
        """The answer to a request, with the recorded form of the request: credentials are reported but not stored."""
        path = request.operation
        second = path.startswith(_SECOND)
        kept = self._kept(request, second=second)
        if request.method == "GET":
            return _exchange(kept, _models(second=second), "models")
        if not path.endswith("/chat/completions"):
            return _exchange(kept, _no_such(path), "unknown")
        self.greeted.update(_texts(request))
        named = plays.asked_for(request.body)
        key = (header(request.headers, "authorization") or "none").removeprefix("Bearer ")
        self.open[named.text] = self.open.get(named.text, 0) + 1
        return _exchange(kept, plays.play(named, request.fields, key=key), named.name)

    def end(self, exchange: Exchange, left: float | None) -> None:
        """Record an answer that was sent, or that the gateway abandoned `left` seconds after the request."""
        if exchange.stimulus in {"models", "unknown"}:
            return
        if left is not None:
            sent = tuple(chunk for chunk in exchange.chunks if chunk.at < left)
            gone = Failure(FailureKind.RESET, left, _CLOSED)
            exchange = replace(exchange, chunks=sent, failure=gone, seconds=left)
        asked = plays.asked_for(exchange.request.body).text
        self.open[asked] -= 1
        self.done.setdefault(asked, []).append(exchange)

    def settled(self, request: Request) -> bool:
        """Whether no request to the upstream for this request is still open."""
        return not self.open.get(plays.asked_for(request.body).text, 0)

    def of(self, request: Request) -> Sequence[Exchange]:
        """The gateway's requests to the upstream for this request."""
        return self.done.get(plays.asked_for(request.body).text, ())

    def _kept(self, request: Request, *, second: bool) -> Request:
        text = " ".join((request.path, *(value for _, value in request.headers)))
        found = any(secret in text or secret.encode() in request.body for secret in self.secrets)
        provider = played.SECOND if second else played.FIRST
        seen = [(played.PROVIDER, provider), *([(played.SAW, played.CLIENT_KEY)] if found else [])]
        for key, whose in ((plays.KEY, played.FIRST), (plays.SECOND_KEY, played.SECOND)):
            if key in text:
                seen.append((played.SAW, f"the key of the {whose} provider"))
        headers = tuple((name, REDACTED if looks_secret(name) else value) for name, value in request.headers)
        return replace(request, headers=(*headers, *seen))


def _exchange(request: Request, play: Play, name: str) -> Exchange:
    times = accumulate(wait for wait, _ in play.pieces)
    chunks = tuple(Chunk(at, data) for at, (_, data) in zip(times, play.pieces, strict=True))
    end = play.wait + (chunks[-1].at if chunks else 0.0)
    breaks = play.breaks or play.status is None
    failure = Failure(FailureKind.RESET, end, "the upstream broke the connection") if breaks else None
    return Exchange("", name, request, play.status, play.headers, chunks, failure, end, sent=time())


def _texts(request: Request) -> list[str]:
    messages = request.fields.get("messages")
    return [
        str(message.get("content"))
        for message in (messages if isinstance(messages, list) else [])
        if isinstance(message, dict)
    ]


def _models(*, second: bool) -> Play:
    model = plays.SECOND_MODEL if second else plays.MODEL
    entry = {"id": model, "object": "model", "created": 1_760_000_000, "owned_by": "gonogo"}
    return _json(200, {"object": "list", "data": [entry]})


def _no_such(path: str) -> Play:
    error = {
        "message": f"There is no {path}.",
        "type": "invalid_request_error",
        "param": None,
        "code": "unknown_url",
    }
    return _json(404, {"error": error})


def _json(status: int, value: object) -> Play:
    return Play(status, (("content-type", "application/json"),), ((0.0, json.dumps(value).encode()),))
