Feature: Requests past an edge
  More fields than are known, more tokens than fit, more words than the context, bytes that are no text.

  @must @errors.unknown_field.harmless
  Scenario: A field that nobody knows does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error
    Why: clients send fields of other vendors and of next year.
    When a chat completion is wrongly requested with {"gonogo_no_such_field": true, "max_tokens": 1}
    Then the request does not fail the server

  # The API refuses, most servers pass over it, and both keep the contract: which it is is told, and nothing more.
  @may @errors.unknown_field.refused
  Scenario: A field that nobody knows is refused
    Source: guide, Error codes, 400 unknown_parameter; project decision: it may be passed over
    Why: a misspelt parameter is lost in silence where it is passed over (spring-projects/spring-ai PR#5266).
    When a chat completion is wrongly requested with {"gonogo_no_such_field": true, "max_tokens": 1}
    Then the request is not accepted

  @should @errors.unknown_field.status
  Scenario: A field that nobody knows is refused with 400, if it is
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; 422 is another class, whose body they do not know.
    Needs: errors.unknown_field.harmless
    When a chat completion is wrongly requested with {"gonogo_no_such_field": true, "max_tokens": 1}
    Then the status of the refusal is 400

  @must @errors.token_limit.harmless
  Scenario: A token limit beyond every context does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error
    Why: "as much as you can" is written so; the API refuses it, others make it smaller (modular/modular#6673, LostRuins/koboldcpp#2481).
    When a chat completion is streamed with {}
    And a chat completion is streamed with a token limit beyond every context
    Then the last neither fails the server nor breaks off

  @should @errors.token_limit.late
  Scenario: A token limit beyond every context ends no stream in an error
    Source: project decision; an error in mid-stream is a refusal that came too late for a status
    Why: whoever waits for the status sends no smaller limit, and shows the beginning as the answer (lmstudio-ai/lmstudio-bug-tracker#2322).
    Needs: errors.token_limit.harmless
    When a chat completion is streamed with {}
    And a chat completion is streamed with a token limit beyond every context
    Then the last is refused before its stream begins, or has no error in it

  @should @errors.token_limit.status
  Scenario: A token limit beyond every context is refused with 400, if it is
    Source: guide, Error codes, 400
    Why: agents ask again with less on 400, and give up or wait on anything else (earendil-works/pi#4675).
    Needs: errors.token_limit.harmless
    When a chat completion is streamed with a token limit beyond every context
    Then the status of the refusal is 400

  @must @errors.encoding.harmless
  Scenario: Bytes that are not UTF-8 do not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; RFC 8259 section 8.1
    Why: one such request ended the server for everybody (ggml-org/llama.cpp#6396, ggml-org/llama.cpp#9195).
    When a chat completion is requested with bytes that are not UTF-8
    Then the request does not fail the server

  @should @errors.encoding.refused
  Scenario: Bytes that are not UTF-8 are refused
    Source: RFC 8259 section 8.1: JSON between systems is UTF-8
    Why: the model reads other characters than the user wrote, and nobody learns of it.
    Needs: errors.encoding.harmless
    When a chat completion is requested with bytes that are not UTF-8
    Then the request is not accepted

  @should @errors.encoding.status
  Scenario: Bytes that are not UTF-8 are refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; 422 is another class, whose body they do not know.
    Needs: errors.encoding.refused
    When a chat completion is requested with bytes that are not UTF-8
    Then the status of the refusal is 400

  @must @errors.context.harmless
  Scenario: A prompt longer than the context does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; guide, Error codes, 400 context_length_exceeded
    Why: SDKs and routers ask again on 5xx, for the same failure (ardanlabs/kronk#861, lmstudio-ai/lmstudio-bug-tracker#2322).
    When a chat completion is requested with more words than the listed context has tokens
    Then the request does not fail the server

  @must @errors.context.whole
  Scenario: A prompt longer than the context is not cut in silence
    Source: guide, Error codes, 400 context_length_exceeded
    Why: the model answers without the instructions that were cut off, and nobody learns of it (ollama/ollama#2208).
    Needs: errors.context.harmless
    When a chat completion is requested with more words than the listed context has tokens
    Then the prompt is refused, or counted whole

  @should @errors.context.status
  Scenario: A prompt longer than the context is refused with 400
    Source: guide, Error codes, 400 context_length_exceeded; RFC 9110 section 15.5.14: 413 is for bytes
    Why: routers fail over on other statuses, to servers of the same context.
    Needs: errors.context.whole
    When a chat completion is requested with more words than the listed context has tokens
    Then the status of the refusal is 400 or 413

  @should @errors.context.code
  Scenario: A prompt longer than the context is refused with the code context_length_exceeded
    Source: guide, Error codes, 400 context_length_exceeded
    Why: agents make their history shorter when they see it (goose, hermes; ikawrakow/ik_llama.cpp PR#2420).
    Needs: errors.context.status, errors.envelope.code
    When a chat completion is requested with more words than the listed context has tokens
    Then the refusal says that the context is exceeded
