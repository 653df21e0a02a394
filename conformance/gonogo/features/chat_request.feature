Feature: Chat completion requests
  Requests that the contract allows. Each is compared with a plain request that shows that the endpoint works.

  @must @chat.request.stream_false
  Scenario: A chat completion with stream false is not streamed
    Source: schema, CreateChatCompletionRequest.stream
    Why: SDKs always send the field; an event stream here breaks JSON.parse (unslothai/unsloth#6570).
    When a chat completion is requested with {"temperature": 1, "top_p": 1, "n": 1, "presence_penalty": 0, "frequency_penalty": 0, "logprobs": false, "stream": false}
    Then the answer is one JSON object

  @must @chat.request.stream_null
  Scenario: A chat completion with stream null is accepted
    Source: schema, CreateChatCompletionRequest.stream, nullable
    Why: .NET and Kotlin serialisers write null for unset fields.
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
  Scenario: A conversation with an assistant message is accepted
    Source: schema, ChatCompletionRequestAssistantMessage
    Why: every chat needs it from the second turn on.
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
    Why: if parts are dropped, the model silently answers without the question (ggml-org/llama.cpp#8367).
    When a chat completion is requested with {}
    And a chat completion is requested with {"messages": [{"role": "user", "content": [{"type": "text", "text": "Count from one to ten."}]}]}
    Then prompt tokens differ by 2 at most

  @must @chat.request.parts_of_all
  Scenario: System and assistant messages accept text parts
    Source: schema, ChatCompletionRequestSystemMessage.content and ChatCompletionRequestAssistantMessage.content, array of parts
    Why: chat templates that support parts only for the user fail on the first system prompt of an agent (gonka-ai/gonka#985).
    When a chat completion is requested with {}
    And a chat completion is requested with {"messages": [{"role": "system", "content": [{"type": "text", "text": "You count."}]}, {"role": "user", "content": "Hello"}, {"role": "assistant", "content": [{"type": "text", "text": "Hello!"}]}, {"role": "user", "content": "Count from one to ten."}], "max_tokens": 2}
    Then the last is accepted like the first

  @must @chat.request.nulls
  Scenario: Nullable parameters may be null
    Source: schema, CreateChatCompletionRequest, nullable properties
    Why: several SDKs send null for unset parameters such as seed; int(None) drops the connection (LostRuins/koboldcpp#1503).
    When a chat completion is requested with {}
    And a chat completion is requested with {"temperature": null, "top_p": null, "n": null, "stop": null, "seed": null, "logit_bias": null, "logprobs": null, "top_logprobs": null, "presence_penalty": null, "frequency_penalty": null, "stream_options": null}
    Then the last is accepted like the first

  @must @chat.request.neutral
  Scenario: Parameters at their defaults are accepted
    Source: schema, CreateChatCompletionRequest, defaults
    Why: clients send every parameter of their settings page.
    When a chat completion is requested with {}
    And a chat completion is requested with {"temperature": 1, "top_p": 1, "n": 1, "presence_penalty": 0, "frequency_penalty": 0, "logprobs": false, "stream": false}
    Then the last is accepted like the first

  @must @chat.request.temperature_zero
  Scenario: Temperature 0 is accepted
    Source: schema, CreateChatCompletionRequest.temperature, minimum 0
    Why: it is the default of many agents (ai-forever/gigachain#237).
    When a chat completion is requested with {}
    And a greedy chat completion is requested
    Then the last is accepted like the first

  @must @chat.request.bookkeeping
  Scenario: The parameters metadata, store and user are accepted
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

  @must @chat.request.long
  Scenario: A long conversation with participant names is accepted
    Source: schema, ChatCompletionRequestMessages, without a maximum; ChatCompletionRequestUserMessage.name
    Why: group chats set names, and most chats have several turns.
    When a chat completion is requested with {}
    And a conversation of twenty turns between people with names is continued
    Then the last is accepted like the first

  @should @chat.request.silent_turns
  Scenario: An earlier assistant message may be empty or a refusal
    Source: schema, ChatCompletionRequestAssistantMessage.content and refusal
    Why: clients that send the history back cannot continue after an empty answer or a refusal.
    When a chat completion is requested with {}
    And a chat completion is requested with {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": ""}, {"role": "user", "content": "Hello?"}, {"role": "assistant", "content": null, "refusal": "I would rather not."}, {"role": "user", "content": "Count from one to ten."}], "max_tokens": 2}
    Then the last is accepted like the first

  @should @chat.request.picture
  Scenario: An image is accepted, or refused with 400
    Source: schema, ImageContentPart: a server whose model reads no images refuses it with 400
    Why: a 404 or 422 does not tell the user that the model cannot read images.
    When a picture is sent with a text
    Then it is accepted, or refused with 400

  @should @chat.request.picture_seen
  Scenario: An accepted image counts as prompt tokens
    Source: guide, Images and vision: images are counted in tokens; project decision: what is accepted is not ignored
    Why: if the image is silently dropped, the answer is about nothing.
    When a chat completion is requested with {"messages": [{"role": "user", "content": [{"type": "text", "text": "Count from one to ten."}]}]}
    And a picture is sent with a text
    Then the picture counts as tokens of the prompt

  @must @chat.harmless.nul
  Scenario: A NUL character in the content does not fail the server
    Source: RFC 8259 section 7: \u0000 is a character of strings; RFC 9110 section 15.6
    Why: C strings end there and databases reject it, which causes a 500; users paste it from files.
    When a chat completion is wrongly requested with {"messages": [{"role": "user", "content": "Count\u0000 from one."}], "max_tokens": 2}
    Then the request does not fail the server

  @should @chat.harmless.half_pair
  Scenario: An unpaired surrogate in the content does not fail the server
    Source: RFC 8259 section 8.2: software may behave unpredictably; RFC 9110 section 15.6: a 5xx is its own error
    Why: a text cut inside an emoji cannot be encoded again, which causes a 500.
    When a chat completion is wrongly requested with half a surrogate pair
    Then the request does not fail the server

  @must @chat.harmless.late_system
  Scenario: A system message in the middle of a conversation does not fail the server
    Source: schema, ChatCompletionRequestMessages: roles in any order; RFC 9110 section 15.6
    Why: agents add reminders between turns; if the chat template does not support this, the answer is 400, not 500.
    When a chat completion is requested with {}
    And a chat completion is wrongly requested with {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}, {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Count from one to ten."}], "max_tokens": 2}
    Then the last causes no server error

  @must @chat.harmless.two_users
  Scenario: Two user messages in a row do not fail the server
    Source: schema, ChatCompletionRequestMessages: roles in any order; RFC 9110 section 15.6
    Why: users send a second message before the answer; if the chat template does not support this, the answer is 400, not 500.
    When a chat completion is requested with {}
    And a chat completion is wrongly requested with {"messages": [{"role": "user", "content": "Count from one"}, {"role": "user", "content": "to ten."}], "max_tokens": 2}
    Then the last causes no server error

  @must @chat.harmless.any_order
  Scenario: Empty messages and an unusual order of roles do not fail the server
    Source: schema, ChatCompletionRequestMessages: roles in any order, and content that may be empty; RFC 9110 section 15.6
    Why: agents start with a greeting, answer twice, empty long messages and prefill answers; if the chat template does not support this, the answer is 400, not 500.
    When a chat completion is requested with {}
    And a chat completion is wrongly requested with {"messages": [{"role": "assistant", "content": "Hello!"}, {"role": "user", "content": ""}, {"role": "assistant", "content": "One."}, {"role": "assistant", "content": "Two."}, {"role": "system", "content": ""}, {"role": "user", "content": "Count from one to ten."}, {"role": "assistant", "content": "One, two"}], "max_tokens": 2}
    Then the last causes no server error

  @must @chat.request.system_rendered
  Scenario: A system message reaches the model
    Source: schema, ChatCompletionRequestSystemMessage, "instructions that the model should follow"
    Why: a chat template without system messages silently drops all instructions.
    Needs: chat.request.system
    When a chat completion is requested with {"messages": [{"role": "system", "content": "You count."}, {"role": "user", "content": "Count from one to ten."}]}
    And a chat completion is requested with {"messages": [{"role": "system", "content": "You count slowly, in words, from one number to the next, and say nothing else at all."}, {"role": "user", "content": "Count from one to ten."}], "max_tokens": 2}
    Then the longer system message counts as tokens of the prompt

  @must @errors.harmless.model_missing
  Scenario: A chat completion without a model does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.required
    Why: small clients omit the model for servers that have only one.
    When a chat completion is requested without "model"
    Then the request does not fail the server

  # The schema requires the field, but servers with one model answer without it: the rule only reports which.
  @may @errors.refused.model_missing
  Scenario: A chat completion without a model is refused
    Source: schema, CreateChatCompletionRequest.required; project decision: it may be answered
    Why: behind a gateway, another model than the intended one answers.
    Needs: errors.harmless.model_missing
    When a chat completion is requested without "model"
    Then the request is not accepted
