// Ten everyday flows of the OpenAI client for Node; test_node.py runs them on a real server and reads what each says.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { LengthFinishReasonError } from "openai/error";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

const { GONOGO_TEST_BASE_URL: baseURL, GONOGO_TEST_API_KEY: apiKey } = process.env;
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 60_000 });

const said = (role, content) => ({ role, content });
const PARIS = [said("user", "Repeat after me: I love Paris.")];
const TALK = [
  said("user", "My name is Ada."),
  said("assistant", "Nice to meet you, Ada."),
  said("user", "What is my name?"),
];
const LAMP = [said("user", "Make the lamp teal.")];
const ADA = [said("user", "Ada is 36 years old. Describe her.")];
const TEXTS = ["A cat sleeps on the mat.", "A kitten naps on the rug.", "Shares fell sharply on Monday."];
const ENDLESS = { max_tokens: 4000, logit_bias: { 2: -100 } }; // 2 ends an answer of SmolLM2
const LAMP_IS_TEAL = "The lamp is teal now.";

const setColour = zodFunction({
  name: "set_colour",
  description: "Sets the colour of the lamp.",
  parameters: z.object({ colour: z.enum(["teal", "red"]) }),
});
const Person = z.object({ name: z.enum(["Ada", "Grace"]), age: z.number().int().min(1).max(99) });

const chat = (messages, more = {}) =>
  client.chat.completions.create({ model: "smollm2", messages, temperature: 0, max_tokens: 12, ...more });

const dot = (one, other) => one.reduce((sum, value, index) => sum + value * other[index], 0);

async function untilFree() {
  const patientUntil = Date.now() + 60_000;
  for (;;) {
    const answer = await fetch(new URL("/metrics", baseURL), { headers: { authorization: `Bearer ${apiKey}` } });
    const [, open] = /^gonogo_requests_open (\S+)$/m.exec(await answer.text());
    if (Number(open) === 0) return;
    assert.ok(Date.now() < patientUntil, "a request goes on although its client has gone");
  }
}

test("it lists the models and finds one", async () => {
  const models = [];
  for await (const model of client.models.list()) models.push(model);
  assert.deepEqual(models.map((model) => model.id), ["smollm2", "minilm"]);
  assert.deepEqual(await client.models.retrieve("minilm"), models[1]);
});

test("it gets an answer", async () => {
  const answer = await chat(PARIS);
  assert.match(answer.choices[0].message.content, /Paris/);
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  assert.ok(answer._request_id);
});

test("it streams the same answer with its cost", async () => {
  const whole = await chat(PARIS);
  const chunks = [];
  for await (const chunk of await chat(PARIS, { stream: true, stream_options: { include_usage: true } })) {
    chunks.push(chunk);
  }
  const last = chunks.pop();
  const text = chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join("");
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
  assert.deepEqual(last.choices, []);
  assert.equal(last.usage.completion_tokens, whole.usage.completion_tokens);
});

test("it carries a conversation on", async () => {
  const [bySystem, byDeveloper, alone] = await Promise.all([
    chat([said("system", "Answer in one short sentence."), ...TALK], { max_tokens: 3 }),
    chat([said("developer", "Answer in one short sentence."), ...TALK], { max_tokens: 3 }),
    chat([said("system", "Answer in one short sentence."), TALK.at(-1)], { max_tokens: 3 }),
  ]);
  assert.ok(bySystem.choices[0].message.content);
  assert.deepEqual(bySystem.choices[0].message, byDeveloper.choices[0].message);
  assert.ok(bySystem.usage.prompt_tokens > alone.usage.prompt_tokens);
});

test("it gets several answers with a seed and log probabilities", async () => {
  const asked = { temperature: 1.2, n: 3, seed: 7, logprobs: true, top_logprobs: 2, max_tokens: 3 };
  const [answer, again] = await Promise.all([1, 2].map(() => chat([said("user", "Name a colour.")], asked)));
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1, 2]);
  const contents = (from) => from.choices.map((choice) => choice.message.content);
  assert.deepEqual(contents(answer), contents(again));
  for (const { logprobs, message } of answer.choices) {
    const bytes = logprobs.content.flatMap((token) => token.bytes);
    assert.equal(new TextDecoder().decode(Uint8Array.from(bytes)), message.content);
    assert.ok(logprobs.content.every((token) => token.top_logprobs.length === 2));
  }
});

test("it ends answers by a string and by a limit", async () => {
  const [whole, stopped, short] = await Promise.all([
    chat(PARIS),
    chat(PARIS, { stop: ["\n\n", " Paris"] }),
    chat(PARIS, { max_tokens: 3 }),
  ]);
  assert.equal(stopped.choices[0].message.content, whole.choices[0].message.content.split(" Paris")[0]);
  assert.equal(stopped.choices[0].finish_reason, "stop");
  assert.equal(short.choices[0].finish_reason, "length");
  assert.equal(short.usage.completion_tokens, 3);
});

