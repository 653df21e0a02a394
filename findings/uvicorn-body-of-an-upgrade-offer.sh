#!/usr/bin/env bash
# What: uvicorn on httptools, which uvicorn[standard] installs and "auto" prefers, hands on a POST that offers an upgrade to HTTP/2
#   without its body.
# Versions: uvicorn 0.54.0, httptools 0.9.0, h11 0.16.0.
# Expected: the offer is ignored and the request answered as if it had not been made, as uvicorn does on h11.
# Seen: on httptools the application reads 0 bytes of a body of 18; on h11 it reads all of them.
# Matters: Java's java.net.http client makes this offer with its first request to an http:// address. A server of the OpenAI API on
#   FastAPI answers that with 422 or 500, although the body is well; three mock servers of PyPI that we
#   tried do. Set HttpClient.Version.HTTP_1_1 in the client, or --http h11 in the server.
# Valid because: RFC 9110, 7.8: a server may ignore a received Upgrade field to continue in the current protocol; and RFC 9113, 3.1, which
#   retired "h2c" as an upgrade, has servers ignore it. The request itself is complete: its Content-Length is right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0

cat >finding.py <<'PY'
import socket
import threading

import uvicorn

BODY = b'{"model": "small"}'
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"


async def app(scope, receive, send):
    read, more = b"", True
    while more:
        message = await receive()
        read += message.get("body", b"")
        more = message.get("more_body", False)
    said = str(len(read)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
    await send({"type": "http.response.body", "body": said})


def ask(port, offer):
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head + b"Content-Length: %d\r\n" % len(BODY) + offer + b"\r\n" + BODY)
        answer = b""
        while not answer.partition(b"\r\n\r\n")[2]:
            answer += connection.recv(4096)
        return answer.decode().rpartition("\r\n")[2]


def served(http):
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=http, lifespan="off", log_level="error"))
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    serving.start()
    port = listener.getsockname()[1]
    seen = f"{http}: {ask(port, b'')} bytes, with the offer {ask(port, OFFER)}"
    server.should_exit = True
    serving.join(timeout=10)
    return seen


print("; ".join(map(served, ("h11", "httptools"))))
PY

stated="h11: 18 bytes, with the offer 18; httptools: 18 bytes, with the offer 0"
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
