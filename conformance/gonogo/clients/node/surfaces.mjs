// Reads responses and messages as applications with openai-node, @anthropic-ai/sdk or the AI SDK do.
//
// The readers have the form of those in clients.mjs, and return chat finish reasons.
import { aiStream, aiText, asked, client, usageOf } from "./clients.mjs";

const tools = (job) => (job.tools ? { tools: job.tools } : {});

function delivered(text, calls, finish, input, output) {
  const usage = usageOf({ prompt_tokens: input, completion_tokens: output });
  const total = input == null || output == null ? null : input + output;
  return { choices: [{ index: 0, text, calls, finish }], usage, total };
}

// ---- responses with openai-node -------------------------------------------------------------------------------------

const TERMINAL = ["response.completed", "response.incomplete", "response.failed"];
const ENDS = { max_output_tokens: "length", content_filter: "content_filter" };
const callOf = (item) => [item.call_id ?? null, item.name ?? null, item.arguments ?? null];

function responseOf(job, response, line = "response.output") {
  job.line = line;
  const text = response.output
    .filter((item) => item.type === "message")
    .flatMap((item) => item.content)
    .map((part) => (part.type === "output_text" ? part.text : ""))
    .join("");
  const calls = response.output.filter((item) => item.type === "function_call").map(callOf);
  return delivered(text, calls, endOf(response, calls), response.usage?.input_tokens, response.usage?.output_tokens);
}

function endOf({ status, incomplete_details }, calls) {
  const reason = incomplete_details?.reason;
  if (reason || status === "incomplete") return ENDS[reason] ?? "other";
  return status === "completed" ? (calls.length ? "tool_calls" : "stop") : (status ?? null);
}

export async function openaiResponse(load, job) {
  job.line = "client.responses.create()";
  const options = { model: "m", input: asked, ...tools(job) };
  const response = await (await client(load, job)).responses.create(options);
  job.line = "response.output_text";
  void response.output_text.length;
  return responseOf(job, response);
}

// Accumulates a stream as applications do.
export async function openaiResponseLoop(load, job) {
  job.line = "client.responses.create({ stream: true })";
  const options = { model: "m", input: asked, stream: true, ...tools(job) };
  const stream = await (await client(load, job)).responses.create(options);
  const calls = [];
  let text = "";
  let response;
  job.line = "for await (const event of stream)";
  for await (const event of stream) {
    job.line = `for event ${event.type}`;
    if (event.type === "response.output_text.delta") text += event.delta;
    if (event.type === "response.output_item.done" && event.item.type === "function_call")
      calls.push(callOf(event.item));
    if (TERMINAL.includes(event.type)) response = event.response;
    job.line = "for await (const event of stream)";
  }
  const usage = response?.usage;
  return delivered(text, calls, response ? endOf(response, calls) : null, usage?.input_tokens, usage?.output_tokens);
}

// Accumulates a stream with the client's own helper.
export async function openaiResponseHelper(load, job) {
  job.line = "client.responses.stream()";
  const stream = (await client(load, job)).responses.stream({ model: "m", input: asked, ...tools(job) });
  job.line = "client.responses.stream().finalResponse()";
  return responseOf(job, await stream.finalResponse(), job.line);
}

// ---- messages with @anthropic-ai/sdk --------------------------------------------------------------------------------

const REASONS = {
  end_turn: "stop",
  stop_sequence: "stop",
  tool_use: "tool_calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "content_filter",
};
const reasonOf = (reason) => (reason == null ? null : (REASONS[reason] ?? "other"));

async function anthropic(load, job) {
  const { Anthropic } = await load("@anthropic-ai/sdk");
  const baseURL = job.base_url.replace(/\/v1$/, "");
  const options = { baseURL, apiKey: "none", maxRetries: 0, timeout: job.patience };
  return new Anthropic(job.fetch ? { ...options, fetch: job.fetch } : options);
}

const message = (job) => ({ model: "m", max_tokens: 1024, messages: asked, ...tools(job) });

function messageOf(job, { content, stop_reason, usage }, line = "message.content") {
  job.line = line;
  const text = content.map((block) => (block.type === "text" ? block.text : "")).join("");
  const calls = content
    .filter((block) => block.type === "tool_use")
    .map(({ id, name, input }) => [id ?? null, name ?? null, JSON.stringify(input ?? null)]);
  return delivered(text, calls, reasonOf(stop_reason), usage.input_tokens, usage.output_tokens);
}

export async function anthropicMessage(load, job) {
  job.line = "client.messages.create()";
  return messageOf(job, await (await anthropic(load, job)).messages.create(message(job)));
}

// Accumulates a stream as applications do, with blocks joined by their index.
export async function anthropicLoop(load, job) {
  job.line = "client.messages.create({ stream: true })";
  const stream = await (await anthropic(load, job)).messages.create({ ...message(job), stream: true });
  const calls = new Map();
  const found = { text: "", reason: null, input: null, output: null };
  job.line = "for await (const event of stream)";
  for await (const event of stream) {
    job.line = `for event ${event.type}`;
    addEvent(found, calls, event);
    job.line = "for await (const event of stream)";
  }
  return delivered(found.text, [...calls.values()], reasonOf(found.reason), found.input, found.output);
}

function addEvent(found, calls, event) {
  if (event.type === "message_start") {
    found.input = event.message.usage.input_tokens;
  } else if (event.type === "content_block_start" && event.content_block.type === "tool_use") {
    const { id, name, input } = event.content_block;
    const whole = input && Object.keys(input).length ? JSON.stringify(input) : "";
    calls.set(event.index, [id ?? null, name ?? null, whole]);
  } else if (event.type === "content_block_start") {
    found.text += event.content_block.text ?? "";
  } else if (event.type === "content_block_delta" && event.delta.type === "text_delta") {
    found.text += event.delta.text;
  } else if (event.type === "content_block_delta" && event.delta.type === "input_json_delta") {
    calls.get(event.index)[2] += event.delta.partial_json;
  } else if (event.type === "message_delta") {
    found.reason = event.delta.stop_reason ?? found.reason;
    found.output = event.usage.output_tokens;
    found.input = event.usage.input_tokens ?? found.input;
  }
}

// Accumulates a stream with the client's own helper.
export async function anthropicHelper(load, job) {
  job.line = "client.messages.stream()";
  const stream = (await anthropic(load, job)).messages.stream(message(job));
  job.line = "client.messages.stream().finalMessage()";
  return messageOf(job, await stream.finalMessage(), job.line);
}

// ---- both with the AI SDK -------------------------------------------------------------------------------------------

async function ofOpenAI(load, job) {
  const { createOpenAI } = await load("@ai-sdk/openai");
  const settings = { baseURL: job.base_url, apiKey: "none" };
  return createOpenAI(job.fetch ? { ...settings, fetch: job.fetch } : settings).responses("m");
}

async function ofAnthropic(load, job) {
  const { createAnthropic } = await load("@ai-sdk/anthropic");
  const settings = { baseURL: job.base_url, apiKey: "none" };
  return createAnthropic(job.fetch ? { ...settings, fetch: job.fetch } : settings)("m");
}

export const aiResponse = (load, job) => aiText(load, job, ofOpenAI);
export const aiResponseStream = (load, job) => aiStream(load, job, ofOpenAI);
export const aiMessage = (load, job) => aiText(load, job, ofAnthropic);
export const aiMessageStream = (load, job) => aiStream(load, job, ofAnthropic);
