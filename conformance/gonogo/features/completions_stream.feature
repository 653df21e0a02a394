Feature: Streamed completions
  POST /completions with stream true: the same object in pieces.

  @must @completions.stream.works
  Scenario: A completion can be streamed if it can be requested whole
    Source: schema, CreateCompletionRequest.stream; RFC 9110 section 15.6: a 5xx is the server's own error
    Why: editors show nothing if all streams of a server fail.
    When a greedy completion is requested
    And a greedy completion is streamed
    Then if the whole answer succeeds, the stream succeeds too

  @must @completions.stream.events
  Scenario: A streamed completion has at least one chunk
    Source: schema, CreateCompletionResponse, "streamed and non-streamed"
    Why: an empty stream with status 200 is a silent failure.
    Needs: stream.content_type, stream.json
    When any completion is streamed
    Then the stream carries chunks

  @must @completions.stream.done
  Scenario: A streamed completion ends with exactly one [DONE]
    Source: schema, CreateCompletionRequest.stream, "terminated by a data: [DONE] message"
    Why: some servers send it only for chat (ikawrakow/ik_llama.cpp#467).
    Needs: completions.stream.events
    When any completion is streamed
    Then the stream contains exactly one "[DONE]"

  @must @completions.stream.id
  Scenario: Every chunk of a completion has an id
    Source: schema, CreateCompletionResponse.id
    Why: typed clients reject a chunk without it (mudler/LocalAI#648).
    Needs: completions.stream.events
    When any completion is streamed
    Then "id" in every chunk fits CompletionChunk

  @should @completions.stream.same_id
  Scenario: All chunks of a completion have the same id
    Source: schema, CreateCompletionResponse.id, "a unique identifier for the completion"
    Why: accumulators keyed by id see one completion per chunk.
    Needs: completions.stream.id
    When any completion is streamed
    Then "id" is the same in every chunk

  @must @completions.stream.object
  Scenario: The object of every chunk of a completion is "text_completion"
    Source: schema, CreateCompletionResponse.object, always "text_completion"
    Why: decoders fail on an invented value with ".chunk" (qualcomm/GenieX PR#66).
    Needs: completions.stream.events
    When any completion is streamed
    Then "object" in every chunk fits CompletionChunk

  @must @completions.stream.created
  Scenario: The creation time of every chunk of a completion is an integer
    Source: schema, CreateCompletionResponse.created
    Why: Go, Swift and Rust decoders reject a float or a string.
    Needs: completions.stream.events
    When any completion is streamed
    Then "created" in every chunk fits CompletionChunk

  @must @completions.stream.model
  Scenario: Every chunk of a completion names its model
    Source: schema, CreateCompletionResponse.model
    Why: routing and billing use it.
    Needs: completions.stream.events
    When any completion is streamed
    Then "model" in every chunk fits CompletionChunk

  @must @completions.stream.choices
  Scenario: Every chunk of a completion has an array of choices
    Source: schema, CreateCompletionResponse.choices
    Why: clients that read it from each chunk crash.
    Needs: completions.stream.events
    When any completion is streamed
    Then "choices" in every chunk, apart from ["choices[].index", "choices[].text", "choices[].finish_reason", "choices[].logprobs"], fits CompletionChunk

  @must @completions.stream.index
  Scenario: Every choice of a completion chunk has an index
    Source: schema, CreateCompletionResponse.choices.index
    Why: clients join the pieces by it (mudler/LocalAI#648).
    Needs: completions.stream.choices
    When any completion is streamed
    Then "choices[].index" in every chunk fits CompletionChunk

  @must @completions.stream.text
  Scenario: Every choice of a completion chunk has text
    Source: schema, CreateCompletionResponse.choices.text
    Why: delta.content belongs to chat completions (qualcomm/GenieX PR#66).
    Needs: completions.stream.choices
    When any completion is streamed
    Then "choices[].text" in every chunk fits CompletionChunk

  @must @completions.stream.carries_text
  Scenario: The chunks of a completion contain the text
    Source: schema, CreateCompletionResponse.choices.text
    Why: editors show nothing.
    Needs: completions.stream.text
    When a greedy completion is requested
    And a greedy completion is streamed
    Then if the whole answer has text, the stream has text

  @must @completions.stream.finish_reason
  Scenario: The finish reason of a completion chunk is null or defined by the contract
    Source: schema, CreateCompletionResponse.choices.finish_reason; streams have null until the end (openai/openai-openapi PR#100)
    Why: enum decoders fail on "" in every chunk (mudler/LocalAI#5102).
    Needs: completions.stream.choices
    When any completion is streamed
    Then "choices[].finish_reason" in every chunk fits CompletionChunk

  @should @completions.stream.logprobs
  Scenario: Every choice of a completion chunk has logprobs, possibly null
    Source: schema, CreateCompletionResponse.choices.logprobs, required and nullable
    Why: the schema requires the field; many servers omit it.
    Needs: completions.stream.choices
    When any completion is streamed
    Then "choices[].logprobs" in every chunk fits CompletionChunk

  @must @completions.stream.finish_once
  Scenario: Each choice of a streamed completion finishes exactly once
    Source: schema, CreateCompletionResponse.choices.finish_reason
    Why: a client cannot tell a complete answer from a broken connection.
    Needs: completions.stream.index
    When any completion is streamed
    Then each choice finishes exactly once

  @should @completions.stream.finish_last
  Scenario: No choice of a completion continues after its finish reason
    Source: recorded streams, by analogy with chat
    Why: clients that stop there lose the text after it.
    Needs: completions.stream.finish_once
    When any completion is streamed
    Then no choice continues after it finished

  @must @completions.stream.limit
  Scenario: max_tokens limits a streamed completion
    Source: schema, CreateCompletionRequest.max_tokens
    Why: answers run on at the caller's cost.
    Needs: completions.stream.usage
    When a completion is streamed with {"max_tokens": 2, "temperature": 0, "stream_options": {"include_usage": true}}
    Then no more than 2 completion tokens were generated

  @must @completions.stream.length
  Scenario: A streamed completion that reaches its limit finishes with "length"
    Source: schema, CreateCompletionResponse.choices.finish_reason, "length"
    Why: clients cannot tell a truncated answer from a complete one.
    Needs: completions.stream.finish_reason, completions.stream.finish_once, completions.stream.limit
    When a greedy completion is requested
    And a completion is streamed with {"max_tokens": 2, "temperature": 0, "stream_options": {"include_usage": true}}
    Then the limit of 2 tokens truncates the last, with the finish reason "length"

  @must @completions.stream.rest
  Scenario: All other fields of a completion chunk match its schema
    Source: schema, CreateCompletionResponse
    Why: strict decoders fail on an optional field of the wrong type as on a required one.
    Needs: completions.stream.events
    When any completion is streamed
    Then every field of every chunk except ["id", "object", "created", "model", "choices", "usage"] fits CompletionChunk

  @must @completions.stream.usage
  Scenario: include_usage adds a chunk with usage to a completion
    Source: schema, ChatCompletionStreamOptions.include_usage, shared by both operations
    Why: some servers send it only for chat (BerriAI/litellm#8349).
    Needs: completions.stream.events
    When a completion is streamed with {"max_tokens": 2, "temperature": 0, "stream_options": {"include_usage": true}}
    Then one chunk without choices carries the usage

  @must @completions.stream.usage_schema
  Scenario: The usage of a streamed completion has three integers
    Source: schema, CompletionUsage
    Why: null counts break cost tracking.
    Needs: completions.stream.usage
    When any completion is streamed
    Then "usage" in every chunk fits CompletionChunk

  @must @completions.stream.usage_total
  Scenario: The token counts of a streamed completion add up
    Source: schema, CompletionUsage.total_tokens, "prompt + completion"
    Why: quota and billing code adds them.
    Needs: completions.stream.usage_schema
    When a completion is streamed with {"max_tokens": 2, "temperature": 0, "stream_options": {"include_usage": true}}
    Then the total is the sum of prompt and completion tokens

  @should @completions.stream.usage_unasked
  Scenario: No chunk of a completion has usage without include_usage
    Source: schema, ChatCompletionStreamOptions.include_usage
    Why: tutorial code that reads choices[0] of the last chunk raises IndexError.
    When a greedy completion is streamed
    Then no chunk counts tokens

  @should @completions.stream.nulls
  Scenario: A completion chunk omits optional fields instead of sending null
    Source: schema, CreateCompletionResponse: optional properties that are not nullable
    Why: Swift and Kotlin decoders reject null as a wrong type; Python and Go accept it.
    Needs: completions.stream.events
    When any completion is streamed
    Then no optional field of any chunk is null unless CompletionChunk allows it

  @should @completions.stream.now
  Scenario: The creation time of a streamed completion is close to the current time
    Source: schema, created, "when the completion was created"; RFC 9110 section 6.6.1: Date is when the message was made; without one, the clock of whoever asked
    Why: sorting by time is wrong, and caches that expire by it drop entries at once.
    Needs: completions.stream.created
    When any completion is streamed
    Then "created" in every chunk is about the time in the Date of the stream
