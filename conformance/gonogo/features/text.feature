Feature: Text
  Intact characters, no control tokens, and the same text whole and streamed.

  @should @text.control_tokens
  Scenario: No text contains a control token of the chat template
    Source: project decision; the API's answers carry none
    Why: "</s>" and "<|im_end|>" are copied, spoken and stored (mzau/mlx-knife#20, EricLBuehler/mistral.rs#79).
    When any generation is asked for
    Then no control token is in the text

  @should @text.surrogates
  Scenario: No string of an answer contains an unpaired surrogate
    Source: RFC 8259 section 8.2: the behaviour of software that receives such values is unpredictable
    Why: parsers reject the whole line, or show two marks instead of an emoji.
    When any generation is asked for
    Then no string contains a lone surrogate

  @must @text.characters
  Scenario: Characters of several tokens arrive intact in a stream
    Source: schema, ChatCompletionStreamResponseDelta.content, a string; the standard's server-sent events are UTF-8
    Why: users see two marks instead of every emoji (mlc-ai/mlc-llm#804, triton-inference-server/server#8039).
    When a greedy chat completion of characters of several bytes is requested
    And a greedy chat completion of characters of several bytes is streamed
    Then no character of the whole text is a replacement character in the stream

  @should @text.same
  Scenario: A greedy chat completion has the same text whole and streamed
    Source: guide, Streaming: the same response, as it is generated
    Why: code that was tested without a stream fails with one (mzau/mlx-knife#20).
    When a greedy chat completion is streamed
    And the same request is sent again
    And a greedy chat completion is requested
    Then the texts of the whole answer and the stream are equal

  @should @text.completions_same
  Scenario: A greedy completion has the same text whole and streamed
    Source: schema, CreateCompletionRequest.stream: the same tokens, as they become available
    Why: editors stream what evaluations measured without a stream.
    When a greedy completion is streamed
    And the same request is sent again
    And a greedy completion is requested
    Then the texts of the whole answer and the stream are equal

  @should @text.same_reason
  Scenario: The same text has the same finish reason, whole and streamed
    Source: schema, finish_reason, which has one meaning in both
    Why: clients that continue after "length" do so in only one of the two forms.
    Needs: chat.limit.length, chat.stream.length, text.same
    When a greedy chat completion is streamed
    And a greedy chat completion is requested
    Then the finish reasons of the whole answer and the stream are equal

  @should @text.same_count
  Scenario: The same text has the same token count, whole and streamed
    Source: schema, CompletionUsage.completion_tokens, which has one meaning in both
    Why: the same answer has two prices.
    Needs: text.same, chat.stream.usage, chat.response.usage
    When a greedy chat completion is streamed with usage
    And a greedy chat completion is requested
    Then the completion tokens of the whole answer and the stream are equal

  @may @text.leading_space
  Scenario: Chat completions do not all begin with a space
    Source: project decision; the API's answers begin with a word
    Why: file names and tables are wrong (janhq/jan#2548, vllm-project/vllm#3935).
    When any chat completion is requested
    Then not all texts begin with a space
