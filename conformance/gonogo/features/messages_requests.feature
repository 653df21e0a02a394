Feature: How messages are asked for, and refused
  Keys, versions, what Claude Code sends, the errors, and the count of tokens.

  @must @messages.request.stream
  Scenario: A message can be streamed
    Source: schema, CreateMessageRequest.stream
    Why: agents stream every request.
    Needs: stream.content_type
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And a message is streamed with {"temperature": 0, "max_tokens": 24}
    Then if the first is accepted, the last is accepted and streamed

  @must @messages.request.x_api_key
  Scenario: A key is accepted in x-api-key and in Authorization alike
    Source: guide, Authentication; schema, security of the operation
    Why: older clients send x-api-key, newer ones Authorization.
    When a chat completion is requested with {}
    And a chat completion is requested without a key
    And a message is requested with {"temperature": 0, "max_tokens": 24}
    And a string as messages is sent, with the key in x-api-key
    Then a key in x-api-key is accepted like one in Authorization

  @should @messages.request.version
  Scenario: anthropic-version 2026-10-21 is accepted as 2023-06-01
    Source: guide, Versions
    Why: the SDKs send another date after an update.
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And a tool must be used in a message
    And an object of a schema is asked for in a streamed message
    And a message is requested as by Claude Code
    Then the newer version is accepted like the older

  @must @messages.request.claude_code
  Scenario: A request with the fields of Claude Code is accepted
    Source: guide, Gateway protocol reference of Claude Code: unknown fields and beta values are passed over
    Why: each release adds fields: system as an array, cache_control, ?beta=true, values of anthropic-beta.
    When a message is streamed with {"temperature": 0, "max_tokens": 24}
    And a message is requested as by Claude Code
    Then the request of Claude Code is accepted

  @must @messages.request.system
  Scenario: The system prompt reaches the model
    Source: schema, CreateMessageRequest.system; MessageUsage: input_tokens and the counts of caches are the prompt together
    Why: an agent without its system prompt does something else, and nothing says so.
    Needs: messages.usage.prompt
    When a message is streamed with {"temperature": 0, "max_tokens": 24}
    And a message is requested with {"temperature": 0, "max_tokens": 24}
    And a message of few tokens is requested with a system prompt
    Then the input count or the text differs from that without the system prompt

  @should @messages.request.system_role
  Scenario: A message of role system is accepted, or refused as not supported
    Source: schema, MessageParam.role, "a server may refuse it with 400"; guide, Gateway protocol reference
    Why: eight servers failed in May 2026 (lmstudio-ai/lmstudio-bug-tracker#1399). Claude Code sends the request again without it only if the refusal says "not supported" (JustVugg/colibri PR#725).
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And a message is requested as by Claude Code
    Then a message of role system is accepted, or refused as not supported

  @may @messages.request.request_id
  Scenario: A message has a request-id header
    Source: schema, headers of the answer
    Why: the SDKs show it as _request_id, and support asks for it.
    When any message is given
    Then the answer has a header request-id

  @must @messages.errors.refused
  Scenario: A string as messages is refused
    Source: RFC 9110 section 15.5; schema, CreateMessageRequest.messages
    Why: SDKs send the request again after a 5xx, and an accepted request answers no question.
    When a string as messages is sent, with the key in x-api-key
    Then the request is refused with 4xx

  @should @messages.errors.status
  Scenario: A string as messages is refused with 400
    Source: guide, Errors, invalid_request_error
    Why: SDKs choose the exception by the status. Claude Code shows a 422 to the user.
    Needs: messages.errors.refused
    When a string as messages is sent, with the key in x-api-key
    Then the status of the refusal is 400

  @should @messages.errors.unknown_model
  Scenario: An unknown model is refused on /messages
    Source: guide, Errors, not_found_error
    Why: another model answers for a misspelt name, and the caller does not notice.
    When a message is wrongly requested with {"model": "gonogo-no-such-model", "max_tokens": 2}
    Then the request is refused with 4xx

  @should @messages.errors.unknown_model_status
  Scenario: An unknown model is refused with 404 on /messages
    Source: guide, Errors, not_found_error
    Why: SDKs raise NotFoundError for 404, and routers try the next server.
    Needs: messages.errors.unknown_model
    When a message is wrongly requested with {"model": "gonogo-no-such-model", "max_tokens": 2}
    Then the status of the refusal is 404

  @must @messages.errors.envelope
  Scenario: Every refusal on /messages has the error envelope of the Messages API
    Source: schema, MessageErrorEnvelope
    Why: the AI SDK validates it, and shows its own error in place of the server's.
    Needs: messages.errors.refused
    When any message is refused
    Then the refusal is JSON with the error object of messages

  @must @messages.errors.type
  Scenario: An error on /messages has a type
    Source: schema, MessageErrorObject.type
    Why: clients show it with the message.
    Needs: messages.errors.envelope
    When any message is refused
    Then "error.type" in the refusal fits MessageErrorEnvelope

  @should @messages.errors.type_known
  Scenario: The type of an error on /messages fits its status
    Source: guide, Errors
    Why: clients do not know names such as "NotFoundError" (ray-project/ray PR#65486).
    Needs: messages.errors.type
    When any message is refused
    Then the error type matches the status

  @must @messages.errors.message
  Scenario: An error on /messages has a message
    Source: schema, MessageErrorObject.message
    Why: it is the only text that the user sees.
    Needs: messages.errors.envelope
    When any message is refused
    Then "error.message" in the refusal fits MessageErrorEnvelope

  @should @messages.errors.words
  Scenario: The message of an error on /messages is not empty
    Source: schema, MessageErrorObject.message, "a sentence for people"
    Why: an error without text helps nobody.
    Needs: messages.errors.message
    When any message is refused
    Then the message is not empty

  @should @messages.errors.content_type
  Scenario: An error on /messages is sent as application/json
    Source: schema, responses of the operation
    Why: SDKs read the error only from JSON.
    Needs: messages.errors.envelope
    When any message is refused
    Then the refusal's content type is "application/json"

  @must @messages.count.taken
  Scenario: count_tokens does not require max_tokens
    Source: schema, CountMessageTokensRequest, which requires neither max_tokens nor metadata
    Why: each call fails, and Claude Code estimates the context size (ding113/claude-code-hub#1363).
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And the tokens of a message are counted with {}
    Then the count is accepted without a limit

  @must @messages.count.schema
  Scenario: count_tokens returns an integer
    Source: schema, MessageTokenCount
    Why: clients add it up.
    Needs: messages.count.taken
    When the tokens of a message are counted with {}
    Then "input_tokens" in the answer fits MessageTokenCount

  @should @messages.count.agrees
  Scenario: count_tokens returns about the prompt tokens of the same message
    Source: schema, the operation countMessageTokens: "input_tokens and the two cache counts of its usage together"; guide, Token counting, "an estimate"
    Why: clients compact the conversation too early or too late.
    Needs: messages.count.schema, messages.usage.prompt
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And the tokens of a message are counted with {}
    Then the count is that of the usage of the same message
