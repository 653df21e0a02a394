Feature: Tools in a message
  Uses of tools that must come, whole and streamed, and what the tools gave.

  @must @messages.tools.named
  Scenario: tool_choice "tool" ends in a tool_use block
    Source: schema, MessageToolChoiceTool, "the one of this name"
    Why: a tool_choice that is accepted and ignored (Ollama) gives the call as plain text, and no client runs it.
    Needs: messages.response.blocks
    When a tool must be used in a message
    Then a tool is used in the message

  @must @messages.tools.named_one
  Scenario: tool_choice "tool" uses the tool that it names
    Source: schema, MessageToolChoiceTool, "the one of this name"
    Why: the client runs another tool than the one that it asked for.
    Needs: messages.tools.named
    When a tool must be used in a message
    Then every tool use names the forced tool

  @must @messages.tools.any
  Scenario: tool_choice "any" ends in a tool_use block
    Source: schema, MessageToolChoiceAny, "at least one of them"
    Why: an agent that selects a tool gets prose.
    Needs: messages.stream.block_start, messages.stream.block_open
    When a tool must be used in a streamed message
    Then a tool is used in the message

  @must @messages.tools.offered
  Scenario: Every tool_use block names a tool of the request
    Source: schema, CreateMessageRequest.tools, "the tools that the model may use"
    Why: agents raise for an unknown name.
    Needs: messages.tools.name
    When a tool must be used in a message
    And a tool must be used in a streamed message
    Then every tool use names an offered tool

  @must @messages.tools.one
  Scenario: disable_parallel_tool_use limits a message to one tool_use block
    Source: schema, MessageOneAtATime
    Why: agents that run one tool at a time drop the second.
    Needs: messages.tools.any
    When a tool must be used in a streamed message
    Then no more than one tool is used

  @must @messages.tools.id
  Scenario: Every tool_use block has an id that is not empty
    Source: schema, MessageToolUseBlock.id
    Why: the client cannot send the result back. No prefix is required.
    Needs: messages.tools.named, messages.tools.any
    When a tool must be used in a message
    And a tool must be used in a streamed message
    Then every tool use has an id

  @should @messages.tools.id_unique
  Scenario: The tool_use blocks of two messages have different ids
    Source: schema, MessageToolUseBlock.id, "the name of the use; the result is given with it"
    Why: both become part of one conversation.
    Needs: messages.tools.id
    When a tool must be used in a message
    And a tool must be used in a streamed message
    Then the ids of all tool uses differ

  @must @messages.tools.name
  Scenario: Every tool_use block has a name
    Source: schema, MessageToolUseBlock.name
    Why: the client does not know what to run.
    Needs: messages.tools.named, messages.tools.any
    When a tool must be used in a message
    And a tool must be used in a streamed message
    Then every tool use has a name

  @must @messages.tools.input
  Scenario: The input of a tool_use block is an object
    Source: schema, MessageToolUseBlock.input
    Why: chat's string of JSON is not read as input here.
    Needs: messages.tools.named
    When a tool must be used in a message
    Then every tool use has an input that is an object

  @should @messages.tools.stream_input
  Scenario: A tool_use block starts with an input, usually empty
    Source: schema, MessageToolUseBlock.input, required
    Why: strict decoders refuse the block without it. The common clients accept it.
    Needs: messages.tools.any
    When a tool must be used in a streamed message
    Then every tool use has an input that is an object

  @should @messages.tools.schema
  Scenario: The input of a tool_use block matches its schema
    Source: schema, MessageCustomTool.input_schema; without strict a model may stray, so nothing fails by it
    Why: arguments are lost on the way, and the tool runs without them (BerriAI/litellm#29491, BerriAI/litellm#25321).
    Needs: messages.tools.input, messages.tools.pieces, messages.tools.input_kept
    When a tool must be used in a message
    And a tool must be used in a streamed message
    Then the input of every tool use matches the schema of its tool

  @must @messages.tools.reason
  Scenario: A message with a tool_use block has the stop_reason "tool_use"
    Source: schema, MessageStopReason, tool_use
    Why: agents stop without running the tool.
    Needs: messages.tools.named, messages.response.stop_reason
    When a tool must be used in a message
    Then the stop reason of a message with a tool use is tool_use

  @must @messages.tools.stream_reason
  Scenario: A stream with a tool_use block has the stop_reason "tool_use"
    Source: schema, MessageStopReason, tool_use
    Why: agents stop without running the tool.
    Needs: messages.tools.any, messages.stream.reason
    When a tool must be used in a streamed message
    Then the stop reason of a message with a tool use is tool_use

  @must @messages.tools.reason_alone
  Scenario: A message with the stop_reason "tool_use" has a tool_use block
    Source: schema, MessageStopReason, tool_use
    Why: agents run nothing, and send the same conversation again.
    Needs: messages.response.stop_reason, messages.stream.reason, messages.response.blocks, messages.stream.block_start, messages.stream.block_open
    When any message is given
    Then a message with the stop reason tool_use has a tool use

  @must @messages.tools.pieces
  Scenario: The partial_json of a block adds up to a JSON object
    Source: guide, Streaming messages, input JSON delta: "partial JSON strings" of one object
    Why: anthropic-python raises ValueError in the middle of the stream. vLLM dropped the first piece (vllm-project/vllm PR#34053).
    Needs: messages.tools.any, messages.stream.block_kind
    When a tool must be used in a streamed message
    Then the joined pieces of every input are a JSON object

  # No piece at all is the input {}, and a model that nobody holds to the schema may choose it; so nothing fails by it.
  @should @messages.tools.input_kept
  Scenario: A streamed tool_use block has the input of a whole one
    Source: guide, Streaming messages, input JSON delta; without strict a model may stray
    Why: a block that starts and stops without a delta runs the tool without arguments (BerriAI/litellm#25561).
    Needs: messages.tools.any, messages.tools.input, messages.stream.block_kind
    When a tool must be used in a message
    And a tool must be used in a streamed message
    Then no input is lost in the stream

  @must @messages.tools.results
  Scenario: tool_result is accepted with a string and with blocks
    Source: schema, MessageToolResultParam.content
    Why: agents send either form, and the second turn fails.
    When a tool must be used in a message
    And the results of tools are sent back in a message
    Then if the first is accepted, so is the last
