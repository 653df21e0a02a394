Feature: Gateways
  How a gateway handles upstream faults. With gonogo check --upstream-faults, gonogo is an upstream of the gateway and
  plays these faults.

  @must @gateway.stream.broken
  Scenario: A stream whose upstream breaks off does not end as if it were complete
    Source: RFC 9112 section 8: who receives an incomplete message takes it for incomplete
    Why: a truncated answer is stored, shown and billed as a complete one (BerriAI/litellm#33404).
    When a chat completion is streamed of which the upstream plays "breaks"
    And the upstream has played "breaks"
    Then the client gets an error, or a connection that breaks

  @must @gateway.stream.unfinished
  Scenario: A gateway does not add a finish reason that the upstream did not send
    Source: schema, CreateChatCompletionStreamResponse.finish_reason: "stop" says that the model came to its end
    Why: an agent continues with a truncated answer because "stop" marks it as complete (BerriAI/litellm#40260).
    When a chat completion is streamed of which the upstream plays "ends-early"
    And the upstream has played "ends-early"
    Then the gateway invents no finish reason

  @should @gateway.stream.error
  Scenario: An error event in the upstream's stream reaches the client
    Source: SDK behaviour: openai-python and openai-node raise APIError for an event with an error
    Why: the rest of the answer is missing without notice (BerriAI/litellm PR#39748).
    When a chat completion is streamed of which the upstream plays "error-event"
    And the upstream has played "error-event"
    Then the client gets an error, or a connection that breaks

  @must @gateway.stream.comments
  Scenario: Comments in the upstream's stream do not become data
    Source: SSE standard 9.2.6: a line that begins with a colon is ignored
    Why: keep-alives of OpenRouter arrive as events that are not JSON, and openai-node raises (mnfst/llm-gateway#2053).
    When a chat completion is streamed of which the upstream plays "comments"
    And the upstream has played "comments"
    Then the client gets the upstream's text and no comment as data

  @must @gateway.stream.pieces
  Scenario: A stream arrives unchanged, whatever line ends and packet boundaries the upstream uses
    Source: SSE standard 9.2.6: CRLF ends a line too; 9.2.5: the stream is UTF-8, whatever its packets
    Why: a gateway that decodes packet by packet corrupts characters at packet boundaries.
    When a chat completion is streamed of which the upstream plays "split"
    And the upstream has played "split"
    Then the client gets the upstream's text and no comment as data

  @must @gateway.stream.usage
  Scenario: Requested usage arrives as the upstream counted it
    Source: schema, ChatCompletionStreamOptions.include_usage
    Why: token-based billing records nothing, or other counts than the invoice.
    When a chat completion is streamed with usage of which the upstream plays "plain"
    And the upstream has played "plain"
    Then the client gets the usage that the upstream counted

  @should @gateway.stream.usage_unasked
  Scenario: Usage that was not requested is removed
    Source: schema, ChatCompletionStreamOptions.include_usage: the chunk without choices comes where it is true
    Why: clients read choices[0] of every chunk, but the usage chunk has none.
    When a chat completion is streamed of which the upstream plays "counts"
    And the upstream has played "counts"
    Then no chunk without choices reaches the client

  @should @gateway.stream.call_index
  Scenario: Tool calls whose deltas lack an index get one, or an error
    Source: schema, ChatCompletionMessageToolCallChunk.index
    Why: SDKs join the pieces of a call by it and lose them without it (AstrBotDevs/AstrBot PR#6692).
    When a chat completion is streamed of which the upstream plays "calls"
    And the upstream has played "calls"
    Then the client gets the upstream's calls with an index each, or an error

  @should @gateway.stream.cancelled
  Scenario: The upstream request ends soon after the client disconnects
    Source: project decision; RFC 9112 section 9.5: a closed connection may be taken for a request to stop
    Why: the model keeps generating, and every token is billed (BerriAI/litellm#13774).
    When a chat completion is streamed, and left, of which the upstream plays "long"
    And the upstream has played "long"
    Then the connection to the upstream is closed within 4 s

  @must @gateway.isolation
  Scenario: Concurrent requests get their own answers
    Source: RFC 9110 section 3.4: a response is one to its request
    Why: one customer sees the answer of another.
    When chat completions of different plays are requested at the same time
    Then each client gets its own answer

  @must @gateway.key.client
  Scenario: The client's key does not reach the upstream
    Source: RFC 6750 section 5.3: bearer tokens are not to reach anybody whom they are not meant for
    Why: the operator of the upstream can use the client's key.
    When any request to the upstream is looked at
    And any answer to a play is looked at
    Then no request has the key of the client

  @must @gateway.key.providers
  Scenario: Each provider gets only its own key and requests
    Source: RFC 6750 section 5.3: bearer tokens are not to reach anybody whom they are not meant for
    Why: the key of one provider is logged by another.
    When a chat completion is requested of each of two providers
    And any request to the upstream is looked at
    Then each provider gets only its own key

  @must @gateway.key.leaked
  Scenario: No answer contains the gateway's key for the upstream
    Source: RFC 6750 section 5.3: bearer tokens are not to reach anybody whom they are not meant for
    Why: providers repeat the rejected key in errors, and a gateway passes them on.
    When a chat completion is requested, by itself, of which the upstream plays "bars"
    And any answer to a play is looked at
    And any request to the upstream is looked at
    Then no answer contains a key of the upstream

  @should @gateway.errors.inside
  Scenario: No answer reveals the address of the upstream or its internal errors
    Source: project decision; RFC 9110 section 17.9: what software says of itself helps attackers
    Why: internal addresses and stack traces end up in the logs, screens and bug reports of clients.
    When a chat completion is requested, by itself, of which the upstream plays "crashes"
    And a chat completion is requested, by itself, of which the upstream plays "page"
    And any answer to a play is looked at
    And any request to the upstream is looked at
    Then no answer contains an address or a stack trace of the upstream

  @must @gateway.errors.envelope
  Scenario: Every failure of the upstream reaches the client as an error object
    Source: schema, error responses
    Why: SDKs read error.message; for an HTML page they show the tags or fail.
    When a chat completion is requested, by itself, of which the upstream plays "refuses"
    And a chat completion is requested, by itself, of which the upstream plays "crashes"
    And a chat completion is requested, by itself, of which the upstream plays "page"
    And a chat completion is requested, by itself, of which the upstream plays "silent"
    And a chat completion is requested, by itself, of which the upstream plays "full"
    Then the failure is reported as an error object

  @must @gateway.errors.failed
  Scenario: A failing upstream is a server error
    Source: RFC 9110 section 15.6.3: 502 is for an invalid response from an inbound server, 504 for none in time
    Why: 4xx asks the client to change its request, and 200 claims that there is an answer.
    When a chat completion is requested, by itself, of which the upstream plays "crashes"
    And a chat completion is requested, by itself, of which the upstream plays "page"
    And a chat completion is requested, by itself, of which the upstream plays "garbled"
    And a chat completion is requested, by itself, of which the upstream plays "silent"
    And any request to the upstream is looked at
    Then the failure is reported with a status of 5xx

  @should @gateway.errors.refused
  Scenario: A refusal of the upstream stays a refusal
    Source: RFC 9110 section 15.5: 4xx is for errors of the client; SDK behaviour: 5xx is tried again
    Why: a wrong parameter is sent three times and reported as an outage.
    When a chat completion is requested, by itself, of which the upstream plays "refuses"
    And the upstream has played "refuses"
    Then the failure is reported with a status of 4xx

  @should @gateway.errors.upstream_key
  Scenario: A gateway key that the upstream rejects is not a client error
    Source: RFC 9110 section 15.5.2: 401 is about the credentials of this request, which were right
    Why: clients discard their key and ask the user for another.
    When a chat completion is requested, by itself, of which the upstream plays "bars"
    And the upstream has played "bars"
    Then the failure is reported with a status of 5xx

  @should @gateway.errors.retry_after
  Scenario: A rate limit of the upstream arrives with its Retry-After
    Source: RFC 6585 section 4: 429 may say how long to wait; SDK behaviour: its retries obey Retry-After
    Why: clients retry at once and are refused again.
    When a chat completion is requested, by itself, of which the upstream plays "full"
    And the upstream has played "full"
    Then the client gets 429 or 503 with Retry-After
