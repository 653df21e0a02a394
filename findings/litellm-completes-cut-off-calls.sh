#!/usr/bin/env bash
# What: of tool calls that are cut off at the token limit, LiteLLM's Messages API completes some and runs into an error with others.
# Versions: litellm 1.110.2.
# Expected: the message as far as it came, with the stop_reason max_tokens, and no input that the model has not written.
# Seen: arguments that end as {"amount": 12 become the input {"amount": 12}, and {"paths": ["/srv/a", becomes {"paths": ["/srv/a"]}: the
#   brackets are closed, a comma is dropped, and a warning is logged at the gateway alone. Arguments that end within a string make
#   the whole request fail with a ValueError, which takes the text before the call with it. The streams of all three pass on what came.
# Matters: a client that runs the calls of a message pays 12 where the model was writing 1200. The cut text itself would have
#   stopped its JSON parser. Whether a cut is an error or a call depends on the byte at which the limit fell.
# Valid because: OpenAI's reference warns that arguments are written by the model and not always valid JSON; the finish reason "length"
#   says that the answer was cut off. It is up to the caller what a call without its end is worth.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python litellm==1.110.2

cat >finding.py <<'PY'
import asyncio
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # before the import, which else asks for prices

import litellm

litellm.suppress_debug_info = True
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
TOOLS = [{"name": "act", "input_schema": {"type": "object"}}]


def answer(arguments, streamed):
    call = {"id": "call_1", "type": "function", "function": {"name": "act", "arguments": arguments}}
    message = {"role": "assistant", "content": "I act.", "refusal": None, "tool_calls": [call]}
    head = {"id": "chatcmpl-1", "created": 1, "model": "m"}
    if not streamed:
        choice = {"index": 0, "message": message, "finish_reason": "length", "logprobs": None}
        return json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": USAGE})

    def chunk(delta, reason=None):
        choices = [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]
        return {**head, "object": "chat.completion.chunk", "choices": choices}

    chunks = [chunk({**message, "tool_calls": [{"index": 0, **call}]}), chunk({}, "length")]
    return "".join(f"data: {json.dumps(one)}\n\n" for one in chunks) + "data: [DONE]\n\n"


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        streamed = bool(asked.get("stream"))
        content = asked["messages"][0]["content"]
        body = answer(content if isinstance(content, str) else content[0]["text"], streamed).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if streamed else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()


def message(arguments, **options):
    return litellm.anthropic.messages.acreate(
        model="lm_studio/m", api_base=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", max_tokens=20,
        messages=[{"role": "user", "content": arguments}], tools=TOOLS, **options,
    )  # fmt: skip


async def streamed(arguments):
    body = b"".join([piece async for piece in await message(arguments, stream=True)]).decode()
    events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: ")]
    return "".join(event["delta"].get("partial_json", "") for event in events if event["type"] == "content_block_delta")


async def whole(arguments):
    try:
        found = await message(arguments)
    except ValueError as error:
        return type(error).__name__
    inputs = [block["input"] for block in found["content"] if block["type"] == "tool_use"]
    return f"{json.dumps(inputs)} ({found['stop_reason']})"


async def main():
    for arguments in ('{"amount": 12', '{"paths": ["/srv/a",', '{"path": "/srv/a'):
        print(f"{arguments}: whole {await whole(arguments)}; streamed {await streamed(arguments)}")


asyncio.run(main())
server.shutdown()
PY

stated=$(cat <<'TEXT'
{"amount": 12: whole [{"amount": 12}] (max_tokens); streamed {"amount": 12
{"paths": ["/srv/a",: whole [{"paths": ["/srv/a"]}] (max_tokens); streamed {"paths": ["/srv/a",
{"path": "/srv/a: whole ValueError; streamed {"path": "/srv/a
TEXT
)
seen=$(timeout 90 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
