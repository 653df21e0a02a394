Feature: Errors
  How a target refuses requests. The contract defines the status class, the guide the exact codes.

  @must @errors.envelope.object
  Scenario: Every refusal has an error object
    Source: schema, ErrorResponse.error
    Why: clients raise TypeError instead of showing a message for a string, "detail" or bare fields (microsoft/autogen#279, ray-project/ray#64833).
    When any request is refused
    Then the refusal is JSON with an error object

  @must @errors.envelope.message
  Scenario: The error has a message
    Source: schema, Error.message
    Why: it is all that the user sees.
    Needs: errors.envelope.object
    When any request is refused
    Then "error.message" in the refusal fits ErrorEnvelope

  @should @errors.envelope.words
  Scenario: The message of an error is not empty
    Source: schema, Error.message
    Why: the user sees "400 status code (no body)" (openai/openai-node#1734).
    Needs: errors.envelope.message
    When any request is refused
    Then the message is not empty

  @should @errors.envelope.no_trace
  Scenario: No error contains a stack trace of the server
    Source: project decision; RFC 9110 section 17: what a server says of itself helps who attacks it
    Why: chat users see forty lines of file names instead of a useful message.
    When any request is refused
    Then no stack trace is in the refusal

  @should @errors.envelope.no_path
  Scenario: No error contains a file path of the server
    Source: project decision; RFC 9110 section 17: what a server says of itself helps who attacks it
    Why: it reveals the user, the location and the software of the server, and does not help the caller.
    Needs: errors.envelope.no_trace
    When any request is refused
    Then no file of the server is named in the refusal

  @must @errors.envelope.type
  Scenario: The error has a type
    Source: schema, Error.type
    Why: clients classify errors by it.
    Needs: errors.envelope.object
    When any request is refused
    Then "error.type" in the refusal fits ErrorEnvelope

  @should @errors.envelope.param
  Scenario: The error has a param, possibly null
    Source: schema, Error.param, required and nullable
    Why: typed clients reject an error without it; many servers omit it.
    Needs: errors.envelope.object
    When any request is refused
    Then "error.param" in the refusal fits ErrorEnvelope

  @should @errors.envelope.code
  Scenario: The code of an error is a string or null
    Source: schema, Error.code, required and nullable
    Why: typed clients reject a number (ggml-org/llama.cpp#12591, vllm-project/vllm PR#58025).
    Needs: errors.envelope.object
    When any request is refused
    Then "error.code" in the refusal fits ErrorEnvelope

  @should @errors.envelope.content_type
  Scenario: An error is sent as application/json
    Source: schema, error responses; RFC 9110 section 8.3
    Why: openai-node reads the error only from JSON (BerriAI/litellm#1554).
    Needs: errors.envelope.object
    When any request is refused
    Then the refusal's content type is "application/json"

  @should @errors.envelope.unknown_route
  Scenario: An unknown route is refused with an error object
    Source: project decision; the API does so
    Why: JSON.parse fails on an HTML page (openvinotoolkit/model_server#3555).
    When GET is sent to "/gonogo-no-such-route"
    Then the refusal is JSON with an error object

  @should @errors.envelope.wrong_method
  Scenario: A wrong method is refused with an error object
    Source: project decision; the API does so
    Why: JSON.parse fails on an HTML page.
    When PUT is sent to "/chat/completions"
    Then the refusal is JSON with an error object

  @must @errors.refused.malformed_json
  Scenario: Malformed JSON is refused
    Source: RFC 9110 section 15.5.1; RFC 8259
    Why: a 500 is retried forever, and a closed connection looks like a network failure (sgl-project/sglang#3805, ggml-org/llama.cpp#11738).
    When a chat completion is requested with the bytes "{not json"
    Then the request is refused with 4xx

  @must @errors.refused.empty_body
  Scenario: An empty body is refused
    Source: RFC 9110 section 15.5.1; schema, requestBody, required
    Why: a client that lost its body must be told (Atomic-Germ/OpenFlowLM-Next#69).
    When a chat completion is requested with the bytes ""
    Then the request is refused with 4xx

  @must @errors.refused.not_an_object
  Scenario: A JSON array instead of the request object is refused
    Source: RFC 9110 section 15.5; schema, the request body of the operation
    Why: unguarded code fails at the first look-up with a 500.
    When a chat completion is requested with the bytes "[]"
    Then the request is refused with 4xx

  @must @errors.refused.no_messages
  Scenario: A chat request without messages is refused
    Source: RFC 9110 section 15.5; schema, the request body of the operation
    Why: FastAPI sends 422 with a list of details by default (ray-project/ray#64833).
    When a chat completion is requested without "messages"
    Then the request is refused with 4xx

  @must @errors.refused.messages_string
  Scenario: A string instead of the messages is refused
    Source: RFC 9110 section 15.5; schema, the request body of the operation
    Why: the loop over its characters fails with a 500 (lm-sys/FastChat#1546).
    When a chat completion is wrongly requested with {"messages": "Hello"}
    Then the request is refused with 4xx

  @should @errors.refused.messages_empty
  Scenario: An empty list of messages is refused
    Source: schema, CreateChatCompletionRequest.messages, minItems 1
    Why: a chat that lost its history still gets an answer, generated from an empty prompt.
    Needs: errors.harmless.messages_empty
    When a chat completion is wrongly requested with {"messages": []}
    Then the request is not accepted

  @should @errors.refused.message_without_role
  Scenario: A message without a role is refused
    Source: schema, CreateChatCompletionRequest.messages.role
    Why: a caller who forgot the role gets an answer that treats the system message as the user's.
    Needs: errors.harmless.message_without_role
    When a chat completion is wrongly requested with {"messages": [{"content": "Hello"}]}
    Then the request is not accepted

  @should @errors.refused.unknown_role
  Scenario: A message with an unknown role is refused
    Source: schema, CreateChatCompletionRequest.messages.role
    Why: a role of another provider is dropped from the prompt, or rendered as plain text.
    Needs: errors.harmless.unknown_role
    When a chat completion is wrongly requested with {"messages": [{"role": "gonogo", "content": "Hello"}]}
    Then the request is not accepted

  @should @errors.refused.content_number
  Scenario: A number as content is refused
    Source: schema, CreateChatCompletionRequest.messages.content
    Why: one server reads the number as text, the next one refuses it.
    Needs: errors.harmless.content_number
    When a chat completion is wrongly requested with {"messages": [{"role": "user", "content": 7}]}
    Then the request is not accepted

  @should @errors.refused.temperature_string
  Scenario: A temperature that is a string is refused
    Source: schema, CreateChatCompletionRequest.temperature
    Why: a setting read as text has no effect, and answers use another temperature.
    Needs: errors.harmless.temperature_string
    When a chat completion is wrongly requested with {"temperature": "warm"}
    Then the request is not accepted

  @should @errors.refused.max_tokens_string
  Scenario: A token limit that is a string is refused
    Source: schema, CreateChatCompletionRequest.max_tokens
    Why: a limit read as text has no effect, and the answer runs to the end of the context.
    Needs: errors.harmless.max_tokens_string
    When a chat completion is wrongly requested with {"max_tokens": "many", "stop": [" ", "a", "e", "o"]}
    Then the request is not accepted

  @should @errors.refused.stream_string
  Scenario: A stream flag that is a string is refused
    Source: schema, CreateChatCompletionRequest.stream
    Why: "false" is treated as true, or true is ignored, and the client gets the wrong format.
    Needs: errors.harmless.stream_string
    When a chat completion is wrongly requested with {"stream": "please"}
    Then the request is not accepted

  @should @errors.refused.prompt_object
  Scenario: A prompt that is an object is refused
    Source: schema, CreateCompletionRequest.prompt
    Why: the server generates from the text of the object's fields.
    Needs: errors.harmless.prompt_object
    When a completion is wrongly requested with {"prompt": {"text": "Hello"}}
    Then the request is not accepted

  @should @errors.refused.temperature_range
  Scenario: A temperature of 5 is refused
    Source: schema, CreateChatCompletionRequest.temperature, maximum 2
    Why: 5 is clamped to 2 or used as it is, and experiments compare values that were never set (Arthur-Ficial/apfel#235).
    Needs: errors.harmless.temperature_range
    When a chat completion is wrongly requested with {"temperature": 5}
    Then the request is not accepted

  @should @errors.refused.top_p_range
  Scenario: A top_p of 2 is refused
    Source: schema, CreateChatCompletionRequest.top_p, maximum 1
    Why: a percentage instead of a fraction turns nucleus sampling off (Arthur-Ficial/apfel#235).
    Needs: errors.harmless.top_p_range
    When a chat completion is wrongly requested with {"top_p": 2}
    Then the request is not accepted

  @should @errors.refused.n_zero
  Scenario: A request for 0 choices is refused
    Source: schema, CreateChatCompletionRequest.n, minimum 1
    Why: the caller pays for one choice instead of none (Arthur-Ficial/apfel#235).
    Needs: errors.harmless.n_zero
    When a chat completion is wrongly requested with {"n": 0}
    Then the request is not accepted

  @should @errors.refused.penalty_range
  Scenario: A presence penalty of 9 is refused
    Source: schema, CreateChatCompletionRequest.presence_penalty, maximum 2
    Why: 9 is clamped to 2, or makes the text unreadable (Arthur-Ficial/apfel#235).
    Needs: errors.harmless.penalty_range
    When a chat completion is wrongly requested with {"presence_penalty": 9}
    Then the request is not accepted

  @should @errors.refused.stop_too_many
  Scenario: A list of five stop sequences is refused
    Source: schema, CreateChatCompletionRequest.stop, maxItems 4
    Why: the fifth sequence has no effect, and the agent acts on the text after it (Arthur-Ficial/apfel#235).
    Needs: errors.harmless.stop_too_many
    When a chat completion is wrongly requested with {"stop": ["a", "b", "c", "d", "e"]}
    Then the request is not accepted

  @should @errors.refused.unknown_model
  Scenario: A chat with an unknown model is refused
    Source: guide, Error codes, 404; servers of one model often answer for any name
    Why: the loaded model answers under a wrong name (ddalcu/mlx-serve#257, sgl-project/sglang#31404).
    Needs: errors.harmless.unknown_model
    When a chat completion is wrongly requested with {"model": "gonogo-no-such-model"}
    Then the request is not accepted

  @must @errors.refused.unknown_route
  Scenario: An unknown route is refused
    Source: RFC 9110 section 15.5.5
    Why: a 200 with an error in it is treated as an answer (lmstudio-ai/lmstudio-bug-tracker#618).
    When GET is sent to "/gonogo-no-such-route"
    Then the request is refused with 4xx

  @must @errors.refused.wrong_method
  Scenario: A wrong method is refused
    Source: RFC 9110 sections 15.5.6 and 15.6.2
    Why: a 200 hides that the client sends the wrong method.
    When PUT is sent to "/chat/completions"
    Then the request is refused with 4xx or 501

  @must @errors.harmless.messages_empty
  Scenario: An empty list of messages does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.messages, minItems 1
    Why: chat templates fail on it, or the model generates from an empty prompt.
    When a chat completion is wrongly requested with {"messages": []}
    Then the request does not fail the server

  @must @errors.harmless.message_without_role
  Scenario: A message without a role does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.messages.role
    Why: chat templates raise KeyError 'role', which causes a 500 (lmstudio-ai/lmstudio-bug-tracker#377).
    When a chat completion is wrongly requested with {"messages": [{"content": "Hello"}]}
    Then the request does not fail the server

  @must @errors.harmless.unknown_role
  Scenario: A message with an unknown role does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.messages.role
    Why: chat templates silently drop the message and the question in it.
    When a chat completion is wrongly requested with {"messages": [{"role": "gonogo", "content": "Hello"}]}
    Then the request does not fail the server

  @must @errors.harmless.content_number
  Scenario: A number as content does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.messages.content
    Why: chat templates fail on it with a 500.
    When a chat completion is wrongly requested with {"messages": [{"role": "user", "content": 7}]}
    Then the request does not fail the server

  @must @errors.harmless.temperature_string
  Scenario: A temperature that is a string does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.temperature
    Why: a comparison fails in the server, which returns a 500.
    When a chat completion is wrongly requested with {"temperature": "warm"}
    Then the request does not fail the server

  @must @errors.harmless.max_tokens_string
  Scenario: A token limit that is a string does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.max_tokens
    Why: a comparison fails in the server, which returns a 500.
    When a chat completion is wrongly requested with {"max_tokens": "many", "stop": [" ", "a", "e", "o"]}
    Then the request does not fail the server

  @must @errors.harmless.stream_string
  Scenario: A stream flag that is a string does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.stream
    Why: a string that counts as true turns streaming on by accident.
    When a chat completion is wrongly requested with {"stream": "please"}
    Then the request does not fail the server

  @must @errors.harmless.prompt_object
  Scenario: A prompt that is an object does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateCompletionRequest.prompt
    Why: the tokenizer fails on it with a 500.
    When a completion is wrongly requested with {"prompt": {"text": "Hello"}}
    Then the request does not fail the server

  @must @errors.harmless.temperature_range
  Scenario: A temperature of 5 does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.temperature, maximum 2
    Why: a value out of range is the caller's error, but a 500 blames the server (raullenchai/Rapid-MLX PR#740).
    When a chat completion is wrongly requested with {"temperature": 5}
    Then the request does not fail the server

  @must @errors.harmless.top_p_range
  Scenario: A top_p of 2 does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.top_p, maximum 1
    Why: a value out of range is the caller's error, but a 500 blames the server (raullenchai/Rapid-MLX PR#740).
    When a chat completion is wrongly requested with {"top_p": 2}
    Then the request does not fail the server

  @must @errors.harmless.n_zero
  Scenario: A request for 0 choices does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.n, minimum 1
    Why: a value out of range is the caller's error, but a 500 blames the server (raullenchai/Rapid-MLX PR#740).
    When a chat completion is wrongly requested with {"n": 0}
    Then the request does not fail the server

  @must @errors.harmless.penalty_range
  Scenario: A presence penalty of 9 does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.presence_penalty, maximum 2
    Why: a value out of range is the caller's error, but a 500 blames the server (raullenchai/Rapid-MLX PR#740).
    When a chat completion is wrongly requested with {"presence_penalty": 9}
    Then the request does not fail the server

  @must @errors.harmless.stop_too_many
  Scenario: A list of five stop sequences does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.stop, maxItems 4
    Why: a value out of range is the caller's error, but a 500 blames the server (raullenchai/Rapid-MLX PR#740).
    When a chat completion is wrongly requested with {"stop": ["a", "b", "c", "d", "e"]}
    Then the request does not fail the server

  @must @errors.harmless.unknown_model
  Scenario: A chat with an unknown model does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; guide, Error codes, 404
    Why: an unknown name is the caller's error, but a 500 is retried.
    When a chat completion is wrongly requested with {"model": "gonogo-no-such-model"}
    Then the request does not fail the server

  @should @errors.status.malformed_json
  Scenario: Malformed JSON is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.malformed_json
    When a chat completion is requested with the bytes "{not json"
    Then the status of the refusal is 400

  @should @errors.status.empty_body
  Scenario: An empty body is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.empty_body
    When a chat completion is requested with the bytes ""
    Then the status of the refusal is 400

  @should @errors.status.not_an_object
  Scenario: A JSON array instead of the request object is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.not_an_object
    When a chat completion is requested with the bytes "[]"
    Then the status of the refusal is 400

  @should @errors.status.no_messages
  Scenario: A chat request without messages is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.no_messages
    When a chat completion is requested without "messages"
    Then the status of the refusal is 400

  @should @errors.status.messages_string
  Scenario: A string instead of the messages is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.messages_string
    When a chat completion is wrongly requested with {"messages": "Hello"}
    Then the status of the refusal is 400

  @should @errors.status.messages_empty
  Scenario: An empty list of messages is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.messages_empty
    When a chat completion is wrongly requested with {"messages": []}
    Then the status of the refusal is 400

  @should @errors.status.message_without_role
  Scenario: A message without a role is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.message_without_role
    When a chat completion is wrongly requested with {"messages": [{"content": "Hello"}]}
    Then the status of the refusal is 400

  @should @errors.status.unknown_role
  Scenario: A message with an unknown role is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.unknown_role
    When a chat completion is wrongly requested with {"messages": [{"role": "gonogo", "content": "Hello"}]}
    Then the status of the refusal is 400

  @should @errors.status.content_number
  Scenario: A number as content is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.content_number
    When a chat completion is wrongly requested with {"messages": [{"role": "user", "content": 7}]}
    Then the status of the refusal is 400

  @should @errors.status.temperature_string
  Scenario: A temperature that is a string is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.temperature_string
    When a chat completion is wrongly requested with {"temperature": "warm"}
    Then the status of the refusal is 400

  @should @errors.status.max_tokens_string
  Scenario: A token limit that is a string is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.max_tokens_string
    When a chat completion is wrongly requested with {"max_tokens": "many", "stop": [" ", "a", "e", "o"]}
    Then the status of the refusal is 400

  @should @errors.status.stream_string
  Scenario: A stream flag that is a string is refused with 400
    Source: guide, Error codes, 400
    Why: SDKs raise BadRequestError for 400; for 422 they raise another class with an unknown body.
    Needs: errors.refused.stream_string
    When a chat completion is wrongly requested with {"stream": "please"}
    Then the status of the refusal is 400

  @should @errors.status.unknown_model
  Scenario: A chat with an unknown model is refused with 404
    Source: guide, Error codes, 404
    Why: SDKs raise NotFoundError, which callers catch to choose another model.
    Needs: errors.refused.unknown_model
    When a chat completion is wrongly requested with {"model": "gonogo-no-such-model"}
    Then the status of the refusal is 404

  @must @errors.status.streamed
  Scenario: A wrong request is refused in the same way with and without stream
    Source: RFC 9110 section 15: the status is the result of the request; guide, Error codes
    Why: everything that checks the status misses an error inside a 200 stream (sgl-project/sglang#19996).
    Needs: errors.refused.messages_string
    When a chat completion is wrongly requested with {"messages": "Hello"}
    And a chat completion is wrongly streamed with {"messages": "Hello"}
    Then the statuses agree

  @should @errors.status.unknown_route
  Scenario: An unknown route is refused with 404
    Source: RFC 9110 section 15.5.5
    Why: clients that probe for optional routes expect 404.
    Needs: errors.refused.unknown_route
    When GET is sent to "/gonogo-no-such-route"
    Then the status of the refusal is 404

  @should @errors.status.wrong_method
  Scenario: A wrong method is refused with 405, 404 or 501
    Source: RFC 9110 sections 15.5.5, 15.5.6 and 15.6.2
    Why: 400 and 401 point to the wrong problem.
    Needs: errors.refused.wrong_method
    When PUT is sent to "/chat/completions"
    Then the status of the refusal is 405 or 404 or 501

  @should @errors.detail.code
  Scenario: A chat with an unknown model is refused with the code model_not_found
    Source: guide, Error codes; seen in Shopify/roast#13
    Why: routers branch on the code.
    Needs: errors.refused.unknown_model, errors.envelope.code
    When a chat completion is wrongly requested with {"model": "gonogo-no-such-model"}
    Then the code is "model_not_found"

  @should @errors.detail.param
  Scenario: The error for a wrong type names the parameter
    Source: guide, Error codes; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong.
    Needs: errors.refused.temperature_string
    When a chat completion is wrongly requested with {"temperature": "warm"}
    Then the param names temperature
