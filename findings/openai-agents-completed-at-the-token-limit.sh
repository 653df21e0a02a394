#!/usr/bin/env bash
# What: the OpenAI Agents SDK calls every answer of a chat completions server "completed", also one that was cut off at its token limit.
# Versions: openai-agents 0.24.0, openai 3.57.0.
# Expected: the finish reason "length" or "content_filter" somewhere in the result, or, as the items have the shape of
#   responses, the status "incomplete". With the Responses API the same cut is "incomplete".
# Seen: the message has the status "completed", and the raw responses of the result do not contain the finish reason. A stream ends with
#   response.completed. A tool call that was cut off within its arguments is run, fails, and costs a second request.
# Matters: an agent takes half an answer for a whole one. The server has said so, and cannot say it in another way.
# Valid because: OpenAI's reference has the finish reasons "length" and "content_filter" for chat completions, and null for a field
#   that does not apply.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1 OPENAI_AGENTS_DISABLE_TRACING=1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python openai-agents==0.24.0 openai==3.57.0

cat >finding.py <<'PY'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool
from openai import AsyncOpenAI

CALL = {"id": "call_1", "type": "function", "function": {"name": "move", "arguments": '{"steps": 12'}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
roles = []


def message(asked):
    said = asked[-1]["content"]
    if said == "call":
        return {"content": None, "tool_calls": [CALL]}, "length"
    return {"content": "One, two,"}, said if said == "content_filter" else "length"


def answer(asked, streamed):
    said, reason = message(asked)
    head = {"id": "chatcmpl-1", "created": 1, "model": "m"}
    whole = {"role": "assistant", "refusal": None, **said}
    if not streamed:
        choice = {"index": 0, "message": whole, "finish_reason": reason, "logprobs": None}
        return json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": USAGE})

    def chunk(delta, reason=None):
        choices = [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]
        return {**head, "object": "chat.completion.chunk", "choices": choices}

    return "".join(f"data: {json.dumps(one)}\n\n" for one in (chunk(whole), chunk({}, reason))) + "data: [DONE]\n\n"


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        streamed = bool(asked.get("stream"))
        roles.append([one["role"] for one in asked["messages"]])
        body = answer(asked["messages"], streamed).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if streamed else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()


@function_tool
def move(steps: int) -> str:
    """Moves."""
    return "moved"


async def seen(reason):
    client = AsyncOpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", max_retries=0)
    agent = Agent(name="a", model=OpenAIChatCompletionsModel("m", client), tools=[move])
    whole = await Runner.run(agent, reason)
    statuses = [item.status for one in whole.raw_responses for item in one.output]
    told = reason in repr(whole.raw_responses)
    streamed = Runner.run_streamed(agent, reason)
    events = [event.data.type async for event in streamed.stream_events() if event.type == "raw_response_event"]
    return f"{reason}: {whole.final_output} {statuses}, in the raw responses: {told}; the stream ends with {events[-1]}"


async def main():
    print(await seen("length"))
    print(await seen("content_filter"))
    roles.clear()
    await seen("call")
    print("call:", roles[:2])


asyncio.run(main())
server.shutdown()
PY

stated=$(cat <<'TEXT'
length: One, two, ['completed'], in the raw responses: False; the stream ends with response.completed
content_filter: One, two, ['completed'], in the raw responses: False; the stream ends with response.completed
call: [['user'], ['user', 'assistant', 'tool']]
TEXT
)
seen=$(timeout 90 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
