#!/usr/bin/env bash
# What: LiteLLM's stream of two choices loses the finish reason of the one that ends last; its builder then says "stop".
# Versions: litellm 1.110.2.
# Expected: a finish reason a choice, as the server sends them: "stop" for choice 0 and "length" for choice 1.
# Seen: choice 0's "stop" arrives, further text of choice 1 too, but no chunk with "length". litellm.stream_chunk_builder then
#   writes "stop" for choice 1, whose text was cut off. With the two ends swapped the last one is lost as
#   well, and "stop" is right by luck.
# Matters: a caller takes a truncated answer for a finished one. A server cannot mend it: the order in which choices end is not
#   its own to choose.
# Valid because: OpenAI's reference has n up to 128 in streams too, an index in every choice, and a finish reason for each; the
#   choices of a stream end when they end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python litellm==1.110.2

cat >finding.py <<'PY'
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # before the import, which else asks for prices

import litellm

litellm.suppress_debug_info = True


def chunk(index, delta, finish_reason=None):
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        first, second = asked["messages"][0]["content"].split()
        chunks = [
            chunk(0, {"role": "assistant", "content": ""}),
            chunk(1, {"role": "assistant", "content": ""}),
            chunk(0, {"content": "A"}),
            chunk(1, {"content": "B"}),
            chunk(0, {}, first),
            chunk(1, {"content": "C"}),
            chunk(1, {}, second),
        ]
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


def read(ends):
    chunks = list(
        litellm.completion(
            model="openai/m", api_base=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", num_retries=0,
            timeout=20, messages=[{"role": "user", "content": ends}], n=2, stream=True,
        )
    )  # fmt: skip
    came = [(choice.index, choice.finish_reason) for one in chunks for choice in one.choices if choice.finish_reason]
    built = [(one.index, one.message.content, one.finish_reason) for one in litellm.stream_chunk_builder(chunks).choices]
    return f"came {came}, built {built}"


print(f"stop length: {read('stop length')}; length stop: {read('length stop')}")
server.shutdown()
PY

stated="stop length: came [(0, 'stop')], built [(0, 'A', 'stop'), (1, 'BC', 'stop')]; length stop: came [(0, 'length')], built [(0, 'A', 'length'), (1, 'BC', 'stop')]"
seen=$(timeout 90 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
