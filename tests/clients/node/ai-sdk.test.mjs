// Flows of the AI SDK on a server whose engine is scripted; test_node.py runs them and reads what each says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const { GONOGO_TEST_BASE_URL: baseURL, GONOGO_TEST_API_KEY: apiKey } = process.env;
const HELLO = "Hello! How can I help you today?";
const LAMP = "Make the lamp teal.";
const LAMP_IS_TEAL = "The lamp is teal now.";
const provider = createOpenAICompatible({
  name: "gonogo", baseURL, apiKey, includeUsage: true, supportsStructuredOutputs: true,
});
const asked = { model: provider("scripted"), maxRetries: 0 };
const tools = {
  set_colour: tool({
    description: "Sets the colour of the lamp.",
    inputSchema: z.object({ colour: z.enum(["teal", "red"]) }),
    execute: async ({ colour }) => `The lamp is ${colour} now.`,
  }),
};
const person = Output.object({
  schema: jsonSchema({
    type: "object",
    properties: { name: { type: "string" }, age: { type: "integer" } },
    required: ["name", "age"],
    additionalProperties: false,
  }),
});

test("it gets an answer", async () => {
  const { text, usage, finishReason } = await generateText({ ...asked, instructions: "Be brief.", prompt: "Hi" });
  assert.deepEqual([text, finishReason], [HELLO, "stop"]);
  assert.equal(usage.outputTokens, HELLO.length + 1);
});

test("it streams an answer with its cost", async () => {
  const stream = streamText({ ...asked, prompt: "Hi" });
  const parts = [];
  for await (const part of stream.textStream) parts.push(part);
  assert.ok(parts.length > 1);
  assert.equal(parts.join(""), HELLO);
  assert.equal((await stream.usage).outputTokens, HELLO.length + 1);
});

test("it runs tools until there is an answer", async () => {
  const { text, steps } = await generateText({ ...asked, prompt: LAMP, tools, stopWhen: stepCountIs(3) });
  assert.equal(text, LAMP_IS_TEAL);
  assert.deepEqual(steps.map((step) => step.finishReason), ["tool-calls", "stop"]);
  assert.equal(steps[0].toolResults[0].output, LAMP_IS_TEAL);
});

test("it runs tools in streams until there is an answer", async () => {
  const stream = streamText({ ...asked, prompt: LAMP, tools, stopWhen: stepCountIs(3) });
  await stream.consumeStream();
  const steps = await stream.steps;
  assert.equal(steps.at(-1).text, LAMP_IS_TEAL);
  assert.deepEqual(steps[0].toolCalls[0].input, { colour: "teal" });
});

test("it gets an object by a schema", async () => {
  const { output } = await generateText({ ...asked, prompt: "Ada is 36 years old. Describe her.", output: person });
  assert.deepEqual(output, { name: "Ada", age: 36 });
});

test("it streams an object in parts", async () => {
  const stream = streamText({ ...asked, prompt: "Ada is 36 years old. Describe her.", output: person });
  const parts = [];
  for await (const part of stream.partialOutputStream) parts.push(part);
  assert.ok(parts.length > 1);
  assert.deepEqual(parts.at(-1), { name: "Ada", age: 36 });
});

test("it embeds texts", async () => {
  const model = provider.embeddingModel("vectors");
  const { embeddings } = await embedMany({ model, values: ["A cat.", "A kitten."], maxRetries: 0 });
  assert.deepEqual(embeddings.map((vector) => vector.length), [64, 64]);
});

test("it throws what was wrong", async () => {
  const wrong = generateText({ ...asked, model: provider("nothing"), prompt: "Hi" });
  await assert.rejects(wrong, (error) => {
    assert.ok(APICallError.isInstance(error), `${error}`);
    assert.equal(error.statusCode, 404);
    assert.match(error.message, /nothing/);
    return true;
  });
});
