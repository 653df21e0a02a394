Feature: Server-sent events
  The framing of streams, for chat completions and completions.

  @must @stream.content_type
  Scenario: A stream is sent as text/event-stream
    Source: schema, responses.200.content of both operations; SSE standard 9.2.5
    Why: clients that check the type wait forever or reject it (Lightning-AI/LitServe#359, containers/ramalama#2837).
    When any stream is asked for
    Then the answer is an event stream

  @must @stream.utf8
  Scenario: A stream is UTF-8
    Source: SSE standard 9.2.5, "event streams must be encoded as UTF-8"
    Why: every client shows U+FFFD for split characters.
    When any stream is asked for
    Then the strict parser finds no invalid-utf-8

  @must @stream.complete_events
  Scenario: Every event of a stream ends with a blank line
    Source: SSE standard 9.2.6: an incomplete event at the end is discarded
    Why: a client that follows the standard never sees the last event.
    When any stream is asked for
    Then the strict parser finds no incomplete-event

  @must @stream.fields
  Scenario: Every line of a stream is a field defined by the standard
    Source: SSE standard 9.2.6: unknown fields are ignored
    Why: the content of such a line is lost.
    When any stream is asked for
    Then the strict parser finds no unknown-field or field-without-colon

  @should @stream.no_empty_events
  Scenario: Every event of a stream has data
    Source: SDK behaviour, openai-python _streaming.py; SSE standard 9.2.6
    Why: openai-python parses the empty data as JSON and raises (openai/openai-python#2722).
    Needs: stream.data_only, stream.fields
    When any stream is asked for
    Then the strict parser finds no no-data-event

  @should @stream.data_only
  Scenario: The events of a stream contain only data
    Source: schema, CreateCompletionRequest.stream, "data-only server-sent events"; recorded streams
    Why: simple readers treat every line as data.
    When any stream of chunks is asked for
    Then the strict parser finds no event-name or id-field or nul-in-id or retry-field or bad-retry

  @should @stream.one_line
  Scenario: The data of each event is on one line
    Source: recorded streams; the standard allows several
    Why: clients that split on lines parse a partial object.
    When any stream is asked for
    Then the strict parser finds no multi-line-data

  @should @stream.line_ends
  Scenario: The lines of a stream end in LF
    Source: recorded streams; the standard allows CRLF and CR
    Why: ChatterUI's reader finds no events between CRLF pairs (oobabooga/textgen#5678).
    When any stream is asked for
    Then the strict parser finds no crlf or cr

  @should @stream.space
  Scenario: A space follows "data:"
    Source: recorded streams; the standard allows none
    Why: langchain_dart and others strip six characters and yield nothing (davidmigloz/langchain_dart#778).
    Needs: stream.fields
    When any stream is asked for
    Then the strict parser finds no no-space

  @should @stream.bom
  Scenario: No stream begins with a byte order mark
    Source: recorded streams; the standard allows one
    Why: readers that look for "data:" miss the first event.
    When any stream is asked for
    Then the strict parser finds no bom

  @must @stream.json
  Scenario: The data of every event is a JSON object
    Source: schema, CreateChatCompletionStreamResponse; RFC 8259
    Why: json.loads raises, and the stream is lost.
    When any stream is asked for
    Then every event but the last "[DONE]" is a JSON object

  @must @stream.done_last
  Scenario: Nothing follows [DONE]
    Source: guide, Streaming; schema, stream_options, "before the data: [DONE] message"
    Why: all clients but the AI SDK stop reading there and lose what follows; the AI SDK reads on.
    Needs: chat.stream.done
    When any stream of chunks is asked for
    Then nothing follows the "[DONE]"

  @must @stream.ends
  Scenario: The response ends after [DONE]
    Source: RFC 9112 section 6.3: the message is complete; schema, "terminated by a data: [DONE] message"
    Why: clients that read to the end wait forever (ml-explore/mlx-lm#1148).
    Needs: chat.stream.done
    When any stream of chunks is asked for
    Then the connection is released after the "[DONE]"

  @should @stream.no_error
  Scenario: No stream of a valid request ends with an error
    Source: project decision; an error in mid-stream is a server error that came too late for a status
    Why: SDKs raise, or treat the part as the whole (open-webui/open-webui#29628).
    When any stream of chunks is asked for
    Then no event carries an error

  @should @stream.no_empty_error
  Scenario: No chunk has an empty error
    Source: schema, CreateChatCompletionStreamResponse, which has no error; recorded streams
    Why: the AI SDK treats null as an error and drops the text; openai-node and LangChain raise on {}.
    When any stream of chunks is asked for
    Then no chunk has an empty error
