Feature: Several choices
  As many answers to one question as n says. That each has a role, an index and an end is checked of every answer.

  @must @choices.chat.number
  Scenario: A chat completion has as many choices as were asked for
    Source: schema, CreateChatCompletionRequest.n
    Why: best-of-n is best of one, and nobody learns of it (abetlen/llama-cpp-python#1906, InternLM/lmdeploy#4073).
    When a chat completion is requested with {"n": 2, "max_tokens": 4}
    Then there are 2 choices

  @must @choices.chat.streamed
  Scenario: A chat completion that is streamed has as many choices as were asked for
    Source: schema, CreateChatCompletionRequest.n; recorded streams of three choices
    Why: both choices are glued together, or one is missing (vllm-project/vllm-omni#4269).
    When a chat completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the stream has 2 choices

  @must @choices.chat.usage
  Scenario: The tokens of all choices of a chat completion are counted once
    Source: schema, CompletionUsage.completion_tokens; each choice is generated
    Why: quota and billing code counts one of them, or one of them twice.
    Needs: choices.chat.number, chat.limit.max_tokens
    When a chat completion is requested with {"n": 2, "max_tokens": 4}
    And a chat completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the tokens of all 2 choices are counted once

  @must @choices.completions.number
  Scenario: A completion has as many choices as were asked for
    Source: schema, CreateCompletionRequest.n
    Why: best-of-n is best of one, and nobody learns of it (abetlen/llama-cpp-python#1906, InternLM/lmdeploy#4073).
    When a completion is requested with {"n": 2, "max_tokens": 4}
    Then there are 2 choices

  @must @choices.completions.streamed
  Scenario: A completion that is streamed has as many choices as were asked for
    Source: schema, CreateCompletionRequest.n; recorded streams of three choices
    Why: both choices are glued together, or one is missing (vllm-project/vllm-omni#4269).
    When a completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the stream has 2 choices

  @must @choices.completions.usage
  Scenario: The tokens of all choices of a completion are counted once
    Source: schema, CompletionUsage.completion_tokens; each choice is generated
    Why: quota and billing code counts one of them, or one of them twice.
    Needs: choices.completions.number, completions.limit.max_tokens
    When a completion is requested with {"n": 2, "max_tokens": 4}
    And a completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the tokens of all 2 choices are counted once

  @must @choices.chat.text
  Scenario: Every choice of a chat completion has its text
    Source: schema, CreateChatCompletionRequest.n, "how many chat completion choices to generate"; each is generated
    Why: best-of-n chooses among one text and nothing.
    Needs: choices.chat.number
    When a chat completion is requested with {"n": 2, "max_tokens": 4}
    Then each of the 2 choices has text

  @must @choices.chat.streamed_text
  Scenario: Every choice of a streamed chat completion has its text
    Source: schema, CreateChatCompletionRequest.n; recorded streams of three choices
    Why: the text of all choices arrives under one of them.
    Needs: choices.chat.streamed
    When a chat completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then each of the 2 choices has text

  @must @choices.completions.text
  Scenario: Every choice of a completion has its text
    Source: schema, CreateCompletionRequest.n, "how many completions to generate for each prompt"; each is generated
    Why: best-of-n chooses among one text and nothing.
    Needs: choices.completions.number
    When a completion is requested with {"n": 2, "max_tokens": 4}
    Then each of the 2 choices has text

  @must @choices.completions.streamed_text
  Scenario: Every choice of a streamed completion has its text
    Source: schema, CreateCompletionRequest.n; recorded streams of three choices
    Why: the text of all choices arrives under one of them.
    Needs: choices.completions.streamed
    When a completion is streamed with {"n": 2, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then each of the 2 choices has text

  @must @choices.chat.calls
  Scenario: Every choice of a chat completion has its call
    Source: schema, CreateChatCompletionRequest.n, "how many chat completion choices to generate", and tool_choice
    Why: parsers that read the calls of the first choice alone leave the others with markup, or with nothing.
    Needs: choices.chat.number, tools.named.called
    When two choices of a call are requested
    Then each of the 2 choices has a call
