Feature: Log probabilities
  Log probabilities of chat completions and of completions, which have different formats.

  @must @logprobs.chat.present
  Scenario: A chat completion has log probabilities if they are accepted
    Source: schema, CreateChatCompletionResponse.choices.logprobs.content
    Why: missing log probabilities are noticed only in the analysis (ollama/ollama#16117, sgl-project/sglang#26778, vllm-project/vllm#3179).
    When a chat completion is requested with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4}
    Then there are log probabilities of the content

  @must @logprobs.chat.streamed
  Scenario: A streamed chat completion has log probabilities if they are accepted
    Source: schema, CreateChatCompletionStreamResponse.choices.logprobs
    Why: some servers send them only in whole answers (ml-explore/mlx-lm PR#1630).
    When a chat completion is streamed with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then there are log probabilities of the content

  @must @logprobs.chat.shape
  Scenario: Every log probability of a chat completion has a token, a number, bytes and alternatives
    Source: schema, ChatCompletionTokenLogprob
    Why: users of openai-python read .token and .top_logprobs of each (abetlen/llama-cpp-python#1787).
    Needs: logprobs.chat.present
    When a chat completion is requested with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4}
    And a chat completion is streamed with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    And a chat completion is requested with {"logprobs": true, "max_tokens": 2}
    And a chat completion is requested with {"logprobs": true, "top_logprobs": 0, "max_tokens": 2}
    Then every entry of the log probabilities fits TokenLogprob

  @must @logprobs.chat.count
  Scenario: A chat completion has as many log probabilities as tokens
    Source: schema, CreateChatCompletionRequest.logprobs, "of each output token"
    Why: perplexity covers only part of the text (sgl-project/sglang#26778).
    Needs: logprobs.chat.present
    When a chat completion is requested with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4}
    And a chat completion is streamed with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the number of log probabilities is that of the completion tokens

  @must @logprobs.chat.possible
  Scenario: Every log probability of a chat completion is a number of at most 0
    Source: schema, ChatCompletionTokenLogprob.logprob, "the log probability of this token"; RFC 8259
    Why: -inf and NaN are not JSON, and a probability above 1 is impossible (madroidmaq/mlx-omni-server PR#56, sgl-project/sglang#5984).
    Needs: logprobs.chat.present
    When a chat completion is requested with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4}
    And a chat completion is streamed with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    And an object of a schema is asked for with the likeliest tokens
    Then every log probability is a number that is not above 0

  @must @logprobs.chat.no_top
  Scenario: Log probabilities can be requested without alternatives
    Source: schema, CreateChatCompletionRequest.top_logprobs, optional
    Why: simple clients omit top_logprobs (vllm-project/vllm#4795).
    When a chat completion is requested with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4}
    And a chat completion is requested with {"logprobs": true, "max_tokens": 2}
    Then if the first is accepted, the last is accepted too, with log probabilities

  @must @logprobs.chat.top_zero
  Scenario: Log probabilities can be requested with 0 alternatives
    Source: schema, CreateChatCompletionRequest.top_logprobs, minimum 0
    Why: 0 is treated as absent, and the request as invalid (vllm-project/vllm#4795).
    When a chat completion is requested with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4}
    And a chat completion is requested with {"logprobs": true, "top_logprobs": 0, "max_tokens": 2}
    Then if the first is accepted, the last is accepted too, with log probabilities

  @must @logprobs.chat.stopped
  Scenario: Log probabilities are present with a stop sequence
    Source: schema, CreateChatCompletionRequest.logprobs and stop, which may stand together
    Why: servers that cut the text cut the list too short, or do not send it.
    Needs: logprobs.chat.present, stop.chat.honoured
    When a greedy chat completion of an open question is requested
    And that greedy chat completion is requested with log probabilities and a late part of its text as stop
    Then the stopped text has the log probabilities of its tokens

  @should @logprobs.chat.no_tops_unasked
  Scenario: No alternatives are sent that were not requested
    Source: schema, CreateChatCompletionRequest.top_logprobs, "number of most likely tokens to return"
    Why: twenty alternatives per token make an answer fifty times as long (llama.cpp's server, seen).
    Needs: logprobs.chat.no_top, logprobs.chat.top_zero
    When a chat completion is requested with {"logprobs": true, "max_tokens": 2}
    And a chat completion is requested with {"logprobs": true, "top_logprobs": 0, "max_tokens": 2}
    Then no token has alternatives, because none were requested

  @must @logprobs.chat.tops
  Scenario: The requested alternatives are present
    Source: schema, ChatCompletionTokenLogprob.top_logprobs
    Why: classifiers compare the probabilities of yes and no (dtzp555-max/ocp#470).
    Needs: logprobs.chat.present
    When a chat completion is requested with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4}
    And a chat completion is streamed with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then every token has its likeliest alternatives

  @should @logprobs.chat.tops_limited
  Scenario: No more alternatives are sent than requested
    Source: schema, ChatCompletionTokenLogprob.top_logprobs, "the most likely tokens"; CreateChatCompletionRequest.top_logprobs
    Why: tables with a fixed number of columns overflow.
    Needs: logprobs.chat.tops
    When a chat completion is requested with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4}
    And a chat completion is streamed with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then no token has more alternatives than requested

  @should @logprobs.chat.tops_sorted
  Scenario: The alternatives are sorted by probability
    Source: recorded answers; the schema does not say so
    Why: clients use the first as the best.
    Needs: logprobs.chat.tops
    When a chat completion is requested with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4}
    And a chat completion is streamed with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the likeliest tokens are sorted

  @should @logprobs.chat.bytes
  Scenario: The bytes of a token encode its text
    Source: schema, ChatCompletionTokenLogprob.bytes, "the UTF-8 bytes representation of the token"
    Why: clients join characters that span tokens by their bytes.
    Needs: logprobs.chat.present, logprobs.chat.shape
    When a chat completion is requested with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4}
    And a chat completion is streamed with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the bytes of every token are its text

  @should @logprobs.chat.spell
  Scenario: The tokens of a chat completion join to its text
    Source: schema, ChatCompletionTokenLogprob.token; logprobs.content, "a list of message content tokens"
    Why: highlighting by token is wrong after the first difference.
    Needs: logprobs.chat.count
    When a chat completion is requested with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4}
    And a chat completion is streamed with {"logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the tokens spell the text

  @must @logprobs.harmless.top_alone
  Scenario: top_logprobs without logprobs does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.top_logprobs, "logprobs must be set to true"; seen in IBM/unitxt#1193
    Why: indexing into missing log probabilities fails with a 500.
    When a chat completion is wrongly requested with {"top_logprobs": 2, "max_tokens": 2}
    Then the request does not fail the server

  @should @logprobs.refused.top_alone
  Scenario: top_logprobs without logprobs is refused
    Source: schema, CreateChatCompletionRequest.top_logprobs, "logprobs must be set to true"; seen in IBM/unitxt#1193
    Why: the caller looks for alternatives in null.
    Needs: logprobs.harmless.top_alone
    When a chat completion is wrongly requested with {"top_logprobs": 2, "max_tokens": 2}
    Then the request is not accepted

  @must @logprobs.harmless.top_many
  Scenario: A top_logprobs of 21 does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.top_logprobs, maximum 20
    Why: a value out of range is the caller's error, but a 500 blames the server.
    When a chat completion is wrongly requested with {"logprobs": true, "top_logprobs": 21, "max_tokens": 2}
    Then the request does not fail the server

  @should @logprobs.refused.top_many
  Scenario: A top_logprobs of 21 is refused
    Source: schema, CreateChatCompletionRequest.top_logprobs, maximum 20
    Why: the server sends twenty alternatives, and a caller that sums them up treats the rest as 0.
    Needs: logprobs.harmless.top_many
    When a chat completion is wrongly requested with {"logprobs": true, "top_logprobs": 21, "max_tokens": 2}
    Then the request is not accepted

  @must @logprobs.completions.present
  Scenario: A completion has log probabilities if they are accepted
    Source: schema, CreateCompletionResponse.choices.logprobs
    Why: evaluation harnesses score with them and cannot read the chat format (kekzl/imp#1589, kekzl/imp#891).
    When a completion is requested with {"logprobs": 2, "temperature": 0, "max_tokens": 4}
    Then there are log probabilities of the text

  @must @logprobs.completions.streamed
  Scenario: A streamed completion has log probabilities if they are accepted
    Source: schema, CreateCompletionResponse.choices.logprobs
    Why: some servers send them only in whole answers.
    When a completion is streamed with {"logprobs": 2, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then there are log probabilities of the text

  @must @logprobs.completions.count
  Scenario: A completion has as many log probabilities as tokens
    Source: schema, CreateCompletionResponse.choices.logprobs; CompletionUsage.completion_tokens
    Why: scores cover only part of the text.
    Needs: logprobs.completions.present
    When a completion is requested with {"logprobs": 2, "temperature": 0, "max_tokens": 4}
    And a completion is streamed with {"logprobs": 2, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the number of log probabilities is that of the completion tokens

  @must @logprobs.completions.lengths
  Scenario: The four arrays of a completion's log probabilities have the same length
    Source: schema, CreateCompletionResponse.choices.logprobs, tokens, token_logprobs, top_logprobs and text_offset
    Why: evaluation harnesses zip them (EleutherAI/lm-evaluation-harness#1411).
    Needs: logprobs.completions.present
    When a completion is requested with {"logprobs": 2, "temperature": 0, "max_tokens": 4}
    And a completion is streamed with {"logprobs": 2, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the four arrays of the log probabilities have the same length

  @must @logprobs.completions.possible
  Scenario: Every log probability of a completion is a number of at most 0
    Source: schema, CreateCompletionResponse.choices.logprobs.token_logprobs; RFC 8259
    Why: -inf and NaN are not JSON, and a probability above 1 is impossible (vllm-project/vllm#10234, dphnAI/sonar#183).
    Needs: logprobs.completions.present
    When a completion is requested with {"logprobs": 2, "temperature": 0, "max_tokens": 4}
    And a completion is streamed with {"logprobs": 2, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then every log probability is a number that is not above 0

  @must @logprobs.completions.zero
  Scenario: Log probabilities of a completion can be requested without alternatives
    Source: schema, CreateCompletionRequest.logprobs, minimum 0
    Why: 0 is treated as absent, and the scores are missing.
    Needs: completions.response.choices
    When a completion is requested with {"logprobs": 2, "temperature": 0, "max_tokens": 4}
    And a completion is requested with {"logprobs": 0, "temperature": 0, "max_tokens": 2}
    Then if the first is accepted, the last is accepted too, with log probabilities

  @must @logprobs.completions.tops
  Scenario: The requested alternatives of a completion are present
    Source: schema, CreateCompletionResponse.choices.logprobs.top_logprobs
    Why: evaluation harnesses use them to check whether the answer is greedy (EleutherAI/lm-evaluation-harness#1411).
    Needs: logprobs.completions.present
    When a completion is requested with {"logprobs": 2, "temperature": 0, "max_tokens": 4}
    And a completion is streamed with {"logprobs": 2, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then every token has its likeliest alternatives

  @should @logprobs.completions.tops_limited
  Scenario: A completion has no more alternatives than requested, plus the token itself
    Source: schema, CreateCompletionRequest.logprobs, "up to logprobs+1 elements"
    Why: tables with a fixed number of columns overflow.
    Needs: logprobs.completions.tops
    When a completion is requested with {"logprobs": 2, "temperature": 0, "max_tokens": 4}
    And a completion is streamed with {"logprobs": 2, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then no token has more alternatives than requested

  @should @logprobs.completions.spell
  Scenario: The tokens of a completion join to its text
    Source: schema, CreateCompletionResponse.choices.logprobs.tokens
    Why: highlighting by token is wrong after the first difference.
    Needs: logprobs.completions.count
    When a completion is requested with {"logprobs": 2, "temperature": 0, "max_tokens": 4}
    And a completion is streamed with {"logprobs": 2, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the tokens spell the text

  @must @logprobs.completions.offsets_rise
  Scenario: The text offsets of a completion increase
    Source: schema, CreateCompletionResponse.choices.logprobs.text_offset
    Why: evaluation harnesses use them to find the end of the prompt.
    Needs: logprobs.completions.present
    When a completion is requested with {"logprobs": 2, "temperature": 0, "max_tokens": 4}
    And a completion is streamed with {"logprobs": 2, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then no text offset is smaller than the previous one

  @should @logprobs.completions.offsets
  Scenario: The text offsets of a completion match its tokens
    Source: schema, CreateCompletionResponse.choices.logprobs.text_offset; where the first one lies is not said
    Why: evaluation harnesses use them to find the end of the prompt.
    Needs: logprobs.completions.offsets_rise
    When a completion is requested with {"logprobs": 2, "temperature": 0, "max_tokens": 4}
    And a completion is streamed with {"logprobs": 2, "temperature": 0, "max_tokens": 4, "stream_options": {"include_usage": true}}
    Then the text offsets differ by the lengths of the tokens

  @should @logprobs.completions.offsets_begin
  Scenario: The text offsets begin at 0 or at the end of the prompt
    Source: schema, CreateCompletionResponse.choices.logprobs.text_offset; recorded answers begin after the prompt
    Why: evaluation harnesses strip the prompt by them, in characters.
    Needs: logprobs.completions.offsets_rise
    When a completion is requested with {"logprobs": 2, "temperature": 0, "max_tokens": 4}
    And a completion is requested with {"prompt": "One, two, three,", "echo": true, "logprobs": 1, "max_tokens": 2}
    Then the first text offset is 0 or the length of the prompt

  @must @logprobs.harmless.completions_many
  Scenario: A completion with logprobs of 6 does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateCompletionRequest.logprobs, maximum 5
    Why: a value out of range is the caller's error, but a 500 blames the server.
    When a completion is wrongly requested with {"logprobs": 6, "max_tokens": 2}
    Then the request does not fail the server

  @should @logprobs.refused.completions_many
  Scenario: A completion with logprobs of 6 is refused
    Source: schema, CreateCompletionRequest.logprobs, maximum 5
    Why: the server sends five alternatives, and a caller that sums them up treats the rest as 0.
    Needs: logprobs.harmless.completions_many
    When a completion is wrongly requested with {"logprobs": 6, "max_tokens": 2}
    Then the request is not accepted
