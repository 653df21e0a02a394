Feature: A streamed message
  POST /messages with stream true: named events, and their order.

  @must @messages.stream.type
  Scenario: Every event of a message has a type in its data
    Source: schema, MessageStartEvent.type, and that of every other event
    Why: official clients and the AI SDK read the type there, and fail without it.
    Needs: stream.json
    When any message is streamed
    Then the data of each event has a type

  @must @messages.stream.name
  Scenario: The event line of every event of a message equals its type
    Source: guide, Streaming messages, "each event is a named server-sent event"; schema, MessageSseEvent.event
    Why: both official SDKs receive no event without the lines "event:", and return nothing.
    Needs: messages.stream.type
    When any message is streamed
    Then the name of each event is its type

  @must @messages.stream.starts
  Scenario: message_start is the first event
    Source: guide, Streaming messages, event flow
    Why: both official SDKs raise if another event comes first. ping may come first.
    Needs: messages.stream.type
    When any message is streamed
    Then the order of the events shows no late-start

  @must @messages.stream.starts_once
  Scenario: message_start is sent once
    Source: guide, Streaming messages, event flow
    Why: @anthropic-ai/sdk raises "Unexpected event order" (BerriAI/litellm#32357).
    Needs: messages.stream.starts
    When any message is streamed
    Then the order of the events shows no second-start

  @must @messages.stream.message
  Scenario: message_start carries the message
    Source: schema, MessageStartEvent.message
    Why: clients add the deltas to it.
    Needs: messages.stream.starts
    When any message is streamed
    Then "message" in message_start, apart from ["message.content", "message.usage", "message.stop_reason", "message.stop_sequence"], fits its schema

  @must @messages.stream.empty_content
  Scenario: message_start has an empty content array
    Source: guide, Streaming messages, "with empty content"; schema, Message.content
    Why: both official SDKs append to the array, and raise if it is null or missing.
    Needs: messages.stream.message
    When any message is streamed
    Then the message begins without content

  @must @messages.stream.start_usage
  Scenario: message_start has usage
    Source: schema, MessageUsage
    Why: both official SDKs write later counts into it, and raise if it is missing.
    Needs: messages.stream.message
    When any message is streamed
    Then "message.usage" in message_start fits its schema

  @should @messages.stream.no_reason_yet
  Scenario: stop_reason in message_start is null
    Source: schema, MessageStopReason, "null while it goes on", required
    Why: strict decoders refuse the message without the field (Ollama leaves it out).
    Needs: messages.stream.message
    When any message is streamed
    Then the message begins without a stop reason

  @must @messages.stream.block_start
  Scenario: content_block_start has the fields of the block's type
    Source: schema, MessageBlockStartEvent.content_block
    Why: anthropic-python appends to the text, and raises TypeError if it is missing.
    Needs: messages.stream.starts
    When any message is streamed
    Then every block starts in the form of its type

  @must @messages.stream.index
  Scenario: Every event of a block has the index of the block
    Source: schema, MessageBlockIndex
    Why: an index of -1 loses the text in @anthropic-ai/sdk (BerriAI/litellm).
    Needs: messages.stream.type
    When any message is streamed
    Then the events of blocks have block numbers

  @must @messages.stream.block_numbers
  Scenario: Block indices start at 0 and rise by 1
    Source: guide, Streaming messages, "index of the block in the final message"
    Why: clients use the index as a position in the content array: anthropic-python raises IndexError, @anthropic-ai/sdk loses the text.
    Needs: messages.stream.index
    When any message is streamed
    Then the order of the events shows no misnumbered-block

  @must @messages.stream.block_open
  Scenario: Deltas are sent only for a block that is open
    Source: guide, Streaming messages: content_block_start, deltas, content_block_stop
    Why: both official SDKs raise, or lose the text, if content_block_start is missing.
    Needs: messages.stream.block_numbers
    When any message is streamed
    Then the order of the events shows no closed-block

  @must @messages.stream.block_stopped
  Scenario: content_block_stop ends each block before the next event of another kind
    Source: guide, Streaming messages: each block is followed by content_block_stop
    Why: agents that run a tool at content_block_stop wait for it.
    Needs: messages.stream.block_open
    When any message is streamed
    Then the order of the events shows no unstopped-block

  @must @messages.stream.block_late
  Scenario: No content is sent after message_delta
    Source: guide, Streaming messages, event flow
    Why: clients show the message as complete by then.
    Needs: messages.stream.block_open
    When any message is streamed
    Then the order of the events shows no late-block

  @must @messages.stream.delta
  Scenario: Every delta has the fields of its type
    Source: schema, MessageBlockDelta
    Why: text in a field of another name is lost. Deltas of unknown types are allowed.
    Needs: messages.stream.block_open
    When any message is streamed
    Then every delta has the fields of its type

  @must @messages.stream.block_kind
  Scenario: The type of every delta fits the type of its block
    Source: guide, Streaming messages, content block delta types
    Why: text_delta in a tool_use block crashes the SDK (sgl-project/sglang#24293), and thinking_delta in a text block is lost (BerriAI/litellm#32357).
    Needs: messages.stream.delta
    When any message is streamed
    Then every delta is of the kind of its block

  @must @messages.stream.reason
  Scenario: message_delta has a stop_reason of the schema
    Source: schema, MessageEnd.stop_reason
    Why: agents branch on it. Null means that the message has not ended.
    Needs: messages.stream.message_delta
    When any message is streamed
    Then the stop reason is one that the contract knows

  @should @messages.stream.stop_sequence
  Scenario: message_delta has stop_sequence, a string or null
    Source: schema, MessageEnd.stop_sequence, required and nullable
    Why: strict decoders refuse the event without it.
    Needs: messages.stream.message_delta, messages.stream.reason
    When any message is streamed
    Then the message has stop_sequence, possibly null

  @must @messages.stream.end_usage
  Scenario: message_delta has usage with output_tokens
    Source: schema, MessageDeltaEvent.usage
    Why: both official SDKs raise if usage is missing.
    Needs: messages.stream.message_delta
    When any message is streamed
    Then "usage" in message_delta fits its schema

  @must @messages.stream.message_delta
  Scenario: message_delta is sent before message_stop
    Source: guide, Streaming messages, event flow
    Why: the stop_reason stays null.
    Needs: messages.stream.starts
    When any message is streamed
    Then the order of the events shows no missing-message-delta

  @must @messages.stream.stops
  Scenario: message_stop is sent
    Source: guide, Streaming messages, "a final message_stop event"
    Why: @anthropic-ai/sdk raises "without producing a Message", and other clients cannot tell a complete stream from a cut one.
    Needs: messages.stream.type
    When any message is streamed
    Then the order of the events shows no missing-message-stop

  @must @messages.stream.last
  Scenario: No event follows message_stop
    Source: guide, Streaming messages, "a final message_stop event"
    Why: clients have stopped reading.
    Needs: messages.stream.stops
    When any message is streamed
    Then the order of the events shows no late-event

  @must @messages.stream.ends
  Scenario: The response ends after message_stop
    Source: RFC 9112 section 6.3: the message is complete; guide, Streaming messages
    Why: clients that read to the end of the response wait forever.
    Needs: messages.stream.stops
    When any message is streamed
    Then the connection is released after message_stop

  @should @messages.stream.no_done
  Scenario: A streamed message has no [DONE]
    Source: guide, Streaming messages, which has none
    Why: it is not JSON. The SDKs skip it, and other readers fail to parse it.
    When any message is streamed
    Then no "[DONE]" is in the stream

  @must @messages.stream.error_event
  Scenario: An error in a stream is an event named error
    Source: guide, Streaming messages, error events; schema, MessageErrorEnvelope
    Why: under another name anthropic-python returns the cut text as a complete answer.
    Needs: messages.stream.name
    When any message is streamed
    Then a stream that fails reports this in an event named error

  @should @messages.stream.no_error
  Scenario: The stream of a valid request has no error event
    Source: project decision; an error in mid-stream is a server error that came too late for a status
    Why: SDKs raise after half of the text was shown.
    Needs: messages.stream.error_event
    When any message is streamed
    Then no event of the stream is an error

  @should @messages.stream.adds_up
  Scenario: The deltas add up to the text of the whole message
    Source: project decision; greedy text does not depend on how it is sent
    Why: users see lost or repeated pieces.
    Needs: messages.stream.block_kind
    When a greedy chat completion is streamed
    And the same request is sent again
    And a message is requested with {"temperature": 0, "max_tokens": 24}
    And a message is streamed with {"temperature": 0, "max_tokens": 24}
    Then the joined pieces are the text of the whole message, if greedy text repeats

  @should @messages.stream.same_end
  Scenario: A stream has the stop_reason and output_tokens of the whole message
    Source: project decision; the same text ends for the same reason, and takes as many tokens
    Why: the parser for streams disagrees with the parser for whole answers.
    Needs: messages.stream.adds_up, messages.stream.reason, messages.stream.end_usage
    When a message is requested with {"temperature": 0, "max_tokens": 24}
    And a message is streamed with {"temperature": 0, "max_tokens": 24}
    Then the stream has the stop reason and the output tokens of the whole message
