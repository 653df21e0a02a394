#!/usr/bin/env bash
# What: LiteLLM's bridge from the Messages API to other providers drops documents and search results from a message, and moves what the
#   assistant said behind its tool calls.
# Versions: litellm 1.110.2.
# Expected: the text of the document in the upstream's request, or an error that says that it cannot be passed on; the assistant's turn
#   in its order: first its text, then its call.
# Seen: of a document with the source "text" and of a search result nothing reaches the upstream, which is asked "Summarise it." alone.
#   No error and no warning. A turn of text and call arrives as call and text.
# Matters: the model summarises nothing, or invents something, and the client sees an answer as if all were well. Servers that hold an
#   output directly behind its call, or render the turn into a prompt, get another conversation than the one that was led.
# Valid because: Anthropic's Messages API describes blocks of the types document (with the sources text, content, base64 and url) and
#   search_result in a user's message; the order of the blocks of a turn is the order in which they were generated.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python litellm==1.110.2

cat >finding.py <<'PY'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import litellm

litellm.suppress_debug_info = True
TEXT = {"type": "output_text", "text": "Done.", "annotations": []}
ANSWER = {
    "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m", "parallel_tool_calls": True,
    "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None, "instructions": None, "metadata": {},
    "temperature": 1, "top_p": 1, "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [TEXT]}],
    "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 2,
              "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 11},
}
asked = []


class Upstream(BaseHTTPRequestHandler):
    def do_POST(self):
        asked.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["input"])
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=server.serve_forever, daemon=True).start()


def ask(*messages):
    """The items that the upstream is sent: their types, and their texts."""
    asking = litellm.anthropic.messages.acreate(
        model="openai/m", api_base=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", max_tokens=50, messages=list(messages)
    )
    answered = asyncio.run(asking)["content"][0]["text"]
    items = [item["content"][0]["text"] if item["type"] == "message" and len(item["content"]) == 1 else item["type"] for item in asked.pop()]
    return f"{items} -> {answered}"


def user(*blocks):
    return {"role": "user", "content": [*blocks, {"type": "text", "text": "Summarise it."}]}


TALE = {"type": "text", "media_type": "text/plain", "data": "The tale of the lighthouse."}
FOUND = [{"type": "text", "text": "The tale of the lighthouse."}]
print("text:", ask({"role": "user", "content": "The tale of the lighthouse."}))
print("document:", ask(user({"type": "document", "source": TALE})))
print("search result:", ask(user({"type": "search_result", "source": "s", "title": "t", "content": FOUND})))
turn = [{"type": "text", "text": "I look."}, {"type": "tool_use", "id": "a", "name": "look", "input": {}}]
result = {"type": "tool_result", "tool_use_id": "a", "content": "rain"}
print("turn:", ask({"role": "user", "content": "Look."}, {"role": "assistant", "content": turn}, {"role": "user", "content": [result]}))
PY

stated=$(cat <<'TEXT'
text: ['The tale of the lighthouse.'] -> Done.
document: ['Summarise it.'] -> Done.
search result: ['Summarise it.'] -> Done.
turn: ['Look.', 'function_call', 'I look.', 'function_call_output'] -> Done.
TEXT
)
export LITELLM_LOCAL_MODEL_COST_MAP=True  # its own list of models, so that nothing but this machine is asked
seen=$(timeout 120 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
