#!/usr/bin/env bash
# What: instructor returns the first of two valid tool calls and drops the second, without an error.
# Versions: instructor 1.17.0, openai 3.3.0, pydantic 2.14.4.
# Expected: an error or another request, as where the arguments do not fit: one object was asked for, two came.
# Seen: for calls with Oslo and Rome it returns City(name='Oslo') after one request, and asks nothing further. The second call
#   is not even looked at: with arguments that do not fit the model the result is the same, while the same arguments in the
#   first call are an error after another request. The order of the calls alone decides.
# Matters: of a model that answers "all cities" with a call each, a program gets one and takes it for the whole. A server whose
#   model makes several calls for a forced function feeds such programs better with one.
# Valid because: tool_calls is an array in OpenAI's reference, and its guide to function calling tells clients to expect zero,
#   one or several calls; parallel_tool_calls is true unless the request says otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python instructor==1.17.0 openai==3.3.0 pydantic==2.14.4

cat >finding.py <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import instructor
import openai
from pydantic import BaseModel


def call(number, arguments):
    function = {"name": "City", "arguments": json.dumps(arguments)}
    return {"id": f"call_{number}", "type": "function", "function": function}


class Server(BaseHTTPRequestHandler):
    calls: list
    requests = 0

    def do_POST(self):
        Server.requests += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        message = {"role": "assistant", "content": None, "refusal": None, "tool_calls": self.calls}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}
        usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        body = json.dumps({**answer, "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class City(BaseModel):
    name: str


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = instructor.from_openai(
    openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", max_retries=0, timeout=20)
)


def made(*calls):
    Server.calls, Server.requests = [call(number, arguments) for number, arguments in enumerate(calls)], 0
    asked = [{"role": "user", "content": "Name all cities"}]
    try:
        got = repr(client.chat.completions.create(model="m", messages=asked, response_model=City, max_retries=1))
    except Exception as error:
        got = type(error).__name__
    return f"{got} after {Server.requests}"  # requests


oslo, rome, unfit = {"name": "Oslo"}, {"name": "Rome"}, {"name": ["Rome"]}
print(
    f"Oslo, Rome: {made(oslo, rome)}; Rome, Oslo: {made(rome, oslo)};"
    f" Oslo, unfit: {made(oslo, unfit)}; unfit, Oslo: {made(unfit, oslo)}"
)
server.shutdown()
PY

stated="Oslo, Rome: City(name='Oslo') after 1; Rome, Oslo: City(name='Rome') after 1; Oslo, unfit: City(name='Oslo') after 1; unfit, Oslo: InstructorRetryException after 2"
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
