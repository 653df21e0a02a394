Feature: Completion requests
  All forms of prompts, echo, and the older parameters.

  @must @completions.prompt.list
  Scenario: A list of prompts is accepted
    Source: schema, CreateCompletionRequest.prompt, array of strings
    Why: langchain's completion model sends only lists (modular/max#293, xorbitsai/inference#2291).
    When a completion is requested with {}
    And a completion is requested with {"prompt": ["Count from one to ten.", "Count from one to ten."], "max_tokens": 2}
    Then the last is accepted like the first

  @must @completions.prompt.list_choices
  Scenario: A list of prompts gets one choice per prompt
    Source: schema, CreateCompletionRequest.prompt, "array of strings"; CreateCompletionResponse.choices
    Why: answers are lost but charged (lm-sys/FastChat#1306, Ai00-X/ai00_server PR#169).
    Needs: completions.prompt.list
    When a completion is requested with {"prompt": ["Count from one to ten.", "Count from one to ten."], "max_tokens": 2}
    Then there is a choice for each prompt

  @should @completions.prompt.order
  Scenario: The index of a choice is the index of its prompt
    Source: SDK behaviour, langchain-openai's completion model takes choices in the order of the prompts; openai/openai-python#90
    Why: an evaluation scores each answer against another question.
    Needs: completions.prompt.list, completions.echo.text
    When a completion is requested with {"prompt": ["One, two, three,", "Red, green, blue,"], "echo": true, "max_tokens": 2}
    Then each choice begins with the prompt of its index

  @should @completions.prompt.list_usage
  Scenario: The usage counts the tokens of every prompt of a list
    Source: schema, CompletionUsage.prompt_tokens, "tokens in the prompt"
    Why: a batch is billed like a single prompt.
    Needs: completions.prompt.list
    When a completion is requested with {}
    And a completion is requested with {"prompt": ["Count from one to ten.", "Count from one to ten."], "max_tokens": 2}
    Then the last counts about 2 times the prompt tokens of the first

  @must @completions.prompt.stream
  Scenario: A stream of several prompts has one choice per prompt
    Source: schema, CreateCompletionRequest.prompt, array of strings; stream
    Why: the chunks of the other prompts never arrive, or arrive under one index.
    Needs: completions.prompt.list
    When a completion is streamed with {"prompt": ["Count from one to ten.", "Count from one to ten."], "max_tokens": 2}
    Then the stream has a choice for each prompt

  @must @completions.prompt.tokens
  Scenario: A list of tokens is one prompt
    Source: schema, CreateCompletionRequest.prompt, array of tokens
    Why: evaluation harnesses send tokens; one choice per token is wrong (EleutherAI/lm-evaluation-harness#1411).
    When a completion is requested with {"prompt": [1000, 1001, 1002], "max_tokens": 2}
    Then there is a choice for each prompt

  @should @completions.prompt.tokens_counted
  Scenario: A prompt of three tokens counts as three
    Source: schema, CompletionUsage.prompt_tokens; a few tokens may begin every text
    Why: a server that reads tokens as text generates from another prompt.
    Needs: completions.prompt.tokens
    When a completion is requested with {"prompt": [1000, 1001, 1002], "max_tokens": 2}
    Then the prompt counts 3 tokens, give or take 2

  @must @completions.prompt.token_lists
  Scenario: Several lists of tokens are several prompts
    Source: schema, CreateCompletionRequest.prompt, array of token arrays
    Why: evaluation harnesses send batches of tokens.
    When a completion is requested with {"prompt": [[1000, 1001], [1002, 1003]], "max_tokens": 2}
    Then there is a choice for each prompt

  @must @completions.harmless.prompt_empty
  Scenario: An empty list of prompts does not fail the server
    Source: schema, CreateCompletionRequest.prompt; RFC 9110 section 15.6
    Why: a batch that happens to be empty stops the service for everyone.
    When a completion is wrongly requested with {"prompt": []}
    Then the request does not fail the server

  @must @completions.echo.text
  Scenario: Echo returns the prompt before the text
    Source: schema, CreateCompletionRequest.echo, "echo back the prompt in addition to the completion"
    Why: evaluation harnesses strip the prompt and lose part of the text (ggml-org/llama.cpp#12591).
    When a completion is requested with {"prompt": "One, two, three,", "echo": true, "max_tokens": 2}
    Then the text begins with the prompt

  @should @completions.echo.logprobs
  Scenario: With echo, the log probabilities include the prompt
    Source: schema, CreateCompletionRequest.echo, logprobs; EleutherAI/lm-evaluation-harness reads them so
    Why: log-likelihoods equal random chance (ggml-org/llama.cpp#27174, sgl-project/sglang PR#1998).
    Needs: completions.echo.text, logprobs.completions.present
    When a completion is requested with {"prompt": "One, two, three,", "echo": true, "logprobs": 1, "max_tokens": 2}
    Then the log probabilities cover the prompt

  @must @completions.echo.stream
  Scenario: Echo also returns the prompt in a stream
    Source: schema, CreateCompletionRequest.echo and stream: neither excludes the other
    Why: evaluation harnesses stream long answers and strip the length of the prompt.
    Needs: completions.echo.text
    When a completion is requested with {"prompt": "One, two, three,", "echo": true, "logprobs": 1, "max_tokens": 2}
    And a completion is streamed with {"prompt": "One, two, three,", "echo": true, "logprobs": 1, "max_tokens": 2}
    Then if the whole text begins with the prompt, the streamed one does too

  @should @completions.echo.first_null
  Scenario: The first token of an echoed prompt has no log probability
    Source: recorded answers; EleutherAI/lm-evaluation-harness skips the first
    Why: a number there is added to every likelihood (vllm-project/vllm#10234).
    Needs: completions.echo.logprobs
    When a completion is requested with {"prompt": "One, two, three,", "echo": true, "logprobs": 1, "max_tokens": 2}
    Then the log probability of the first token is null

  @should @completions.echo.nothing_else
  Scenario: A limit of 0 tokens also applies with echo
    Source: schema, CreateCompletionRequest.max_tokens, minimum 0
    Why: likelihoods need no new token; a limit of 0 that is ignored generates to the end of the context.
    When a completion is requested with {"prompt": "One, two, three,", "echo": true, "max_tokens": 0, "stop": [" ", "a", "e", "o"]}
    Then no more than 0 completion tokens were generated

  @should @completions.suffix.named
  Scenario: A suffix counts as prompt tokens, or is refused by name
    Source: schema, CreateCompletionRequest.suffix; guide, Error codes; project decision: what is accepted is not ignored
    Why: editors with inline completion need to know which (docker/model-runner#403, vllm-project/vllm#9976).
    When a completion is requested with {}
    And a completion is requested with {"suffix": " Done.", "max_tokens": 2}
    Then the suffix counts as tokens of the prompt, or is refused by its name

  @must @completions.harmless.best_of_below_n
  Scenario: A best_of below n does not fail the server
    Source: schema, CreateCompletionRequest.best_of; RFC 9110 section 15.6
    Why: SDKs retry on 5xx.
    When a completion is wrongly requested with {"best_of": 1, "n": 2, "max_tokens": 2}
    Then the request does not fail the server

  @should @completions.refused.best_of_below_n
  Scenario: A best_of below n is refused
    Source: schema, CreateCompletionRequest.best_of, "must be greater than n"
    Why: the best two of one candidate do not exist.
    Needs: completions.harmless.best_of_below_n
    When a completion is wrongly requested with {"best_of": 1, "n": 2, "max_tokens": 2}
    Then the request is not accepted

  @must @completions.request.nulls
  Scenario: Nullable parameters of a completion may be null
    Source: schema, CreateCompletionRequest.nullable properties
    Why: several SDKs send null for unset parameters such as seed (LostRuins/koboldcpp#1503).
    When a completion is requested with {}
    And a completion is requested with {"temperature": null, "top_p": null, "n": null, "best_of": null, "echo": null, "suffix": null, "stop": null, "seed": null, "logit_bias": null, "logprobs": null, "presence_penalty": null, "frequency_penalty": null, "stream": null, "stream_options": null}
    Then the last is accepted like the first

  @must @completions.request.neutral
  Scenario: Parameters of a completion at their defaults are accepted
    Source: schema, CreateCompletionRequest.defaults
    Why: clients send every parameter of their settings page.
    When a completion is requested with {}
    And a completion is requested with {"temperature": 1, "top_p": 1, "n": 1, "echo": false, "presence_penalty": 0, "frequency_penalty": 0, "stream": false, "user": "gonogo"}
    Then the last is accepted like the first

  @must @completions.request.stop_string
  Scenario: A stop sequence of a completion may be one string
    Source: schema, StopConfiguration
    Why: both forms are in use (lm-sys/FastChat PR#1923).
    When a completion is requested with {}
    And a completion is requested with {"stop": "gonogo-never"}
    Then the last is accepted like the first

  @must @completions.request.stop_list
  Scenario: Stop sequences of a completion may be a list
    Source: schema, StopConfiguration
    Why: both forms are in use (mudler/LocalAI PR#153).
    When a completion is requested with {}
    And a completion is requested with {"stop": ["gonogo-never", "gonogo-not-at-all"]}
    Then the last is accepted like the first
