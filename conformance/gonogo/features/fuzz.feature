Feature: Schemathesis checks
  Findings of Schemathesis in the answers to its generated requests, with gonogo check --fuzz.
  Each rule is inconclusive if fewer than 20 generated requests were accepted.

  @should @fuzz.status_code_conformance
  Scenario: Every answer to a generated request has a status that its operation defines
    Source: schema, the responses of each operation; Schemathesis, status_code_conformance
    Why: a generated client has no branch for another status and raises as for an internal error.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then "status_code_conformance" of Schemathesis finds nothing

  @should @fuzz.content_type_conformance
  Scenario: Every answer to a generated request has a media type that its operation defines
    Source: schema, the content of each response; Schemathesis, content_type_conformance
    Why: clients choose between JSON, events and text by it, and show an error page as the answer of a model.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then "content_type_conformance" of Schemathesis finds nothing

  @should @fuzz.response_headers_conformance
  Scenario: Every answer to a generated request has the headers that its operation defines
    Source: schema, the headers of each response; Schemathesis, response_headers_conformance
    Why: clients read Retry-After as seconds or a date, and generated tooling rejects anything else.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then "response_headers_conformance" of Schemathesis finds nothing

  @should @fuzz.response_schema_conformance
  Scenario: Every whole answer to a generated request matches the schema of its status
    Source: schema, the content of each response; Schemathesis, response_schema_conformance
    Why: generated clients reject an answer that does not match, even for a rare parameter.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then "response_schema_conformance" of Schemathesis finds nothing

  @should @fuzz.unsupported_method
  Scenario: No path accepts a method that it does not define
    Source: RFC 9110 section 15.5.6; Schemathesis, unsupported_method
    Why: a method that is accepted by accident is untested, and a 404 for it points to a wrong base URL.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then "unsupported_method" of Schemathesis finds nothing

  @should @fuzz.ignored_auth
  Scenario: No operation accepts requests without the key that other operations require
    Source: schema, security of each operation; Schemathesis, ignored_auth
    Why: an operator who set a key believes that the server is closed, but one path generates for everyone.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then no operation accepts a case without the key that another requires
