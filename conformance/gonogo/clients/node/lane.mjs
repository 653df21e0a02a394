// Replays recorded answers: reads one exchange per line from standard input, and writes the delivered content of each
// reader as a line to standard output. The argument is the folder with the clients in node_modules. Nothing is sent.
import { STATUS_CODES } from "node:http";
import { createInterface } from "node:readline";
import { inflateSync } from "node:zlib";
import * as clients from "./clients.mjs";
import * as surfaces from "./surfaces.mjs";

const OLDEST = 22;
const PATIENCE = 10_000; // milliseconds for one replay, which has all bytes at hand
const WITHOUT_BODY = [204, 205, 304];
// The recorder has already decoded codings and framing; with these headers, clients would decode them again.
const FRAMING = ["content-encoding", "content-length", "transfer-encoding"];

const READERS = {
  "openai_node.models": [clients.openaiModels],
  "openai_node.chat": [clients.openaiChat],
  "openai_node.chat_stream": [clients.openaiLoop, clients.openaiHelper],
  "openai_node.completions": [clients.openaiCompletion],
  "openai_node.completions_stream": [clients.openaiCompletionLoop],
  "openai_node.embeddings": [clients.openaiEmbeddings],
  "ai_sdk.chat": [clients.aiText],
  "ai_sdk.chat_stream": [clients.aiStream],
  "ai_sdk.errors": [clients.aiError],
  "openai_node.responses": [surfaces.openaiResponse],
  "openai_node.responses_stream": [surfaces.openaiResponseLoop, surfaces.openaiResponseHelper],
  "anthropic_node.messages": [surfaces.anthropicMessage],
  "anthropic_node.messages_stream": [surfaces.anthropicLoop, surfaces.anthropicHelper],
  "ai_sdk.responses": [surfaces.aiResponse],
  "ai_sdk.responses_stream": [surfaces.aiResponseStream],
  "ai_sdk.messages": [surfaces.aiMessage],
  "ai_sdk.messages_stream": [surfaces.aiMessageStream],
};

// The pipe is read as ASCII.
function say(value) {
  const escaped = (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0");
  return process.stdout.write(JSON.stringify(value).replace(/[\u007f-\uffff]/g, escaped) + "\n");
}

const bytes = (data) => (typeof data === "string" ? Buffer.from(data) : Buffer.from(data.base64, "base64"));

// The body in the recorded chunks.
function pieces({ chunks }) {
  if (Array.isArray(chunks)) return chunks.map(([, data]) => bytes(data));
  const body = inflateSync(Buffer.from(chunks.zlib, "base64"));
  let start = 0;
  return chunks.pieces.map(([, length]) => body.subarray(start, (start += length)));
}

function response(exchange) {
  const headers = new Headers(exchange.headers.filter(([name]) => !FRAMING.includes(name.toLowerCase())));
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces(exchange)) if (piece.length) controller.enqueue(new Uint8Array(piece));
      controller.close();
    },
  });
  const { status } = exchange;
  const statusText = STATUS_CODES[status] ?? "";
  return new Response(WITHOUT_BODY.includes(status) ? null : body, { status, statusText, headers });
}

function jobOf(exchange) {
  const { path, body } = exchange.request;
  let fields = {};
  try {
    fields = JSON.parse(bytes(body).toString()) ?? {};
  } catch {} // a request that is to be refused
  return {
    base_url: "http://recorded.invalid/v1", // RFC 2606: a name that nobody has
    fetch: async () => response(exchange),
    patience: PATIENCE,
    model: path.startsWith("/models/") ? decodeURIComponent(path.slice("/models/".length)) : null,
    tools: Array.isArray(fields.tools) ? fields.tools : null,
    n: fields.n ?? 1,
    encoding: fields.encoding_format ?? null,
    line: "",
  };
}

function raised(error, line) {
  if (!(error instanceof Error)) return { name: "an error", message: JSON.stringify(error) ?? "", line };
  const name = error.name === "Error" ? error.constructor.name : error.name;
  return { name, message: error.message, line };
}

// The delivered content, or the exception; `left` if this lane has no result.
async function replay(load, read, exchange) {
  try {
    response(exchange);
  } catch (error) {
    return { left: `fetch cannot give the answer: ${error.message}` };
  }
  const job = jobOf(exchange);
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve({ left: `no end within ${PATIENCE / 1000} s` }), PATIENCE);
  });
  const reading = read(load, job).then(
    ({ failed, ...said }) => (failed ? { raised: raised(failed.error, job.line) } : { said, line: job.line }),
    (error) => ({ raised: raised(error, job.line) }),
  );
  const found = await Promise.race([reading, late]);
  clearTimeout(timer);
  return found;
}

async function answer(load, { exchange, readers }) {
  for (const reader of readers) {
    const told = [];
    for (const read of READERS[reader]) {
      told.push(await replay(load, read, exchange));
      if (!told.at(-1).said) break;
    }
    say({ reader, exchange: exchange.id, outcome: told });
  }
}

function refuse(why) {
  say({ refused: why });
  process.stdout.write("", () => process.exit(0));
  return new Promise(() => {});
}

globalThis.fetch = () => Promise.reject(new TypeError("a replay sends nothing"));
process.on("unhandledRejection", () => {}); // of promises of a client that nobody here waits for
const { node } = process.versions;
if (parseInt(node) < OLDEST) await refuse(`Node ${node} is too old, as the clients want ${OLDEST} or newer`);
const load = clients.importer(process.argv[2]);
try {
  await Promise.all(["openai", "ai", "@ai-sdk/openai-compatible"].map(load));
} catch (error) {
  await refuse(`the clients cannot be imported: ${error.message.split("\n")[0]}`);
}
for await (const line of createInterface({ input: process.stdin })) await answer(load, JSON.parse(line));
