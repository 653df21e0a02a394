#!/usr/bin/env bash
# What: both stream helpers of the official Python client raise instead of giving the answer that a token limit ended.
# Versions: openai 3.57.0.
# Expected: the text so far with finish_reason "length" (chat), and a response of status "incomplete" (responses): what the same
#   client returns without a stream.
# Seen: chat.completions.stream(...).get_final_completion() raises LengthFinishReasonError ("could not parse"), though nothing
#   was to be parsed; responses.stream(...).get_final_response() raises RuntimeError for want of a response.completed event.
#   The same streams with another end are read well.
# Matters: an author of a server sees a client that calls the stream broken, and looks for the fault at home. Neither helper
#   can show how a server ends a stream at its limit; iterating over the plain stream can.
# Valid because: OpenAI's reference has "length" among the finish reasons, and response.incomplete, with the reason
#   max_output_tokens, among the events that end a response.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python openai==3.57.0

cat >finding.py <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

TEXT = "One two"


def chat(end):
    def chunk(delta, finish_reason=None):
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}

    chunks = [chunk({"role": "assistant", "content": ""}), chunk({"content": TEXT}), chunk({}, end)]
    return "".join(f"data: {json.dumps(one)}\n\n" for one in chunks) + "data: [DONE]\n\n"


def response(status, output):
    cut = {"reason": "max_output_tokens"} if status == "incomplete" else None
    usage = {
        "input_tokens": 1,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 3,
    }
    return {
        "id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": status, "error": None,
        "incomplete_details": cut, "instructions": None, "metadata": {}, "output": output, "tools": [],
        "tool_choice": "auto", "parallel_tool_calls": True, "temperature": 1, "top_p": 1, "max_output_tokens": 2,
        "usage": None if status == "in_progress" else usage,
    }  # fmt: skip


def responses(end):
    part = {"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}
    empty = {**part, "text": ""}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": end, "content": [part]}
    begun = {**item, "status": "in_progress", "content": []}
    place = {"output_index": 0, "item_id": "msg_1", "content_index": 0}
    events = [
        {"type": "response.created", "response": response("in_progress", [])},
        {"type": "response.in_progress", "response": response("in_progress", [])},
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        {"type": "response.content_part.added", **place, "part": empty},
        {"type": "response.output_text.delta", **place, "delta": TEXT, "logprobs": []},
        {"type": "response.output_text.done", **place, "text": TEXT, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": f"response.{end}", "response": response(end, [item])},
    ]
    return "".join(
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n"
        for number, event in enumerate(events)
    )


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = (chat if self.path.endswith("/chat/completions") else responses)(asked["user"]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(
    base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", max_retries=0, timeout=20
)


def by_chat(end):
    asked = [{"role": "user", "content": "Count"}]
    with client.chat.completions.stream(model="m", messages=asked, max_completion_tokens=2, user=end) as stream:
        return stream.get_final_completion().choices[0].message.content


def by_responses(end):
    with client.responses.stream(model="m", input="Count", max_output_tokens=2, user=end) as stream:
        return stream.get_final_response().output_text


def told(helper, end):
    try:
        return helper(end)
    except Exception as error:
        return type(error).__name__


print(
    f"chat stop: {told(by_chat, 'stop')}, length: {told(by_chat, 'length')};"
    f" responses completed: {told(by_responses, 'completed')}, incomplete: {told(by_responses, 'incomplete')}"
)
server.shutdown()
PY

stated="chat stop: One two, length: LengthFinishReasonError; responses completed: One two, incomplete: RuntimeError"
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
