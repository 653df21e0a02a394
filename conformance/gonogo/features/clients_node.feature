Feature: Node clients
  Recorded answers are replayed to openai-node and the AI SDK through their fetch option; no request is sent for them.
  What each client delivers is compared with the bytes. A client breaks if it throws, or if it silently loses or changes
  text, tool calls, ids, a finish reason or usage.

  @should @clients.openai_node.models
  Scenario: openai-node delivers the models
    Source: SDK behaviour, openai-node, client.models.list() and retrieve()
    Why: it treats a list under another name than "data" as empty, without an error.
    When the models are listed
    And the served model is retrieved
    Then openai-node reads the models

  @should @clients.openai_node.chat
  Scenario: openai-node delivers chat completions
    Source: SDK behaviour, openai-node, client.chat.completions.create()
    Why: it returns a string for any other media type, so that completion.choices[0] throws.
    When any chat completion is requested
    Then openai-node reads the chat completion

  @should @clients.openai_node.chat_stream
  Scenario: openai-node delivers streamed chat completions
    Source: SDK behaviour, openai-node, create({ stream: true }) and client.chat.completions.stream()
    Why: its helper throws if a choice has no finish reason or a tool call no type; it joins tool calls by their index.
    When any chat completion is streamed
    Then openai-node reads the chat completion's stream

  @should @clients.openai_node.completions
  Scenario: openai-node delivers completions
    Source: SDK behaviour, openai-node, client.completions.create()
    Why: editors with inline completion use it.
    When any completion is requested
    Then openai-node reads the completion

  @should @clients.openai_node.completions_stream
  Scenario: openai-node delivers streamed completions
    Source: SDK behaviour, openai-node, client.completions.create({ stream: true })
    Why: the loop over the stream throws, or ends without the text.
    When any completion is streamed
    Then openai-node reads the completion's stream

  @should @clients.openai_node.embeddings
  Scenario: openai-node delivers the vectors
    Source: SDK behaviour, openai-node, client.embeddings.create(), which asks for base64 by itself
    Why: it returns base64 that nobody requested as the vector, a string, without an error.
    When any embeddings are requested
    Then openai-node reads the embeddings

  @should @clients.ai_sdk.chat
  Scenario: The AI SDK delivers chat completions
    Source: SDK behaviour, AI SDK with @ai-sdk/openai-compatible, generateText()
    Why: it validates the whole answer; one field of the wrong type makes it fail.
    When any chat completion is requested
    Then the AI SDK reads the chat completion

  @should @clients.ai_sdk.chat_stream
  Scenario: The AI SDK delivers streamed chat completions
    Source: SDK behaviour, AI SDK with @ai-sdk/openai-compatible, streamText()
    Why: an "error" of null or an unknown chunk stops the text, and it invents ids for tool calls without one.
    When any chat completion is streamed
    Then the AI SDK reads the chat completion's stream

  @should @clients.ai_sdk.errors
  Scenario: The AI SDK delivers the messages of errors
    Source: SDK behaviour, AI SDK with @ai-sdk/openai-compatible, APICallError.message
    Why: for an error of another form it reports only "Bad Request", and the user does not learn the reason.
    When any request is refused
    Then the AI SDK reads the error

  @should @clients.openai_node.responses
  Scenario: openai-node delivers responses
    Source: SDK behaviour, openai-node, client.responses.create()
    Why: it adds up output_text from the parts of the items, and throws if output is not a list.
    When any response is requested
    Then openai-node reads the response

  @should @clients.openai_node.responses_stream
  Scenario: openai-node delivers streamed responses
    Source: SDK behaviour, openai-node, create({ stream: true }) and client.responses.stream()
    Why: its helper throws if an index or an id changes, and at unknown events (openai/openai-node#2323).
    When any response is streamed
    Then openai-node reads the response's stream

  @should @clients.ai_sdk.responses
  Scenario: The AI SDK delivers responses
    Source: SDK behaviour, AI SDK with @ai-sdk/openai, generateText()
    Why: it validates the whole answer, and one field of another type costs all of it.
    When any response is requested
    Then the AI SDK reads the response

  @should @clients.ai_sdk.responses_stream
  Scenario: The AI SDK delivers streamed responses
    Source: SDK behaviour, AI SDK with @ai-sdk/openai, streamText()
    Why: events without an index or an id are dropped in silence, and with them text and calls (ggml-org/llama.cpp#20607).
    When any response is streamed
    Then the AI SDK reads the response's stream

  @should @clients.anthropic_node.messages
  Scenario: @anthropic-ai/sdk delivers messages
    Source: SDK behaviour, @anthropic-ai/sdk, client.messages.create()
    Why: it checks nothing, so that a content that is no list breaks the application.
    When any message is requested
    Then @anthropic-ai/sdk reads the message

  @should @clients.anthropic_node.messages_stream
  Scenario: @anthropic-ai/sdk delivers streamed messages
    Source: SDK behaviour, @anthropic-ai/sdk, create({ stream: true }) and client.messages.stream()
    Why: events without a name are dropped, and its helper throws if message_stop is missing or a message begins twice (BerriAI/litellm#32357).
    When any message is streamed
    Then @anthropic-ai/sdk reads the message's stream

  @should @clients.ai_sdk.messages
  Scenario: The AI SDK delivers messages
    Source: SDK behaviour, AI SDK with @ai-sdk/anthropic, generateText()
    Why: it validates the whole answer, and one field of another type costs all of it.
    When any message is requested
    Then the AI SDK reads the message

  @should @clients.ai_sdk.messages_stream
  Scenario: The AI SDK delivers streamed messages
    Source: SDK behaviour, AI SDK with @ai-sdk/anthropic, streamText()
    Why: a delta that does not belong to its block costs the text, and a stream without message_stop the usage.
    When any message is streamed
    Then the AI SDK reads the message's stream
