Feature: Structured outputs
  Answers in a requested format, which must be kept or refused.

  @should @structured.text.accepted
  Scenario: The response format "text" is accepted
    Source: schema, ResponseFormatText, the default
    Why: clients with a choice of formats always send it.
    When a chat completion is requested with {}
    And a chat completion is requested with {"response_format": {"type": "text"}, "max_tokens": 2}
    Then the last is accepted like the first

  @must @structured.schema.kept
  Scenario: An answer matches the requested schema
    Source: schema, ResponseFormatJsonSchema; guide, Structured outputs
    Why: extraction gets prose, or an object of another form (ggml-org/llama.cpp#11988, BerriAI/litellm PR#38269).
    When an object of a schema is asked for
    Then the text is JSON that matches the schema

  @must @structured.schema.streamed
  Scenario: A stream matches the requested schema
    Source: schema, ResponseFormatJsonSchema; guide, Structured outputs
    Why: servers that constrain only whole answers stream prose (ggml-org/llama.cpp#24097).
    Needs: structured.schema.kept
    When an object of a schema is asked for in a stream
    Then the text is JSON that matches the schema

  @must @structured.schema.limits
  Scenario: An answer keeps the limits of a number in the schema
    Source: schema, ResponseFormatJsonSchema.strict, "always follow the exact schema"
    Why: silently dropped keywords allow values that the caller excluded (kekzl/imp#1567).
    Needs: structured.schema.kept
    When a number within limits is asked for
    Then the text is JSON that matches the schema

  @must @structured.schema.escapes
  Scenario: An answer that a pattern shapes is JSON
    Source: schema, ResponseFormatJsonSchema.strict, "always follow the exact schema"; RFC 8259, 7
    Why: a grammar that copies the pattern into the text writes quotation marks bare, and no client can parse the answer (xgrammar 0.2.9).
    Needs: structured.schema.kept
    When a text in quotation marks is asked for
    Then the text is JSON

  @should @structured.schema.pattern
  Scenario: An answer keeps the pattern of a string
    Source: schema, ResponseFormatJsonSchema.strict, "always follow the exact schema"; JSON Schema validation, 6.3.3
    Why: a keyword that is accepted and ignored lets through what the caller ruled out (kekzl/imp#1567).
    Needs: structured.schema.escapes
    When a text in quotation marks is asked for
    Then if the text is JSON, it matches the schema

  @must @structured.schema.strict_false
  Scenario: A schema with strict false is accepted if one with strict true is
    Source: schema, ResponseFormatJsonSchema.strict, default false
    Why: clients write out the default.
    When an object of a schema is asked for
    And an object of a schema is asked for with strict false
    Then if the first is accepted, so is the last

  @must @structured.object.parses
  Scenario: The response format "json_object" gives a JSON object
    Source: schema, ResponseFormatJsonObject, "ensures the message is valid JSON"
    Why: a code fence or a sentence around the object breaks JSON.parse (ROCm/FastFlowLM#554).
    Needs: structured.object.begins
    When any JSON object is asked for
    Then the text is a JSON object

  @must @structured.object.begins
  Scenario: The response format "json_object" applies even if the model would answer otherwise
    Source: schema, ResponseFormatJsonObject, "ensures the message is valid JSON"
    Why: an ignored format is noticed only when the model does not happen to answer in JSON.
    When a JSON object is asked for with a question of yes or no
    Then the text begins as a JSON object

  @must @structured.harmless.name
  Scenario: A schema with an invalid name does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, ResponseFormatJsonSchema.name, "a-z, A-Z, 0-9, or contain underscores and dashes"
    Why: grammars built from names fail on it with a 500.
    When a chat completion is wrongly requested with {"response_format": {"type": "json_schema", "json_schema": {"name": "no name!", "schema": {"type": "object"}}}, "max_tokens": 2}
    Then the request does not fail the server

  @should @structured.refused.name
  Scenario: A schema with an invalid name is refused
    Source: schema, ResponseFormatJsonSchema.name, "a-z, A-Z, 0-9, or contain underscores and dashes"
    Why: the schema works here but is refused by the API later.
    Needs: structured.harmless.name
    When a chat completion is wrongly requested with {"response_format": {"type": "json_schema", "json_schema": {"name": "no name!", "schema": {"type": "object"}}}, "max_tokens": 2}
    Then the request is not accepted

  @must @structured.harmless.no_schema
  Scenario: A json_schema response format without a schema does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, ResponseFormatJsonSchema.json_schema, required
    Why: a look-up fails in the server, which returns a 500.
    When a chat completion is wrongly requested with {"response_format": {"type": "json_schema"}, "max_tokens": 2}
    Then the request does not fail the server

  @should @structured.refused.no_schema
  Scenario: A json_schema response format without a schema is refused
    Source: schema, ResponseFormatJsonSchema.json_schema, required
    Why: a caller who forgot the schema gets JSON of any form, or prose, and parses it.
    Needs: structured.harmless.no_schema
    When a chat completion is wrongly requested with {"response_format": {"type": "json_schema"}, "max_tokens": 2}
    Then the request is not accepted

  @must @structured.harmless.type
  Scenario: An unknown response format does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.response_format
    Why: a look-up of the format by name fails with a 500.
    When a chat completion is wrongly requested with {"response_format": {"type": "gonogo"}, "max_tokens": 2}
    Then the request does not fail the server

  @should @structured.refused.type
  Scenario: An unknown response format is refused
    Source: schema, CreateChatCompletionRequest.response_format
    Why: a misspelt format gives prose, which the caller parses as JSON (ggml-org/llama.cpp#11847).
    Needs: structured.harmless.type
    When a chat completion is wrongly requested with {"response_format": {"type": "gonogo"}, "max_tokens": 2}
    Then the request is not accepted

  @must @structured.harmless.definitions
  Scenario: A schema with $defs and $ref does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; guide, Structured Outputs: definitions are supported
    Why: Pydantic and Zod use them for every nested class.
    When an object of a schema is asked for
    And an object of a schema with definitions is asked for
    Then the last causes no server error

  @must @structured.schema.definitions
  Scenario: An answer matches a schema with $defs and $ref if it is accepted
    Source: guide, Structured Outputs: definitions are supported
    Why: the caller's parser fails on a schema that was accepted but not kept.
    Needs: structured.schema.kept, structured.harmless.definitions
    When an object of a schema with definitions is asked for
    Then the text is JSON that matches the schema
