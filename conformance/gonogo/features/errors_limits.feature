Feature: Requests beyond limits
  Unknown fields, too many tokens, prompts longer than the context, and invalid UTF-8.

  @must @errors.unknown_field.harmless
  Scenario: An unknown field does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error
    Why: clients send fields of other vendors and of newer API versions.
    When a chat completion is wrongly requested with {"gonogo_no_such_field": true, "max_tokens": 1}
    Then the request does not fail the server

  # The API refuses it, most servers ignore it, and both keep the contract: the rule only reports which.
  @may @errors.unknown_field.refused
  Scenario: An unknown field is refused
    Source: guide, Error codes, 400 unknown_parameter; project decision: it may be passed over
    Why: a misspelt parameter is silently ignored (spring-projects/spring-ai PR#5266).
    When a chat completion is wrongly requested with {"gonogo_no_such_field": true, "max_tokens": 1}
    Then the request is not accepted

  @should @errors.unknown_field.status
  Scenario: If an unknown field is refused, the status is 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.unknown_field.harmless
    When a chat completion is wrongly requested with {"gonogo_no_such_field": true, "max_tokens": 1}
    Then the status of the refusal is 400

  @must @errors.token_limit.harmless
  Scenario: A token limit larger than any context does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error
    Why: clients use it for "as much as possible"; the API refuses it, other servers reduce it (modular/modular#6673, LostRuins/koboldcpp#2481).
    When a chat completion is streamed with {}
    And a chat completion is streamed with a token limit beyond every context
    Then the last causes neither a server error nor a cut-off answer

  @should @errors.token_limit.late
  Scenario: A token limit larger than any context does not end a stream with an error
    Source: project decision; an error in mid-stream is a refusal that came too late for a status
    Why: a client that checks the status does not retry with a smaller limit, and shows the beginning as the answer (lmstudio-ai/lmstudio-bug-tracker#2322).
    Needs: errors.token_limit.harmless
    When a chat completion is streamed with {}
    And a chat completion is streamed with a token limit beyond every context
    Then the last is refused before its stream begins, or has no error in it

  @should @errors.token_limit.status
  Scenario: If a token limit larger than any context is refused, the status is 400
    Source: guide, Error codes, 400
    Why: agents retry with a smaller limit on 400, and give up or wait on anything else (earendil-works/pi#4675).
    Needs: errors.token_limit.harmless
    When a chat completion is streamed with a token limit beyond every context
    Then the status of the refusal is 400

  @must @errors.encoding.harmless
  Scenario: Bytes that are not UTF-8 do not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; RFC 8259 section 8.1
    Why: one such request stopped the server for everyone (ggml-org/llama.cpp#6396, ggml-org/llama.cpp#9195).
    When a chat completion is requested with bytes that are not UTF-8
    Then the request does not fail the server

  @should @errors.encoding.refused
  Scenario: Bytes that are not UTF-8 are refused
    Source: RFC 8259 section 8.1: JSON between systems is UTF-8
    Why: the model silently gets other characters than the user wrote.
    Needs: errors.encoding.harmless
    When a chat completion is requested with bytes that are not UTF-8
    Then the request is not accepted

  @should @errors.encoding.status
  Scenario: Bytes that are not UTF-8 are refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.encoding.refused
    When a chat completion is requested with bytes that are not UTF-8
    Then the status of the refusal is 400

  @must @errors.context.harmless
  Scenario: A prompt longer than the context does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; guide, Error codes, 400 context_length_exceeded
    Why: SDKs and routers retry on 5xx and fail again (ardanlabs/kronk#861, lmstudio-ai/lmstudio-bug-tracker#2322).
    When a chat completion is requested with more words than the listed context has tokens
    Then the request does not fail the server

  @must @errors.context.whole
  Scenario: A prompt longer than the context is not truncated silently
    Source: guide, Error codes, 400 context_length_exceeded
    Why: the model silently answers without the truncated instructions (ollama/ollama#2208).
    Needs: errors.context.harmless
    When a chat completion is requested with more words than the listed context has tokens
    Then the prompt is refused, or counted completely

  @should @errors.context.status
  Scenario: A prompt longer than the context is refused with 400
    Source: guide, Error codes, 400 context_length_exceeded; RFC 9110 section 15.5.14: 413 is for bytes
    Why: routers fail over on other statuses to servers with the same context.
    Needs: errors.context.whole
    When a chat completion is requested with more words than the listed context has tokens
    Then the status of the refusal is 400 or 413

  @should @errors.context.code
  Scenario: A prompt longer than the context is refused with the code context_length_exceeded
    Source: guide, Error codes, 400 context_length_exceeded
    Why: agents shorten their history when they get it (goose, hermes; ikawrakow/ik_llama.cpp PR#2420).
    Needs: errors.context.status, errors.envelope.code
    When a chat completion is requested with more words than the listed context has tokens
    Then the refusal has the code context_length_exceeded
