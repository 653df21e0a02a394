Feature: Keys
  Who may ask. Where no key is needed, nothing of this can be seen, and nothing is said against it.

  @must @keys.missing.harmless
  Scenario: A request without a key does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error
    Why: SDKs ask again on 5xx, and the user does not learn that it is the key.
    When a chat completion is requested without a key
    Then the want of a key does not fail the server

  @should @keys.missing.status
  Scenario: A request without a key is refused with 401
    Source: guide, Error codes, 401; RFC 9110 section 15.5.2
    Why: SDKs raise AuthenticationError for 401, and their callers ask for a key.
    Needs: keys.missing.harmless
    When a chat completion is requested with {}
    And a chat completion is requested without a key
    Then the last is refused with 401 where the first is accepted

  @must @keys.missing.envelope
  Scenario: A request without a key is refused with an error object
    Source: schema, ErrorResponse.error
    Why: "401 status code (no body)" is all that the user reads (BerriAI/litellm#1554).
    Needs: errors.envelope.object, keys.missing.harmless
    When a chat completion is requested with {}
    And a chat completion is requested without a key
    Then the last is refused with an error object where the first is accepted

  @may @keys.missing.challenge
  Scenario: A 401 has a challenge
    Source: RFC 9110 section 15.5.2: a 401 comes with WWW-Authenticate
    Why: clients of no vendor learn from it that a bearer token is wanted.
    Needs: keys.missing.status
    When a chat completion is requested with {}
    And a chat completion is requested without a key
    Then the last is refused with a challenge where the first is accepted

  @must @keys.wrong.harmless
  Scenario: A wrong key does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error
    Why: SDKs ask again on 5xx, and the user does not learn that it is the key.
    When a chat completion is requested with a wrong key
    Then the want of a key does not fail the server

  @should @keys.wrong.refused
  Scenario: Where a key is needed, a wrong one does not do
    Source: guide, Error codes, 401; RFC 9110 section 11.6.2
    Why: who looks only whether there is a key lets everybody in.
    Needs: keys.missing.status
    When a chat completion is requested with {}
    And a chat completion is requested without a key
    And a chat completion is requested with a wrong key
    Then a wrong key is refused like none

  @should @keys.wrong.status
  Scenario: A wrong key is refused with 401
    Source: guide, Error codes, 401; RFC 9110 section 15.5.2
    Why: SDKs raise AuthenticationError for 401, and their callers ask for another key.
    Needs: keys.wrong.harmless
    When a chat completion is requested with {}
    And a chat completion is requested with a wrong key
    Then the last is refused with 401 where the first is accepted

  @must @keys.wrong.envelope
  Scenario: A wrong key is refused with an error object
    Source: schema, ErrorResponse.error
    Why: "401 status code (no body)" is all that the user reads (BerriAI/litellm#1554).
    Needs: errors.envelope.object, keys.wrong.harmless
    When a chat completion is requested with {}
    And a chat completion is requested with a wrong key
    Then the last is refused with an error object where the first is accepted

  @should @keys.wrong.code
  Scenario: A wrong key is refused with the code invalid_api_key
    Source: guide, Error codes, 401
    Why: by it clients tell a wrong key from a missing right.
    Needs: keys.wrong.envelope
    When a chat completion is requested with {}
    And a chat completion is requested with a wrong key
    Then the last is refused with the code "invalid_api_key" where the first is accepted

  @should @keys.wrong.secret
  Scenario: The refusal of a wrong key does not repeat it
    Source: project decision; the API shows its first and last characters
    Why: a key that was mistyped is nearly the right one, and errors end in logs.
    When a chat completion is requested with {}
    And a chat completion is requested with a wrong key
    Then the refusal of the last does not tell the key where the first is accepted
