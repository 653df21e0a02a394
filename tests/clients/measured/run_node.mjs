// Jobs as JSON lines on standard input, what the client named by the first argument delivered as JSON lines on standard
// output. The second argument is the folder in whose node_modules the client lies.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as readers from "../../../conformance/gonogo/clients/node/clients.mjs";
import * as surfaces from "../../../conformance/gonogo/clients/node/surfaces.mjs";

const [name, folder] = process.argv.slice(2);
const load = readers.importer(folder);
const versionOf = (module) =>
  JSON.parse(readFileSync(join(folder, "node_modules", module, "package.json"), "utf8")).version;

// One answer, as the table has one choice each.
function told({ choices, total, failed }) {
  const first = choices[0] ?? { text: "", calls: [], finish: null };
  const error = failed ? { error: failed.error?.name ?? "an error" } : {};
  return { text: first.text, calls: first.calls, finish: first.finish, tokens: total, ...error };
}

// What an application that asks for one choice adds up, whatever indexes come.
function added({ choices, total }) {
  const text = choices.map((choice) => choice.text).join("");
  const finish = choices.findLast((choice) => choice.finish)?.finish ?? null;
  return { text, calls: choices.flatMap((choice) => choice.calls), finish, tokens: total };
}

async function official(load, job) {
  const { createOpenAI } = await load("@ai-sdk/openai");
  return createOpenAI({ baseURL: job.base_url, apiKey: "none" }).chat("canned");
}

const ai = (model) => async (job) =>
  told(await (job.stream ? readers.aiStream(load, job, model) : readers.aiText(load, job, model)));

const either = (whole, stream) => async (job) => told(await (job.stream ? stream : whole)(load, job));
const helper = (stream) => async (job) => (job.stream ? told(await stream(load, job)) : null);

const CHAT = "/chat/completions";
const RESPONSES = "/responses";
const MESSAGES = "/messages";
// By name what reads, the package, and the surface; without one that of chats.
const clients = {
  "openai-node": [
    async (job) =>
      job.stream ? added(await readers.openaiLoop(load, job)) : told(await readers.openaiChat(load, job)),
    "openai",
  ],
  "openai-node .stream()": [
    async (job) => (job.stream ? told(await readers.openaiHelper(load, job)) : null),
    "openai",
  ],
  "@ai-sdk/openai": [ai(official), "@ai-sdk/openai"],
  "@ai-sdk/openai-compatible": [ai(readers.compatible), "@ai-sdk/openai-compatible"],
  "openai-node responses": [either(surfaces.openaiResponse, surfaces.openaiResponseLoop), "openai", RESPONSES],
  "openai-node responses.stream()": [helper(surfaces.openaiResponseHelper), "openai", RESPONSES],
  "@ai-sdk/openai responses": [either(surfaces.aiResponse, surfaces.aiResponseStream), "@ai-sdk/openai", RESPONSES],
  "@anthropic-ai/sdk": [either(surfaces.anthropicMessage, surfaces.anthropicLoop), "@anthropic-ai/sdk", MESSAGES],
  "@anthropic-ai/sdk .stream()": [helper(surfaces.anthropicHelper), "@anthropic-ai/sdk", MESSAGES],
  "@ai-sdk/anthropic": [either(surfaces.aiMessage, surfaces.aiMessageStream), "@ai-sdk/anthropic", MESSAGES],
};

process.on("unhandledRejection", () => {});
const [read, module, surface = CHAT] = clients[name];
const version = name.startsWith("@ai-sdk/") ? `${versionOf(module)} (ai ${versionOf("ai")})` : versionOf(module);
console.log(JSON.stringify({ version }));
for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    const job = JSON.parse(line);
    said = job.surface === surface ? await read({ ...job, patience: 3000 }) : null;
  } catch (error) {
    said = { error: error?.constructor?.name ?? typeof error };
  }
  console.log(JSON.stringify(said ?? null));
}
process.exit(0);
