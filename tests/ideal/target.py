"""A target that meets the whole contract, in memory: a second implementation, which shares no code with the server.

Every rule must pass on it, so that none demands the impossible.
"""

from __future__ import annotations

from collections import Counter
from email.utils import formatdate
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from gonogo.exchange import Chunk, Exchange
from gonogo.exchange import header as field_of
from ideal import served
from ideal.admission import admit
from ideal.chat import chat
from ideal.completions import complete
from ideal.embeddings import embed
from ideal.messages import count_reply, message_reply, refusal_reply
from ideal.refusal import Refusal
from ideal.replies import CREATED, Reply, chat_reply, completion_reply, json_reply
from ideal.responses import count_input, respond

if TYPE_CHECKING:
    from gonogo.exchange import Request

# The methods of each path; the path of a single model is matched by its prefix.
_METHODS = {
    "/models": "GET",
    "/models/": "GET",
    "/chat/completions": "POST",
    "/completions": "POST",
    "/embeddings": "POST",
    "/responses": "POST",
    "/responses/input_tokens": "POST",
    "/messages": "POST",
    "/messages/count_tokens": "POST",
}
_NOW = ("date", formatdate(CREATED, usegmt=True))
_ANYONE = ("access-control-allow-origin", "*")
_SECONDS_A_PIECE = 0.001


class IdealTarget:
    """Answers every request as the contract requires; implements the collector's recorder."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._asked: Counter[bytes] = Counter()
        self._call_ids = (f"call_{number}" for number in count(1))

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
        """The exchange of the request and its answer, a millisecond for each piece of the body."""
        number = next(self._numbers)
        try:
            reply = self._answer(request, number)
        except Refusal as refusal:
            reply = _refused(request, refusal, f"req_{number}")
        chunks = tuple(Chunk(n * _SECONDS_A_PIECE, piece) for n, piece in enumerate(reply.pieces, 1))
        return Exchange(
            id=id,
            stimulus=stimulus,
            request=request,
            status=reply.status,
            headers=(*reply.headers, _NOW, _ANYONE, *_named(f"req_{number}")),
            chunks=chunks,
            failure=None,
            seconds=(len(chunks) + 1) * _SECONDS_A_PIECE,
            sent=float(CREATED),
            hung_up=False if request.lingers else None,
        )

    def _answer(self, request: Request, number: int) -> Reply:
        path = unquote(request.path.partition("?")[0])
        route = "/models/" if path.startswith("/models/") and path != "/models/" else path
        if route not in _METHODS or path == "/models/":
            raise Refusal(f"There is nothing at {path}.", status=404)
        if request.method == "OPTIONS":
            return _preflight(request)
        _expect_key(request)
        if request.method != _METHODS[route]:
            return _wrong_method(request.method, _METHODS[route])
        if route == "/models":
            return json_reply(served.listing())
        if route == "/models/":
            return json_reply(served.retrieve(path.removeprefix("/models/")))
        return self._generate(route, request, number)

    def _generate(self, route: str, request: Request, number: int) -> Reply:
        media_type = (field_of(request.headers, "content-type") or "application/json").partition(";")[0]
        if media_type.strip().lower() != "application/json":
            raise Refusal("The body must be application/json.", status=415)
        if route == "/chat/completions":
            body = self._drawn(request, admit("CreateChatCompletionRequest", request.body))
            return chat_reply(body, f"chatcmpl-{number}", chat(body, self._call_ids))
        if route == "/completions":
            body = self._drawn(request, admit("CreateCompletionRequest", request.body))
            return completion_reply(body, f"cmpl-{number}", complete(body))
        if route.startswith("/responses"):
            # Agents send undocumented fields.
            body = self._drawn(request, admit("CreateResponseRequest", request.body, closed=False))
            return respond(body, number, self._call_ids) if route == "/responses" else count_input(body)
        if route == "/messages":
            body = admit("CreateMessageRequest", request.body, closed=False)
            return message_reply(body, number, self._call_ids)
        if route == "/messages/count_tokens":
            return count_reply(admit("CountMessageTokensRequest", request.body, closed=False), self._call_ids)
        return json_reply(embed(admit("CreateEmbeddingRequest", request.body)))

    def _drawn(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """The body, with a seed if it has none; repeated requests get different seeds."""
        self._asked[request.body] += 1
        return {"seed": self._asked[request.body] - 1} | body


def _named(name: str) -> tuple[tuple[str, str], ...]:
    """The request id header, in the form of either API."""
    return ("x-request-id", name), ("request-id", name)


def _refused(request: Request, refusal: Refusal, name: str) -> Reply:
    if request.path.startswith("/messages"):
        return refusal_reply(refusal, name)
    challenge = (("www-authenticate", "Bearer"),) if refusal.status == 401 else ()
    return json_reply(refusal.envelope, refusal.status, challenge)


def _expect_key(request: Request) -> None:
    """Check the key. This target is its own recorder, which adds the right key to a request that may have one."""
    if request.anonymous or field_of(request.headers, "authorization") is not None:
        raise Refusal("The key is missing or wrong.", status=401, code="invalid_api_key")


def _preflight(request: Request) -> Reply:
    """A preflight answer that allows every requested header."""
    asked = field_of(request.headers, "access-control-request-headers") or "authorization, content-type"
    allowed = (
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-headers", asked),
    )
    return Reply(204, allowed, ())


def _wrong_method(method: str, allowed: str) -> Reply:
    refusal = Refusal(f"{method} is not among the methods of this path.", status=405)
    return json_reply(refusal.envelope, 405, (("allow", f"{allowed}, OPTIONS"),))
