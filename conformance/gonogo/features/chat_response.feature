Feature: Chat completions without streaming
  POST /chat/completions without stream.

  @must @chat.response.status
  Scenario: A chat completion is answered with 200
    Source: schema, paths./chat/completions.post.responses
    Why: the schema defines only 200 for success; clients that compare with it treat 201 and 203 as failures.
    When any chat completion is requested
    Then the answer's status is 200

  @must @chat.response.content_type
  Scenario: A chat completion is sent as application/json
    Source: schema, paths./chat/completions.post.responses.200.content
    Why: openai-python returns a str instead of an object for any other media type (EricLBuehler/mistral.rs#79).
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
  Scenario: Two chat completions have different ids
    Source: schema, CreateChatCompletionResponse.id, "a unique identifier"
    Why: clients keyed by id show the second answer in place of the first (LostRuins/koboldcpp#2481).
    Needs: chat.response.id_not_empty
    When a chat completion is drawn with a seed
    And a chat completion is drawn with that seed once more
    And any chat completion is requested
    Then no two answers have the same "id"

  @must @chat.response.object
  Scenario: The object of a chat completion is "chat.completion"
    Source: schema, CreateChatCompletionResponse.object
    Why: aider and typed clients select their decoder by it (ml-explore/mlx-examples PR#1119).
    Needs: chat.response.json
    When any chat completion is requested
    Then "object" in the answer fits ChatCompletion

  @must @chat.response.created
  Scenario: The creation time of a chat completion is an integer
    Source: schema, CreateChatCompletionResponse.created
    Why: Go, Swift and Rust decoders reject a float or a string.
    Needs: chat.response.json
    When any chat completion is requested
    Then "created" in the answer fits ChatCompletion

  @should @chat.response.seconds
  Scenario: The creation time of a chat completion is in seconds
    Source: schema, CreateChatCompletionResponse.created, "Unix timestamp (in seconds)"
    Why: clients show a date in the far future for milliseconds.
    Needs: chat.response.created
    When any chat completion is requested
    Then "created" in the answer is a time in seconds

  @must @chat.response.model
  Scenario: A chat completion names its model
    Source: schema, CreateChatCompletionResponse.model
    Why: routing and billing use it (ggml-org/llama.cpp#10056).
    Needs: chat.response.json
    When any chat completion is requested
    Then "model" in the answer fits ChatCompletion

  @should @chat.response.model_not_empty
  Scenario: The model of a chat completion is not empty
    Source: schema, CreateChatCompletionResponse.model, "the model used"
    Why: routing and billing use it (triton-inference-server/server#7796).
    Needs: chat.response.model
    When any chat completion is requested
    Then "model" in the answer is a string that is not empty

  @must @chat.response.choices
  Scenario: A chat completion has choices
    Source: schema, CreateChatCompletionResponse.choices
    Why: every tutorial reads choices[0] first (langchain-ai/langchain#32252).
    Needs: chat.response.json
    When any chat completion is requested
    Then "choices" in the answer, apart from ["choices[].index", "choices[].message", "choices[].finish_reason", "choices[].logprobs"], fits ChatCompletion

  @must @chat.response.one_choice
  Scenario: A chat completion has one choice if one was requested
    Source: schema, CreateChatCompletionRequest.n, default 1
    Why: without a choice, clients raise IndexError; a second choice costs twice.
    Needs: chat.response.choices
    When any chat completion is requested
    Then there is one choice unless more were requested

  @must @chat.response.index
  Scenario: Every choice of a chat completion has an index
    Source: schema, CreateChatCompletionResponse.choices.index
    Why: typed clients reject a choice without it.
    Needs: chat.response.choices
    When any chat completion is requested
    Then "choices[].index" in the answer fits ChatCompletion

  @must @chat.response.indexes
  Scenario: The choices of a chat completion are numbered from 0
    Source: schema, CreateChatCompletionResponse.choices.index, "the index in the list of choices"
    Why: clients sort and look up choices by it.
    Needs: chat.response.index
    When any chat completion is requested
    Then the choices are numbered from 0

  @must @chat.response.message
  Scenario: Every choice of a chat completion has a message
    Source: schema, CreateChatCompletionResponse.choices.message
    Why: every tutorial reads choices[0].message.
    Needs: chat.response.choices
    When any chat completion is requested
    Then "choices[].message" in the answer, apart from ["choices[].message.role", "choices[].message.content", "choices[].message.refusal", "choices[].message.tool_calls"], fits ChatCompletion

  @must @chat.response.role
  Scenario: The role of the message is "assistant"
    Source: schema, ChatCompletionResponseMessage.role
    Why: clients send the message back unchanged in the next request.
    Needs: chat.response.message
    When any chat completion is requested
    Then "choices[].message.role" in the answer fits ChatCompletion

  @must @chat.response.content
  Scenario: The message has content, possibly null
    Source: schema, ChatCompletionResponseMessage.content, required and nullable
    Why: clients raise KeyError 'content' if the field is missing (ml-explore/mlx-lm#1738), and openai-java rejects the answer.
    Needs: chat.response.message
    When any chat completion is requested
    Then "choices[].message.content" in the answer fits ChatCompletion

  @should @chat.response.refusal
  Scenario: The message has a refusal, possibly null
    Source: schema, ChatCompletionResponseMessage.refusal, required and nullable
    Why: strict validators reject the answer (mlcommons/endpoints#133); most servers omit the field.
    Needs: chat.response.message
    When any chat completion is requested
    Then "choices[].message.refusal" in the answer fits ChatCompletion

  @should @chat.response.tool_calls
  Scenario: A message without tool calls has no empty list of them
    Source: recorded answers; the API refuses an empty list that is sent back
    Why: clients treat an empty list as a tool turn and loop (github/copilot-sdk#616).
    Needs: chat.response.message
    When any chat completion is requested
    Then no message has an empty list of tool calls

  @must @chat.response.finish_reason
  Scenario: The finish reason is defined by the contract
    Source: schema, CreateChatCompletionResponse.choices.finish_reason
    Why: enum decoders reject "" and "eos_token" (ollama/ollama#4357, huggingface/text-generation-inference#2466).
    Needs: chat.response.choices
    When any chat completion is requested
    Then "choices[].finish_reason" in the answer fits ChatCompletion

  @should @chat.response.logprobs
  Scenario: Every choice of a chat completion has logprobs, possibly null
    Source: schema, CreateChatCompletionResponse.choices.logprobs, required and nullable
    Why: the schema requires the field, though some OpenAI models omit it (openai/openai-openapi#433).
    Needs: chat.response.choices, logprobs.chat.shape, logprobs.chat.possible
    When any chat completion is requested
    Then "choices[].logprobs" in the answer fits ChatCompletion

  @must @chat.response.rest
  Scenario: All other fields of a chat completion match its schema
    Source: schema, CreateChatCompletionResponse
    Why: strict decoders fail on an optional field of the wrong type as on a required one.
    Needs: chat.response.json
    When any chat completion is requested
    Then every field of the answer except ["id", "object", "created", "model", "choices", "usage"] fits ChatCompletion

  @should @chat.response.usage
  Scenario: A chat completion has usage
    Source: recorded answers; optional in the schema, always sent by the API
    Why: cost tracking uses it (maximhq/bifrost#5425, openvinotoolkit/model_server#2626).
    Needs: chat.response.json
    When any chat completion is requested
    Then the answer carries usage

  @must @chat.response.usage_schema
  Scenario: The usage of a chat completion has three integers
    Source: schema, CompletionUsage
    Why: null counts break cost tracking (maximhq/bifrost#5425).
    Needs: chat.response.usage
    When any chat completion is requested
    Then "usage" in the answer fits ChatCompletion

  @must @chat.response.usage_total
  Scenario: The token counts of a chat completion add up
    Source: schema, CompletionUsage.total_tokens, "prompt + completion"
    Why: quota and billing code adds them (decolua/9router#3789).
    Needs: chat.response.usage_schema
    When any chat completion is requested
    Then the total is the sum of prompt and completion tokens

  @should @chat.response.usage_prompt
  Scenario: The prompt tokens of a chat completion are counted
    Source: schema, CompletionUsage.prompt_tokens, "number of tokens in the prompt"
    Why: requests with a count of 0 are not billed or limited (openvinotoolkit/model_server#2626).
    Needs: chat.response.usage
    When any chat completion is requested
    Then prompt tokens were counted

  @should @chat.response.usage_completion
  Scenario: The completion tokens of a chat completion are counted
    Source: schema, CompletionUsage.completion_tokens, "number of tokens in the generated completion"
    Why: requests with a count of 0 are not billed or limited.
    Needs: chat.response.usage
    When any chat completion is requested
    Then completion tokens are counted if there is text

  @must @chat.limit.max_tokens
  Scenario: max_tokens limits a chat completion
    Source: schema, CreateChatCompletionRequest.max_tokens
    Why: answers run on at the caller's cost.
    Needs: chat.response.usage
    When a chat completion is requested with {"max_tokens": 2, "temperature": 0}
    Then no more than 2 completion tokens were generated

  @must @chat.limit.max_completion_tokens
  Scenario: max_completion_tokens limits a chat completion
    Source: schema, CreateChatCompletionRequest.max_completion_tokens
    Why: older servers ignore the newer name, and answers run on (abetlen/llama-cpp-python#1907).
    Needs: chat.response.usage
    When a chat completion is requested with {"max_completion_tokens": 2}
    Then no more than 2 completion tokens were generated

  @must @chat.limit.length
  Scenario: A chat completion that reaches its limit finishes with "length"
    Source: schema, CreateChatCompletionResponse.choices.finish_reason, "length"
    Why: clients cannot tell a truncated answer from a complete one (mudler/LocalAI#3533, huggingface/transformers PR#42157).
    Needs: chat.response.finish_reason, chat.limit.max_tokens
    When a greedy chat completion is requested
    And a chat completion is requested with {"max_tokens": 2, "temperature": 0}
    Then the limit of 2 tokens truncates the last, with the finish reason "length"

  @should @chat.response.usage_details
  Scenario: No token detail of a chat completion exceeds its total
    Source: schema, CompletionUsage.completion_tokens_details and prompt_tokens_details, "breakdown of tokens used"
    Why: derived counts, such as visible tokens or tokens at full price, become negative.
    Needs: chat.response.usage_schema
    When any chat completion is requested
    Then no part of the token counts exceeds its total

  @should @chat.response.usage_repeats
  Scenario: The same prompt always has the same number of tokens
    Source: project decision; one prompt has one number of tokens, and what was cached is a part of it (schema, CompletionUsage.prompt_tokens_details)
    Why: costs vary with the cache or with other requests at the same time.
    Needs: chat.response.usage_schema
    When any chat completion is requested
    Then each prompt always has the same number of tokens

  @must @chat.response.finish_called
  Scenario: A chat completion with the finish reason "tool_calls" has a tool call
    Source: schema, CreateChatCompletionResponse.choices.finish_reason, "tool_calls if the model called a tool"
    Why: agent loops run no tool, send the same conversation again, and never end.
    Needs: chat.response.finish_reason
    When any chat completion is requested
    Then a call finishes with "tool_calls"

  @should @chat.response.nulls
  Scenario: A chat completion omits optional fields instead of sending null
    Source: schema, CreateChatCompletionResponse: optional properties that are not nullable
    Why: Swift and Kotlin decoders reject null as a wrong type; Python and Go accept it.
    Needs: chat.response.json
    When any chat completion is requested
    Then no optional field of the answer except ["usage"] is null unless ChatCompletion allows it

  @should @chat.response.now
  Scenario: The creation time of a chat completion is close to the current time
    Source: schema, created, "when the chat completion was created"; RFC 9110 section 6.6.1: Date is when the message was made; without one, the clock of whoever asked
    Why: sorting by time is wrong, and caches that expire by it drop entries at once.
    Needs: chat.response.created
    When any chat completion is requested
    Then "created" in the answer is about the time in its Date
