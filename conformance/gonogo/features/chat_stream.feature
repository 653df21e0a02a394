Feature: Streamed chat completions
  POST /chat/completions with stream true: the chunks and their order.

  @must @chat.stream.works
  Scenario: A chat completion can be streamed if it can be requested whole
    Source: schema, CreateChatCompletionRequest.stream; RFC 9110 section 15.6: a 5xx is the server's own error
    Why: chat clients show nothing if all streams of a server fail.
    When a chat completion is requested with {}
    And a chat completion is streamed with {}
    Then if the whole answer succeeds, the stream succeeds too

  @must @chat.stream.events
  Scenario: A stream has at least one chunk
    Source: schema, CreateChatCompletionStreamResponse
    Why: an empty stream with status 200 is a silent failure.
    Needs: stream.content_type, stream.json
    When any chat completion is streamed
    Then the stream carries chunks

  @must @chat.stream.done
  Scenario: A stream ends with exactly one [DONE]
    Source: guide, Chat completions > Streaming; schema, stream_options; recorded streams
    Why: clients wait while the connection stays open, and cannot detect a truncated stream (huggingface/text-generation-inference#1896).
    Needs: chat.stream.events
    When any chat completion is streamed
    Then the stream contains exactly one "[DONE]"

  @must @chat.stream.id
  Scenario: Every chunk has an id
    Source: schema, CreateChatCompletionStreamResponse.id
    Why: strict decoders reject a chunk without it (openvinotoolkit/model_server#3553).
    Needs: chat.stream.events
    When any chat completion is streamed
    Then "id" in every chunk fits ChatCompletionChunk

  @should @chat.stream.id_not_empty
  Scenario: The id of a chunk is not empty
    Source: schema, CreateChatCompletionStreamResponse.id, "a unique identifier"
    Why: an empty id identifies nothing (huggingface/text-generation-inference#1782).
    Needs: chat.stream.id
    When any chat completion is streamed
    Then "id" in every chunk is a string that is not empty

  @must @chat.stream.same_id
  Scenario: All chunks of a stream have the same id
    Source: schema, CreateChatCompletionStreamResponse.id, "each chunk has the same ID"
    Why: goose shows one message per chunk, and Go accumulators fail (microsoft/foundry-local#144, BerriAI/litellm#1571).
    Needs: chat.stream.id
    When any chat completion is streamed
    Then "id" is the same in every chunk

  @should @chat.stream.id_unique
  Scenario: Two streams have different ids
    Source: schema, CreateChatCompletionStreamResponse.id, "a unique identifier"
    Why: clients keyed by id append the second answer to the first (LostRuins/koboldcpp#2481).
    Needs: chat.stream.id_not_empty
    When a greedy chat completion is streamed
    And the same request is sent again
    And any chat completion is streamed
    Then no two answers have the same "id"

  @must @chat.stream.object
  Scenario: The object of every chunk is "chat.completion.chunk"
    Source: schema, CreateChatCompletionStreamResponse.object
    Why: aider and AIPerf select their decoder by it (ml-explore/mlx-examples PR#1119, NVIDIA/TensorRT-Edge-LLM#93).
    Needs: chat.stream.events
    When any chat completion is streamed
    Then "object" in every chunk fits ChatCompletionChunk

  @must @chat.stream.created
  Scenario: The creation time of every chunk is an integer
    Source: schema, CreateChatCompletionStreamResponse.created
    Why: Go, Swift and Rust decoders reject a float or a string.
    Needs: chat.stream.events
    When any chat completion is streamed
    Then "created" in every chunk fits ChatCompletionChunk

  @should @chat.stream.seconds
  Scenario: The creation time of a chunk is in seconds
    Source: schema, CreateChatCompletionStreamResponse.created, "Unix timestamp (in seconds)"
    Why: clients show a date in the far future for milliseconds.
    Needs: chat.stream.created
    When any chat completion is streamed
    Then "created" in every chunk is a time in seconds

  @should @chat.stream.same_created
  Scenario: All chunks of a stream have the same creation time
    Source: schema, CreateChatCompletionStreamResponse.created, "each chunk has the same timestamp"
    Why: accumulators that compare chunks reject the second one.
    Needs: chat.stream.created
    When any chat completion is streamed
    Then "created" is the same in every chunk

  @must @chat.stream.model
  Scenario: Every chunk names its model
    Source: schema, CreateChatCompletionStreamResponse.model
    Why: routing and billing use it.
    Needs: chat.stream.events
    When any chat completion is streamed
    Then "model" in every chunk fits ChatCompletionChunk

  @should @chat.stream.same_model
  Scenario: All chunks of a stream name the same model
    Source: schema, CreateChatCompletionStreamResponse.model, "the model to generate the completion"
    Why: accumulators keep the last value, which may be empty.
    Needs: chat.stream.model
    When any chat completion is streamed
    Then "model" is the same in every chunk

  @should @chat.stream.model_agrees
  Scenario: The stream and the whole answer name the same model
    Source: project decision; one model answers both
    Why: telemetry counts one model as two (vllm-project/vllm PR#15938).
    Needs: chat.response.model_not_empty, chat.stream.same_model
    When a chat completion is requested with {}
    And a chat completion is streamed with {}
    Then "model" is the same in the answers

  @must @chat.stream.choices
  Scenario: Every chunk has an array of choices
    Source: schema, CreateChatCompletionStreamResponse.choices
    Why: clients that read it from each chunk crash (Mintplex-Labs/anything-llm PR#6380).
    Needs: chat.stream.events
    When any chat completion is streamed
    Then "choices" in every chunk, apart from ["choices[].index", "choices[].delta", "choices[].finish_reason", "choices[].logprobs"], fits ChatCompletionChunk

  @should @chat.stream.logprobs
  Scenario: The logprobs of a chunk are null, absent or complete
    Source: schema, CreateChatCompletionStreamResponse.choices.logprobs
    Why: strict decoders require refusal, possibly null, which llama.cpp omits next to content.
    Needs: chat.stream.choices, logprobs.chat.shape
    When any chat completion is streamed
    Then "choices[].logprobs" in every chunk fits ChatCompletionChunk

  @should @chat.stream.has_choices
  Scenario: Every chunk except the usage chunk has a choice
    Source: schema, choices, "can also be empty for the last chunk if you set stream_options"
    Why: LangChain, llama_index, simonw/llm and others raise IndexError (simonw/llm#294, pydantic/pydantic-ai#164).
    When any chat completion is streamed
    Then every chunk but the usage chunk has a choice

  @must @chat.stream.index
  Scenario: Every choice of a chunk has an index
    Source: schema, CreateChatCompletionStreamResponse.choices.index
    Why: clients join deltas by it.
    Needs: chat.stream.choices
    When any chat completion is streamed
    Then "choices[].index" in every chunk fits ChatCompletionChunk

  @must @chat.stream.delta
  Scenario: Every choice of a chunk has a delta
    Source: schema, ChatCompletionStreamResponseDelta
    Why: every tutorial loops over chunk.choices[0].delta.content.
    Needs: chat.stream.choices
    When any chat completion is streamed
    Then "choices[].delta" in every chunk, apart from ["choices[].delta.role", "choices[].delta.tool_calls"], fits ChatCompletionChunk

  @must @chat.stream.role
  Scenario: The role of a delta is defined by the contract
    Source: schema, ChatCompletionStreamResponseDelta.role
    Why: enum decoders fail on null or "".
    Needs: chat.stream.delta
    When any chat completion is streamed
    Then "choices[].delta.role" in every chunk fits ChatCompletionChunk

  @should @chat.stream.role_first
  Scenario: The first delta of each choice has the role
    Source: recorded streams; OpenAI cookbook, How to stream completions
    Why: @langchain/openai drops deltas before the role (langwatch/langwatch#6196).
    Needs: chat.stream.role
    When any chat completion is streamed
    Then the first delta of each choice has the role "assistant"

  @should @chat.stream.role_once
  Scenario: No later delta repeats the role
    Source: recorded streams; OpenAI cookbook, How to stream completions
    Why: helpers that join deltas get "assistantassistant" (BerriAI/litellm PR#9986, ollama/ollama#7626).
    Needs: chat.stream.role_first
    When any chat completion is streamed
    Then no later delta has a role

  @should @chat.stream.first_content
  Scenario: The content of the first delta is not null if text follows
    Source: recorded streams; the schema allows null
    Why: dify and nvim plugins fail on it (langgenius/dify#2267, sgl-project/sglang PR#2026).
    Needs: chat.stream.text
    When any chat completion is streamed
    Then the first delta of each choice with text has no null content

  @should @chat.stream.tool_calls
  Scenario: A delta without tool calls has no empty list of them
    Source: recorded streams
    Why: Spring AI collapses the stream (spring-projects/spring-ai#6441).
    Needs: chat.stream.delta
    When any chat completion is streamed
    Then no delta has an empty list of tool calls

  @must @chat.stream.text
  Scenario: The deltas contain the text
    Source: schema, ChatCompletionStreamResponseDelta.content, "the contents of the chunk message"
    Why: the interface shows nothing (madroidmaq/mlx-omni-server#2).
    Needs: chat.stream.delta
    When a greedy chat completion is requested
    And a greedy chat completion is streamed
    Then if the whole answer has text, the stream has text

  @must @chat.stream.finish_reason
  Scenario: The finish reason of a chunk is null or defined by the contract
    Source: schema, CreateChatCompletionStreamResponse.choices.finish_reason
    Why: enum decoders fail on "" in every chunk (ollama/ollama#4357, sgl-project/sglang#3912).
    Needs: chat.stream.choices
    When any chat completion is streamed
    Then "choices[].finish_reason" in every chunk fits ChatCompletionChunk

  @must @chat.stream.finish_once
  Scenario: Each choice of a stream finishes exactly once
    Source: schema, CreateChatCompletionStreamResponse.choices.finish_reason, "the reason the model stopped"; recorded streams
    Why: agents raise "Stream ended without finish_reason" (waybarrios/vllm-mlx#628, BerriAI/litellm#10686).
    Needs: chat.stream.index
    When any chat completion is streamed
    Then each choice finishes exactly once

  @should @chat.stream.finish_last
  Scenario: No choice continues after its finish reason
    Source: recorded streams
    Why: the helpers of openai-python and openai-node drop the usage; clients that stop there lose the text.
    Needs: chat.stream.finish_once
    When any chat completion is streamed
    Then no choice continues after it finished

  @should @chat.stream.finish_empty
  Scenario: The chunk with the finish reason adds no text
    Source: recorded streams; the schema allows it
    Why: clients that ignore the delta beside a finish reason lose the last token (vllm-project/vllm#35705).
    Needs: chat.stream.finish_once
    When any chat completion is streamed
    Then the chunk that finishes a choice adds no text

  @must @chat.stream.length
  Scenario: A stream that reaches its limit finishes with "length"
    Source: schema, CreateChatCompletionStreamResponse.choices.finish_reason, "length"
    Why: clients cannot tell a truncated answer from a complete one (mudler/LocalAI#3533).
    Needs: chat.stream.finish_reason, chat.stream.finish_once, chat.stream.limit
    When a greedy chat completion is requested
    And a chat completion is streamed with {"max_tokens": 2, "temperature": 0, "stream_options": {"include_usage": true}}
    Then the limit of 2 tokens truncates the last, with the finish reason "length"

  @must @chat.stream.rest
  Scenario: All other fields of a chunk match its schema
    Source: schema, CreateChatCompletionStreamResponse
    Why: strict decoders fail on an optional field of the wrong type as on a required one.
    Needs: chat.stream.events
    When any chat completion is streamed
    Then every field of every chunk except ["id", "object", "created", "model", "choices", "usage"] fits ChatCompletionChunk

  @must @chat.stream.usage
  Scenario: include_usage adds a chunk with usage and no choices
    Source: schema, ChatCompletionStreamOptions.include_usage
    Why: token counters stay at 0 and compaction never starts (LostRuins/koboldcpp#2480, ollama/ollama#5200).
    Needs: chat.stream.events
    When a chat completion is streamed with {"stream_options": {"include_usage": true}}
    Then one chunk without choices carries the usage

  @must @chat.stream.usage_last
  Scenario: The usage chunk is the last chunk
    Source: schema, ChatCompletionStreamOptions.include_usage, "before the data: [DONE] message"
    Why: the helpers of openai-python and openai-node drop an earlier usage.
    Needs: chat.stream.usage
    When a chat completion is streamed with {"stream_options": {"include_usage": true}}
    Then the usage chunk is the last before the end

  @must @chat.stream.usage_once
  Scenario: Only one chunk has usage
    Source: schema, ChatCompletionStreamOptions.include_usage, "all other chunks … with a null value"
    Why: LangChain and pydantic-ai add the counts up, which multiplies costs.
    Needs: chat.stream.usage
    When a chat completion is streamed with {"stream_options": {"include_usage": true}}
    Then no other chunk carries usage

  @must @chat.stream.usage_schema
  Scenario: The usage of a stream has three integers
    Source: schema, CompletionUsage
    Why: null counts break cost tracking.
    Needs: chat.stream.usage
    When any chat completion is streamed
    Then "usage" in every chunk fits ChatCompletionChunk

  @must @chat.stream.usage_total
  Scenario: The token counts of a stream add up
    Source: schema, CompletionUsage.total_tokens, "prompt + completion"
    Why: quota and billing code adds them (decolua/9router#3789).
    Needs: chat.stream.usage_schema
    When a chat completion is streamed with {"stream_options": {"include_usage": true}}
    Then the total is the sum of prompt and completion tokens

  @should @chat.stream.usage_agrees
  Scenario: The stream and the whole answer count the same prompt tokens
    Source: project decision; one prompt has one number of tokens
    Why: costs depend on streaming (BerriAI/litellm#6488).
    Needs: chat.stream.usage
    When a chat completion is requested with {}
    And a chat completion is streamed with {"stream_options": {"include_usage": true}}
    Then prompt tokens agree

  @must @chat.stream.limit
  Scenario: max_tokens limits a stream
    Source: schema, CreateChatCompletionRequest.max_tokens
    Why: answers run on at the caller's cost.
    Needs: chat.stream.usage
    When a chat completion is streamed with {"max_tokens": 2, "temperature": 0, "stream_options": {"include_usage": true}}
    Then no more than 2 completion tokens were generated

  @should @chat.stream.usage_unasked
  Scenario: No chunk has usage without include_usage
    Source: schema, CreateChatCompletionStreamResponse.usage, "only present when you set stream_options"
    Why: tutorial code that reads choices[0] of the last chunk raises IndexError (Arthur-Ficial/apfel#100).
    When a chat completion is streamed with {}
    Then no chunk counts tokens

  @should @chat.stream.usage_details
  Scenario: No token detail of a stream exceeds its total
    Source: schema, CompletionUsage.completion_tokens_details and prompt_tokens_details, "breakdown of tokens used"
    Why: derived counts, such as visible tokens or tokens at full price, become negative.
    Needs: chat.stream.usage
    When any chat completion is streamed
    Then no part of the token counts exceeds its total

  @must @chat.stream.finish_called
  Scenario: A stream with the finish reason "tool_calls" has a tool call
    Source: schema, CreateChatCompletionStreamResponse.choices.finish_reason, "tool_calls if the model called a tool"
    Why: agent loops run no tool, send the same conversation again, and never end.
    Needs: chat.stream.finish_reason
    When any chat completion is streamed
    Then a call in the stream finishes with "tool_calls"

  @must @chat.stream.obfuscation
  Scenario: With include_obfuscation false, no chunk is padded
    Source: schema, ChatCompletionStreamOptions.include_obfuscation
    Why: clients that turn padding off to save bandwidth still pay for it.
    When a chat completion is streamed with {"max_tokens": 2, "stream_options": {"include_usage": true, "include_obfuscation": false}}
    Then no chunk has "obfuscation"

  @should @chat.stream.nulls
  Scenario: A chunk omits optional fields instead of sending null
    Source: schema, CreateChatCompletionStreamResponse: optional properties that are not nullable
    Why: Swift and Kotlin decoders reject null as a wrong type; Python and Go accept it.
    Needs: chat.stream.events
    When any chat completion is streamed
    Then no optional field of any chunk is null unless ChatCompletionChunk allows it

  @should @chat.stream.now
  Scenario: The creation time of a streamed chat completion is close to the current time
    Source: schema, created, "when the chat completion was created"; RFC 9110 section 6.6.1: Date is when the message was made; without one, the clock of whoever asked
    Why: sorting by time is wrong, and caches that expire by it drop entries at once.
    Needs: chat.stream.created
    When any chat completion is streamed
    Then "created" in every chunk is about the time in the Date of the stream

  @should @chat.stream.as_written
  Scenario: The text of a stream arrives while it is generated
    Source: guide, Streaming API responses: "start printing or processing the beginning of the output while generating"
    Why: users see nothing until the answer is complete (jundot/omlx#112, LostRuins/koboldcpp#2480).
    When a chat completion is streamed with {"max_tokens": 2, "temperature": 0, "stream_options": {"include_usage": true}}
    And a greedy chat completion is streamed
    Then the text of the last arrives while it is generated
