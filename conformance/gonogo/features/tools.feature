Feature: Tools
  Tool calls, whole and streamed. A forced call must be made or refused; an optional call is not judged.

  @should @tools.request.empty
  Scenario: An empty list of tools has no effect, or is refused by name
    Source: project decision; an empty list offers nothing, as an absent one; the API itself refuses it with 400 empty_array
    Why: Xcode assistants always send [] (local-inference-lab/vllm PR#193, nextcloud/integration_openai PR#429).
    When a chat completion is requested with {}
    And a chat completion is requested with {"tools": [], "max_tokens": 2}
    Then the last is accepted like the first, or refused with 400 by the name tools

  @should @tools.request.none_without_tools
  Scenario: The tool choice "none" without tools has no effect
    Source: schema, CreateChatCompletionRequest.tool_choice, "none is the default when no tools are present"
    Why: LangChain and others always send it (vllm-project/vllm#9426, QuantumNous/new-api#2763).
    When a chat completion is requested with {}
    And a chat completion is requested with {"tool_choice": "none", "max_tokens": 2}
    Then the last is accepted like the first

  @must @tools.request.strict
  Scenario: A tool with strict false is accepted if tools are
    Source: schema, FunctionObject.strict, default false
    Why: coding agents always send strict: false (OpenCoworkAI/open-cowork#232).
    When a tool is offered
    And a tool is offered with strict false
    Then if the first is accepted, so is the last

  @must @tools.request.no_parameters
  Scenario: A tool without parameters is accepted if tools are
    Source: schema, FunctionObject.parameters, "omitting parameters defines a function with an empty parameter list"
    Why: "Field required" ends the session (QwenLM/qwen-code PR#12222).
    When a tool is offered
    And a tool without parameters is offered
    Then if the first is accepted, so is the last

  @should @tools.request.named
  Scenario: A tool can be chosen by name if one can be required
    Source: schema, ChatCompletionNamedToolChoice
    Why: Instructor's default mode sends the object (567-labs/instructor PR#2051, LM Studio).
    When a tool must be called
    And the second of two tools must be called
    Then if the first is accepted, so is the last

  @must @tools.request.survived
  Scenario: The server still answers after a request with tools
    Source: RFC 9110 section 3.4: a server responds to every request
    Why: one agent stops the service for everyone (Blaizzy/mlx-vlm#1604).
    When a chat completion is requested with {}
    And a plain chat completion is requested after a tool had to be called
    Then the last is accepted like the first

  @must @tools.history.null_content
  Scenario: A conversation with a tool call and its result is accepted if tools are
    Source: schema, ChatCompletionRequestAssistantMessage.content, nullable; ChatCompletionRequestToolMessage
    Why: every agent fails on its second turn (cubist38/mlx-openai-server PR#205, mistralai/mistral-common#324).
    When a tool is offered
    And the result of a tool is sent back
    Then if the first is accepted, so is the last

  @must @tools.history.no_content
  Scenario: The message with the tool call may lack content
    Source: schema, ChatCompletionRequestAssistantMessage.content, required unless tool_calls is there
    Why: gateways and serialisers omit null fields (BerriAI/litellm PR#39268, Portkey-AI/gateway PR#992).
    Needs: tools.history.null_content
    When the result of a tool is sent back
    And the result of a tool is sent back without content beside the call
    Then if the first is accepted, so is the last

  @must @tools.history.parts
  Scenario: A tool result may consist of text parts
    Source: schema, ChatCompletionRequestToolMessage.content, array of parts
    Why: agents send parts for every role (lemonade-sdk/lemonade#629).
    Needs: tools.history.null_content
    When the result of a tool is sent back
    And the result of a tool is sent back in parts
    Then if the first is accepted, so is the last

  @must @tools.history.parts_rendered
  Scenario: A tool result in one text part counts about as many tokens as the same string
    Source: schema, ChatCompletionRequestMessageContentPartText
    Why: if the result is dropped, the model invents one (ggml-org/llama.cpp#8367).
    Needs: tools.history.null_content
    When the result of a tool is sent back
    And the result of a tool is sent back in parts
    Then prompt tokens differ by 2 at most

  @must @tools.history.several
  Scenario: The results of two tool calls of one message are accepted
    Source: schema, ChatCompletionMessageToolCalls, an array
    Why: agents with parallel calls fail on their second turn (LibreChat-AI/agents PR#260).
    Needs: tools.history.null_content
    When the result of a tool is sent back
    And the results of two tools are sent back
    Then if the first is accepted, so is the last

  @must @tools.harmless.orphan
  Scenario: A tool result without a tool call does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; project decision; the API answers 400, as a result must follow its call (itmisx/deepx-code#94)
    Why: chat templates that look up the call raise, which causes a 500.
    When a result is sent back that nothing asked for
    Then the request does not fail the server

  @should @tools.refused.orphan
  Scenario: A tool result without a tool call is refused
    Source: project decision; the API answers 400, as a result must follow its call (itmisx/deepx-code#94)
    Why: a history that lost its call is answered as if the result were a user message.
    Needs: tools.harmless.orphan
    When a result is sent back that nothing asked for
    Then the request is not accepted

  @must @tools.required.called
  Scenario: The tool choice "required" gives a tool call
    Source: schema, ChatCompletionToolChoiceOption, "required means the model must call one or more tools"
    Why: extraction gets prose instead of fields (Blaizzy/mlx-vlm#1045, ollama/ollama#17921).
    When a tool must be called
    Then a tool is called

  @must @tools.required.streamed
  Scenario: The tool choice "required" also gives a tool call in a stream
    Source: schema, ChatCompletionToolChoiceOption, "required means the model must call one or more tools"
    Why: servers that parse tool calls only in whole answers stream them as text (google-ai-edge/LiteRT-LM#2471).
    Needs: tools.required.called
    When a tool must be called in a stream
    Then a tool is called in the stream

  @must @tools.required.content
  Scenario: A required tool call is not left in the content
    Source: schema, ChatCompletionResponseMessage.tool_calls, "the tool calls generated by the model"
    Why: the caller sees markup and runs nothing (lmstudio-ai/lmstudio-bug-tracker#2115, ggml-org/llama.cpp#14101).
    Needs: tools.required.called
    When a tool must be called
    And no more than one of two tools must be called
    Then the content contains no call

  @must @tools.named.called
  Scenario: A tool choice by name gives a tool call
    Source: schema, ChatCompletionNamedToolChoice, "specifies a tool the model should use"
    Why: Instructor and similar libraries get prose instead of fields (Blaizzy/mlx-vlm#1045).
    When the second of two tools must be called
    Then a tool is called

  @must @tools.named.obeyed
  Scenario: A tool choice by name calls this tool
    Source: schema, ChatCompletionNamedToolChoice, "force the model to call a specific function"
    Why: the wrong function runs.
    Needs: tools.named.called
    When the second of two tools must be called
    Then every call is of "ring_bell"

  @must @tools.named.finish_reason
  Scenario: The finish reason of a named tool call is "tool_calls" or "stop"
    Source: schema, CreateChatCompletionResponse.choices.finish_reason; the API gives both here (ollama/ollama PR#7963)
    Why: tool loops end or wait (huggingface/text-generation-inference#2794).
    Needs: tools.named.called
    When the second of two tools must be called
    Then the finish reason of a call is tool_calls or stop

  @must @tools.none.silent
  Scenario: The tool choice "none" gives no tool call
    Source: schema, ChatCompletionToolChoiceOption, "none means the model will not call any tool"
    Why: agents that want a summary loop forever (ayunis-core/ayunis-core PR#705, ollama/ollama#17921).
    When tools are forbidden
    Then no tool is called

  @must @tools.strict.kept
  Scenario: The arguments of a strict tool match its schema
    Source: schema, FunctionObject.strict, "the model will follow the exact schema defined in the parameters field"
    Why: strict arguments are not validated again, so the function runs with an unknown value (ai-dynamo/frontend-crates#209).
    Needs: tools.required.called
    When a tool with strict true must be called
    Then the arguments of every call match the schema of the tool

  @must @tools.parallel.one
  Scenario: With parallel_tool_calls false, at most one tool is called
    Source: schema, CreateChatCompletionRequest.parallel_tool_calls
    Why: agents that run one tool at a time race or drop the second call (sgl-project/sglang#9696).
    Needs: tools.required.called
    When no more than one of two tools must be called
    Then no more than one tool is called

  @must @tools.call.schema
  Scenario: The tool calls of a message are a list of tool calls
    Source: schema, ChatCompletionMessageToolCalls
    Why: clients iterate over it; a map or a string raises TypeError.
    Needs: tools.required.called
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then there is a call
    And "choices[].message.tool_calls" in the answer, apart from ["choices[].message.tool_calls[].id", "choices[].message.tool_calls[].type", "choices[].message.tool_calls[].function.name", "choices[].message.tool_calls[].function.arguments"], fits ChatCompletion

  @must @tools.call.id
  Scenario: Every tool call has an id
    Source: schema, ChatCompletionMessageToolCall.id
    Why: the result cannot be sent back (openai/openai-node#1528, google/adk-python#951).
    Needs: tools.call.schema
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then there is a call
    And "choices[].message.tool_calls[].id" in the answer fits ChatCompletion

  @must @tools.call.id_not_empty
  Scenario: The id of a tool call is not empty
    Source: schema, ChatCompletionMessageToolCall.id, "the ID of the tool call", which tool_call_id refers to
    Why: an empty id is refused on the second turn (vercel/ai#6663).
    Needs: tools.call.id
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then the id of every call is a string that is not empty

  @should @tools.call.id_unique
  Scenario: The tool calls of two answers have different ids
    Source: schema, ChatCompletionMessageToolCall.id, "the ID of the tool call"
    Why: both calls later belong to the same conversation (NVIDIA-NeMo/Switchyard#502, bug-ops/zeph PR#6506).
    Needs: tools.call.id_not_empty
    When a tool must be called
    And a tool must be called in a stream
    Then the ids of all calls differ

  @must @tools.call.type
  Scenario: The type of every tool call is "function"
    Source: schema, ChatCompletionMessageToolCall.type
    Why: typed clients select their decoder by it.
    Needs: tools.call.schema
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then there is a call
    And "choices[].message.tool_calls[].type" in the answer fits ChatCompletion

  @must @tools.call.name
  Scenario: Every tool call names its function
    Source: schema, ChatCompletionMessageToolCall.function.name
    Why: the client has nothing to run.
    Needs: tools.call.schema
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then there is a call
    And "choices[].message.tool_calls[].function.name" in the answer fits ChatCompletion

  @must @tools.call.offered
  Scenario: Every tool call is for a tool that was offered
    Source: schema, CreateChatCompletionRequest.tools, "a list of tools the model may call"
    Why: agents raise on an unknown name.
    Needs: tools.call.name
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then every call names an offered tool

  @must @tools.call.arguments
  Scenario: The arguments of a tool call are a string
    Source: schema, ChatCompletionMessageToolCall.function.arguments
    Why: an object is read as no arguments, and the function runs without any (ggml-org/llama.cpp#20198, sipeed/picoclaw PR#1292).
    Needs: tools.call.schema
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then there is a call
    And "choices[].message.tool_calls[].function.arguments" in the answer fits ChatCompletion

  @should @tools.call.arguments_json
  Scenario: The arguments of a tool call are the text of a JSON object
    Source: schema, function.arguments; "the model does not always generate valid JSON", so nothing fails by it
    Why: agents crash on a truncated object (generative-computing/mellea PR#1373).
    Needs: tools.call.arguments
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then the arguments of every call are a JSON object as text

  @should @tools.call.no_index
  Scenario: No tool call of a whole answer has an index
    Source: schema, ChatCompletionMessageToolCall, which has none
    Why: strict clients reject the field, which belongs to streams (epam/ai-dial-sdk PR#110).
    Needs: tools.required.called
    When a tool must be called
    And the second of two tools must be called
    And no more than one of two tools must be called
    Then no call has an index

  @must @tools.call.finish_reason
  Scenario: A message with a required tool call finishes with "tool_calls"
    Source: schema, CreateChatCompletionResponse.choices.finish_reason, "tool_calls if the model called a tool"
    Why: the loops of LangChain, CrewAI and n8n end silently (vllm-project/vllm PR#9209, BerriAI/litellm#12862).
    Needs: tools.required.called
    When a tool must be called
    And no more than one of two tools must be called
    Then the finish reason of a call is tool_calls

  @must @tools.stream.schema
  Scenario: The tool call fragments of a delta are a list of fragments
    Source: schema, ChatCompletionMessageToolCallChunk
    Why: decoders fail on a null name or id (anomalyco/opencode#43328).
    Needs: tools.required.streamed
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then there is a call in the stream
    And "choices[].delta.tool_calls" in every chunk, apart from ["choices[].delta.tool_calls[].index", "choices[].delta.tool_calls[].function.arguments"], fits ChatCompletionChunk

  @must @tools.stream.index
  Scenario: Every tool call fragment has an index
    Source: schema, ChatCompletionMessageToolCallChunk.index, required
    Why: LangChain delivers an extra call with empty arguments; the helpers raise (openai/openai-python#2806, vercel/ai#5885).
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then there is a call in the stream
    And "choices[].delta.tool_calls[].index" in every chunk fits ChatCompletionChunk

  @must @tools.stream.arguments
  Scenario: The arguments of a tool call fragment are a string
    Source: schema, ChatCompletionMessageToolCallChunk.function.arguments
    Why: clients concatenate strings.
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then there is a call in the stream
    And "choices[].delta.tool_calls[].function.arguments" in every chunk fits ChatCompletionChunk

  @must @tools.stream.id
  Scenario: The first fragment of a tool call has its id
    Source: schema, ChatCompletionMessageToolCallChunk.id; recorded streams
    Why: clients start the call with it, and raise or drop the call without it (pipecat-ai/pipecat#4987).
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the first fragment of every call has its id

  @must @tools.stream.name
  Scenario: The first fragment of a tool call has the name of the function
    Source: schema, ChatCompletionMessageToolCallChunk.function.name; recorded streams
    Why: clients start the call with it, and raise or split the call without it (spring-projects/spring-ai PR#5973).
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the first fragment of every call has the function's name

  @should @tools.stream.type
  Scenario: The first fragment of a tool call has its type
    Source: recorded streams; the schema does not require it
    Why: strict clients use it to tell functions from other tools.
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the first fragment of every call has its type

  @should @tools.stream.once
  Scenario: No later fragment of a tool call repeats its id or name
    Source: recorded streams
    Why: SillyTavern joins them to functionfunction and silently drops the tool (SillyTavern/SillyTavern PR#5811).
    Needs: tools.stream.schema
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then no later fragment repeats an id or a name

  @should @tools.stream.arguments_json
  Scenario: The arguments of a streamed tool call are the text of a JSON object
    Source: schema, function.arguments; "the model does not always generate valid JSON", so nothing fails by it
    Why: agents crash on a truncated object (XpressAI/xaibo PR#36).
    Needs: tools.stream.arguments
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the arguments of every call are a JSON object as text

  @must @tools.stream.own_index
  Scenario: Each tool call of a stream has its own index
    Source: schema, ChatCompletionMessageToolCallChunk.index
    Why: the arguments of both calls are joined (ollama/ollama#15457, ai-dynamo/dynamo PR#4723, LibreChat-AI/agents PR#260).
    Needs: tools.stream.index
    When two tools must be called in a stream
    Then no two calls share an index

  @should @tools.stream.numbered
  Scenario: The tool calls of a stream are numbered from 0
    Source: recorded streams; schema, ChatCompletionMessageToolCallChunk.index, the place in a list
    Why: openai-python's helper makes each fragment of call 1 a separate call if there is no call 0.
    Needs: tools.stream.index
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the calls are numbered from 0

  @must @tools.stream.finish_reason
  Scenario: A stream with a required tool call finishes with "tool_calls"
    Source: schema, CreateChatCompletionStreamResponse.choices.finish_reason, "tool_calls if the model called a tool"
    Why: tool loops end silently, often only in streams (vllm-project/vllm PR#9209).
    Needs: tools.required.streamed
    When a tool must be called in a stream
    And two tools must be called in a stream
    Then the finish reason of a call is tool_calls

  @should @tools.stream.agrees
  Scenario: The stream calls the same tools as the whole answer
    Source: project decision; one request has one answer at temperature 0
    Why: what works in a test fails in the user interface.
    Needs: tools.required.streamed
    When a tool must be called
    And a tool must be called in a stream
    Then the stream calls the same tools as the whole answer

  @must @tools.stream.arguments_kept
  Scenario: No tool call loses its arguments in a stream
    Source: schema, ChatCompletionMessageToolCallChunk.function.arguments; the same request whole
    Why: LangChain delivers a valid call without arguments, which an agent then runs.
    Needs: tools.required.streamed
    When a tool must be called
    And a tool must be called in a stream
    Then no arguments are lost in the stream

  @must @tools.stream.arguments_of_two
  Scenario: Neither of two tool calls loses its arguments in a stream
    Source: schema, ChatCompletionMessageToolCallChunk.function.arguments; the same request whole
    Why: parsers that emit the first call and then only names lose the arguments of the second.
    Needs: tools.stream.arguments_kept
    When two tools must be called
    And two tools must be called in a stream
    Then no arguments are lost in the stream

  @should @tools.stream.same_arguments
  Scenario: A streamed tool call has the same arguments as the whole one
    Source: project decision; one request has one answer at temperature 0
    Why: a separate stream parser turns a number into text or drops a field, and the tool does something else.
    Needs: tools.stream.agrees, tools.stream.arguments_kept, tools.stream.arguments_json
    When a greedy chat completion is streamed
    And the same request is sent again
    And a tool must be called
    And a tool must be called in a stream
    Then the calls of the stream have the arguments of the whole answer, if greedy text repeats

  @should @tools.stream.same_arguments_of_two
  Scenario: Two streamed tool calls have the same arguments as the whole ones
    Source: project decision; one request has one answer at temperature 0
    Why: a parser that treats the second call as part of the first gives both the wrong arguments.
    Needs: tools.stream.same_arguments, tools.stream.arguments_of_two, tools.stream.own_index
    When a greedy chat completion is streamed
    And the same request is sent again
    And two tools must be called
    And two tools must be called in a stream
    Then the calls of the stream have the arguments of the whole answer, if greedy text repeats

  @must @tools.stream.usage
  Scenario: include_usage also adds a chunk with usage with tool calls
    Source: schema, ChatCompletionStreamOptions.include_usage
    Why: some servers omit it if tools are present (ollama/ollama#5200).
    Needs: tools.required.streamed
    When a tool must be called in a stream
    Then one chunk without choices carries the usage beside the calls

  @must @tools.harmless.unknown_name
  Scenario: A tool choice by an unknown name does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, ChatCompletionNamedToolChoice; the API answers 400
    Why: a look-up fails in the server, which returns a 500.
    When a tool must be called that is not offered
    Then the request does not fail the server

  @should @tools.refused.unknown_name
  Scenario: A tool choice by an unknown name is refused
    Source: schema, ChatCompletionNamedToolChoice; the API answers 400
    Why: the agent waits for a call of a misspelt tool and gets prose.
    Needs: tools.harmless.unknown_name
    When a tool must be called that is not offered
    Then the request is not accepted

  @must @tools.harmless.no_tools
  Scenario: The tool choice "required" without tools does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.tool_choice; the API answers 400
    Why: indexing into an empty tool list raises IndexError, which causes a 500 (vllm-project/vllm PR#19679).
    When a chat completion is wrongly requested with {"tool_choice": "required", "max_tokens": 2}
    Then the request does not fail the server

  @must @tools.request.untyped
  Scenario: A tool with an untyped property is accepted if tools are
    Source: schema, FunctionParameters: any JSON Schema; in that a type may be absent, or a list
    Why: one such property makes all tools of an agent unusable.
    When a tool is offered
    And a tool with a property without a type is offered
    Then if the first is accepted, so is the last

  @must @tools.request.definitions
  Scenario: A tool whose parameters use definitions is accepted if tools are
    Source: schema, FunctionParameters: any JSON Schema; guide, Structured Outputs: definitions are supported
    Why: Pydantic and Zod use $defs and $ref for every nested class; one such tool makes all tools of an agent unusable.
    When a tool is offered
    And a tool whose parameters have definitions is offered
    Then if the first is accepted, so is the last

  @must @tools.harmless.malformed
  Scenario: A tool whose parameters are a malformed schema does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, FunctionParameters, a JSON Schema
    Why: one such tool of one plug-in makes every request of an agent a 500, which its client retries.
    When a tool is offered
    And a tool whose parameters are malformed is wrongly offered
    Then the last causes no server error

  @must @tools.history.own
  Scenario: The server accepts its own message when it is sent back unchanged
    Source: guide, Function calling: the message that came is appended to the messages
    Why: clients keep all fields of a message, and the second turn of every conversation is refused.
    When a chat completion is requested with {}
    And a tool is offered
    And the target's own messages are sent back whole
    Then its own messages are accepted like those of others

  @should @tools.functions.not_ignored
  Scenario: A deprecated function is called or refused
    Source: API reference, chat completions, functions and function_call, deprecated; project decision: what is accepted is not ignored
    Why: older clients silently get prose instead of the call.
    When a chat completion is requested with {}
    And a function must be called in the form before tools
    Then the function is called, or refused

  @must @tools.history.empty_content
  Scenario: Empty content next to a tool call in the history is accepted
    Source: schema, ChatCompletionRequestAssistantMessage.content, a string
    Why: clients whose messages always have text send "" with every tool call.
    Needs: tools.history.null_content
    When the result of a tool is sent back
    And the result of a tool is sent back with empty content beside the call
    Then if the first is accepted, so is the last

  @must @tools.harmless.arguments_empty
  Scenario: A history with a tool call without arguments does not fail the server
    Source: RFC 9110 section 15.6; schema, ChatCompletionMessageToolCall.function.arguments: "may not always generate valid JSON"
    Why: chat templates parse the arguments, and every further turn of the conversation is a 500.
    When the result of a tool is sent back
    And a call with empty arguments is sent back
    Then the last causes no server error

  @must @tools.harmless.arguments_cut
  Scenario: A history with truncated tool call arguments does not fail the server
    Source: RFC 9110 section 15.6; schema, ChatCompletionMessageToolCall.function.arguments: "may not always generate valid JSON"
    Why: an answer that reached its limit is in the history, and every further turn of the conversation is a 500.
    When the result of a tool is sent back
    And a call with arguments that were cut is sent back
    Then the last causes no server error

  @should @tools.refused.no_tools
  Scenario: The tool choice "required" without tools is refused
    Source: schema, CreateChatCompletionRequest.tool_choice; the API answers 400
    Why: an agent that lost its tools waits for a call and gets prose.
    Needs: tools.harmless.no_tools
    When a chat completion is wrongly requested with {"tool_choice": "required", "max_tokens": 2}
    Then the request is not accepted

  @must @tools.harmless.tools_string
  Scenario: A string instead of the tools does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.tools
    Why: a loop over its characters fails with a 500.
    When a chat completion is wrongly requested with {"tools": "set_colour", "max_tokens": 2}
    Then the request does not fail the server

  @should @tools.refused.tools_string
  Scenario: A string instead of the tools is refused
    Source: schema, CreateChatCompletionRequest.tools
    Why: tools that were encoded twice are not offered, and the agent gets prose.
    Needs: tools.harmless.tools_string
    When a chat completion is wrongly requested with {"tools": "set_colour", "max_tokens": 2}
    Then the request is not accepted

  @must @tools.harmless.name_pattern
  Scenario: A tool with an invalid name does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, FunctionObject.name, "a-z, A-Z, 0-9, or contain underscores and dashes"
    Why: grammars built from names fail on it with a 500.
    When a chat completion is wrongly requested with {"tools": [{"type": "function", "function": {"name": "set colour!"}}], "max_tokens": 2}
    Then the request does not fail the server

  @should @tools.refused.name_pattern
  Scenario: A tool with an invalid name is refused
    Source: schema, FunctionObject.name, "a-z, A-Z, 0-9, or contain underscores and dashes"
    Why: the tool works here but is refused by the API later.
    Needs: tools.harmless.name_pattern
    When a chat completion is wrongly requested with {"tools": [{"type": "function", "function": {"name": "set colour!"}}], "max_tokens": 2}
    Then the request is not accepted
