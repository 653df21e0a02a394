// Reads answers as applications with openai-node or the AI SDK do, by the clients' own guides.
//
// A reader takes a job: `base_url`, `patience` in milliseconds, the request parameters that determine how the answer is
// read (`tools`, `n`, `model`, `encoding`), and `fetch` if nothing must be sent. It stores in `job.line` the code that it
// runs next, so that an exception can be located, and returns the delivered content.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export const asked = [{ role: "user", content: "Say something." }];
export const usageOf = (usage) =>
  usage == null ? null : { prompt: usage.prompt_tokens ?? null, completion: usage.completion_tokens ?? null };

// A function that imports a package from the node_modules of a folder.
export function importer(folder) {
  const require = createRequire(join(folder, "package.json"));
  return (name) => import(pathToFileURL(require.resolve(name)));
}

// ---- openai-node ----------------------------------------------------------------------------------------------------

export async function client(load, job) {
  const { OpenAI } = await load("openai");
  const options = { baseURL: job.base_url, apiKey: "none", maxRetries: 0, timeout: job.patience };
  return new OpenAI(job.fetch ? { ...options, fetch: job.fetch } : options);
}

const callOf = (call) => [call.id ?? null, call.function.name ?? null, call.function.arguments ?? null];

function wholeOf(job, answer, line = "completion.choices[0].message.content") {
  job.line = line;
  void answer.choices[0].message.content;
  const list = Array.isArray(answer.choices) ? answer.choices : [answer.choices[0]];
  const choices = list.map(({ index, message, finish_reason }) => ({
    index: index ?? null,
    text: message.content ?? "",
    calls: (message.tool_calls ?? []).map(callOf),
    finish: finish_reason ?? null,
  }));
  return { choices, usage: usageOf(answer.usage), total: answer.usage?.total_tokens ?? null };
}

export async function openaiChat(load, job) {
  job.line = "client.chat.completions.create()";
  const options = { model: "m", messages: asked, ...(job.tools ? { tools: job.tools } : {}) };
  return wholeOf(job, await (await client(load, job)).chat.completions.create(options));
}

// Accumulates a stream as applications do, with fragments joined by their index.
function addDelta(choice, { delta, finish_reason }) {
  choice.text += delta.content ?? "";
  choice.finish = finish_reason ?? choice.finish;
  for (const fragment of delta.tool_calls ?? []) {
    if (!choice.calls.has(fragment.index)) choice.calls.set(fragment.index, [null, null, ""]);
    const call = choice.calls.get(fragment.index);
    call[0] = fragment.id ?? call[0];
    call[1] = fragment.function?.name ?? call[1];
    call[2] += fragment.function?.arguments ?? "";
  }
}

async function added(job, stream, add) {
  const choices = new Map();
  let usage;
  job.line = "for await (const chunk of stream)";
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage;
    job.line = "for (const choice of chunk.choices)";
    for (const choice of chunk.choices) {
      const { index } = choice;
      if (!choices.has(index)) choices.set(index, { index: index ?? null, text: "", calls: new Map(), finish: null });
      job.line = "text += choice.delta.content";
      add(choices.get(index), choice);
    }
    job.line = "for await (const chunk of stream)";
  }
  const found = [...choices.values()].map((choice) => ({ ...choice, calls: [...choice.calls.values()] }));
  return { choices: found, usage: usageOf(usage), total: usage?.total_tokens ?? null };
}

export async function openaiLoop(load, job) {
  job.line = "client.chat.completions.create({ stream: true })";
  const tools = job.tools ? { tools: job.tools } : {};
  const options = { model: "m", messages: asked, stream: true, stream_options: { include_usage: true }, ...tools };
  return added(job, await (await client(load, job)).chat.completions.create(options), addDelta);
}

// Accumulates a stream with the client's own helper, without options that make it parse arguments or texts.
export async function openaiHelper(load, job) {
  job.line = "client.chat.completions.stream()";
  const options = { model: "m", messages: asked, n: job.n, stream_options: { include_usage: true } };
  const stream = (await client(load, job)).chat.completions.stream(options);
  job.line = "client.chat.completions.stream().finalChatCompletion()";
  return wholeOf(job, await stream.finalChatCompletion(), job.line);
}

export async function openaiCompletion(load, job) {
  job.line = "client.completions.create()";
  const answer = await (await client(load, job)).completions.create({ model: "m", prompt: "" });
  job.line = "completion.choices[0].text";
  void answer.choices[0].text;
  const choices = answer.choices.map(({ index, text, finish_reason }) => ({
    index: index ?? null,
    text: text ?? "",
    calls: [],
    finish: finish_reason ?? null,
  }));
  return { choices, usage: usageOf(answer.usage) };
}