test("it has a tool called and tells the result", async () => {
  const first = await client.chat.completions.parse({
    model: "smollm2",
    messages: LAMP,
    tools: [setColour],
    tool_choice: { type: "function", function: { name: "set_colour" } },
    temperature: 0,
    max_tokens: 40,
  });
  const { message } = first.choices[0];
  const [call] = message.tool_calls;
  assert.deepEqual(call.function.parsed_arguments, JSON.parse(call.function.arguments));
  const result = { role: "tool", tool_call_id: call.id, content: LAMP_IS_TEAL };
  const second = await chat([...LAMP, message, result], { tools: [setColour], max_tokens: 3 });
  assert.ok(second.choices[0].message.content || second.choices[0].message.tool_calls);
  assert.ok(second.usage.prompt_tokens > first.usage.prompt_tokens);
});

test("it puts a streamed call together and tells the result", async () => {
  const stream = client.chat.completions.stream({
    model: "smollm2",
    messages: LAMP,
    tools: [setColour],
    tool_choice: "required",
    parallel_tool_calls: false,
    temperature: 0,
    max_tokens: 40,
  });
  const fragments = [];
  stream.on("tool_calls.function.arguments.delta", (event) => fragments.push(event.arguments_delta));
  const { finish_reason: reason, message } = (await stream.finalChatCompletion()).choices[0];
  const [call] = message.tool_calls;
  assert.equal(reason, "tool_calls");
  assert.ok(fragments.length > 1);
  assert.equal(fragments.join(""), call.function.arguments);
  const result = { role: "tool", tool_call_id: call.id, content: LAMP_IS_TEAL };
  assert.ok((await chat([...LAMP, message, result], { max_tokens: 3 })).choices[0].message.content);
});

test("it gets an object of its own type", async () => {
  const asked = {
    model: "smollm2",
    messages: ADA,
    response_format: zodResponseFormat(Person, "Person"),
    temperature: 0,
  };
  const answer = await client.chat.completions.parse({ ...asked, max_tokens: 40 });
  assert.deepEqual(answer.choices[0].message.parsed, Person.parse(JSON.parse(answer.choices[0].message.content)));
  await assert.rejects(
    client.chat.completions.parse({ ...asked, max_tokens: 3 }),
    LengthFinishReasonError,
  );
});

test("it completes several prompts", async () => {
  const prompt = ["The capital of France is", "One, two, three,"];
  const answer = await client.completions.create({
    model: "smollm2", prompt, temperature: 0, max_tokens: 3, logprobs: 2,
  });
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
  assert.match(answer.choices[0].text, /^ Paris/);
  for (const choice of answer.choices) assert.equal(choice.logprobs.tokens.join(""), choice.text);
});

test("it embeds texts in both formats", async () => {
  const packed = await client.embeddings.create({ model: "minilm", input: TEXTS });
  const plain = await client.embeddings.create({ model: "minilm", input: TEXTS, encoding_format: "float" });
  const [cat, kitten, shares] = packed.data.map((entry) => Array.from(entry.embedding));
  assert.equal(cat.length, 384);
  assert.ok(cat.every((value, index) => Math.abs(value - plain.data[0].embedding[index]) < 1e-6));
  assert.ok(dot(cat, kitten) > dot(cat, shares) + 0.3);
});

test("it throws each error by its type", async () => {
  const caught = (type, param, code) => (error) => {
    assert.ok(error instanceof type, `${error}`);
    assert.deepEqual([error.param, error.code], [param, code]);
    return Boolean(error.requestID);
  };
  await assert.rejects(
    client.withOptions({ apiKey: "wrong" }).models.list(),
    caught(OpenAI.AuthenticationError, null, "invalid_api_key"),
  );
  await assert.rejects(
    chat(PARIS, { model: "nothing" }),
    caught(OpenAI.NotFoundError, "model", "model_not_found"),
  );
  await assert.rejects(
    chat(PARIS, { temperature: 3 }),
    caught(OpenAI.BadRequestError, "temperature", "invalid_value"),
  );
});

test("it leaves in the middle and the server is free", async () => {
  for await (const chunk of await chat(PARIS, { ...ENDLESS, stream: true })) {
    assert.ok(chunk.id);
    break; // closes the connection
  }
  await untilFree();
  const left = await chat(PARIS, { ...ENDLESS, stream: true });
  left.controller.abort();
  await untilFree();
  await assert.rejects(
    client.withOptions({ timeout: 300 }).chat.completions.create({
      model: "smollm2", messages: PARIS, ...ENDLESS,
    }),
    OpenAI.APIConnectionTimeoutError,
  );
  await untilFree();
  assert.equal((await chat(PARIS, { max_tokens: 1 })).choices.length, 1);
});
