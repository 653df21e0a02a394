Feature: Ids
  The form of ids. The API follows it, but no client depends on it.

  @may @ids.prefix.chat
  Scenario: The ids of chat completions begin with chatcmpl-
    Source: schema, CreateChatCompletionResponse, examples; recorded streams
    Why: logs use it to tell kinds of requests apart (BerriAI/litellm#14429).
    When any chat completion is requested
    And any chat completion is streamed
    Then the id begins with "chatcmpl-"

  @may @ids.prefix.completions
  Scenario: The ids of completions begin with cmpl-
    Source: schema, CreateCompletionResponse, examples
    Why: logs use it to tell kinds of requests apart (ikawrakow/ik_llama.cpp#767, triton-inference-server/server#7796).
    When any completion is requested
    And any completion is streamed
    Then the id begins with "cmpl-"