export async function openaiCompletionLoop(load, job) {
  job.line = "client.completions.create({ stream: true })";
  const stream = await (await client(load, job)).completions.create({ model: "m", prompt: "", stream: true });
  return added(job, stream, (choice, { text, finish_reason }) => {
    choice.text += text ?? "";
    choice.finish = finish_reason ?? choice.finish;
  });
}

export async function openaiModels(load, job) {
  const sdk = await client(load, job);
  if (job.model !== null) {
    job.line = "client.models.retrieve(id)";
    return { ids: [(await sdk.models.retrieve(job.model)).id ?? null] };
  }
  job.line = "for await (const model of client.models.list())";
  const ids = [];
  for await (const model of sdk.models.list()) ids.push(model.id ?? null);
  return { ids };
}

export async function openaiEmbeddings(load, job) {
  job.line = "client.embeddings.create()";
  const format = job.encoding === "float" ? { encoding_format: "float" } : {};
  const answer = await (await client(load, job)).embeddings.create({ model: "m", input: "", ...format });
  job.line = "response.data.map((item) => item.embedding)";
  return { lengths: answer.data.map(({ embedding }) => (Array.isArray(embedding) ? embedding.length : null)) };
}

// ---- the AI SDK -----------------------------------------------------------------------------------------------------

// The model of its provider for OpenAI-compatible servers.
export async function compatible(load, job) {
  const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
  const settings = { name: "recorded", baseURL: job.base_url, includeUsage: true };
  return createOpenAICompatible(job.fetch ? { ...settings, fetch: job.fetch } : settings)("m");
}

async function aiOptions(load, job, makeModel) {
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const { tool, jsonSchema } = await load("ai");
  const functions = (job.tools ?? []).map(functionOf).filter((one) => one);
  const tools = functions.map((f) => [f.name, tool({ inputSchema: jsonSchema(f.parameters ?? { type: "object" }) })]);
  const model = await makeModel(load, job);
  return { model, tools: Object.fromEntries(tools), prompt: "Say something.", maxRetries: 0 };
}

// The function tool of an application, from the form of chat, responses or messages; nothing for other tools.
function functionOf(tool) {
  if (tool?.input_schema) return { name: tool.name, parameters: tool.input_schema };
  return tool?.type === "function" ? (tool.function ?? tool) : null;
}

const aiCalls = (calls) => calls.map((call) => [call.toolCallId, call.toolName, written(call.input)]);
const written = (input) => (typeof input === "string" ? input : JSON.stringify(input ?? null));
const aiUsage = (usage) => usageOf({ prompt_tokens: usage?.inputTokens, completion_tokens: usage?.outputTokens });

export async function aiText(load, job, makeModel = compatible) {
  job.line = "generateText()";
  const { generateText } = await load("ai");
  const signal = AbortSignal.timeout(job.patience);
  const answer = await generateText({ ...(await aiOptions(load, job, makeModel)), abortSignal: signal });
  const { text, toolCalls, finishReason: finish, usage } = answer;
  const choices = [{ index: 0, text, calls: aiCalls(toolCalls), finish }];
  return { choices, usage: aiUsage(usage), total: usage.totalTokens ?? null };
}

export async function aiStream(load, job, makeModel = compatible) {
  job.line = "for await (const part of streamText().fullStream)";
  const { streamText } = await load("ai");
  const signal = AbortSignal.timeout(job.patience);
  const options = { ...(await aiOptions(load, job, makeModel)), abortSignal: signal, onError() {} };
  const choice = { index: 0, text: "", calls: [], finish: null };
  let usage, failed;
  for await (const part of streamText(options).fullStream) {
    if (part.type === "text-delta") choice.text += part.text;
    if (part.type === "tool-call") choice.calls.push(part);
    if (part.type === "error") failed = { error: part.error };
    if (part.type === "finish") [choice.finish, usage] = [part.finishReason, part.totalUsage];
  }
  choice.calls = aiCalls(choice.calls);
  return { choices: [choice], usage: aiUsage(usage), total: usage?.totalTokens ?? null, failed };
}

// A refusal is thrown; applications show the message of the error.
export async function aiError(load, job) {
  job.line = "generateText()";
  const { APICallError } = await load("ai");
  try {
    await aiText(load, job);
  } catch (error) {
    if (!APICallError.isInstance(error)) throw error;
    return { status: error.statusCode ?? null, message: error.message };
  }
  return { status: null, message: null };
}
