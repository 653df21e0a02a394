#!/usr/bin/env bash
# What: Haystack's generator for OpenAI-compatible servers drops the model's refusal and returns an empty reply that ended normally.
# Versions: haystack-ai 3.4.1, openai 3.57.0.
# Expected: the words of the refusal, as text, in the metadata or as an exception, with and without a stream.
# Seen: the reply has no text and no tool call; its metadata has finish_reason "stop", and the refusal is nowhere in it. The tokens
#   of the refusal are counted.
# Matters: a model that declines looks like a server that lost its answer. An agent goes on with an empty turn.
# Valid because: OpenAI's reference has `refusal` (string or null) beside a null `content` in a message and in a delta, and
#   the finish reason of such an answer is "stop".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1 HAYSTACK_TELEMETRY_ENABLED=False
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python haystack-ai==3.4.1 openai==3.57.0

cat >finding.py <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.utils import Secret

WORDS = "That is declined."
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def answer(member, streamed):
    head = {"id": "chatcmpl-1", "created": 1, "model": "m"}
    other = {"content": "refusal", "refusal": "content"}[member]
    if not streamed:
        message = {"role": "assistant", member: WORDS, other: None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": USAGE})

    def chunk(delta, reason=None, **more):
        choices = [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]
        return {**head, "object": "chat.completion.chunk", "choices": choices, **more}

    said = [chunk({"role": "assistant", member: ""}), chunk({member: WORDS}), chunk({}, "stop")]
    usage = {**chunk({}), "choices": [], "usage": USAGE}
    return "".join(f"data: {json.dumps(one)}\n\n" for one in [*said, usage]) + "data: [DONE]\n\n"


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        streamed = bool(asked.get("stream"))
        body = answer(asked["messages"][0]["content"], streamed).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if streamed else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()


def reply(member, streamed):
    generator = OpenAIChatGenerator(
        api_key=Secret.from_token("none"),
        model="m",
        api_base_url=f"http://127.0.0.1:{server.server_port}/v1",
        max_retries=0,
        streaming_callback=(lambda _: None) if streamed else None,
    )
    found = generator.run([ChatMessage.from_user(member)])["replies"][0]
    return f"{found.text} ({found.meta['finish_reason']}, in the reply: {WORDS in repr(found)})"


for member in ("content", "refusal"):
    print(f"{member}: whole {reply(member, False)}; streamed {reply(member, True)}")
server.shutdown()
PY

stated="content: whole That is declined. (stop, in the reply: True); streamed That is declined. (stop, in the reply: True)
refusal: whole None (stop, in the reply: False); streamed None (stop, in the reply: False)"
seen=$(timeout 90 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
