// Flows of LangChain.js on a server whose engine is scripted; test_node.py runs them and reads what each says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { z } from "zod";

const { GONOGO_TEST_BASE_URL: baseURL, GONOGO_TEST_API_KEY: apiKey } = process.env;
const HELLO = "Hello! How can I help you today?";
const LAMP = new HumanMessage("Make the lamp teal.");
const LAMP_IS_TEAL = "The lamp is teal now.";
const Person = z.object({ name: z.string(), age: z.number().int() });

const chat = (options = {}) =>
  new ChatOpenAI({ model: "scripted", apiKey, configuration: { baseURL }, maxRetries: 0, temperature: 0, ...options });

const setColour = tool(({ colour }) => `The lamp is ${colour} now.`, {
  name: "set_colour",
  description: "Sets the colour of the lamp.",
  schema: z.object({ colour: z.enum(["teal", "red"]) }),
});

test("it gets an answer", async () => {
  const answer = await chat().invoke([new SystemMessage("Be brief."), new HumanMessage("Hi")]);
  assert.equal(answer.content, HELLO);
  assert.equal(answer.usage_metadata.output_tokens, HELLO.length + 1);
});

test("it streams an answer with its cost", async () => {
  let whole;
  for await (const chunk of await chat().stream("Hi")) whole = whole === undefined ? chunk : whole.concat(chunk);
  assert.equal(whole.content, HELLO);
  assert.equal(whole.usage_metadata.output_tokens, HELLO.length + 1);
});

test("it has a tool called and tells the result", async () => {
  const model = chat().bindTools([setColour]);
  const asked = await model.invoke([LAMP]);
  const result = await setColour.invoke(asked.tool_calls[0]);
  assert.ok(result instanceof ToolMessage);
  assert.equal(result.name, "set_colour"); // it is sent as a member of the message
  const answer = await model.invoke([LAMP, asked, result]);
  assert.equal(answer.content, LAMP_IS_TEAL);
  const again = await model.invoke([LAMP, asked, result, answer, new HumanMessage("Thank you.")]);
  assert.ok(again instanceof AIMessage);
});

test("it puts a streamed call together and tells the result", async () => {
  const model = chat().bindTools([setColour], { tool_choice: "required", parallel_tool_calls: false, strict: true });
  let asked;
  for await (const chunk of await model.stream([LAMP])) asked = asked === undefined ? chunk : asked.concat(chunk);
  const result = await setColour.invoke(asked.tool_calls[0]);
  assert.equal((await chat().bindTools([setColour]).invoke([LAMP, asked, result])).content, LAMP_IS_TEAL);
});

const described = (method) =>
  chat().withStructuredOutput(Person, { method, name: "person" }).invoke("Ada is 36 years old. Describe her.");

test("it gets an object by a schema", async () => {
  assert.deepEqual(Person.parse(await described("jsonSchema")), { name: "Ada", age: 36 });
});

test("it gets an object by a forced call", async () => {
  assert.ok(Person.parse(await described("functionCalling")));
});

test("it embeds texts", async () => {
  const embeddings = new OpenAIEmbeddings({ model: "vectors", apiKey, configuration: { baseURL }, maxRetries: 0 });
  const vectors = await embeddings.embedDocuments(["A cat.", "A kitten."]);
  assert.deepEqual(vectors.map((vector) => vector.length), [64, 64]);
});

test("it throws what was wrong", async () => {
  await assert.rejects(chat({ model: "nothing" }).invoke("Hi"), { status: 404, code: "model_not_found" });
  await assert.rejects(chat({ temperature: 3 }).invoke("Hi"), { status: 400, param: "temperature" });
});
