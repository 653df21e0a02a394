Feature: Completions without streaming
  POST /completions without stream, the older endpoint that evaluation harnesses and editors use.

  @must @completions.response.status
  Scenario: A completion is answered with 200
    Source: schema, paths./completions.post.responses
    Why: the schema defines only 200 for success; clients that compare with it treat 201 and 203 as failures.
    When any completion is requested
    Then the answer's status is 200

  @must @completions.response.content_type
  Scenario: A completion is sent as application/json
    Source: schema, paths./completions.post.responses.200.content
    Why: openai-python returns a str instead of an object for any other media type (EricLBuehler/mistral.rs#79).
    When any completion is requested
    Then the answer's content type is "application/json"

  @must @completions.response.json
  Scenario: A completion is one JSON object
    Source: schema, CreateCompletionResponse; RFC 8259
    Why: every client parses it.
    Needs: completions.response.content_type
    When any completion is requested
    Then the answer is one JSON object

  @must @completions.response.id
  Scenario: A completion has an id
    Source: schema, CreateCompletionResponse.id
    Why: typed clients reject an answer without it (mudler/LocalAI#648).
    Needs: completions.response.json
    When any completion is requested
    Then "id" in the answer fits Completion

  @should @completions.response.id_unique
  Scenario: Two completions have different ids
    Source: schema, CreateCompletionResponse.id, "a unique identifier"
    Why: logs keyed by id lose one of them.
    Needs: completions.response.id
    When a completion is requested with {}
    And a greedy completion is requested
    And any completion is requested
    Then no two answers have the same "id"

  @must @completions.response.object
  Scenario: The object of a completion is "text_completion"
    Source: schema, CreateCompletionResponse.object
    Why: typed clients select their decoder by it.
    Needs: completions.response.json
    When any completion is requested
    Then "object" in the answer fits Completion

  @must @completions.response.created
  Scenario: The creation time of a completion is an integer
    Source: schema, CreateCompletionResponse.created
    Why: Go, Swift and Rust decoders reject a float or a string.
    Needs: completions.response.json
    When any completion is requested
    Then "created" in the answer fits Completion

  @should @completions.response.seconds
  Scenario: The creation time of a completion is in seconds
    Source: schema, CreateCompletionResponse.created, "Unix timestamp (in seconds)"
    Why: clients show a date in the far future for milliseconds.
    Needs: completions.response.created
    When any completion is requested
    Then "created" in the answer is a time in seconds

  @must @completions.response.model
  Scenario: A completion names its model
    Source: schema, CreateCompletionResponse.model
    Why: routing and billing use it.
    Needs: completions.response.json
    When any completion is requested
    Then "model" in the answer fits Completion

  @must @completions.response.choices
  Scenario: A completion has choices
    Source: schema, CreateCompletionResponse.choices
    Why: every caller reads choices[0].text.
    Needs: completions.response.json
    When any completion is requested
    Then "choices" in the answer, apart from ["choices[].index", "choices[].text", "choices[].finish_reason", "choices[].logprobs"], fits Completion

  @must @completions.response.one_choice
  Scenario: A completion of one prompt has one choice
    Source: schema, CreateCompletionRequest.n, default 1
    Why: callers match choices to prompts by position.
    Needs: completions.response.choices
    When any completion is requested
    Then there is one choice unless more were requested

  @must @completions.response.index
  Scenario: Every choice of a completion has an index
    Source: schema, CreateCompletionResponse.choices.index
    Why: callers match choices to prompts by it.
    Needs: completions.response.choices
    When any completion is requested
    Then "choices[].index" in the answer fits Completion

  @must @completions.response.indexes
  Scenario: The choices of a completion are numbered from 0
    Source: schema, CreateCompletionResponse.choices.index
    Why: callers sort and look up choices by it.
    Needs: completions.response.index
    When any completion is requested
    Then the choices are numbered from 0

  @must @completions.response.text
  Scenario: Every choice of a completion has text
    Source: schema, CreateCompletionResponse.choices.text
    Why: callers fail if a server answers with a message instead (qualcomm/GenieX PR#66).
    Needs: completions.response.choices
    When any completion is requested
    Then "choices[].text" in the answer fits Completion

  @must @completions.response.finish_reason
  Scenario: The finish reason of a completion is defined by the contract
    Source: schema, CreateCompletionResponse.choices.finish_reason
    Why: enum decoders reject anything else.
    Needs: completions.response.choices
    When any completion is requested
    Then "choices[].finish_reason" in the answer fits Completion

  @should @completions.response.logprobs
  Scenario: Every choice of a completion has logprobs, possibly null
    Source: schema, CreateCompletionResponse.choices.logprobs, required and nullable
    Why: the schema requires the field; many servers omit it.
    Needs: completions.response.choices
    When any completion is requested
    Then "choices[].logprobs" in the answer fits Completion

  @must @completions.response.rest
  Scenario: All other fields of a completion match its schema
    Source: schema, CreateCompletionResponse
    Why: strict decoders fail on an optional field of the wrong type as on a required one.
    Needs: completions.response.json
    When any completion is requested
    Then every field of the answer except ["id", "object", "created", "model", "choices", "usage"] fits Completion

  @should @completions.response.usage
  Scenario: A completion has usage
    Source: recorded answers; optional in the schema, always sent by the API
    Why: cost tracking uses it.
    Needs: completions.response.json
    When any completion is requested
    Then the answer carries usage

  @must @completions.response.usage_schema
  Scenario: The usage of a completion has three integers
    Source: schema, CompletionUsage
    Why: null counts break cost tracking.
    Needs: completions.response.usage
    When any completion is requested
    Then "usage" in the answer fits Completion

  @must @completions.response.usage_total
  Scenario: The token counts of a completion add up
    Source: schema, CompletionUsage.total_tokens, "prompt + completion"
    Why: quota and billing code adds them.
    Needs: completions.response.usage_schema
    When any completion is requested
    Then the total is the sum of prompt and completion tokens

  @should @completions.response.usage_prompt
  Scenario: The prompt tokens of a completion are counted
    Source: schema, CompletionUsage.prompt_tokens, "tokens in the prompt"
    Why: cost tracking silently records 0.
    Needs: completions.response.usage
    When any completion is requested
    Then prompt tokens were counted

  @must @completions.limit.max_tokens
  Scenario: max_tokens limits a completion
    Source: schema, CreateCompletionRequest.max_tokens
    Why: answers run on at the caller's cost.
    Needs: completions.response.usage
    When a completion is requested with {"max_tokens": 2, "temperature": 0}
    Then no more than 2 completion tokens were generated

  @must @completions.limit.length
  Scenario: A completion that reaches its limit finishes with "length"
    Source: schema, CreateCompletionResponse.choices.finish_reason, "length"
    Why: clients cannot tell a truncated answer from a complete one (triton-inference-server/server#7796).
    Needs: completions.response.finish_reason, completions.limit.max_tokens
    When a greedy completion is requested
    And a completion is requested with {"max_tokens": 2, "temperature": 0}
    Then the limit of 2 tokens truncates the last, with the finish reason "length"

  @should @completions.response.nulls
  Scenario: A completion omits optional fields instead of sending null
    Source: schema, CreateCompletionResponse: optional properties that are not nullable
    Why: Swift and Kotlin decoders reject null as a wrong type; Python and Go accept it.
    Needs: completions.response.json
    When any completion is requested
    Then no optional field of the answer except ["usage"] is null unless Completion allows it

  @should @completions.response.now
  Scenario: The creation time of a completion is close to the current time
    Source: schema, created, "when the completion was created"; RFC 9110 section 6.6.1: Date is when the message was made; without one, the clock of whoever asked
    Why: sorting by time is wrong, and caches that expire by it drop entries at once.
    Needs: completions.response.created
    When any completion is requested
    Then "created" in the answer is about the time in its Date
