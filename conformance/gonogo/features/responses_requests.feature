Feature: Requests for responses
  Tools, structured outputs, what agents send, and how a target says no.

  @must @responses.tools.required
  Scenario: The tool choice "required" ends in a function call
    Source: schema, ToolChoiceOptions, "required means the model must call one or more tools"; Open Responses, tool_choice
    Why: text in place of a call is executed by nobody.
    When a response must call a tool
    Then the response calls a function

  @must @responses.tools.streamed
  Scenario: A function that is named is called in a stream
    Source: schema, ToolChoiceFunction; Open Responses, tool_choice
    Why: a call that is streamed as text is shown, and not made (vllm-project/vllm#29725).
    When a streamed response must call the tool that is named
    Then the response calls a function

  @must @responses.tools.named
  Scenario: Of two functions the one that is named is called
    Source: schema, ToolChoiceFunction, "use this option to force the model to call a specific function"
    Why: another function does another thing.
    Needs: responses.tools.streamed
    When a streamed response must call the tool that is named
    Then only the function "set_colour" is called

  @must @responses.call.call_id
  Scenario: Every function call has a call_id
    Source: schema, FunctionToolCall.call_id, required; Open Responses, FunctionCall.call_id
    Why: the result is joined to the call by it, and by nothing else.
    When a response must call a tool
    And a streamed response must call the tool that is named
    Then each function_call has "call_id"

  @must @responses.call.name
  Scenario: Every function call names its function
    Source: schema, FunctionToolCall.name, required; Open Responses, FunctionCall.name
    Why: nobody knows what to do.
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
    Why: json.loads raises in the loop of every agent.
    Needs: responses.call.arguments
    When a response must call a tool
    And a streamed response must call the tool that is named
    Then the arguments of each call are a JSON object

  @should @responses.call.id
  Scenario: Every function call has an id of its own as an item
    Source: Open Responses, "Items", every item has an id; schema, FunctionToolCall.id, which may be left out
    Why: openai-node and the AI SDK refuse the item in a stream (ggml-org/llama.cpp#20607).
    When a response must call a tool
    Then each function_call has "id"

  @must @responses.history.own
  Scenario: The items of an answer and the results of its calls are taken back as they came
    Source: schema, InputItem, FunctionToolCall and FunctionCallOutputItemParam; Open Responses, function calling
    Why: agents send all of it back, reasoning too (BerriAI/litellm#13420, vllm-project/vllm#45273).
    When a response is requested with {"temperature": 0, "max_output_tokens": 24}
    And a call of a response and its result are sent back
    Then the last is accepted like the first

  @must @responses.history.parts
  Scenario: The result of a call may be given in parts
    Source: schema, FunctionCallOutputItemParam.output, string or array of content; Open Responses, the same
    Why: Codex and others send lists of text and images (ggml-org/llama.cpp#23465).
    When a response is requested with {"temperature": 0, "max_output_tokens": 24}
    And a result in parts is given to a response
    Then the last is accepted like the first

  @must @responses.request.roles
  Scenario: Developer and system messages, and fields that the schema names, are accepted
    Source: schema, InputMessage.role and CreateResponse; Open Responses, the same
    Why: Codex begins with developer messages, and sends text without a format (lmstudio-ai/lmstudio-bug-tracker#1576).
    When a response is requested with {"temperature": 0, "max_output_tokens": 24}
    And a response to developer and system is streamed
    Then the last is accepted like the first

  @must @responses.request.harmless
  Scenario: Tools and fields that a server does not know do not fail it
    Source: RFC 9110 section 15.6; schema, Tool, to which kinds are added
    Why: SDKs retry on 5xx, and agents offer tools that a server never heard of.
    When a response is streamed as agents ask for it
    Then the request does not fail the server

  @should @responses.request.agent
  Scenario: A request as agents send it is answered, unknown tools and fields passed over
    Source: SDK behaviour, Codex CLI 0.171; ggml-org/llama.cpp PR#23041
    Why: Codex works with no server that refuses them (openai/codex#10635, ggml-org/llama.cpp#20156).
    Needs: responses.request.harmless
    When a response is streamed as agents ask for it
    Then the response has output

  @must @responses.structured.kept
  Scenario: The text of a response keeps the schema that was asked for
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
    Why: a mistake goes unnoticed, and the answer is to another question.
    Needs: responses.harmless.input
    When a response is wrongly requested with {"input": 7}
    Then the request is not accepted

  @should @responses.refused.input_status
  Scenario: A wrong input is refused with 400
    Source: guide, Error codes
    Why: clients raise BadRequestError for 400, and another error for 422.
    Needs: responses.refused.input
    When a response is wrongly requested with {"input": 7}
    Then the status of the refusal is 400

  @should @responses.refused.input_param
  Scenario: The refusal of a wrong input names it
    Source: guide, Error codes; Open Responses, Error.param
    Why: the person learns which field it was.
    Needs: responses.refused.input
    When a response is wrongly requested with {"input": 7}
    Then the param names input

  @should @responses.previous.refused
  Scenario: A response does not go on from one that nobody knows
    Source: schema, CreateResponse.previous_response_id; Open Responses, previous_response_id
    Why: the field is dropped unseen, and the answer is to another conversation (seen in Ollama).
    When a response is wrongly requested with {"previous_response_id": "resp_gonogo_no_such_response"}
    Then the response is not answered as if it went on from another

  @should @responses.previous.status
  Scenario: An earlier response that nobody knows is refused with 400 or 404
    Source: guide, Error codes
    Why: clients tell what is not there from what is not supported by it.
    Needs: responses.previous.refused
    When a response is wrongly requested with {"previous_response_id": "resp_gonogo_no_such_response"}
    Then the status of the refusal is 400 or 404

  @should @responses.previous.param
  Scenario: The refusal of an earlier response names the field
    Source: guide, Error codes; Open Responses, Error.param
    Why: a client leaves the field out, and sends the whole conversation.
    Needs: responses.previous.refused
    When a response is wrongly requested with {"previous_response_id": "resp_gonogo_no_such_response"}
    Then the param names previous_response_id

  @must @responses.tokens.status
  Scenario: The tokens of an input are counted with 200
    Source: schema, paths./responses/input_tokens.post.responses
    Why: the document names 200 and no other success.
    When the tokens of a response are counted with {}
    Then the answer's status is 200

  @must @responses.tokens.count
  Scenario: A count of tokens is an object of that name with a number
    Source: schema, TokenCountsResource
    Why: typed clients decode by the name, and read the number.
    Needs: responses.tokens.status
    When the tokens of a response are counted with {}
    Then a count of the input is answered

  @should @responses.tokens.agrees
  Scenario: The count of an input is that of the usage
    Source: schema, TokenCountsResource.input_tokens; ResponseUsage.input_tokens
    Why: who counts before asking trusts the number.
    Needs: responses.tokens.count, responses.usage.counts
    When a response is requested with {"temperature": 0, "max_output_tokens": 24}
    And the tokens of a response are counted with {}
    Then the count is that of the usage
