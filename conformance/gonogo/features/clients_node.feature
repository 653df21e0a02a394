Feature: What clients for Node are delivered of the answers
  Recorded answers are replayed to openai-node and the AI SDK through their own option for fetch; no request is made for
  them. What each delivers is held against the bytes: a client breaks where it throws, and where text, calls, ids, a
  finish reason or usage that the bytes hold are lost or changed without a word.

  @should @clients.openai_node.models
  Scenario: openai-node delivers the models
    Source: SDK behaviour, openai-node, client.models.list() and retrieve()
    Why: a list under another name than "data" is an empty one to it, without an error.
    When the models are listed
    And the served model is retrieved
    Then openai-node reads the models

  @should @clients.openai_node.chat
  Scenario: openai-node delivers chat completions
    Source: SDK behaviour, openai-node, client.chat.completions.create()
    Why: what is not called JSON is a string to it, so that completion.choices[0] throws.
    When any chat completion is requested
    Then openai-node reads the chat completion

  @should @clients.openai_node.chat_stream
  Scenario: openai-node delivers streamed chat completions
    Source: SDK behaviour, openai-node, create({ stream: true }) and client.chat.completions.stream()
    Why: its helper throws where a choice has no finish reason or a call no type, and calls are added up by their index.
    When any chat completion is streamed
    Then openai-node reads the chat completion's stream

  @should @clients.openai_node.completions
  Scenario: openai-node delivers completions
    Source: SDK behaviour, openai-node, client.completions.create()
    Why: editors that complete code in the line use it.
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
    Why: base64 that nobody asked for is handed out as the vector, a string, without an error.
    When any embeddings are requested
    Then openai-node reads the embeddings

  @should @clients.ai_sdk.chat
  Scenario: The AI SDK delivers chat completions
    Source: SDK behaviour, AI SDK with @ai-sdk/openai-compatible, generateText()
    Why: it validates the whole answer, and one field of another type costs all of it.
    When any chat completion is requested
    Then the AI SDK reads the chat completion

  @should @clients.ai_sdk.chat_stream
  Scenario: The AI SDK delivers streamed chat completions
    Source: SDK behaviour, AI SDK with @ai-sdk/openai-compatible, streamText()
    Why: an "error" of null or a chunk that it does not know stops the text, and it invents ids for calls without one.
    When any chat completion is streamed
    Then the AI SDK reads the chat completion's stream

  @should @clients.ai_sdk.errors
  Scenario: The AI SDK delivers the messages of errors
    Source: SDK behaviour, AI SDK with @ai-sdk/openai-compatible, APICallError.message
    Why: of an error in another form it tells "Bad Request" alone, and the user does not learn what is wrong.
    When any request is refused
    Then the AI SDK reads the error
