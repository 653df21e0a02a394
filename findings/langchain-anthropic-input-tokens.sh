#!/usr/bin/env bash
# What: a LangChain stream of the Messages API counts no input tokens where message_start alone has them.
# Versions: langchain-anthropic 1.7.10, anthropic 2.14.0.
# Expected: the usage of the message, 3 input and 2 output tokens, streamed as in one piece: message_start has the input tokens, and
#   message_delta the output tokens so far. Anthropic's client adds the two events up so.
# Seen: the streamed message has input_tokens 0 and total_tokens 2. Only if message_delta repeats the input tokens are they counted.
# Matters: costs and budgets that are read from usage_metadata miss every prompt of a server that streams usage as documented. A
#   server does its users a favour if it repeats input_tokens in message_delta.
# Valid because: in Anthropic's reference output_tokens is the only member of the usage of message_delta that is required, the others
#   may be null; the examples of its page on streaming have the input tokens in message_start alone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python langchain-anthropic==1.7.10 anthropic==2.14.0

cat >finding.py <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
from langchain_anthropic import ChatAnthropic


def message(content, stop_reason, output_tokens):
    usage = {"input_tokens": 3, "output_tokens": output_tokens}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    return {**head, "content": content, "stop_reason": stop_reason, "usage": usage}


def events(usage):
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    return [
        {"type": "message_start", "message": message([], None, 1)},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": usage},
        {"type": "message_stop"},
    ]


USAGES = {"alone": {"output_tokens": 2}, "repeated": {"input_tokens": 3, "output_tokens": 2}}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        streamed = bool(asked.get("stream"))
        if streamed:
            told = events(USAGES["repeated" if "repeated" in json.dumps(asked["messages"]) else "alone"])
            body = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in told)
        else:
            body = json.dumps(message([{"type": "text", "text": "Hi"}], "end_turn", 2))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if streamed else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
chat = ChatAnthropic(model="m", base_url=url, api_key="none", max_tokens=9, max_retries=0)
client = anthropic.Anthropic(base_url=url, api_key="none", max_retries=0)


def streamed(words):
    whole = None
    for chunk in chat.stream(words):
        whole = chunk if whole is None else whole + chunk
    return whole.usage_metadata


def by_anthropic(words):
    said = [{"role": "user", "content": words}]
    with client.messages.stream(model="m", max_tokens=9, messages=said) as stream:
        return stream.get_final_message().usage


def told(usage):
    return f"{usage['input_tokens']} and {usage['output_tokens']}"


print(f"LangChain: whole {told(chat.invoke('alone').usage_metadata)}, streamed {told(streamed('alone'))},"
      f" repeated {told(streamed('repeated'))}; Anthropic's: streamed {told(by_anthropic('alone').model_dump())}")
server.shutdown()
PY

stated="LangChain: whole 3 and 2, streamed 0 and 2, repeated 3 and 2; Anthropic's: streamed 3 and 2"
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
