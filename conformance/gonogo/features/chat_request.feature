Feature: What a chat completion may be asked with
  Requests that the contract allows, each beside the plain one that shows the endpoint itself works.

  @must @chat.request.stream_false
  Scenario: A chat completion with stream false is a whole answer
    Source: schema, CreateChatCompletionRequest.stream
    Why: SDKs send the key always; an event stream here breaks JSON.parse (unslothai/unsloth#6570).
    When a chat completion is requested with {"stream": false}
    Then the answer is one JSON object

  @must @chat.request.stream_null
  Scenario: A chat completion with stream null is accepted
    Source: schema, CreateChatCompletionRequest.stream, nullable
    Why: .NET and Kotlin serialisers write nulls.
    When a chat completion is requested with {}
    And a chat completion is requested with {"stream": null}
    Then the last is accepted like the first

  @must @chat.request.system
  Scenario: A system message is accepted
    Source: schema, ChatCompletionRequestSystemMessage
    Why: nearly every application begins with one.
    When a chat completion is requested with {}
    And a chat completion is requested with {"messages": [{"role": "system", "content": "You count."}, {"role": "user", "content": "Count from one to ten."}]}
    Then the last is accepted like the first

  @must @chat.request.developer
  Scenario: A developer message is accepted
    Source: schema, ChatCompletionRequestDeveloperMessage
    Why: agents send it for instructions and fail on their first message (can1357/oh-my-pi#843, cloudflare/cloudflare-os#36).
    When a chat completion is requested with {}
    And a chat completion is requested with {"messages": [{"role": "developer", "content": "You count."}, {"role": "user", "content": "Count from one to ten."}]}
    Then the last is accepted like the first

  @must @chat.request.history
  Scenario: A conversation with an assistant's turn is accepted
    Source: schema, ChatCompletionRequestAssistantMessage
    Why: every second turn of every chat.
    When a chat completion is requested with {}
    And a chat completion is requested with {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "Count from one to ten."}]}
    Then the last is accepted like the first

  @must @chat.request.parts
  Scenario: Content in text parts is accepted
    Source: schema, ChatCompletionRequestUserMessage.content, array of parts
    Why: opencode, Cursor and Claude Code Router always send arrays (lemonade-sdk/lemonade#629, ggml-org/llama.cpp#8367).
    When a chat completion is requested with {}
    And a chat completion is requested with {"messages": [{"role": "user", "content": [{"type": "text", "text": "Count from one to ten."}]}]}
    Then the last is accepted like the first

  @must @chat.request.parts_rendered
  Scenario: Content in one text part counts about as many tokens as the same string
    Source: schema, ChatCompletionRequestMessageContentPartText
    Why: parts that are dropped leave the model without the question, silently (ggml-org/llama.cpp#8367).
    When a chat completion is requested with {}
    And a chat completion is requested with {"messages": [{"role": "user", "content": [{"type": "text", "text": "Count from one to ten."}]}]}
    Then prompt tokens differ by 2 at most

  @must @chat.request.nulls
  Scenario: Nullable parameters may be null
    Source: schema, CreateChatCompletionRequest, nullable properties
    Why: seed=None and its like reach the wire from several SDKs; int(None) drops the connection (LostRuins/koboldcpp#1503).
    When a chat completion is requested with {}
    And a chat completion is requested with {"temperature": null, "top_p": null, "n": null, "stop": null, "seed": null, "logit_bias": null, "logprobs": null, "top_logprobs": null, "presence_penalty": null, "frequency_penalty": null, "stream_options": null}
    Then the last is accepted like the first

  @must @chat.request.neutral
  Scenario: Parameters at their defaults are accepted
    Source: schema, CreateChatCompletionRequest, defaults
    Why: clients send every knob of their settings page.
    When a chat completion is requested with {}
    And a chat completion is requested with {"temperature": 1, "top_p": 1, "n": 1, "presence_penalty": 0, "frequency_penalty": 0, "logprobs": false}
    Then the last is accepted like the first

  @must @chat.request.temperature_zero
  Scenario: Temperature 0 is accepted
    Source: schema, CreateChatCompletionRequest.temperature, minimum 0
    Why: it is the default of many agents (ai-forever/gigachain#237).
    When a chat completion is requested with {}
    And a chat completion is requested with {"temperature": 0}
    Then the last is accepted like the first

  @must @chat.request.bookkeeping
  Scenario: Parameters for bookkeeping are accepted
    Source: schema, CreateChatCompletionRequest.metadata, store, user
    Why: LiveKit's agents broke on two providers that refuse them (livekit/agents#1274).
    When a chat completion is requested with {}
    And a chat completion is requested with {"metadata": {"suite": "gonogo"}, "store": false, "user": "gonogo"}
    Then the last is accepted like the first

  @must @chat.request.stop_string
  Scenario: A stop sequence may be one string
    Source: schema, StopConfiguration
    Why: both forms are in use (raullenchai/Rapid-MLX#2358).
    When a chat completion is requested with {}
    And a chat completion is requested with {"stop": "gonogo-never"}
    Then the last is accepted like the first

  @must @chat.request.stop_list
  Scenario: Stop sequences may be a list
    Source: schema, StopConfiguration
    Why: both forms are in use (ollama/ollama#5545).
    When a chat completion is requested with {}
    And a chat completion is requested with {"stop": ["gonogo-never", "gonogo-not-at-all"]}
    Then the last is accepted like the first
