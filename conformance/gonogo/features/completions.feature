Feature: A whole completion
  POST /completions without stream, the older form that evaluation harnesses and editors use.

  @must @completions.response.status
  Scenario: A completion is answered with 200
    Source: schema, paths./completions.post.responses
    Why: the document names 200 and no other success; clients that compare with it take 201 and 203 for failures.
    When any completion is requested
    Then the answer's status is 200

  @must @completions.response.content_type
  Scenario: A completion is sent as application/json
    Source: schema, paths./completions.post.responses.200.content
    Why: openai-python hands out a str instead of an object for any other media type (EricLBuehler/mistral.rs#79).
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
    Why: typed clients refuse an answer without it (mudler/LocalAI#648).
    Needs: completions.response.json
    When any completion is requested
    Then "id" in the answer fits Completion

  @should @completions.response.id_unique
  Scenario: Two completions have two ids
    Source: schema, CreateCompletionResponse.id, "a unique identifier"
    Why: logs keyed by id lose one of them.
    Needs: completions.response.id
    When a completion is requested with {}
    And a greedy completion is requested
    And any completion is requested
    Then no two answers have the same "id"

  @must @completions.response.object
  Scenario: A completion says that it is one
    Source: schema, CreateCompletionResponse.object
    Why: typed clients decode by this literal.
    Needs: completions.response.json
    When any completion is requested
    Then "object" in the answer fits Completion

  @must @completions.response.created
  Scenario: A completion has a creation time that is a whole number
    Source: schema, CreateCompletionResponse.created
    Why: Go, Swift and Rust decoders refuse a float or a string.
    Needs: completions.response.json
    When any completion is requested
    Then "created" in the answer fits Completion

  @should @completions.response.seconds
  Scenario: The creation time of a completion is in seconds
    Source: schema, CreateCompletionResponse.created, "Unix timestamp (in seconds)"
    Why: milliseconds break every clock that reads them.
    Needs: completions.response.created
    When any completion is requested
    Then "created" in the answer is a time in seconds

  @must @completions.response.model
  Scenario: A completion names its model
    Source: schema, CreateCompletionResponse.model
    Why: routing and billing read it.
    Needs: completions.response.json
    When any completion is requested
    Then "model" in the answer fits Completion

  @must @completions.response.choices
  Scenario: A completion has choices
    Source: schema, CreateCompletionResponse.choices
    Why: choices[0].text is what every caller reads.
    Needs: completions.response.json
    When any completion is requested
    Then "choices" in the answer, apart from ["choices[].index", "choices[].text", "choices[].finish_reason", "choices[].logprobs"], fits Completion

  @must @completions.response.one_choice
  Scenario: A completion of one prompt has one choice
    Source: schema, CreateCompletionRequest.n, default 1
    Why: callers match choices to prompts by position.
    Needs: completions.response.choices
    When any completion is requested
    Then there is one choice, where no more were asked for

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
    Why: callers sort and look up by it.
    Needs: completions.response.index
    When any completion is requested
    Then the choices are numbered from 0

  @must @completions.response.text
  Scenario: Every choice of a completion has text
    Source: schema, CreateCompletionResponse.choices.text
    Why: servers that answer with a message break every caller (qualcomm/GenieX PR#66).
    Needs: completions.response.choices
    When any completion is requested
    Then "choices[].text" in the answer fits Completion

  @must @completions.response.finish_reason
  Scenario: The finish reason of a completion is one that the contract knows
    Source: schema, CreateCompletionResponse.choices.finish_reason
    Why: enum decoders refuse anything else.
    Needs: completions.response.choices
    When any completion is requested
    Then "choices[].finish_reason" in the answer fits Completion

  @should @completions.response.logprobs
  Scenario: Every choice of a completion has logprobs, be it null
    Source: schema, CreateCompletionResponse.choices.logprobs, required and nullable
    Why: the schema requires the key; many servers leave it out.
    Needs: completions.response.choices
    When any completion is requested
    Then "choices[].logprobs" in the answer fits Completion

  @must @completions.response.rest
  Scenario: Nothing else in a completion breaks its schema
    Source: schema, CreateCompletionResponse
    Why: an optional field of the wrong type breaks strict decoders like a required one.
    Needs: completions.response.json
    When any completion is requested
    Then nothing else in the answer breaks Completion than ["id", "object", "created", "model", "choices", "usage"]

  @should @completions.response.usage
  Scenario: A completion carries usage
    Source: recorded answers; optional in the schema, always sent by the API
    Why: cost tracking reads it.
    Needs: completions.response.json
    When any completion is requested
    Then the answer carries usage

  @must @completions.response.usage_schema
  Scenario: The usage of a completion has three whole numbers
    Source: schema, CompletionUsage
    Why: null counts break cost tracking.
    Needs: completions.response.usage
    When any completion is requested
    Then "usage" in the answer fits Completion

  @must @completions.response.usage_total
  Scenario: The tokens of a completion add up
    Source: schema, CompletionUsage.total_tokens, "prompt + completion"
    Why: quota and billing code adds them.
    Needs: completions.response.usage_schema
    When any completion is requested
    Then the total is the sum of prompt and completion tokens

  @should @completions.response.usage_prompt
  Scenario: The prompt tokens of a completion are counted
    Source: schema, CompletionUsage.prompt_tokens, "tokens in the prompt"
    Why: cost tracking reads 0, and nobody notices.
    Needs: completions.response.usage
    When any completion is requested
    Then prompt tokens were counted

  @must @completions.limit.max_tokens
  Scenario: max_tokens limits a completion
    Source: schema, CreateCompletionRequest.max_tokens
    Why: runaway answers, at the caller's cost.
    Needs: completions.response.usage
    When a completion is requested with {"max_tokens": 2, "temperature": 0}
    Then no more than 2 completion tokens were generated

  @must @completions.limit.length
  Scenario: A completion that reaches its limit finishes with "length"
    Source: schema, CreateCompletionResponse.choices.finish_reason, "length"
    Why: clients cannot tell a cut from an end (triton-inference-server/server#7796).
    Needs: completions.response.finish_reason, completions.limit.max_tokens
    When a greedy completion is requested
    And a completion is requested with {"max_tokens": 2, "temperature": 0}
    Then the limit of 2 tokens cuts the last short, for the reason "length"

  @should @completions.response.nulls
  Scenario: A completion leaves optional fields out rather than null
    Source: schema, CreateCompletionResponse: optional properties that are not nullable
    Why: Swift and Kotlin decoders take null for a wrong type; Python and Go do not notice.
    Needs: completions.response.json
    When any completion is requested
    Then no optional field in the answer but ["usage"] is null against Completion

  @should @completions.response.now
  Scenario: The creation time of a completion is about when it was made
    Source: schema, created, "when the completion was created"; RFC 9110 section 6.6.1: Date is when the message was made; without one, the clock of whoever asked
    Why: what is sorted and kept by it is out of order, or too old from the start.
    Needs: completions.response.created
    When any completion is requested
    Then "created" in the answer is about the time in its Date
