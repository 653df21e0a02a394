#!/usr/bin/env bash
# What: LlamaIndex drops every tool call of a delta but the first, and AutoGen all tool calls of a delta that has text.
# Versions: llama-index-core 0.14.25, llama-index-llms-openai 0.8.3, llama-index-llms-openai-like 0.8.1; autogen-core and autogen-ext 0.7.5;
#   openai 2.54.0, which both use, and whose own stream helper is the second opinion.
# Expected: the same calls, however a server packs them into chunks.
# Seen: of two calls in one delta LlamaIndex has the first. Of a delta with text and two calls AutoGen has the text, no call, and the finish
#   reason "function_calls". With a delta for each part both have all. The helper of openai-python has all three times.
#   Nothing is raised or logged.
# Matters: mlx_lm.server collects complete calls, and writes them, with text that follows, into one delta (server.py, 0.32.2). An agent
#   then runs one of two calls, or none, and goes on. A server that serves these clients sends one call a chunk, and no text with it.
# Valid because: OpenAI's reference has `tool_calls` of a delta as an array whose items have an index, and `content` beside it as a field of
#   its own; neither excludes the other.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python llama-index-core==0.14.25 llama-index-llms-openai==0.8.3 \
  llama-index-llms-openai-like==0.8.1 autogen-core==0.7.5 'autogen-ext[openai]==0.7.5' openai==2.54.0

cat >finding.py <<'PY'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from autogen_core.models import ModelInfo, UserMessage
from autogen_ext.models.openai import OpenAIChatCompletionClient
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from openai import OpenAI

CALLS = [
    {"index": index, "id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": "{}"}}
    for index, name in enumerate(("lock", "leave"))
]
TEXT = {"content": "I go."}
PACKED = {
    "a delta each": [TEXT, {"tool_calls": CALLS[:1]}, {"tool_calls": CALLS[1:]}],
    "calls in one": [TEXT, {"tool_calls": CALLS}],
    "text and calls in one": [{**TEXT, "tool_calls": CALLS}],
}


def chunk(delta, reason=None):
    choices = [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        deltas = [{"role": "assistant", "content": ""}, *PACKED[asked["messages"][0]["content"]]]
        chunks = [*map(chunk, deltas), chunk({}, "tool_calls")]
        body = ("".join(f"data: {json.dumps(one)}\n\n" for one in chunks) + "data: [DONE]\n\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{server.server_port}/v1"


def llama_index(asked):
    model = OpenAILike(
        model="m", api_base=URL, api_key="none", max_retries=0, is_chat_model=True, is_function_calling_model=True
    )
    last = list(model.stream_chat([ChatMessage(role="user", content=asked)]))[-1]
    return [call.tool_name for call in model.get_tool_calls_from_response(last, error_on_no_tool_call=False)]


async def autogen(asked):
    able = ModelInfo(
        vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown"
    )
    client = OpenAIChatCompletionClient(model="m", base_url=URL, api_key="none", max_retries=0, model_info=able)
    pieces = [piece async for piece in client.create_stream([UserMessage(content=asked, source="user")])]
    found = pieces[-1].content
    return (found if isinstance(found, str) else [call.name for call in found]), pieces[-1].finish_reason


def openai_python(asked):
    client = OpenAI(base_url=URL, api_key="none", max_retries=0)
    with client.chat.completions.stream(model="m", messages=[{"role": "user", "content": asked}]) as stream:
        message = stream.get_final_completion().choices[0].message
    return [call.function.name for call in message.tool_calls or []]


for asked in PACKED:
    print(f"{asked}: LlamaIndex {llama_index(asked)}, AutoGen {asyncio.run(autogen(asked))}, openai-python {openai_python(asked)}")
server.shutdown()
PY

stated=$(cat <<'TEXT'
a delta each: LlamaIndex ['lock', 'leave'], AutoGen (['lock', 'leave'], 'function_calls'), openai-python ['lock', 'leave']
calls in one: LlamaIndex ['lock'], AutoGen (['lock', 'leave'], 'function_calls'), openai-python ['lock', 'leave']
text and calls in one: LlamaIndex ['lock'], AutoGen ('I go.', 'function_calls'), openai-python ['lock', 'leave']
TEXT
)
seen=$(timeout 120 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
