Feature: Requests for responses
  Tools, structured outputs, requests of agents, token counts and refusals.

  @must @responses.tools.required
  Scenario: The tool choice "required" results in a function call of a response
    Source: schema, ToolChoiceOptions, "required means the model must call one or more tools"; Open Responses, tool_choice
    Why: text in place of a call is not executed.
    Needs: responses.items.known, responses.items.type
    When a response must call a tool
    Then the response calls a function

  @must @responses.tools.streamed
  Scenario: A named tool choice results in a function call in streams
    Source: schema, ToolChoiceFunction; Open Responses, tool_choice
    Why: a call streamed as text is displayed, not executed (vllm-project/vllm#29725).
    Needs: responses.items.known, responses.items.type, responses.stream.output_sum
    When a streamed response must call the tool that is named
    Then the response calls a function

  @must @responses.tools.named
  Scenario: A named tool choice calls only that function
    Source: schema, ToolChoiceFunction, "use this option to force the model to call a specific function"
    Why: a different function runs.
    Needs: responses.tools.streamed
    When a streamed response must call the tool that is named
    Then only the function "set_colour" is called

  @must @responses.call.call_id
  Scenario: Every function call has a call_id
    Source: schema, FunctionToolCall.call_id, required; Open Responses, FunctionCall.call_id
    Why: results are matched to calls by it alone.
    When a response must call a tool
    And a streamed response must call the tool that is named
    Then each function_call has "call_id"

  @must @responses.call.name
  Scenario: Every function call has a name
    Source: schema, FunctionToolCall.name, required; Open Responses, FunctionCall.name
    Why: clients cannot tell which function to run.
    When a response must call a tool
    And a streamed response must call the tool that is named
    Then each function_call has "name"

  @must @responses.call.arguments
  Scenario: The arguments of a function call are a string
    Source: schema, FunctionToolCall.arguments, required; Open Responses, FunctionCall.arguments
    Why: clients parse it as JSON, and fail on an object.
    When a response must call a tool
    And a streamed response must call the tool that is named
    Then the arguments of each call are a string

  @should @responses.call.arguments_json
  Scenario: The arguments of a function call are a JSON object
    Source: schema, FunctionToolCall.arguments, "a JSON string of the arguments"
    Why: json.loads raises in agent loops.
    Needs: responses.call.arguments
    When a response must call a tool
    And a streamed response must call the tool that is named
    Then the arguments of each call are a JSON object

  @should @responses.call.id
  Scenario: Every function call has an id
    Source: Open Responses, "Items", every item has an id; schema, FunctionToolCall.id, which may be left out
    Why: openai-node and the AI SDK refuse the item in a stream (ggml-org/llama.cpp#20607).
    When a response must call a tool
    Then each function_call has "id"

  @must @responses.history.own
  Scenario: Output items and the results of their calls are accepted as input
    Source: schema, InputItem, FunctionToolCall and FunctionCallOutputItemParam; Open Responses, function calling
    Why: agents send all items back, reasoning included (BerriAI/litellm#13420, vllm-project/vllm#45273).
    When a response must call a tool
    And any result of a call of a response is sent back
    Then if the call is accepted, so is its result

  @must @responses.history.parts
  Scenario: A function_call_output may be an array of parts
    Source: schema, FunctionCallOutputItemParam.output, string or array of content; Open Responses, the same
    Why: Codex and others send lists of text and images (ggml-org/llama.cpp#23465).
    When a response must call a tool
    And any result of a call of a response is sent back
    Then a result that is accepted as a string is accepted in parts

  @must @responses.request.stream
  Scenario: A response can be streamed
    Source: schema, CreateResponse.stream; Open Responses, Streaming
    Why: Codex streams every request, and waits for events.
    Needs: stream.content_type
    When a response is requested with {"temperature": 0, "max_output_tokens": 24}
    And a response is streamed with {"temperature": 0, "max_output_tokens": 24}
    Then if the first is accepted, the last is accepted and streamed

  @must @responses.request.roles
  Scenario: Developer and system messages and optional fields of the schema are accepted
    Source: schema, InputMessage.role and CreateResponse; Open Responses, the same
    Why: Codex begins with developer messages, and sends text without a format (lmstudio-ai/lmstudio-bug-tracker#1576).
    When a response is streamed with {"temperature": 0, "max_output_tokens": 24}
    And a response to developer and system is streamed
    Then the last is accepted like the first

  @must @responses.request.instructions
  Scenario: instructions reach the model
    Source: schema, CreateResponse.instructions, "inserted into the model's context"; ResponseUsage.input_tokens; Open Responses, the same
    Why: an agent without its instructions does something else, and nothing says so.
    Needs: responses.usage.counts, responses.usage.counted
    When a response is streamed with {"temperature": 0, "max_output_tokens": 24}
    And a response is requested with {"temperature": 0, "max_output_tokens": 24}
    And a response is requested with instructions
    Then the input count or the text differs from that without the instructions

  @must @responses.request.harmless
  Scenario: Unknown tools and fields do not cause a server error
    Source: RFC 9110 section 15.6; schema, Tool, to which kinds are added
    Why: SDKs retry on 5xx, and agents offer tools that a server does not know.
    When a response is streamed as agents ask for it
    Then the request does not fail the server

  @should @responses.request.agent
  Scenario: A request as Codex sends it gets an answer
    Source: SDK behaviour, Codex CLI 0.171; ggml-org/llama.cpp PR#23041
    Why: Codex does not work with a server that refuses them (openai/codex#10635, ggml-org/llama.cpp#20156).
    Needs: responses.request.harmless, responses.stream.output_sum
    When a response is streamed as agents ask for it
    Then the response has output

  @must @responses.structured.kept
  Scenario: The text of a response fits the requested schema
    Source: schema, TextResponseFormatJsonSchema; guide, Structured outputs; Open Responses, text.format
    Why: responses.parse raises where the text is not of the form (lmstudio-ai/lmstudio-bug-tracker#1396).
    When a response of a schema is requested
    Then the text of the response is JSON that the schema admits

  @must @responses.harmless.input
  Scenario: A number as the input of a response does not fail the server
    Source: schema, CreateResponse.input, string or array; RFC 9110 section 15.6
    Why: SDKs retry on 5xx.
    When a response is wrongly requested with {"input": 7}
    Then the request does not fail the server

  @should @responses.refused.input
  Scenario: A number as the input of a response is refused
    Source: schema, CreateResponse.input, string or array
    Why: mistakes in requests go unnoticed.
    Needs: responses.harmless.input
    When a response is wrongly requested with {"input": 7}
    Then the request is not accepted

  @should @responses.refused.status
  Scenario: An invalid input is refused with 400
    Source: guide, Error codes
    Why: clients raise BadRequestError for 400, and another error for 422.
    Needs: responses.refused.input
    When a response is wrongly requested with {"input": 7}
    Then the status of the refusal is 400

  @should @responses.refused.param
  Scenario: The error for an invalid input names input
    Source: guide, Error codes; Open Responses, Error.param
    Why: users learn which field was wrong.
    Needs: responses.refused.input
    When a response is wrongly requested with {"input": 7}
    Then the param names input

  @should @responses.previous.refused
  Scenario: An unknown previous_response_id is refused
    Source: schema, CreateResponse.previous_response_id; Open Responses, previous_response_id
    Why: a server that ignores the field answers without the conversation (seen in Ollama).
    When a response is wrongly requested with {"previous_response_id": "resp_gonogo_no_such_response"}
    Then the unknown previous response is refused

  @should @responses.previous.status
  Scenario: An unknown previous_response_id is refused with 400 or 404
    Source: guide, Error codes
    Why: clients handle these two statuses.
    Needs: responses.previous.refused
    When a response is wrongly requested with {"previous_response_id": "resp_gonogo_no_such_response"}
    Then the status of the refusal is 400 or 404

  @should @responses.previous.param
  Scenario: The error for an unknown previous_response_id names the field
    Source: guide, Error codes; Open Responses, Error.param
    Why: clients then send the whole conversation without the field.
    Needs: responses.previous.refused
    When a response is wrongly requested with {"previous_response_id": "resp_gonogo_no_such_response"}
    Then the param names previous_response_id

  @must @responses.tokens.status
  Scenario: A token count of a response is answered with 200
    Source: schema, paths./responses/input_tokens.post.responses
    Why: the document names 200 and no other success.
    When the tokens of a response are counted with {}
    Then the answer's status is 200

  @must @responses.tokens.count
  Scenario: A token count has object and input_tokens
    Source: schema, TokenCountsResource
    Why: typed clients decode by the name, and read the number.
    Needs: responses.tokens.status
    When the tokens of a response are counted with {}
    Then the answer is a token count

  @should @responses.tokens.agrees
  Scenario: A token count equals usage.input_tokens
    Source: schema, TokenCountsResource.input_tokens; ResponseUsage.input_tokens
    Why: clients that count tokens first rely on the number.
    Needs: responses.tokens.count, responses.usage.counts
    When a response is requested with {"temperature": 0, "max_output_tokens": 24}
    And the tokens of a response are counted with {}
    Then the count equals usage.input_tokens
