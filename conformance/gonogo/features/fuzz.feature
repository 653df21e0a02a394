Feature: Schemathesis's own checks
  What Schemathesis finds in the answers to the requests that it generated, where gonogo check --fuzz asks for them.
  Each rule is inconclusive where fewer than 20 of them were accepted.

  @should @fuzz.status_code_conformance
  Scenario: Every generated request is answered with a status that its operation describes
    Source: schema, the responses of each operation; Schemathesis, status_code_conformance
    Why: a client that is made from the schema has no branch for another status, and raises what it raises for bugs of its own.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then "status_code_conformance" of Schemathesis finds nothing

  @should @fuzz.content_type_conformance
  Scenario: Every generated request is answered in a media type that its operation describes
    Source: schema, the content of each response; Schemathesis, content_type_conformance
    Why: clients choose between JSON, events and text by this field, and show an error page as the answer of a model.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then "content_type_conformance" of Schemathesis finds nothing

  @should @fuzz.response_headers_conformance
  Scenario: Every generated request is answered with the headers that its operation describes
    Source: schema, the headers of each response; Schemathesis, response_headers_conformance
    Why: clients read Retry-After as a number of seconds or a date, and tooling made from the schema refuses what is neither.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then "response_headers_conformance" of Schemathesis finds nothing

  @should @fuzz.response_schema_conformance
  Scenario: Every whole answer to a generated request fits the schema of its status
    Source: schema, the content of each response; Schemathesis, response_schema_conformance
    Why: clients that are made from the schema refuse an answer that does not fit it, be it of a rare parameter.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then "response_schema_conformance" of Schemathesis finds nothing

  @should @fuzz.unsupported_method
  Scenario: No path takes a method that it does not describe
    Source: RFC 9110 section 15.5.6; Schemathesis, unsupported_method
    Why: a method that is taken by accident does what nobody looks after, and a 404 for it sends people looking for a wrong base URL.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then "unsupported_method" of Schemathesis finds nothing

  @should @fuzz.ignored_auth
  Scenario: No operation takes a request without the key that another asks for
    Source: schema, security of each operation; Schemathesis, ignored_auth
    Why: whoever set a key thinks that the server is closed, and one path of it generates for everybody.
    When any case of the fuzz pass is sent
    And a sign of life is asked for
    Then no operation takes a case without the key that another asks for
