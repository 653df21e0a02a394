"""A small server that meets the contract and shares no code with this project; it needs only the standard library.

It speaks HTTP over loopback, writes words of a fixed vocabulary, and refuses unsupported features by name. It was
written from the API's documents, so that it makes other mistakes than the suite.
"""

from __future__ import annotations

import json
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from independent.answers import Generation, model
from independent.requests import CHAT, COMPLETION, MODELS, Refusal, admit, prompts, rendered

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 1 << 20
"""Maximum bytes of a body."""


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with persistent connections."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    routes: ClassVar[dict[str, str]] = {
        "/v1/models": "GET",
        "/v1/chat/completions": "POST",
        "/v1/completions": "POST",
    }

    def do_GET(self) -> None:
        self._answered()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - the base's names

    def _answered(self) -> None:
        try:
            self._answer(self._read())
        except Refusal as refusal:
            self._json(refusal.status, refusal.body)

    def _read(self) -> bytes:
        length = self.headers.get("content-length", "0")
        if self.headers.get("transfer-encoding"):
            self.close_connection = True
            raise Refusal("The body must have a length.", status=411)
        if not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True  # unread bytes would be taken for the next request
            raise Refusal(f"The body must have a length of at most {LARGEST} bytes.", status=413)
        return self.rfile.read(int(length))

    def _answer(self, data: bytes) -> None:
        path = self.path.partition("?")[0]
        name = unquote(path.removeprefix("/v1/models/")) if path.startswith("/v1/models/") else None
        allowed = "GET" if name in MODELS else self.routes.get(path)
        if allowed is None:
            code = "model_not_found" if name else None
            raise Refusal(f"There is no {path}.", "model" if name else None, code, 404)
        if (allowed if self.command == "HEAD" and allowed == "GET" else self.command) != allowed:
            self._json(405, Refusal(f"{path} is for {allowed}.").body, {"allow": allowed})
        elif path == "/v1/models":
            self._json(200, {"object": "list", "data": [model(name) for name in MODELS]})
        elif name is not None:
            self._json(200, model(name))
        else:
            self._generate(self._asked(path, data))

    def _asked(self, path: str, data: bytes) -> Generation:
        if path == "/v1/chat/completions":
            body = admit(data, CHAT, "messages")
            return Generation(chat=True, body=body, prompts=[rendered(body["messages"])])
        body = admit(data, COMPLETION, "prompt")
        return Generation(chat=False, body={"max_tokens": 16} | body, prompts=prompts(body["prompt"]))

    def _generate(self, generation: Generation) -> None:
        if not generation.body.get("stream"):
            self._json(200, generation.whole())
            return
        self._head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        for data in generation.events():
            frame = f"data: {data}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))
        self.wfile.write(b"0\r\n\r\n")

    def _json(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        head = {"content-type": "application/json", "content-length": str(len(data))}
        self._head(status, head | (headers or {}))
        if self.command != "HEAD":
            self.wfile.write(data)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("x-request-id", uuid.uuid4().hex)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send the base class's own refusals in this server's form."""
        self.close_connection = True
        self._json(code, Refusal(message or "This is not HTTP.").body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """Serve on a free port of loopback; yields the base URL of the API."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()
