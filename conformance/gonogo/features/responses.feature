Feature: Responses
  POST /responses: the response object, whole or in the terminal event of a stream. A must is required by the official
  document and by Open Responses.

  @must @responses.response.status
  Scenario: A response is answered with 200
    Source: schema, paths./responses.post.responses; Open Responses, POST /responses
    Why: the document names 200 and no other success.
    When any response is requested
    Then the answer's status is 200

  @must @responses.response.content_type
  Scenario: A response is sent as application/json
    Source: schema, paths./responses.post.responses.200.content
    Why: openai-python returns a str instead of an object for any other media type (EricLBuehler/mistral.rs#79).
    When any response is requested
    Then the answer's content type is "application/json"

  @must @responses.response.json
  Scenario: A response is one JSON object
    Source: schema, Response; RFC 8259
    Why: every client fails to parse anything else.
    Needs: responses.response.content_type
    When any response is requested
    Then the answer is one JSON object

  @must @responses.response.id
  Scenario: A response has an id
    Source: schema, Response.id, required; Open Responses, ResponseResource.id
    Why: clients keep and continue conversations by it.
    When any response is given
    Then "id" of the response fits the contract

  @must @responses.response.object
  Scenario: The object of a response is "response"
    Source: schema, Response.object, required; Open Responses, ResponseResource.object
    Why: typed clients tell a response from other objects by this literal.
    When any response is given
    Then "object" of the response fits the contract

  @must @responses.response.created_at
  Scenario: A response has created_at
    Source: schema, Response.created_at, required; Open Responses, ResponseResource.created_at
    Why: typed clients and the AI SDK refuse a response without it (ggml-org/llama.cpp#20607).
    When any response is given
    Then "created_at" of the response fits the contract

  @must @responses.response.seconds
  Scenario: created_at of a response is in seconds
    Source: schema, Response.created_at, "Unix timestamp (in seconds)"; Open Responses, ResponseResource.created_at
    Why: clients show a date in the far future for milliseconds, and caches never expire.
    Needs: responses.response.created_at
    When any response is given
    Then "created_at" of the response is in seconds

  @should @responses.response.created_whole
  Scenario: created_at of a response is an integer
    Source: Open Responses, ResponseResource.created_at, integer; the official document has any number
    Why: clients in Go and Rust decode it as an integer.
    Needs: responses.response.created_at
    When any response is given
    Then "created_at" of the response is a whole number of seconds

  @must @responses.response.model
  Scenario: A response names its model
    Source: schema, Response.model, required; Open Responses, ResponseResource.model
    Why: cost tracking and logs read it.
    When any response is given
    Then "model" of the response fits the contract

  @must @responses.response.output
  Scenario: A response has an output array
    Source: schema, Response.output, required; Open Responses, ResponseResource.output
    Why: openai-python's output_text raises TypeError where it is null or missing.
    When any response is given
    Then "output" of the response, its entries aside, fits the contract

  @should @responses.response.state
  Scenario: A response has a status
    Source: Open Responses, ResponseResource.status, required; schema, Response.status, which may be left out
    Why: the status tells a whole answer from one that was cut or failed.
    When any response is given
    Then the response has "status"

  @must @responses.response.state_known
  Scenario: The status of a response is one that the schema names
    Source: schema, Response.status, enum; Open Responses, ResponseResource.status
    Why: typed clients refuse another word.
    When any response is given
    Then "status" of the response fits the contract

  @should @responses.response.error
  Scenario: A response has error, null unless it failed
    Source: schema, Response.error, required; Open Responses, ResponseResource.error
    Why: strictly typed clients fail to decode a response without it.
    When any response is given
    Then "error" of the response fits the contract
    And "error" of the response is null unless its status is "failed"

  @should @responses.response.details
  Scenario: A response has incomplete_details, null unless it is incomplete
    Source: schema, Response.incomplete_details, required; Open Responses, ResponseResource.incomplete_details
    Why: strictly typed clients fail to decode a response without it.
    When any response is given
    Then "incomplete_details" of the response fits the contract
    And "incomplete_details" of the response is null unless its status is "incomplete"

  @should @responses.response.instructions
  Scenario: A response has instructions, or null
    Source: schema, Response.instructions, required; Open Responses, ResponseResource.instructions
    Why: strictly typed clients fail to decode a response without it.
    When any response is given
    Then "instructions" of the response fits the contract

  @should @responses.response.metadata
  Scenario: A response has metadata, or null
    Source: schema, Response.metadata, required; Open Responses, ResponseResource.metadata
    Why: strictly typed clients fail to decode a response without it.
    When any response is given
    Then "metadata" of the response fits the contract

  @should @responses.response.tools
  Scenario: A response has a tools array
    Source: schema, Response.tools, required; Open Responses, ResponseResource.tools
    Why: strictly typed clients fail to decode a response without it.
    When any response is given
    Then "tools" of the response fits the contract

  @should @responses.response.tool_choice
  Scenario: A response has tool_choice
    Source: schema, Response.tool_choice, required; Open Responses, ResponseResource.tool_choice
    Why: strictly typed clients fail to decode a response without it.
    When any response is given
    Then "tool_choice" of the response fits the contract

  @should @responses.response.parallel_tool_calls
  Scenario: A response has parallel_tool_calls
    Source: schema, Response.parallel_tool_calls, required; Open Responses, ResponseResource.parallel_tool_calls
    Why: strictly typed clients fail to decode a response without it.
    When any response is given
    Then "parallel_tool_calls" of the response fits the contract

  @should @responses.response.temperature
  Scenario: A response has temperature, or null
    Source: schema, Response.temperature, required; Open Responses, ResponseResource.temperature
    Why: strictly typed clients fail to decode a response without it.
    When any response is given
    Then "temperature" of the response fits the contract

  @should @responses.response.top_p
  Scenario: A response has top_p, or null
    Source: schema, Response.top_p, required; Open Responses, ResponseResource.top_p
    Why: strictly typed clients fail to decode a response without it.
    When any response is given
    Then "top_p" of the response fits the contract

  @should @responses.open.fields
  Scenario: A response has every field of Open Responses
    Source: Open Responses, ResponseResource, required; the official document requires none of these
    Why: clients that validate by Open Responses refuse the whole response (ogx-ai/ogx#4994).
    When any response is given
    Then the response has every field of Open Responses

  @should @responses.echo.tool_choice
  Scenario: tool_choice in the response equals that of the request
    Source: schema, Response.tool_choice, "how the model should select which tool"; Open Responses, the same
    Why: a server that ignores the field answers "auto" (seen in Ollama).
    Needs: responses.response.tool_choice
    When a response must call a tool
    Then "tool_choice" in the response equals that of the request

  @should @responses.echo.metadata
  Scenario: metadata in the response equals that of the request
    Source: schema, Response.metadata; Open Responses, ResponseResource.metadata
    Why: callers correlate requests by it.
    Needs: responses.response.metadata
    When a response to developer and system is streamed
    Then "metadata" in the response equals that of the request

  @should @responses.echo.store
  Scenario: store in the response equals that of the request
    Source: Open Responses, ResponseResource.store; schema, CreateResponse.store
    Why: a client that must not have data stored has to notice where it is stored anyway.
    When a response to developer and system is streamed
    Then "store" in the response equals that of the request

  # ---- items

  @must @responses.items.type
  Scenario: Every output item has a type
    Source: schema, OutputItem, discriminated by type; Open Responses, Items
    Why: clients read an item by its type.
    Needs: responses.response.output
    When any response is given
    Then each item of the output has a type

  @should @responses.items.known
  Scenario: An extension item has a prefixed type
    Source: Open Responses, "Extending": unknown kinds carry a prefix
    Why: openai-node raises at a type that it does not know.
    Needs: responses.items.type
    When any response is given
    Then each item has a known type or a prefixed one

  @should @responses.items.status
  Scenario: Every output item but reasoning has a status
    Source: Open Responses, "Items", every item has id, type and status, but ReasoningBody has none; schema, OutputMessage.status
    Why: clients take a cut item for a finished one.
    Needs: responses.items.type
    When any response is given
    Then each item of the output but reasoning has "status"

  @should @responses.items.finished
  Scenario: No finished output item has the status in_progress
    Source: schema, OutputMessage.status, "the status of the message"; Open Responses, Streaming: an item is done with its final status
    Why: clients that store the item wait for the rest of it.
    Needs: responses.items.type
    When any response is given
    Then no completed item has the status in_progress

  @should @responses.items.ids
  Scenario: No two output items have the same id
    Source: Open Responses, "Items", id is a unique identifier; schema, OutputItem
    Why: clients keep items by id, and overwrite one with the next.
    When any response is given
    Then no two items have the same id

  @should @responses.items.incomplete_last
  Scenario: Only the last item of a response is incomplete, and the response with it
    Source: Open Responses, "Items": an incomplete item is the last one, and the response is incomplete too
    Why: an agent continues from an incomplete answer.
    When any response is given
    Then only the last item is incomplete, and then the response is too

  @must @responses.message.id
  Scenario: Every message has an id
    Source: schema, OutputMessage.id, required; Open Responses, Message.id
    Why: openai-node and the AI SDK refuse a message without one.
    When any response is given
    Then each message has "id"

  @must @responses.message.content
  Scenario: Every message has the role assistant and a content array
    Source: schema, OutputMessage, required; Open Responses, Message
    Why: openai-python raises AttributeError where the content is a string.
    When any response is given
    Then each message has the role assistant and a content array

  @must @responses.message.part
  Scenario: Every content part of a message has a known type and its text
    Source: schema, OutputMessageContent; Open Responses, Message.content, which admits more types
    Why: clients do not display content of another type.
    Needs: responses.message.content
    When any response is given
    Then each content part of a message has a type of the schema

  @should @responses.message.part_text
  Scenario: Text in a message has the type output_text
    Source: schema, OutputMessageContent, output_text or refusal; Open Responses, Message.content, admits text too
    Why: the SDKs of OpenAI do not display text of another type.
    Needs: responses.message.part
    When any response is given
    Then each part of a message that has text is called output_text

  @should @responses.message.annotations
  Scenario: Every output_text has an annotations array
    Source: schema, OutputTextContent.annotations, required; measured clients read a text without it
    Why: strict validators refuse the response, with a message that hides why (theopenco/llmgateway#2287).
    Needs: responses.message.part
    When any response is given
    Then each output_text has an array "annotations"

  @should @responses.message.logprobs
  Scenario: Every output_text has a logprobs array
    Source: schema, OutputTextContent.logprobs, required; measured clients read a text without it
    Why: strict validators refuse the response.
    Needs: responses.message.part
    When any response is given
    Then each output_text has an array "logprobs"

  @should @responses.reasoning.summary
  Scenario: Every reasoning item has a summary array
    Source: schema, ReasoningItem.summary, required; Open Responses, Reasoning.summary
    Why: clients that map over it raise.
    When any response is given
    Then each reasoning item has a summary array

  # ---- counts and limits

  @should @responses.usage.there
  Scenario: A finished response has usage
    Source: schema, Response.usage; Open Responses, ResponseResource.usage, null only while it runs
    Why: Codex and others track the context length by it.
    When any response is given
    Then the response carries usage

  @must @responses.usage.counts
  Scenario: Usage of a response has three whole numbers
    Source: schema, ResponseUsage, required; Open Responses, Usage
    Why: budgets and context managers read them.
    When any response is given
    Then the usage has input_tokens, output_tokens, total_tokens, whole numbers

  @should @responses.usage.counted
  Scenario: input_tokens and output_tokens of a response are counted
    Source: schema, ResponseUsage.input_tokens and output_tokens, "the number of tokens"; Open Responses, Usage
    Why: budgets never end, and clients never compact the conversation, if a count is always 0.
    Needs: responses.usage.counts
    When any response is given
    Then the tokens of the input and of the output are counted

  @should @responses.usage.details
  Scenario: Usage of a response has cached_tokens and reasoning_tokens
    Source: schema, ResponseUsage.input_tokens_details and output_tokens_details, required; Open Responses, Usage
    Why: clients read them without asking (ggml-org/llama.cpp#22659).
    Needs: responses.usage.counts
    When any response is given
    Then the usage has cached_tokens and reasoning_tokens

  @should @responses.usage.within
  Scenario: cached_tokens and reasoning_tokens are within input and output tokens
    Source: schema, ResponseUsage, details are a breakdown
    Why: costs come out negative.
    Needs: responses.usage.details
    When any response is given
    Then no part of the usage is more than its whole

  @must @responses.usage.total
  Scenario: total_tokens is the sum of input_tokens and output_tokens
    Source: schema, ResponseUsage.total_tokens, "the total number of tokens used"; Open Responses, Usage
    Why: quota and billing code reads any of them.
    Needs: responses.usage.counts
    When any response is given
    Then the total is the sum of input and output tokens

  @must @responses.limit.kept
  Scenario: max_output_tokens is a limit
    Source: schema, CreateResponse.max_output_tokens, "an upper bound"; Open Responses, the same
    Why: budgets do not hold.
    Needs: responses.usage.counts
    When any response is given
    Then the output tokens are within the limit

  @must @responses.limit.incomplete
  Scenario: A response that reaches its limit is incomplete
    Source: schema, Response.status and incomplete_details; Open Responses, "incomplete"
    Why: an agent takes a truncated answer for a finished one (jundot/omlx PR#2817, ollama/ollama PR#17239).
    Needs: responses.usage.counts, responses.response.state_known
    When a response to developer and system is streamed
    Then the response that reaches its limit has the status incomplete

  @must @responses.limit.reason
  Scenario: A response that reaches its limit gives max_output_tokens as the reason
    Source: schema, Response.incomplete_details.reason, enum; Open Responses, the same
    Why: clients tell a limit from a filter by it.
    Needs: responses.limit.incomplete, responses.response.details
    When a response to developer and system is streamed
    Then the response that reaches its limit gives max_output_tokens as the reason

  # ---- the same prompt on chat

  @should @responses.same.streamed
  Scenario: A greedy response says the same whole and streamed
    Source: project decision; stream is no parameter of sampling
    Why: reasoning appears as text in one of the two forms (jundot/omlx#2584).
    When a greedy chat completion is streamed
    And a greedy chat completion is requested
    And a response is streamed with {"temperature": 0, "max_output_tokens": 24}
    And a response is requested with {"temperature": 0, "max_output_tokens": 24}
    Then the text is the same whole and streamed, as on chat

  @should @responses.same.text
  Scenario: The same greedy prompt has the same text on chat and responses
    Source: project decision; one model and one template stand behind both
    Why: results measured on one surface do not hold on the other.
    When a greedy chat completion is streamed
    And a greedy chat completion is requested
    And a response is streamed with {"temperature": 0, "max_output_tokens": 24}
    And a response is requested with {"temperature": 0, "max_output_tokens": 24}
    Then the text is the same on both surfaces

  @should @responses.same.reason
  Scenario: The same text ends for the same reason on chat and responses
    Source: project decision; finish_reason and status are of one event
    Why: an agent that continues after a length stop does so on one surface only.
    Needs: responses.same.text
    When a greedy chat completion is streamed
    And a greedy chat completion is requested
    And a response is streamed with {"temperature": 0, "max_output_tokens": 24}
    And a response is requested with {"temperature": 0, "max_output_tokens": 24}
    Then the reason to end is the same on both surfaces

  @should @responses.same.input
  Scenario: The same prompt has as many tokens on chat and responses
    Source: project decision; one tokenizer counts both
    Why: the same prompt has two prices, or is rendered differently.
    Needs: responses.same.text
    When a greedy chat completion is streamed
    And a greedy chat completion is requested
    And a response is streamed with {"temperature": 0, "max_output_tokens": 24}
    And a response is requested with {"temperature": 0, "max_output_tokens": 24}
    Then the input has as many tokens on both surfaces

  @should @responses.same.output
  Scenario: The same text takes as many tokens on chat and responses
    Source: project decision; one tokenizer counts both
    Why: the same answer has two prices.
    Needs: responses.same.text
    When a greedy chat completion is streamed
    And a greedy chat completion is requested
    And a response is streamed with {"temperature": 0, "max_output_tokens": 24}
    And a response is requested with {"temperature": 0, "max_output_tokens": 24}
    Then the output has as many tokens on both surfaces
