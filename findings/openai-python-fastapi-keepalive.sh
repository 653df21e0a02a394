#!/usr/bin/env bash
# What: a keep-alive comment of FastAPI's own event streams ends the official Python client with a JSON error, once the events
#   have ids.
# Versions: openai 3.57.0, fastapi 0.165.0, uvicorn 0.54.0.
# Expected: the client skips the comment, as it does where the events have no id.
# Seen: with ids and a comment between two events, iterating over the stream raises json.JSONDecodeError. Each of the two alone
#   is read well. The client remembers the last id, takes the blank line after the comment for the end of an event, and parses
#   the empty data.
# Matters: FastAPI writes such a comment by itself after 15 s of silence, that is in the prefill of a long prompt: what passed
#   every test fails on a slow day. A server for this client sends no ids in its streams, or no comments.
# Valid because: the WHATWG standard on server-sent events (9.2.6) lets a reader ignore lines that begin with a colon, and
#   dispatches nothing at a blank line while the data buffer is empty; fastapi.sse documents id and comment.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python openai==3.57.0 fastapi==0.165.0 uvicorn==0.54.0

cat >finding.py <<'PY'
import socket
import threading

import openai
import uvicorn
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse, ServerSentEvent

app = FastAPI()


def chunk(delta, finish_reason=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


@app.post("/v1/chat/completions", response_class=EventSourceResponse)
async def chat(body: dict):
    asked = body["user"]
    yield ServerSentEvent(data=chunk({"role": "assistant", "content": "Good "}), id="1" if "ids" in asked else None)
    if "comment" in asked:
        yield ServerSentEvent(comment="ping")
    yield ServerSentEvent(data=chunk({"content": "day"}))
    yield ServerSentEvent(data=chunk({}, "stop"))
    yield ServerSentEvent(raw_data="[DONE]")


listener = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
serving.start()
client = openai.OpenAI(
    base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1", api_key="none", max_retries=0, timeout=20
)


def read(asked):
    try:
        stream = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hello"}], stream=True, user=asked
        )
        return "".join(part.choices[0].delta.content or "" for part in stream)
    except Exception as error:
        return type(error).__name__


print("; ".join(f"{asked}: {read(asked)}" for asked in ("comment", "ids", "ids and comment")))
client.close()
server.should_exit = True
serving.join(timeout=10)
PY

stated="comment: Good day; ids: Good day; ids and comment: JSONDecodeError"
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
