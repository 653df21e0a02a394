Feature: Robustness
  Requests that nobody thought of: generated from the contract by Schemathesis, where gonogo check --fuzz asks for them.
  Each rule is inconclusive where fewer than 20 of them were accepted.

  @must @robustness.no_server_error
  Scenario: No generated request is answered with a server error
    Source: RFC 9110 section 15.6: the server is aware that it has erred
    Why: SDKs retry on 5xx, and the same request fails the same way for ever (lm-sys/FastChat#1546, sgl-project/sglang#3805).
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then no case is answered with a server error

  @must @robustness.answered
  Scenario: Every generated request is answered
    Source: RFC 9110 section 3.4: a server responds to every request; RFC 9112 section 8
    Why: a dropped connection looks like a broken network, and is one null that nobody expected (LostRuins/koboldcpp#1503).
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every case is answered

  @must @robustness.envelope
  Scenario: Every refusal of a generated request is an error object
    Source: schema, error responses; ErrorObject.message and ErrorObject.type
    Why: validation that runs before the server's own code answers in its own form, "detail" and a list (ray-project/ray#64833).
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every refusal of a case is an error with message and type

  @must @robustness.response
  Scenario: Every answer to a generated request fits its schema
    Source: schema, the 200 response of each operation
    Why: rare parameters take other paths through a server, which build other answers.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every accepted case is answered as its operation describes

  @must @robustness.stream
  Scenario: Every stream that a generated request asks for is whole
    Source: schema, the event stream of each operation; guide, Chat completions > Streaming
    Why: a stream that fails after its status has nowhere to say so but in the stream.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every accepted case that asks for a stream is answered with a whole one

  @should @robustness.invalid_refused
  Scenario: No generated request that breaks the contract is accepted
    Source: schema, the request body of each operation; project decision: what is wrong is refused
    Why: a mistake in any field goes unnoticed, until another provider refuses it.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every invalid case is refused

  @should @robustness.valid_accepted
  Scenario: No generated request that keeps the contract is refused without need
    Source: schema, the request body of each operation
    Why: a value at the limit of its range, or a null, is refused by servers that have the parameter.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every valid case is accepted, or refused for something that is never accepted

  @should @robustness.method
  Scenario: A method that a path does not have is answered with 405 and the methods that it has
    Source: RFC 9110 section 15.5.6
    Why: a 404 sends people looking for a wrong base URL, a 500 for a broken server.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every method that a path does not have is answered with 405 and Allow
