#!/usr/bin/env bash
# What: Ray Serve's HTTP proxy adds an X-Request-ID to a response that has one, so that clients read the id twice.
# Versions: ray 2.60.0 (serve), starlette 1.10.0, uvicorn 0.54.0.
# Expected: one x-request-id, that of the application, or the proxy's in its place.
# Seen: two fields with the same id; urllib's, httpx's and fetch's get("x-request-id") join them: "abc, abc".
# Matters: OpenAI's clients show this header as _request_id, and support asks for it. A server of the OpenAI API that sets it, as the API
#   does, tells every client an id behind Ray Serve that is in none of its logs.
# Valid because: RFC 9110, 5.3: a sender must not generate several fields of one name in a message unless its definition is a list of
#   values. The application sends the field once.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python "ray[serve]==2.60.0" starlette==1.10.0 uvicorn==0.54.0

cat >finding.py <<'PY'
import logging
import os
import socket
import urllib.request

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray
from ray import serve
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def answer(request):
    return PlainTextResponse("hello", headers={"x-request-id": request.headers["x-request-id"]})


@serve.deployment
@serve.ingress(Starlette(routes=[Route("/", answer)]))
class Server:
    pass


with socket.create_server(("127.0.0.1", 0)) as listener:
    port = listener.getsockname()[1]
ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
serve.start(http_options={"host": "127.0.0.1", "port": port})
serve.run(Server.bind())
asked = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"X-Request-ID": "abc"})
with urllib.request.urlopen(asked, timeout=30) as response:
    print("x-request-id:", response.headers.get_all("x-request-id"))
ray.shutdown()
PY

stated="x-request-id: ['abc', 'abc']"
seen=$(timeout 120 venv/bin/python finding.py 2>finding.log | grep '^x-request-id:') || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
