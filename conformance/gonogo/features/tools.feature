Feature: Tools
  Calls of functions, whole and streamed. What is forced must come or be refused; what is left to the model is not judged.

  @should @tools.request.empty
  Scenario: An empty list of tools is harmless, or refused by its name
    Source: project decision; an empty list offers nothing, as an absent one; the API itself refuses it with 400 empty_array
    Why: assistants in Xcode send [] always (local-inference-lab/vllm PR#193, nextcloud/integration_openai PR#429).
    When a chat completion is requested with {}
    And a chat completion is requested with {"tools": [], "max_tokens": 2}
    Then the last is accepted like the first, or refused with 400 by the name tools

  @should @tools.request.none_without_tools
  Scenario: The tool choice "none" without tools is harmless
    Source: schema, CreateChatCompletionRequest.tool_choice, "none is the default when no tools are present"
    Why: LangChain and others send it always (vllm-project/vllm#9426, QuantumNous/new-api#2763).
    When a chat completion is requested with {}
    And a chat completion is requested with {"tool_choice": "none", "max_tokens": 2}
    Then the last is accepted like the first

  @must @tools.request.strict
  Scenario: A tool with strict false is accepted where tools are
    Source: schema, FunctionObject.strict, default false
    Why: coding agents send strict: false always (OpenCoworkAI/open-cowork#232).
    When a tool is offered
    And a tool is offered with strict false
    Then where the first is taken, the last is taken too

  @must @tools.request.no_parameters
  Scenario: A tool without parameters is accepted where tools are
    Source: schema, FunctionObject.parameters, "omitting parameters defines a function with an empty parameter list"
    Why: "Field required" ends the session (QwenLM/qwen-code PR#12222).
    When a tool is offered
    And a tool without parameters is offered
    Then where the first is taken, the last is taken too

  @should @tools.request.named
  Scenario: A tool may be chosen by name where one may be required
    Source: schema, ChatCompletionNamedToolChoice
    Why: Instructor's default mode sends the object (567-labs/instructor PR#2051, LM Studio).
    When a tool must be called
    And the second of two tools must be called
    Then where the first is taken, the last is taken too

  @must @tools.request.survived
  Scenario: A request with tools leaves the server able to answer
    Source: RFC 9110 section 3.4: a server responds to every request
    Why: one agent takes the service from everybody (Blaizzy/mlx-vlm#1604).
    When a chat completion is requested with {}
    And a plain chat completion is requested after a tool had to be called
    Then the last is accepted like the first

  @must @tools.history.null_content
  Scenario: A conversation with a call and its result is accepted where tools are
    Source: schema, ChatCompletionRequestAssistantMessage.content, nullable; ChatCompletionRequestToolMessage
    Why: every agent dies on its second turn (cubist38/mlx-openai-server PR#205, mistralai/mistral-common#324).
    When a tool is offered
    And the result of a tool is sent back
    Then where the first is taken, the last is taken too

  @must @tools.history.no_content
  Scenario: The message with the call may lack content
    Source: schema, ChatCompletionRequestAssistantMessage.content, required unless tool_calls is there
    Why: gateways and serialisers leave out what is null (BerriAI/litellm PR#39268, Portkey-AI/gateway PR#992).
    Needs: tools.history.null_content
    When the result of a tool is sent back
    And the result of a tool is sent back without content beside the call
    Then where the first is taken, the last is taken too

  @must @tools.history.parts
  Scenario: The result of a tool may come in text parts
    Source: schema, ChatCompletionRequestToolMessage.content, array of parts
    Why: agents send parts for every role (lemonade-sdk/lemonade#629).
    Needs: tools.history.null_content
    When the result of a tool is sent back
    And the result of a tool is sent back in parts
    Then where the first is taken, the last is taken too

  @must @tools.history.parts_rendered
  Scenario: A result in one text part counts about as many tokens as the same string
    Source: schema, ChatCompletionRequestMessageContentPartText
    Why: a result that is dropped leaves the model to invent one (ggml-org/llama.cpp#8367).
    Needs: tools.history.null_content
    When the result of a tool is sent back
    And the result of a tool is sent back in parts
    Then prompt tokens differ by 2 at most

  @must @tools.history.several
  Scenario: The results of two calls of one message are accepted
    Source: schema, ChatCompletionMessageToolCalls, an array
    Why: agents with parallel calls die on their second turn (LibreChat-AI/agents PR#260).
    Needs: tools.history.null_content
    When the result of a tool is sent back
    And the results of two tools are sent back
    Then where the first is taken, the last is taken too

  @must @tools.harmless.orphan
  Scenario: A result that nothing asked for does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; project decision; the API answers 400, as a result must follow its call (itmisx/deepx-code#94)
    Why: templates that look up the call raise, as a 500.
    When a result is sent back that nothing asked for
    Then the request does not fail the server

  @should @tools.refused.orphan
  Scenario: A result that nothing asked for is refused
    Source: project decision; the API answers 400, as a result must follow its call (itmisx/deepx-code#94)
    Why: a history that lost its call is answered as if the result came from the user.
    Needs: tools.harmless.orphan
    When a result is sent back that nothing asked for
    Then the request is not accepted

  @must @tools.required.called
  Scenario: The tool choice "required" ends in a call
    Source: schema, ChatCompletionToolChoiceOption, "required means the model must call one or more tools"
    Why: extraction gets prose in place of fields (Blaizzy/mlx-vlm#1045, ollama/ollama#17921).
    When a tool must be called
    Then a tool is called

  @must @tools.required.streamed
  Scenario: The tool choice "required" ends in a call in streams too
    Source: schema, ChatCompletionToolChoiceOption, "required means the model must call one or more tools"
    Why: servers that parse calls only in whole answers stream them as text (google-ai-edge/LiteRT-LM#2471).
    Needs: tools.required.called
    When a tool must be called in a stream
    Then a tool is called in the stream

  @must @tools.required.content
  Scenario: A call that is required is not left in the content
    Source: schema, ChatCompletionResponseMessage.tool_calls, "the tool calls generated by the model"
    Why: the caller sees markup, and runs nothing (lmstudio-ai/lmstudio-bug-tracker#2115, ggml-org/llama.cpp#14101).
    Needs: tools.required.called
    When a tool must be called
    And no more than one of two tools must be called
    Then no call is left in the content

  @must @tools.named.called
  Scenario: A tool choice by name ends in a call
    Source: schema, ChatCompletionNamedToolChoice, "specifies a tool the model should use"
    Why: Instructor and its like get prose in place of fields (Blaizzy/mlx-vlm#1045).
    When the second of two tools must be called
    Then a tool is called

  @must @tools.named.obeyed
  Scenario: A tool choice by name calls the tool of that name
    Source: schema, ChatCompletionNamedToolChoice, "force the model to call a specific function"
    Why: the wrong function runs.
    Needs: tools.named.called
    When the second of two tools must be called
    Then every call is of "ring_bell"

  @must @tools.named.finish_reason
  Scenario: The finish reason of a call by name is "tool_calls" or "stop"
    Source: schema, CreateChatCompletionResponse.choices.finish_reason; the API gives both here (ollama/ollama PR#7963)
    Why: loops over tools end, or wait (huggingface/text-generation-inference#2794).
    Needs: tools.named.called
    When the second of two tools must be called
    Then the finish reason beside a call is tool_calls or stop

  @must @tools.none.silent
  Scenario: The tool choice "none" ends in no call
    Source: schema, ChatCompletionToolChoiceOption, "none means the model will not call any tool"
    Why: passes that shall sum up go round in loops (ayunis-core/ayunis-core PR#705, ollama/ollama#17921).
    When tools are forbidden
    Then no tool is called

  @must @tools.strict.kept
  Scenario: The arguments of a strict tool keep its schema
    Source: schema, FunctionObject.strict, "the model will follow the exact schema defined in the parameters field"
    Why: what is strict is not checked again: the function runs with a value that it does not know (ai-dynamo/frontend-crates#209).
    Needs: tools.required.called
    When a tool with strict true must be called
    Then the arguments of every call keep the schema of the tool

  @must @tools.parallel.one
  Scenario: With parallel_tool_calls false no more than one tool is called
    Source: schema, CreateChatCompletionRequest.parallel_tool_calls
    Why: agents that run one tool at a time race or drop the second (sgl-project/sglang#9696).
    Needs: tools.required.called
    When no more than one of two tools must be called
    Then no more than one tool is called

  @must @tools.call.schema
  Scenario: The calls of a message are a list of calls
    Source: schema, ChatCompletionMessageToolCalls
    Why: clients iterate over it; a map or a string ends in a TypeError.
    Needs: tools.required.called
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then there is a call
    And "choices[].message.tool_calls" in the answer, apart from ["choices[].message.tool_calls[].id", "choices[].message.tool_calls[].type", "choices[].message.tool_calls[].function.name", "choices[].message.tool_calls[].function.arguments"], fits ChatCompletion

  @must @tools.call.id
  Scenario: Every call has an id
    Source: schema, ChatCompletionMessageToolCall.id
    Why: the result cannot be sent back (openai/openai-node#1528, google/adk-python#951).
    Needs: tools.call.schema
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then there is a call
    And "choices[].message.tool_calls[].id" in the answer fits ChatCompletion

  @must @tools.call.id_not_empty
  Scenario: The id of a call is not empty
    Source: schema, ChatCompletionMessageToolCall.id, "the ID of the tool call", which tool_call_id refers to
    Why: an empty id is refused on the second turn (vercel/ai#6663).
    Needs: tools.call.id
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then the id of every call is a string that is not empty

  @should @tools.call.id_unique
  Scenario: The calls of two answers have two ids
    Source: schema, ChatCompletionMessageToolCall.id, "the ID of the tool call"
    Why: both calls are part of one conversation later (NVIDIA-NeMo/Switchyard#502, bug-ops/zeph PR#6506).
    Needs: tools.call.id_not_empty
    When a tool must be called
    And a tool must be called in a stream
    Then the ids of all calls differ

  @must @tools.call.type
  Scenario: Every call is of type "function"
    Source: schema, ChatCompletionMessageToolCall.type
    Why: typed clients decode by this literal.
    Needs: tools.call.schema
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then there is a call
    And "choices[].message.tool_calls[].type" in the answer fits ChatCompletion

  @must @tools.call.name
  Scenario: Every call names its function
    Source: schema, ChatCompletionMessageToolCall.function.name
    Why: there is nothing to run.
    Needs: tools.call.schema
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then there is a call
    And "choices[].message.tool_calls[].function.name" in the answer fits ChatCompletion

  @must @tools.call.offered
  Scenario: Every call is of a tool that was offered
    Source: schema, CreateChatCompletionRequest.tools, "a list of tools the model may call"
    Why: agents raise on a name they do not know.
    Needs: tools.call.name
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then every call names a tool that was offered

  @must @tools.call.arguments
  Scenario: The arguments of a call are a string
    Source: schema, ChatCompletionMessageToolCall.function.arguments
    Why: an object is read as no arguments, and the call runs with none (ggml-org/llama.cpp#20198, sipeed/picoclaw PR#1292).
    Needs: tools.call.schema
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then there is a call
    And "choices[].message.tool_calls[].function.arguments" in the answer fits ChatCompletion

  @should @tools.call.arguments_json
  Scenario: The arguments of a call are the text of a JSON object
    Source: schema, function.arguments; "the model does not always generate valid JSON", so nothing fails by it
    Why: agents crash on half an object (generative-computing/mellea PR#1373).
    Needs: tools.call.arguments
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then the arguments of every call are the text of a JSON object

  @should @tools.call.no_index
  Scenario: No call of a whole answer has an index
    Source: schema, ChatCompletionMessageToolCall, which has none
    Why: strict clients refuse the field that belongs to streams (epam/ai-dial-sdk PR#110).
    Needs: tools.required.called
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then no call has an index

  @must @tools.call.finish_reason
  Scenario: A message with a required call finishes with "tool_calls"
    Source: schema, CreateChatCompletionResponse.choices.finish_reason, "tool_calls if the model called a tool"
    Why: LangChain's, CrewAI's and n8n's loops end in silence (vllm-project/vllm PR#9209, BerriAI/litellm#12862).
    Needs: tools.required.called
    When a tool must be called
    And no more than one of two tools must be called
    Then the finish reason beside a call is tool_calls

  @must @tools.stream.schema
  Scenario: The fragments of calls are a list of fragments
    Source: schema, ChatCompletionMessageToolCallChunk
    Why: null for a name or an id breaks decoders (anomalyco/opencode#43328).
    Needs: tools.required.streamed
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then there is a call in the stream
    And "choices[].delta.tool_calls" in every chunk, apart from ["choices[].delta.tool_calls[].index", "choices[].delta.tool_calls[].function.arguments"], fits ChatCompletionChunk

  @must @tools.stream.index
  Scenario: Every fragment of a call has an index
    Source: schema, ChatCompletionMessageToolCallChunk.index, required
    Why: LangChain delivers a call more, with empty arguments; the helpers raise (openai/openai-python#2806, vercel/ai#5885).
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then there is a call in the stream
    And "choices[].delta.tool_calls[].index" in every chunk fits ChatCompletionChunk

  @must @tools.stream.arguments
  Scenario: The arguments of a fragment are a string
    Source: schema, ChatCompletionMessageToolCallChunk.function.arguments
    Why: clients add strings up.
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then there is a call in the stream
    And "choices[].delta.tool_calls[].function.arguments" in every chunk fits ChatCompletionChunk

  @must @tools.stream.id
  Scenario: The first fragment of a call has its id
    Source: schema, ChatCompletionMessageToolCallChunk.id; recorded streams
    Why: clients open the call with it, and raise or drop it without (pipecat-ai/pipecat#4987).
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the first fragment of every call has its id

  @must @tools.stream.name
  Scenario: The first fragment of a call has the function's name
    Source: schema, ChatCompletionMessageToolCallChunk.function.name; recorded streams
    Why: clients open the call with it, and raise or split it without (spring-projects/spring-ai PR#5973).
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the first fragment of every call has the function's name

  @should @tools.stream.type
  Scenario: The first fragment of a call has its type
    Source: recorded streams; the schema does not require it
    Why: strict clients tell functions from other tools by it.
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the first fragment of every call has its type

  @should @tools.stream.once
  Scenario: No later fragment of a call repeats its id or name
    Source: recorded streams
    Why: SillyTavern puts functionfunction together, and drops the tool in silence (SillyTavern/SillyTavern PR#5811).
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then no later fragment repeats an id or a name

  @should @tools.stream.arguments_json
  Scenario: The arguments of a streamed call are the text of a JSON object
    Source: schema, function.arguments; "the model does not always generate valid JSON", so nothing fails by it
    Why: agents crash on half an object (XpressAI/xaibo PR#36).
    Needs: tools.stream.arguments
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the arguments of every call are the text of a JSON object

  @must @tools.stream.own_index
  Scenario: Each call of a stream has an index of its own
    Source: schema, ChatCompletionMessageToolCallChunk.index
    Why: the arguments of both are glued together (ollama/ollama#15457, ai-dynamo/dynamo PR#4723, LibreChat-AI/agents PR#260).
    Needs: tools.stream.index
    When two tools must be called in a stream
    Then no two calls share an index

  @should @tools.stream.numbered
  Scenario: The calls of a stream are numbered from 0
    Source: recorded streams; schema, ChatCompletionMessageToolCallChunk.index, the place in a list
    Why: openai-python's helper puts each fragment of a call 1 that has no call 0 into a call of its own.
    Needs: tools.stream.index
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the calls are numbered from 0

  @must @tools.stream.finish_reason
  Scenario: A stream with a required call finishes with "tool_calls"
    Source: schema, CreateChatCompletionStreamResponse.choices.finish_reason, "tool_calls if the model called a tool"
    Why: the loop over tools ends in silence, often in streams only (vllm-project/vllm PR#9209).
    Needs: tools.required.streamed
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the finish reason beside a call is tool_calls

  @should @tools.stream.agrees
  Scenario: The stream calls the tools that the whole answer calls
    Source: project decision; one request has one answer at temperature 0
    Why: what works in a test fails in the interface.
    Needs: tools.required.streamed
    When a tool must be called
    And a tool must be called in a stream
    Then the stream calls what the whole answer calls

  @must @tools.stream.arguments_kept
  Scenario: The arguments of no call are lost in a stream
    Source: schema, ChatCompletionMessageToolCallChunk.function.arguments; the same request whole
    Why: LangChain makes a valid call with no arguments of it, which an agent then runs.
    Needs: tools.required.streamed
    When a tool must be called
    And a tool must be called in a stream
    Then no arguments are lost in the stream

  @must @tools.stream.arguments_of_two
  Scenario: The arguments of neither of two calls are lost in a stream
    Source: schema, ChatCompletionMessageToolCallChunk.function.arguments; the same request whole
    Why: parsers that give out the first call and then only names lose what the second is to do.
    Needs: tools.stream.arguments_kept
    When two tools must be called
    And two tools must be called in a stream
    Then no arguments are lost in the stream

  @should @tools.stream.same_arguments
  Scenario: A streamed call has the arguments of the whole call
    Source: project decision; one request has one answer at temperature 0
    Why: a second parser for streams makes text of a number, or drops a field, and the tool does something else.
    Needs: tools.stream.agrees, tools.stream.arguments_kept, tools.stream.arguments_json
    When a greedy chat completion is streamed
    And the same request is sent again
    And a tool must be called
    And a tool must be called in a stream
    Then the stream calls with the arguments of the whole answer, where greedy text repeats

  @should @tools.stream.same_arguments_of_two
  Scenario: Two streamed calls have the arguments of the two whole calls
    Source: project decision; one request has one answer at temperature 0
    Why: a parser that takes the second call for a part of the first gives each of them something else to do.
    Needs: tools.stream.same_arguments, tools.stream.arguments_of_two, tools.stream.own_index
    When a greedy chat completion is streamed
    And the same request is sent again
    And two tools must be called
    And two tools must be called in a stream
    Then the stream calls with the arguments of the whole answer, where greedy text repeats

  @must @tools.stream.usage
  Scenario: include_usage adds a chunk with usage beside calls too
    Source: schema, ChatCompletionStreamOptions.include_usage
    Why: some servers forget it where tools are present (ollama/ollama#5200).
    Needs: tools.required.streamed
    When a tool must be called in a stream
    Then one chunk without choices carries the usage beside the calls

  @must @tools.harmless.unknown_name
  Scenario: A tool choice of a name that is not offered does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, ChatCompletionNamedToolChoice; the API answers 400
    Why: the look-up fails deep inside, as a 500.
    When a tool must be called that is not offered
    Then the request does not fail the server

  @should @tools.refused.unknown_name
  Scenario: A tool choice of a name that is not offered is refused
    Source: schema, ChatCompletionNamedToolChoice; the API answers 400
    Why: the agent waits for a call of a misspelt tool, and reads prose.
    Needs: tools.harmless.unknown_name
    When a tool must be called that is not offered
    Then the request is not accepted

  @must @tools.harmless.no_tools
  Scenario: The tool choice "required" without tools does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.tool_choice; the API answers 400
    Why: the first of no tools is an IndexError, as a 500 (vllm-project/vllm PR#19679).
    When a chat completion is wrongly requested with {"tool_choice": "required", "max_tokens": 2}
    Then the request does not fail the server

  @must @tools.request.untyped
  Scenario: A tool whose property has no type is accepted where tools are
    Source: schema, FunctionParameters: any JSON Schema; in that a type may be absent, or a list
    Why: one such property of one tool takes all tools from an agent.
    When a tool is offered
    And a tool with a property without a type is offered
    Then where the first is taken, the last is taken too

  @must @tools.request.definitions
  Scenario: A tool whose parameters have definitions is accepted where tools are
    Source: schema, FunctionParameters: any JSON Schema; guide, Structured Outputs: definitions are supported
    Why: Pydantic and Zod write every nested class with $defs and $ref; one such tool takes all tools from an agent.
    When a tool is offered
    And a tool whose parameters have definitions is offered
    Then where the first is taken, the last is taken too

  @must @tools.harmless.malformed
  Scenario: A tool whose parameters are a malformed schema does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, FunctionParameters, a JSON Schema
    Why: one such tool of one plug-in makes each request of an agent a 500, which its client sends again.
    When a tool is offered
    And a tool whose parameters are malformed is wrongly offered
    Then the last does not fail the server

  @must @tools.history.own
  Scenario: A message of the server's own is accepted when it is sent back whole
    Source: guide, Function calling: the message that came is appended to the messages
    Why: clients keep what came, with every member of it, and the second turn of each conversation is refused.
    When a chat completion is requested with {}
    And a tool is offered
    And the target's own messages are sent back whole
    Then its own messages are taken like those of others

  @should @tools.functions.not_ignored
  Scenario: A function in the form before tools is called, or refused
    Source: API reference, chat completions, functions and function_call, deprecated; project decision: what is accepted is not ignored
    Why: older clients get prose in place of the call, and nobody tells them that their form is gone.
    When a chat completion is requested with {}
    And a function must be called in the form before tools
    Then the function is called, or refused

  @must @tools.history.empty_content
  Scenario: Empty content beside a call that is sent back is accepted
    Source: schema, ChatCompletionRequestAssistantMessage.content, a string
    Why: clients whose messages always have a text send "" with every call.
    Needs: tools.history.null_content
    When the result of a tool is sent back
    And the result of a tool is sent back with empty content beside the call
    Then where the first is taken, the last is taken too

  @must @tools.harmless.arguments_empty
  Scenario: A history with a call without arguments does not fail the server
    Source: RFC 9110 section 15.6; schema, ChatCompletionMessageToolCall.function.arguments: "may not always generate valid JSON"
    Why: templates parse them, and each further turn of the conversation is a 500.
    When the result of a tool is sent back
    And a call with empty arguments is sent back
    Then the last does not fail the server

  @must @tools.harmless.arguments_cut
  Scenario: A history with a call whose arguments were cut does not fail the server
    Source: RFC 9110 section 15.6; schema, ChatCompletionMessageToolCall.function.arguments: "may not always generate valid JSON"
    Why: an answer that ended at its limit is in the history, and each further turn of the conversation is a 500.
    When the result of a tool is sent back
    And a call with arguments that were cut is sent back
    Then the last does not fail the server

  @should @tools.refused.no_tools
  Scenario: The tool choice "required" without tools is refused
    Source: schema, CreateChatCompletionRequest.tool_choice; the API answers 400
    Why: an agent whose tools got lost on the way waits for a call, and reads prose.
    Needs: tools.harmless.no_tools
    When a chat completion is wrongly requested with {"tool_choice": "required", "max_tokens": 2}
    Then the request is not accepted

  @must @tools.harmless.tools_string
  Scenario: A string in place of the tools does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.tools
    Why: the loop over characters fails, as a 500.
    When a chat completion is wrongly requested with {"tools": "set_colour", "max_tokens": 2}
    Then the request does not fail the server

  @should @tools.refused.tools_string
  Scenario: A string in place of the tools is refused
    Source: schema, CreateChatCompletionRequest.tools
    Why: tools that were encoded twice are not offered, and the agent reads prose.
    Needs: tools.harmless.tools_string
    When a chat completion is wrongly requested with {"tools": "set_colour", "max_tokens": 2}
    Then the request is not accepted

  @must @tools.harmless.name_pattern
  Scenario: A tool whose name is no name does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, FunctionObject.name, "a-z, A-Z, 0-9, or contain underscores and dashes"
    Why: grammars made of names break on it, as a 500.
    When a chat completion is wrongly requested with {"tools": [{"type": "function", "function": {"name": "set colour!"}}], "max_tokens": 2}
    Then the request does not fail the server

  @should @tools.refused.name_pattern
  Scenario: A tool whose name is no name is refused
    Source: schema, FunctionObject.name, "a-z, A-Z, 0-9, or contain underscores and dashes"
    Why: the tool works here, and is refused by the API on the day of the move.
    Needs: tools.harmless.name_pattern
    When a chat completion is wrongly requested with {"tools": [{"type": "function", "function": {"name": "set colour!"}}], "max_tokens": 2}
    Then the request is not accepted
