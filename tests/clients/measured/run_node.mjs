// Jobs as JSON lines on standard input, what the client named by the first argument delivered as JSON lines on standard
// output. The second argument is the folder in whose node_modules the client lies.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [name, folder] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const load = (module) => import(pathToFileURL(require.resolve(module)));
const versionOf = (module) =>
  JSON.parse(readFileSync(join(folder, "node_modules", module, "package.json"), "utf8")).version;
const asked = [{ role: "user", content: "Say something." }];
const patience = 3000;
const delivered = (text, calls, finish, tokens) =>
  ({ text: text ?? "", calls, finish: finish ?? null, tokens: tokens ?? null });
const extra = (job) => (job.tools ? { tools: job.tools } : {});

async function client(job) {
  const { OpenAI } = await load("openai");
  return new OpenAI({ baseURL: job.base_url, apiKey: "none", maxRetries: 0, timeout: patience });
}

function message(answer) {
  const choice = answer.choices[0];
  const calls = (choice.message.tool_calls ?? []).map((c) => [c.id ?? null, c.function.name ?? null, c.function.arguments]);
  return delivered(choice.message.content, calls, choice.finish_reason, answer.usage?.total_tokens);
}

// What an application adds up by hand, fragments by their index, as the guide shows it.
async function loop(job) {
  const options = { model: "canned", messages: asked, ...extra(job) };
  const completions = (await client(job)).chat.completions;
  if (!job.stream) return message(await completions.create(options));
  let [text, finish, tokens] = ["", null, null];
  const calls = new Map();
  for await (const chunk of await completions.create({ ...options, stream: true, stream_options: { include_usage: true } })) {
    tokens = chunk.usage?.total_tokens ?? tokens;
    for (const choice of chunk.choices) {
      text += choice.delta.content ?? "";
      finish = choice.finish_reason ?? finish;
      for (const fragment of choice.delta.tool_calls ?? []) {
        if (!calls.has(fragment.index)) calls.set(fragment.index, [null, null, ""]);
        const call = calls.get(fragment.index);
        call[0] = fragment.id ?? call[0];
        call[1] = fragment.function?.name ?? call[1];
        call[2] += fragment.function?.arguments ?? "";
      }
    }
  }
  return delivered(text, [...calls.values()], finish, tokens);
}

async function helper(job) {
  if (!job.stream) return null;
  const options = { model: "canned", messages: asked, stream_options: { include_usage: true }, ...extra(job) };
  const stream = (await client(job)).chat.completions.stream(options);
  return message(await stream.finalChatCompletion());
}

const ai = (provider) => async (job) => {
  const { streamText, generateText, tool, jsonSchema } = await load("ai");
  const model = await provider(job);
  const tools = Object.fromEntries(
    (job.tools ?? []).map(({ function: f }) => [f.name, tool({ inputSchema: jsonSchema(f.parameters) })]),
  );
  const options = { model, tools, prompt: "Say something.", maxRetries: 0, abortSignal: AbortSignal.timeout(patience) };
  const written = (calls) => calls.map((c) => [c.toolCallId, c.toolName, JSON.stringify(c.input ?? null)]);
  if (!job.stream) {
    const answer = await generateText(options);
    return delivered(answer.text, written(answer.toolCalls), answer.finishReason, answer.usage.totalTokens);
  }
  let [text, finish, tokens, failed] = ["", null, null, null];
  const calls = [];
  for await (const part of streamText({ ...options, onError() {} }).fullStream) {
    if (part.type === "text-delta") text += part.text;
    if (part.type === "tool-call") calls.push(part);
    if (part.type === "error") failed = part.error?.name ?? typeof part.error;
    if (part.type === "finish") [finish, tokens] = [part.finishReason, part.totalUsage?.totalTokens];
  }
  return { ...delivered(text, written(calls), finish, tokens), ...(failed ? { error: failed } : {}) };
};

const clients = {
  "openai-node": [loop, "openai"],
  "openai-node .stream()": [helper, "openai"],
  "@ai-sdk/openai": [
    ai(async (job) => (await load("@ai-sdk/openai")).createOpenAI({ baseURL: job.base_url, apiKey: "none" }).chat("canned")),
    "@ai-sdk/openai",
  ],
  "@ai-sdk/openai-compatible": [
    ai(async (job) =>
      (await load("@ai-sdk/openai-compatible")).createOpenAICompatible({ name: "canned", baseURL: job.base_url, includeUsage: true })("canned"),
    ),
    "@ai-sdk/openai-compatible",
  ],
};

globalThis.AI_SDK_LOG_WARNINGS = false;
process.on("unhandledRejection", () => {});
const [read, module] = clients[name];
const version = name.startsWith("@ai-sdk/") ? `${versionOf(module)} (ai ${versionOf("ai")})` : versionOf(module);
console.log(JSON.stringify({ version }));
for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = await read(JSON.parse(line));
  } catch (error) {
    said = { error: error?.constructor?.name ?? typeof error };
  }
  console.log(JSON.stringify(said ?? null));
}
process.exit(0);
