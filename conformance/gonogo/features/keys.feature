Feature: Keys
  Authentication. If the target requires no key, these rules do not apply.

  @must @keys.missing.harmless
  Scenario: A request without a key does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error
    Why: SDKs retry on 5xx, and the user does not learn that the key is wrong.
    When a chat completion is requested without a key
    Then a missing or wrong key causes no server error

  @should @keys.missing.status
  Scenario: A request without a key is refused with 401
    Source: guide, Error codes, 401; RFC 9110 section 15.5.2
    Why: SDKs raise AuthenticationError for 401, and applications ask for a key.
    Needs: keys.missing.harmless
    When a chat completion is requested with {}
    And a chat completion is requested without a key
    Then if the first is accepted, the last is refused with 401

  @must @keys.missing.envelope
  Scenario: A request without a key is refused with an error object
    Source: schema, ErrorResponse.error
    Why: the user sees only "401 status code (no body)" (BerriAI/litellm#1554).
    Needs: errors.envelope.object, keys.missing.harmless
    When a chat completion is requested with {}
    And a chat completion is requested without a key
    Then if the first is accepted, the last is refused with an error object

  @may @keys.missing.challenge
  Scenario: A 401 has a WWW-Authenticate header
    Source: RFC 9110 section 15.5.2: a 401 comes with WWW-Authenticate
    Why: generic clients learn from it that a bearer token is required.
    Needs: keys.missing.status
    When a chat completion is requested with {}
    And a chat completion is requested without a key
    Then if the first is accepted, the last is refused with a challenge

  @must @keys.wrong.harmless
  Scenario: A wrong key does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error
    Why: SDKs retry on 5xx, and the user does not learn that the key is wrong.
    When a chat completion is requested with a wrong key
    Then a missing or wrong key causes no server error

  @should @keys.wrong.refused
  Scenario: If a key is required, a wrong key is refused
    Source: guide, Error codes, 401; RFC 9110 section 11.6.2
    Why: a server that only checks that a key is present lets everyone in.
    Needs: keys.missing.status
    When a chat completion is requested with {}
    And a chat completion is requested without a key
    And a chat completion is requested with a wrong key
    Then a wrong key is refused like a missing one

  @should @keys.wrong.status
  Scenario: A wrong key is refused with 401
    Source: guide, Error codes, 401; RFC 9110 section 15.5.2
    Why: SDKs raise AuthenticationError for 401, and applications ask for another key.
    Needs: keys.wrong.harmless
    When a chat completion is requested with {}
    And a chat completion is requested with a wrong key
    Then if the first is accepted, the last is refused with 401

  @must @keys.wrong.envelope
  Scenario: A wrong key is refused with an error object
    Source: schema, ErrorResponse.error
    Why: the user sees only "401 status code (no body)" (BerriAI/litellm#1554).
    Needs: errors.envelope.object, keys.wrong.harmless
    When a chat completion is requested with {}
    And a chat completion is requested with a wrong key
    Then if the first is accepted, the last is refused with an error object

  @should @keys.wrong.code
  Scenario: A wrong key is refused with the code invalid_api_key
    Source: guide, Error codes, 401
    Why: clients tell a wrong key from missing permissions by it.
    Needs: keys.wrong.envelope
    When a chat completion is requested with {}
    And a chat completion is requested with a wrong key
    Then if the first is accepted, the last is refused with the code "invalid_api_key"

  @should @keys.wrong.secret
  Scenario: The refusal of a wrong key does not contain the key
    Source: project decision; the API shows its first and last characters
    Why: a mistyped key is almost the correct one, and errors end up in logs.
    When a chat completion is requested with {}
    And a chat completion is requested with a wrong key
    Then if the first is accepted, the refusal of the last does not contain the key
