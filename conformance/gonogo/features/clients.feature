Feature: Python clients
  Recorded answers are replayed to real clients through an in-memory transport; no request is sent for them. A client
  breaks if an exception reaches the application, or if a loop over a stream ends without an iteration.

  @should @clients.openai_python.models
  Scenario: openai-python reads the models
    Source: SDK behaviour, openai-python, client.models.list() and retrieve()
    Why: programs that look for a model id in models.data do not start.
    When the models are listed
    And the served model is retrieved
    Then openai-python reads the models

  @should @clients.openai_python.chat
  Scenario: openai-python reads chat completions
    Source: SDK behaviour, openai-python, client.chat.completions.create()
    Why: the code of every tutorial raises: 'NoneType' object is not subscriptable (runpod-workers/worker-vllm#57).
    When any chat completion is requested
    Then openai-python reads the chat completion

  @should @clients.openai_python.chat_stream
  Scenario: openai-python reads streamed chat completions
    Source: SDK behaviour, openai-python, create(stream=True) and client.chat.completions.stream()
    Why: the loop over the stream raises or stays empty (openai/openai-python#2722, openai/openai-python#2806).
    When any chat completion is streamed
    Then openai-python reads the chat completion's stream

  @should @clients.openai_python.completions
  Scenario: openai-python reads completions
    Source: SDK behaviour, openai-python, client.completions.create()
    Why: evaluation harnesses and editors that complete text use it.
    When any completion is requested
    Then openai-python reads the completion

  @should @clients.openai_python.completions_stream
  Scenario: openai-python reads streamed completions
    Source: SDK behaviour, openai-python, client.completions.create(stream=True)
    Why: the loop over the stream raises or stays empty (qualcomm/GenieX PR#66).
    When any completion is streamed
    Then openai-python reads the completion's stream

  @should @clients.openai_python.responses
  Scenario: openai-python reads responses
    Source: SDK behaviour, openai-python, client.responses.create()
    Why: output_text and usage are read by every application, and raise if output is null or a count is missing.
    When any response is requested
    Then openai-python reads the response

  @should @clients.openai_python.responses_stream
  Scenario: openai-python reads streamed responses
    Source: SDK behaviour, openai-python, create(stream=True) and client.responses.stream()
    Why: its helper raises if an item or a part was not added before its deltas, or no event ends the response (openai/codex#41340).
    When any response is streamed
    Then openai-python reads the response's stream

  @should @clients.anthropic_python.messages
  Scenario: anthropic-python reads messages
    Source: SDK behaviour, anthropic-python, client.messages.create()
    Why: the loop over message.content raises if it has no blocks.
    When any message is requested
    Then anthropic-python reads the message

  @should @clients.anthropic_python.messages_stream
  Scenario: anthropic-python reads streamed messages
    Source: SDK behaviour, anthropic-python, create(stream=True) and client.messages.stream()
    Why: events without a name are dropped in silence, and deltas on a block of another kind raise (sgl-project/sglang#24293).
    When any message is streamed
    Then anthropic-python reads the message's stream

  @should @clients.openai_python.errors
  Scenario: Applications on openai-python read errors
    Source: SDK behaviour, openai-python, APIStatusError.body, as Langflow reads that of a BadRequestError
    Why: a second exception hides the first if error.body of a 400 is not an object (microsoft/autogen#279).
    When any request is refused
    Then openai-python reads the error

  @should @clients.httpx_sse.stream
  Scenario: httpx-sse reads streams
    Source: SDK behaviour, httpx-sse, EventSource.iter_sse()
    Why: Python SDKs and gateways that parse server-sent events themselves use it.
    When any stream of chunks is asked for
    Then httpx-sse reads the stream
