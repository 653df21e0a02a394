Feature: Ids
  How ids look. A habit of the API's: nothing breaks without it.

  @may @ids.prefix.chat
  Scenario: The ids of chat completions begin with chatcmpl-
    Source: schema, CreateChatCompletionResponse, examples; recorded streams
    Why: logs of several kinds of requests are told apart by it (BerriAI/litellm#14429).
    When any chat completion is requested
    And any chat completion is streamed
    Then the id begins with "chatcmpl-"

  @may @ids.prefix.completions
  Scenario: The ids of completions begin with cmpl-
    Source: schema, CreateCompletionResponse, examples
    Why: logs of several kinds of requests are told apart by it (ikawrakow/ik_llama.cpp#767, triton-inference-server/server#7796).
    When any completion is requested
    And any completion is streamed
    Then the id begins with "cmpl-"
