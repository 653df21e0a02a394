Feature: A whole chat completion
  POST /chat/completions without stream.

  @must @chat.response.status
  Scenario: A chat completion is answered with 200
    Source: schema, paths./chat/completions.post.responses
    Why: the document names 200 and no other success; clients that compare with it take 201 and 203 for failures.
    When any chat completion is requested
    Then the answer's status is 200

  @must @chat.response.content_type
  Scenario: A chat completion is sent as application/json
    Source: schema, paths./chat/completions.post.responses.200.content
    Why: openai-python hands out a str instead of an object for any other media type (EricLBuehler/mistral.rs#79).
    Needs: chat.request.stream_false
    When any chat completion is requested
    Then the answer's content type is "application/json"

  @must @chat.response.json
  Scenario: A chat completion is one JSON object
    Source: schema, CreateChatCompletionResponse; RFC 8259
    Why: NaN, a trailing [DONE] or an event stream break JSON.parse (decolua/9router#3492).
    Needs: chat.response.content_type
    When any chat completion is requested
    Then the answer is one JSON object

  @must @chat.response.id
  Scenario: A chat completion has an id
    Source: schema, CreateChatCompletionResponse.id
    Why: clients key messages by it (softwaremill/sttp-ai#338).
    Needs: chat.response.json
    When any chat completion is requested
    Then "id" in the answer fits ChatCompletion

  @should @chat.response.id_not_empty
  Scenario: The id of a chat completion is not empty
    Source: schema, CreateChatCompletionResponse.id, "a unique identifier"
    Why: an empty id identifies nothing (huggingface/text-generation-inference#1782).
    Needs: chat.response.id
    When any chat completion is requested
    Then "id" in the answer is a string that is not empty

  @should @chat.response.id_unique
  Scenario: Two chat completions have two ids
    Source: schema, CreateChatCompletionResponse.id, "a unique identifier"
    Why: clients keyed by id show the second answer in place of the first (LostRuins/koboldcpp#2481).
    Needs: chat.response.id_not_empty
    When a chat completion is drawn with a seed
    And a chat completion is drawn with that seed once more
    And any chat completion is requested
    Then no two answers have the same "id"

  @must @chat.response.object
  Scenario: A chat completion says that it is one
    Source: schema, CreateChatCompletionResponse.object
    Why: aider and typed clients decode by this literal (ml-explore/mlx-examples PR#1119).
    Needs: chat.response.json
    When any chat completion is requested
    Then "object" in the answer fits ChatCompletion

  @must @chat.response.created
  Scenario: A chat completion has a creation time that is a whole number
    Source: schema, CreateChatCompletionResponse.created
    Why: Go, Swift and Rust decoders refuse a float or a string.
    Needs: chat.response.json
    When any chat completion is requested
    Then "created" in the answer fits ChatCompletion

  @should @chat.response.seconds
  Scenario: The creation time of a chat completion is in seconds
    Source: schema, CreateChatCompletionResponse.created, "Unix timestamp (in seconds)"
    Why: milliseconds break every clock that reads them.
    Needs: chat.response.created
    When any chat completion is requested
    Then "created" in the answer is a time in seconds

  @must @chat.response.model
  Scenario: A chat completion names its model
    Source: schema, CreateChatCompletionResponse.model
    Why: routing and billing read it (ggml-org/llama.cpp#10056).
    Needs: chat.response.json
    When any chat completion is requested
    Then "model" in the answer fits ChatCompletion

  @should @chat.response.model_not_empty
  Scenario: The model that a chat completion names is not empty
    Source: schema, CreateChatCompletionResponse.model, "the model used"
    Why: routing and billing read it (triton-inference-server/server#7796).
    Needs: chat.response.model
    When any chat completion is requested
    Then "model" in the answer is a string that is not empty

  @must @chat.response.choices
  Scenario: A chat completion has choices
    Source: schema, CreateChatCompletionResponse.choices
    Why: choices[0] is the first line of every tutorial (langchain-ai/langchain#32252).
    Needs: chat.response.json
    When any chat completion is requested
    Then "choices" in the answer, apart from ["choices[].index", "choices[].message", "choices[].finish_reason", "choices[].logprobs"], fits ChatCompletion

  @must @chat.response.one_choice
  Scenario: A chat completion has one choice where one was asked for
    Source: schema, CreateChatCompletionRequest.n, default 1
    Why: none at all is an IndexError, two are paid for twice.
    Needs: chat.response.choices
    When any chat completion is requested
    Then there is one choice, where no more were asked for

  @must @chat.response.index
  Scenario: Every choice of a chat completion has an index
    Source: schema, CreateChatCompletionResponse.choices.index
    Why: typed clients refuse a choice without it.
    Needs: chat.response.choices
    When any chat completion is requested
    Then "choices[].index" in the answer fits ChatCompletion

  @must @chat.response.indexes
  Scenario: The choices of a chat completion are numbered from 0
    Source: schema, CreateChatCompletionResponse.choices.index, "the index in the list of choices"
    Why: clients sort and look up by it.
    Needs: chat.response.index
    When any chat completion is requested
    Then the choices are numbered from 0

  @must @chat.response.message
  Scenario: Every choice of a chat completion has a message
    Source: schema, CreateChatCompletionResponse.choices.message
    Why: choices[0].message is the second step of every tutorial.
    Needs: chat.response.choices
    When any chat completion is requested
    Then "choices[].message" in the answer, apart from ["choices[].message.role", "choices[].message.content", "choices[].message.refusal", "choices[].message.tool_calls"], fits ChatCompletion

  @must @chat.response.role
  Scenario: The message is the assistant's
    Source: schema, ChatCompletionResponseMessage.role
    Why: the message goes back into the next request as it is.
    Needs: chat.response.message
    When any chat completion is requested
    Then "choices[].message.role" in the answer fits ChatCompletion

  @must @chat.response.content
  Scenario: The message has content, be it null
    Source: schema, ChatCompletionResponseMessage.content, required and nullable
    Why: KeyError 'content' where the key is dropped (ml-explore/mlx-lm#1738), and openai-java refuses the answer.
    Needs: chat.response.message
    When any chat completion is requested
    Then "choices[].message.content" in the answer fits ChatCompletion

  @should @chat.response.refusal
  Scenario: The message has a refusal, be it null
    Source: schema, ChatCompletionResponseMessage.refusal, required and nullable
    Why: strict validators refuse the answer (mlcommons/endpoints#133); most servers leave it out.
    Needs: chat.response.message
    When any chat completion is requested
    Then "choices[].message.refusal" in the answer fits ChatCompletion

  @should @chat.response.tool_calls
  Scenario: A message without tool calls has no list of them
    Source: recorded answers; the API refuses an empty list that is sent back
    Why: clients take an empty list for a turn of tools and loop (github/copilot-sdk#616).
    Needs: chat.response.message
    When any chat completion is requested
    Then no message has an empty list of tool calls

  @must @chat.response.finish_reason
  Scenario: The finish reason is one that the contract knows
    Source: schema, CreateChatCompletionResponse.choices.finish_reason
    Why: enum decoders refuse "" and "eos_token" (ollama/ollama#4357, huggingface/text-generation-inference#2466).
    Needs: chat.response.choices
    When any chat completion is requested
    Then "choices[].finish_reason" in the answer fits ChatCompletion

  @should @chat.response.logprobs
  Scenario: Every choice of a chat completion has logprobs, be it null
    Source: schema, CreateChatCompletionResponse.choices.logprobs, required and nullable
    Why: the schema requires the key, though some models of OpenAI's leave it out (openai/openai-openapi#433).
    Needs: chat.response.choices, logprobs.chat.shape, logprobs.chat.possible
    When any chat completion is requested
    Then "choices[].logprobs" in the answer fits ChatCompletion

  @must @chat.response.rest
  Scenario: Nothing else in a chat completion breaks its schema
    Source: schema, CreateChatCompletionResponse
    Why: an optional field of the wrong type breaks strict decoders like a required one.
    Needs: chat.response.json
    When any chat completion is requested
    Then nothing else in the answer breaks ChatCompletion than ["id", "object", "created", "model", "choices", "usage"]

  @should @chat.response.usage
  Scenario: A chat completion carries usage
    Source: recorded answers; optional in the schema, always sent by the API
    Why: cost tracking reads it (maximhq/bifrost#5425, openvinotoolkit/model_server#2626).
    Needs: chat.response.json
    When any chat completion is requested
    Then the answer carries usage

  @must @chat.response.usage_schema
  Scenario: The usage of a chat completion has three whole numbers
    Source: schema, CompletionUsage
    Why: null counts break cost tracking (maximhq/bifrost#5425).
    Needs: chat.response.usage
    When any chat completion is requested
    Then "usage" in the answer fits ChatCompletion

  @must @chat.response.usage_total
  Scenario: The tokens of a chat completion add up
    Source: schema, CompletionUsage.total_tokens, "prompt + completion"
    Why: quota and billing code adds them (decolua/9router#3789).
    Needs: chat.response.usage_schema
    When any chat completion is requested
    Then the total is the sum of prompt and completion tokens

  @should @chat.response.usage_prompt
  Scenario: The prompt tokens of a chat completion are counted
    Source: schema, CompletionUsage.prompt_tokens, "number of tokens in the prompt"
    Why: a count that is always 0 passes for free (openvinotoolkit/model_server#2626).
    Needs: chat.response.usage
    When any chat completion is requested
    Then prompt tokens were counted

  @should @chat.response.usage_completion
  Scenario: The completion tokens of a chat completion are counted
    Source: schema, CompletionUsage.completion_tokens, "number of tokens in the generated completion"
    Why: a count that is always 0 passes for free.
    Needs: chat.response.usage
    When any chat completion is requested
    Then completion tokens were counted where there is text

  @must @chat.limit.max_tokens
  Scenario: max_tokens limits a chat completion
    Source: schema, CreateChatCompletionRequest.max_tokens
    Why: runaway answers, at the caller's cost.
    Needs: chat.response.usage
    When a chat completion is requested with {"max_tokens": 2, "temperature": 0}
    Then no more than 2 completion tokens were generated

  @must @chat.limit.max_completion_tokens
  Scenario: max_completion_tokens limits a chat completion
    Source: schema, CreateChatCompletionRequest.max_completion_tokens
    Why: the newer name is ignored by older servers: runaway answers (abetlen/llama-cpp-python#1907).
    Needs: chat.response.usage
    When a chat completion is requested with {"max_completion_tokens": 2}
    Then no more than 2 completion tokens were generated

  @must @chat.limit.length
  Scenario: A chat completion that reaches its limit finishes with "length"
    Source: schema, CreateChatCompletionResponse.choices.finish_reason, "length"
    Why: clients cannot tell a cut from an end (mudler/LocalAI#3533, huggingface/transformers PR#42157).
    Needs: chat.response.finish_reason, chat.limit.max_tokens
    When a greedy chat completion is requested
    And a chat completion is requested with {"max_tokens": 2, "temperature": 0}
    Then the limit of 2 tokens cuts the last short, for the reason "length"

  @should @chat.response.usage_details
  Scenario: No part of the tokens of a chat completion is more than its whole
    Source: schema, CompletionUsage.completion_tokens_details and prompt_tokens_details, "breakdown of tokens used"
    Why: what is left for the visible answer, or to be paid in full, comes out below 0.
    Needs: chat.response.usage_schema
    When any chat completion is requested
    Then no part of the tokens is more than its whole

  @should @chat.response.usage_repeats
  Scenario: The same prompt counts as the same number of tokens each time
    Source: project decision; one prompt has one number of tokens, and what was cached is a part of it (schema, CompletionUsage.prompt_tokens_details)
    Why: costs change with the cache, or with what others ask at the same time.
    Needs: chat.response.usage_schema
    When any chat completion is requested
    Then each prompt has one number of tokens

  @must @chat.response.finish_called
  Scenario: A chat completion that finishes with "tool_calls" has a call
    Source: schema, CreateChatCompletionResponse.choices.finish_reason, "tool_calls if the model called a tool"
    Why: loops over tools run none, send the same conversation again, and never end.
    Needs: chat.response.finish_reason
    When any chat completion is requested
    Then the finish reason "tool_calls" stands beside a call

  @should @chat.response.nulls
  Scenario: A chat completion leaves optional fields out rather than null
    Source: schema, CreateChatCompletionResponse: optional properties that are not nullable
    Why: Swift and Kotlin decoders take null for a wrong type; Python and Go do not notice.
    Needs: chat.response.json
    When any chat completion is requested
    Then no optional field in the answer but ["usage"] is null against ChatCompletion

  @should @chat.response.now
  Scenario: The creation time of a chat completion is about when it was made
    Source: schema, created, "when the chat completion was created"; RFC 9110 section 6.6.1: Date is when the message was made; without one, the clock of whoever asked
    Why: what is sorted and kept by it is out of order, or too old from the start.
    Needs: chat.response.created
    When any chat completion is requested
    Then "created" in the answer is about the time in its Date
