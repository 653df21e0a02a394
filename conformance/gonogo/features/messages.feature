Feature: A whole message
  POST /messages without stream, of the Messages API that agents use beside chat completions.

  @must @messages.response.status
  Scenario: A message is answered with 200
    Source: schema, paths./messages.post.responses
    Why: the document names 200 and no other success.
    When any message is requested
    Then the answer's status is 200

  @must @messages.response.content_type
  Scenario: A message is sent as application/json
    Source: schema, paths./messages.post.responses.200.content
    Why: anthropic-python returns a str instead of an object for any other media type.
    When any message is requested
    Then the answer's content type is "application/json"

  @must @messages.response.json
  Scenario: A message is one JSON object
    Source: schema, Message; RFC 8259
    Why: NaN, or an event stream that was not requested, breaks JSON.parse.
    Needs: messages.response.content_type
    When any message is requested
    Then the answer is one JSON object

  @must @messages.response.id
  Scenario: A message has an id
    Source: schema, Message.id
    Why: clients store messages by it. No prefix is required.
    Needs: messages.response.json
    When any message is requested
    Then "id" in the answer fits Message

  @should @messages.response.id_not_empty
  Scenario: The id of a message is not empty
    Source: schema, Message.id, "the name of the message"
    Why: an empty id identifies nothing.
    Needs: messages.response.id
    When any message is requested
    Then "id" in the answer is a string that is not empty

  @should @messages.response.id_unique
  Scenario: Two messages have different ids
    Source: schema, Message.id, "the name of the message"
    Why: clients that store messages by id show the second answer in place of the first.
    Needs: messages.response.id_not_empty
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And a tool must be used in a message
    And any message is requested
    Then no two answers have the same "id"

  @must @messages.response.type
  Scenario: The type of a message is "message"
    Source: schema, Message.type
    Why: typed clients tell a message from an error by this literal.
    Needs: messages.response.json
    When any message is requested
    Then "type" in the answer fits Message

  @must @messages.response.role
  Scenario: The role of a message is "assistant"
    Source: schema, Message.role
    Why: clients send the message back in the next request unchanged.
    Needs: messages.response.json
    When any message is requested
    Then "role" in the answer fits Message

  @must @messages.response.model
  Scenario: A message names its model
    Source: schema, Message.model
    Why: routing and billing use it.
    Needs: messages.response.json
    When any message is requested
    Then "model" in the answer fits Message

  @must @messages.response.content
  Scenario: The content of a message is an array of blocks
    Source: schema, Message.content
    Why: clients iterate over it. The SDK accepts a string, and the caller's code fails later.
    Needs: messages.response.json
    When any message is requested
    Then "content" in the answer, apart from ["content[]"], fits Message

  @must @messages.response.blocks
  Scenario: Every content block has the fields of its type
    Source: schema, MessageBlock
    Why: clients read block.text without a check, and show no text of the type output_text. Blocks of new types are allowed.
    Needs: messages.response.content
    When any message is requested
    Then each block of the message fits its type

  @should @messages.response.has_text
  Scenario: A completed message has text
    Source: schema, MessageTextBlock; project decision: a plain question is answered with words
    Why: with thinking off, the whole answer came as a thinking block (raullenchai/Rapid-MLX PR#213), and chats showed nothing.
    Needs: messages.response.blocks
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    Then the message has text

  @should @messages.response.no_empty_text
  Scenario: No text block is empty
    Source: guide, Messages: text content blocks must be non-empty, when the message is sent back
    Why: an empty text block before a tool_use block (vllm-project/vllm PR#34053) is refused on the next turn.
    Needs: messages.response.blocks, messages.stream.block_kind
    When any message is given
    Then no block of text is empty

  @should @messages.response.order
  Scenario: Thinking blocks come first, then text, then tool_use
    Source: schema, MessageBlocks, "thinking, then text, then uses of tools"
    Why: clients send the message back unchanged, and a thinking block in another place is refused.
    Needs: messages.response.blocks
    When any message is given
    Then thinking comes before text, and text before uses of tools

  @must @messages.response.stop_reason
  Scenario: The stop_reason of a message is one of the schema
    Source: schema, MessageStopReason
    Why: agents branch on it, and do nothing for "stop" or "length".
    Needs: messages.response.json
    When any message is requested
    Then the stop reason is one that the contract knows

  @should @messages.response.stop_sequence
  Scenario: A message has stop_sequence, a string or null
    Source: schema, Message.stop_sequence, required and nullable
    Why: strict decoders refuse the message without it.
    Needs: messages.response.json
    When any message is requested
    Then the message has stop_sequence, possibly null

  @should @messages.response.stop_sequence_alone
  Scenario: stop_sequence is null unless a stop sequence ended the message
    Source: schema, Message.stop_sequence; MessageStopReason, stop_sequence
    Why: Ollama reported every unknown reason as a stop sequence.
    Needs: messages.response.stop_reason, messages.response.stop_sequence
    When any message is given
    Then only a message that a stop sequence ended names one

  @must @messages.response.usage
  Scenario: The usage of a message has two integers
    Source: schema, MessageUsage
    Why: anthropic-python accepts a message without usage, and cost tracking fails later.
    Needs: messages.response.json
    When any message is requested
    Then "usage" in the answer fits Message

  @should @messages.usage.prompt
  Scenario: input_tokens of a message are counted
    Source: schema, MessageUsage.input_tokens; those of caches are counted beside them
    Why: Claude Code compacts the conversation by this count, and never does if it is 0.
    Needs: messages.response.usage
    When any message is given
    Then the tokens of the prompt are counted

  @should @messages.usage.answer
  Scenario: output_tokens of a message are counted
    Source: schema, MessageUsage.output_tokens
    Why: a count that is always 0 makes every answer free.
    Needs: messages.response.usage, messages.usage.prompt
    When any message is given
    Then the tokens of the answer are counted

  @should @messages.usage.streamed
  Scenario: A prompt has the same number of tokens streamed and whole
    Source: schema, MessageUsage: input_tokens and the counts of caches are the prompt together
    Why: the context size that a client shows changes with each turn. Tokens read from a cache count in fields of their own.
    Needs: messages.usage.prompt
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And a message is streamed with {"temperature": 0, "max_tokens": 24}
    Then the tokens of the message are counted as before

  @must @messages.limit.max_tokens
  Scenario: max_tokens limits a message
    Source: schema, CreateMessageRequest.max_tokens
    Why: a message that passes its limit costs more than the caller allowed.
    Needs: messages.response.usage
    When any message is given
    Then no more tokens were generated than the request allows

  @must @messages.limit.reason
  Scenario: A message cut by max_tokens has the stop_reason "max_tokens"
    Source: schema, MessageStopReason, max_tokens
    Why: Claude Code takes the cut answer for a complete one.
    Needs: messages.response.stop_reason, messages.limit.max_tokens
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And a message of few tokens is requested with a system prompt
    Then a message that its limit ends has the reason max_tokens

  @must @messages.stop.honoured
  Scenario: A stop sequence ends a message
    Source: schema, CreateMessageRequest.stop_sequences, "texts that end the generation"
    Why: the text after the stop sequence is generated, and paid for.
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And a message is requested with a part of its text as stop sequence
    Then the message ends at its stop sequence

  @must @messages.stop.excluded
  Scenario: The stop sequence is not part of the text of a message
    Source: schema, CreateMessageRequest.stop_sequences, "before they would appear"
    Why: users see the marker.
    Needs: messages.stop.honoured
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And a message is requested with a part of its text as stop sequence
    Then the stop sequence is not in the message

  @must @messages.stop.reason
  Scenario: A message ended by a stop sequence has the stop_reason "stop_sequence"
    Source: schema, MessageStopReason, stop_sequence
    Why: callers cannot tell whether the model completed its answer.
    Needs: messages.stop.honoured
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And a message is requested with a part of its text as stop sequence
    Then the reason of the stopped message is stop_sequence

  @should @messages.stop.named
  Scenario: stop_sequence names the stop sequence that ended the message
    Source: schema, Message.stop_sequence
    Why: a caller that sent several does not learn which one matched (Ollama never fills it).
    Needs: messages.stop.reason
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And a message is requested with a part of its text as stop sequence
    Then the stop sequence that ended the message is named

  # A server that knows no output_config passes it over, as it must with what it does not know; so nothing fails by it.
  @should @messages.structured.kept
  Scenario: A streamed message matches the JSON schema of output_config.format
    Source: schema, MessageOutputConfig.format; guide, Structured outputs
    Why: a caller that extracts data gets prose if the format is accepted and ignored.
    Needs: messages.stream.block_kind
    When an object of a schema is asked for in a streamed message
    Then the text of the message is JSON that its schema admits

  @should @messages.same.text
  Scenario: A message and a chat completion have the same text
    Source: project decision; one engine behind both surfaces gives one greedy text
    Why: a second template or a second parser gives other answers on this surface.
    When a greedy chat completion is streamed
    And a greedy chat completion is requested
    And a message is streamed with {"temperature": 0, "max_tokens": 24}
    And a message is requested with {"temperature": 0, "max_tokens": 24}
    Then the text is the same on both surfaces

  @should @messages.same.reason
  Scenario: A message and a chat completion end for the same reason
    Source: project decision; the same text ends for the same reason
    Why: an agent continues on one surface and stops on the other.
    Needs: messages.same.text
    When a greedy chat completion is streamed
    And a greedy chat completion is requested
    And a message is streamed with {"temperature": 0, "max_tokens": 24}
    And a message is requested with {"temperature": 0, "max_tokens": 24}
    Then the reason to end is the same on both surfaces

  @should @messages.same.input
  Scenario: A message and a chat completion have the same number of prompt tokens
    Source: project decision; schema, MessageUsage: the counts of caches are part of it
    Why: an added system prompt, or a cache counted twice, is paid for.
    Needs: messages.same.text
    When a greedy chat completion is streamed
    And a greedy chat completion is requested
    And a message is streamed with {"temperature": 0, "max_tokens": 24}
    And a message is requested with {"temperature": 0, "max_tokens": 24}
    Then the input has as many tokens on both surfaces

  @should @messages.same.output
  Scenario: A message and a chat completion have the same number of output tokens
    Source: project decision; the same text takes the same tokens
    Why: one of the two counts is wrong.
    Needs: messages.same.text
    When a greedy chat completion is streamed
    And a greedy chat completion is requested
    And a message is streamed with {"temperature": 0, "max_tokens": 24}
    And a message is requested with {"temperature": 0, "max_tokens": 24}
    Then the output has as many tokens on both surfaces
