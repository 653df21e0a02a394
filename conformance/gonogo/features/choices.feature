Feature: Several choices
  Requests with n above 1. The rules for the role, index and finish reason of a choice apply to every answer.

  @must @choices.chat.number
  Scenario: A chat completion has the requested number of choices
    Source: schema, CreateChatCompletionRequest.n
    Why: best-of-n silently becomes best of one (abetlen/llama-cpp-python#1906, InternLM/lmdeploy#4073).
    When a chat completion is requested with {"n": 2, "max_tokens": 4}
    Then there are 2 choices

  @must @choices.chat.streamed
  Scenario: A streamed chat completion has the requested number of choices
    Source: schema, CreateChatCompletionRequest.n; recorded streams of three choices
    Why: the texts of both choices are joined, or one is missing (vllm-project/vllm-omni#4269).
    When a chat completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the stream has 2 choices

  @must @choices.chat.usage
  Scenario: The usage of a chat completion counts the tokens of all choices once
    Source: schema, CompletionUsage.completion_tokens; each choice is generated
    Why: quota and billing code counts only one choice, or one choice twice.
    Needs: choices.chat.number, chat.limit.max_tokens
    When a chat completion is requested with {"n": 2, "max_tokens": 4}
    And a chat completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the tokens of all 2 choices are counted once

  @must @choices.completions.number
  Scenario: A completion has the requested number of choices
    Source: schema, CreateCompletionRequest.n
    Why: best-of-n silently becomes best of one (abetlen/llama-cpp-python#1906, InternLM/lmdeploy#4073).
    When a completion is requested with {"n": 2, "max_tokens": 4}
    Then there are 2 choices

  @must @choices.completions.streamed
  Scenario: A streamed completion has the requested number of choices
    Source: schema, CreateCompletionRequest.n; recorded streams of three choices
    Why: the texts of both choices are joined, or one is missing (vllm-project/vllm-omni#4269).
    When a completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the stream has 2 choices

  @must @choices.completions.usage
  Scenario: The usage of a completion counts the tokens of all choices once
    Source: schema, CompletionUsage.completion_tokens; each choice is generated
    Why: quota and billing code counts only one choice, or one choice twice.
    Needs: choices.completions.number, completions.limit.max_tokens
    When a completion is requested with {"n": 2, "max_tokens": 4}
    And a completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the tokens of all 2 choices are counted once

  @must @choices.chat.text
  Scenario: Each of several choices of a chat completion has text
    Source: schema, CreateChatCompletionRequest.n, "how many chat completion choices to generate"; each is generated
    Why: best-of-n chooses between one text and an empty one.
    Needs: choices.chat.number
    When a chat completion is requested with {"n": 2, "max_tokens": 4}
    Then each of the 2 choices has text

  @must @choices.chat.streamed_text
  Scenario: Each of several choices of a streamed chat completion has text
    Source: schema, CreateChatCompletionRequest.n; recorded streams of three choices
    Why: all text arrives under one choice.
    Needs: choices.chat.streamed
    When a chat completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then each of the 2 choices has text

  @must @choices.completions.text
  Scenario: Each of several choices of a completion has text
    Source: schema, CreateCompletionRequest.n, "how many completions to generate for each prompt"; each is generated
    Why: best-of-n chooses between one text and an empty one.
    Needs: choices.completions.number
    When a completion is requested with {"n": 2, "max_tokens": 4}
    Then each of the 2 choices has text

  @must @choices.completions.streamed_text
  Scenario: Each of several choices of a streamed completion has text
    Source: schema, CreateCompletionRequest.n; recorded streams of three choices
    Why: all text arrives under one choice.
    Needs: choices.completions.streamed
    When a completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then each of the 2 choices has text

  @must @choices.chat.calls
  Scenario: Each of several choices of a chat completion has its tool call
    Source: schema, CreateChatCompletionRequest.n, "how many chat completion choices to generate", and tool_choice
    Why: parsers that handle only the first choice leave markup, or nothing, in the others.
    Needs: choices.chat.number, tools.named.called
    When two choices of a call are requested
    Then each of the 2 choices has a call
