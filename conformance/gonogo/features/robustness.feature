Feature: Robustness
  Requests that Schemathesis generates from the contract, with gonogo check --fuzz.
  Each rule is inconclusive if fewer than 20 generated requests were accepted.

  @must @robustness.no_server_error
  Scenario: No generated request is answered with a server error
    Source: RFC 9110 section 15.6: the server is aware that it has erred
    Why: SDKs retry on 5xx, and the same request fails each time (lm-sys/FastChat#1546, sgl-project/sglang#3805).
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then no case is answered with a server error

  @must @robustness.answered
  Scenario: Every generated request is answered
    Source: RFC 9110 section 3.4: a server responds to every request; RFC 9112 section 8
    Why: a dropped connection looks like a network failure, but may be caused by one unexpected null (LostRuins/koboldcpp#1503).
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every case is answered

  @must @robustness.envelope
  Scenario: Every refusal of a generated request has an error object
    Source: schema, error responses; ErrorObject.message and ErrorObject.type
    Why: validation before the server's own code answers in its own format, with "detail" and a list (ray-project/ray#64833).
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every refusal of a case is an error with message and type

  @must @robustness.response
  Scenario: Every answer to a generated request matches its schema
    Source: schema, the 200 response of each operation
    Why: rare parameters take other code paths, which build other answers.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every accepted case is answered as its operation describes

  @must @robustness.stream
  Scenario: Every stream of a generated request is complete
    Source: schema, the event stream of each operation; guide, Chat completions > Streaming
    Why: a stream that fails after its status can report the failure only in the stream.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every accepted case that requests a stream is answered with a complete one

  @should @robustness.invalid_refused
  Scenario: No generated request that breaks the contract is accepted
    Source: schema, the request body of each operation; project decision: what is wrong is refused
    Why: an error in any field goes unnoticed until another provider refuses it.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every invalid case is refused

  @should @robustness.valid_accepted
  Scenario: No generated request that keeps the contract is refused without reason
    Source: schema, the request body of each operation
    Why: servers that support a parameter refuse null or a value at the limit of its range.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every valid case is accepted, or refused for a feature that is never accepted

  @should @robustness.method
  Scenario: An unsupported method is answered with 405 and the allowed methods
    Source: RFC 9110 section 15.5.6
    Why: a 404 points to a wrong base URL, a 500 to a broken server.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then every method that a path does not have is answered with 405 and Allow
