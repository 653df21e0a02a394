Feature: Sampling parameters
  How tokens are drawn: each parameter is honoured within its limits or refused by its name, and refused beyond them.
  What is accepted must have its effect where that shows whatever the model is; elsewhere nothing is said of it.

  @should @sampling.accepted.temperature
  Scenario: A temperature of 2 is taken, or refused by its name
    Source: schema, CreateChatCompletionRequest.temperature, maximum 2; guide, Error codes
    Why: sliders end at 2, and some servers at 1.
    When a chat completion of an open question is drawn at temperature 2
    Then it is taken, or refused by the name temperature

  @should @sampling.accepted.top_p
  Scenario: A small top_p is taken, or refused by its name
    Source: schema, CreateChatCompletionRequest.top_p, minimum 0; guide, Error codes
    Why: what is not supported is to be left out, and the name says what (livekit/agents#1274).
    When a chat completion is drawn from a nucleus of one token
    Then it is taken, or refused by the name top_p

  @should @sampling.accepted.penalties
  Scenario: Penalties at their limits are taken, or refused by a name
    Source: schema, CreateChatCompletionRequest.presence_penalty, maximum 2, and frequency_penalty, minimum -2; guide, Error codes
    Why: what is not supported is to be left out, and the name says what (livekit/agents#1274).
    When a chat completion is requested with {"presence_penalty": 2, "frequency_penalty": -2, "max_tokens": 2}
    Then it is taken, or refused by the name presence_penalty or frequency_penalty

  @should @sampling.accepted.seed
  Scenario: The least seed is taken, or refused by its name
    Source: schema, CreateChatCompletionRequest.seed, a signed integer of 64 bits; guide, Error codes
    Why: random generators that take no negative number end in a 500 (numpy's raises a ValueError).
    When a chat completion is drawn with a seed
    Then it is taken, or refused by the name seed

  @should @sampling.accepted.logit_bias
  Scenario: A map of biases is taken, or refused by its name
    Source: schema, CreateChatCompletionRequest.logit_bias, an object; guide, Error codes
    Why: servers that know only lists of pairs refuse what every client sends (ggml-org/llama.cpp PR#14946, xorbitsai/inference#2291).
    When a greedy chat completion is requested with one token forced
    Then it is taken, or refused by the name logit_bias

  @should @sampling.accepted.reasoning_effort
  Scenario: A reasoning effort of none is taken, or refused by its name
    Source: schema, CreateChatCompletionRequest.reasoning_effort, "none"; guide, Error codes
    Why: whoever wants a short answer sends it to every model, and what cannot reason does what it asks for.
    When a chat completion is requested with {"reasoning_effort": "none", "max_tokens": 2}
    Then it is taken, or refused by the name reasoning_effort

  @should @sampling.accepted.bookkeeping
  Scenario: Bookkeeping at its limits is accepted
    Source: schema, CreateChatCompletionRequest.metadata, service_tier, safety_identifier, prompt_cache_key
    Why: sixteen notes of full length are allowed, and none of them has an effect (livekit/agents#1274, voideditor/void#128).
    When a chat completion is requested with {}
    And a chat completion is requested with bookkeeping at its limits
    Then the last is accepted like the first

  @must @sampling.effect.logit_bias
  Scenario: A token that is forced changes the text
    Source: schema, CreateChatCompletionRequest.logit_bias: 100 all but forces a token; project decision: what is accepted is not ignored
    Why: banned words are said, and a choice of one token is free, and nobody learns of it (sgl-project/sglang#6171, BerriAI/litellm#7793).
    When a greedy chat completion is requested
    And a greedy chat completion is requested with one token forced
    Then the text is another with the token forced

  @should @sampling.effect.top_p
  Scenario: A nucleus of one token leaves nothing to chance
    Source: schema, CreateChatCompletionRequest.top_p: only the most likely tokens that together have this probability
    Why: what is accepted and ignored leaves the caller with more chance than was asked for.
    When a greedy chat completion is streamed
    And the same request is sent again
    And a chat completion is drawn from a nucleus of one token
    Then the last text begins like the greedy one

  @should @sampling.effect.temperature
  Scenario: A temperature of 2 leaves something to chance
    Source: schema, CreateChatCompletionRequest.temperature, "higher values make the output more random"; project decision: what is accepted is not ignored
    Why: whoever asks several times to choose or to vote gets one answer several times (transformers serve, where its model's settings do not sample).
    When a greedy chat completion of an open question is requested
    And a chat completion of an open question is drawn at temperature 2
    And a chat completion of that question is drawn at temperature 2 once more
    And that greedy chat completion is requested with log probabilities and a late part of its text as stop
    Then a text at temperature 2 is not the greedy one

  @should @sampling.effect.both_limits
  Scenario: Of two limits the newer one counts
    Source: schema, CreateChatCompletionRequest.max_completion_tokens; the API refuses both together
    Why: libraries send both while they move from the one to the other, and the older one is the larger.
    Needs: chat.limit.max_tokens, chat.limit.max_completion_tokens
    When a chat completion is requested with {"max_tokens": 8, "max_completion_tokens": 2}
    Then of the limits 8 and 2 the newer one holds

  @may @sampling.repeats.greedy
  Scenario: A text at temperature 0 repeats
    Source: schema, CreateChatCompletionRequest.temperature: 0 takes the most likely token; project decision
    Why: tests and caches count on it, though other requests in a batch can change the last digits.
    When a greedy chat completion is streamed
    And the same request is sent again
    Then the text is the same each time

  @may @sampling.repeats.seed
  Scenario: The same seed gives the same text
    Source: schema, CreateChatCompletionRequest.seed, as far as the server can arrange it
    Why: evaluations are repeated with a seed (sgl-project/sglang#15746, InternLM/lmdeploy PR#2353).
    When a greedy chat completion is streamed
    And the same request is sent again
    And a chat completion is drawn with a seed
    And a chat completion is drawn with that seed once more
    Then the seed gives the same text, where greedy text repeats

  @must @sampling.harmless.bookkeeping
  Scenario: Bookkeeping beyond its limits does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.metadata, maxProperties 16, and service_tier, enum
    Why: a column that is too short for what nobody reads ends in a 500.
    When a chat completion is wrongly requested with bookkeeping beyond its limits
    Then the request does not fail the server

  @must @sampling.harmless.bias_list
  Scenario: A list of biases does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.logit_bias, an object
    Why: a loop over the items of a map fails on a list, as a 500.
    When a chat completion is wrongly requested with {"logit_bias": [[1000, 1]], "max_tokens": 2}
    Then the request does not fail the server

  @must @sampling.harmless.bias_range
  Scenario: A bias of 101 does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.logit_bias: from -100 to 100
    Why: a value out of range is the caller's mistake, and a 500 says otherwise (raullenchai/Rapid-MLX PR#740).
    When a chat completion is wrongly requested with {"logit_bias": {"1000": 101}, "max_tokens": 2}
    Then the request does not fail the server

  @must @sampling.harmless.reasoning_effort
  Scenario: An invented reasoning effort does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.reasoning_effort, enum
    Why: a look-up by the name fails, as a 500.
    When a chat completion is wrongly requested with {"reasoning_effort": "gonogo", "max_tokens": 2}
    Then the request does not fail the server

  @must @sampling.harmless.stream_options
  Scenario: stream_options without stream do not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.stream_options: only with stream
    Why: code of streams that runs without one fails, as a 500.
    When a chat completion is wrongly requested with {"stream_options": {"include_usage": true}, "max_tokens": 2}
    Then the request does not fail the server

  @must @sampling.harmless.max_tokens_zero
  Scenario: A limit of 0 tokens does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.max_tokens; guide, Error codes
    Why: a division by the limit, or an empty answer that nothing can be read of, ends in a 500.
    When a chat completion is wrongly requested with {"max_tokens": 0, "stop": [" ", "a", "e", "o"]}
    Then the request does not fail the server

  @must @sampling.harmless.max_tokens_negative
  Scenario: A limit of -1 tokens does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.max_tokens; guide, Error codes
    Why: an array of -1 entries ends in a 500; for some servers it means without end.
    When a chat completion is wrongly requested with {"max_tokens": -1, "stop": [" ", "a", "e", "o"]}
    Then the request does not fail the server

  @must @sampling.harmless.max_tokens_float
  Scenario: A limit of 1.5 tokens does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.max_tokens, integer
    Why: a range of 1.5 steps fails, as a 500.
    When a chat completion is wrongly requested with {"max_tokens": 1.5, "stop": [" ", "a", "e", "o"]}
    Then the request does not fail the server

  @must @sampling.harmless.nan
  Scenario: A temperature that is not a number does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; RFC 8259 section 6: NaN is not permitted
    Why: one NaN stops the process (raullenchai/Rapid-MLX PR#740).
    When a chat completion is wrongly requested with {"temperature": NaN, "max_tokens": 2}
    Then the request does not fail the server

  @must @sampling.harmless.seed_range
  Scenario: A seed of more than 64 bits does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.seed, a signed integer of 64 bits
    Why: a number that fits no register of 64 bits raises where the sampler is made, as a 500.
    When a chat completion is wrongly requested with {"seed": 100000000000000000000, "max_tokens": 2}
    Then the request does not fail the server

  @may @sampling.refused.bookkeeping
  Scenario: Bookkeeping beyond its limits is refused
    Source: schema, CreateChatCompletionRequest.metadata, maxProperties 16, and service_tier, enum
    Why: notes that another provider refuses are found out on the day of the move.
    Needs: sampling.harmless.bookkeeping
    When a chat completion is wrongly requested with bookkeeping beyond its limits
    Then the request is not accepted

  @may @sampling.refused.bias_list
  Scenario: A list of biases is refused
    Source: schema, CreateChatCompletionRequest.logit_bias, an object
    Why: no client of the API sends it; who honours it has an extension.
    Needs: sampling.harmless.bias_list
    When a chat completion is wrongly requested with {"logit_bias": [[1000, 1]], "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.refused.bias_range
  Scenario: A bias of 101 is refused
    Source: schema, CreateChatCompletionRequest.logit_bias: from -100 to 100
    Why: 101 is clamped to 100, or forces a token that was to be likelier only (Arthur-Ficial/apfel#235).
    Needs: sampling.harmless.bias_range
    When a chat completion is wrongly requested with {"logit_bias": {"1000": 101}, "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.refused.reasoning_effort
  Scenario: An invented reasoning effort is refused
    Source: schema, CreateChatCompletionRequest.reasoning_effort, enum
    Why: a slip in the name is taken for the default, and nobody learns of it.
    Needs: sampling.harmless.reasoning_effort
    When a chat completion is wrongly requested with {"reasoning_effort": "gonogo", "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.refused.stream_options
  Scenario: stream_options without stream are refused
    Source: schema, CreateChatCompletionRequest.stream_options: only with stream
    Why: whoever forgot stream waits for events that never come.
    Needs: sampling.harmless.stream_options
    When a chat completion is wrongly requested with {"stream_options": {"include_usage": true}, "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.refused.max_tokens_zero
  Scenario: A limit of 0 tokens is refused
    Source: schema, CreateChatCompletionRequest.max_tokens; guide, Error codes
    Why: a limit that is computed, and comes out as 0, is taken for none (entrius/gittensor#1749).
    Needs: sampling.harmless.max_tokens_zero
    When a chat completion is wrongly requested with {"max_tokens": 0, "stop": [" ", "a", "e", "o"]}
    Then the request is not accepted

  @should @sampling.refused.max_tokens_negative
  Scenario: A limit of -1 tokens is refused
    Source: schema, CreateChatCompletionRequest.max_tokens; guide, Error codes
    Why: a limit that is computed, and comes out below 0, is taken for none (entrius/gittensor#1749).
    Needs: sampling.harmless.max_tokens_negative
    When a chat completion is wrongly requested with {"max_tokens": -1, "stop": [" ", "a", "e", "o"]}
    Then the request is not accepted

  @should @sampling.refused.max_tokens_float
  Scenario: A limit of 1.5 tokens is refused
    Source: schema, CreateChatCompletionRequest.max_tokens, integer
    Why: what is rounded is another limit than the one that was asked for.
    Needs: sampling.harmless.max_tokens_float
    When a chat completion is wrongly requested with {"max_tokens": 1.5, "stop": [" ", "a", "e", "o"]}
    Then the request is not accepted

  @should @sampling.refused.nan
  Scenario: A temperature that is not a number is refused
    Source: RFC 8259 section 6: NaN is not permitted
    Why: what is no JSON is read differently by each reader on the way.
    Needs: sampling.harmless.nan
    When a chat completion is wrongly requested with {"temperature": NaN, "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.refused.seed_range
  Scenario: A seed of more than 64 bits is refused
    Source: schema, CreateChatCompletionRequest.seed, a signed integer of 64 bits
    Why: a seed that was cut to 64 bits repeats nothing elsewhere (Arthur-Ficial/apfel#235).
    Needs: sampling.harmless.seed_range
    When a chat completion is wrongly requested with {"seed": 100000000000000000000, "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.named.temperature_range
  Scenario: A temperature of 5 is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: errors.refused.temperature_range, errors.envelope.object
    When a chat completion is wrongly requested with {"temperature": 5}
    Then the status of the refusal is 400
    And the param names temperature

  @should @sampling.named.top_p_range
  Scenario: A top_p of 2 is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: errors.refused.top_p_range, errors.envelope.object
    When a chat completion is wrongly requested with {"top_p": 2}
    Then the status of the refusal is 400
    And the param names top_p

  @should @sampling.named.n_zero
  Scenario: A request for no choices is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: errors.refused.n_zero, errors.envelope.object
    When a chat completion is wrongly requested with {"n": 0}
    Then the status of the refusal is 400
    And the param names n

  @should @sampling.named.penalty_range
  Scenario: A presence penalty of 9 is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: errors.refused.penalty_range, errors.envelope.object
    When a chat completion is wrongly requested with {"presence_penalty": 9}
    Then the status of the refusal is 400
    And the param names presence_penalty

  @should @sampling.named.stop_too_many
  Scenario: A list of five stop sequences is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: errors.refused.stop_too_many, errors.envelope.object
    When a chat completion is wrongly requested with {"stop": ["a", "b", "c", "d", "e"]}
    Then the status of the refusal is 400
    And the param names stop

  @should @sampling.named.bias_list
  Scenario: A list of biases is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: sampling.refused.bias_list, errors.envelope.object
    When a chat completion is wrongly requested with {"logit_bias": [[1000, 1]], "max_tokens": 2}
    Then the status of the refusal is 400
    And the param names logit_bias

  @should @sampling.named.bias_range
  Scenario: A bias of 101 is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: sampling.refused.bias_range, errors.envelope.object
    When a chat completion is wrongly requested with {"logit_bias": {"1000": 101}, "max_tokens": 2}
    Then the status of the refusal is 400
    And the param names logit_bias

  @should @sampling.named.reasoning_effort
  Scenario: An invented reasoning effort is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: sampling.refused.reasoning_effort, errors.envelope.object
    When a chat completion is wrongly requested with {"reasoning_effort": "gonogo", "max_tokens": 2}
    Then the status of the refusal is 400
    And the param names reasoning_effort

  @should @sampling.named.stream_options
  Scenario: stream_options without stream are refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: sampling.refused.stream_options, errors.envelope.object
    When a chat completion is wrongly requested with {"stream_options": {"include_usage": true}, "max_tokens": 2}
    Then the status of the refusal is 400
    And the param names stream_options

  @should @sampling.named.max_tokens_zero
  Scenario: A limit of 0 tokens is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: sampling.refused.max_tokens_zero, errors.envelope.object
    When a chat completion is wrongly requested with {"max_tokens": 0, "stop": [" ", "a", "e", "o"]}
    Then the status of the refusal is 400
    And the param names max_tokens

  @should @sampling.named.max_tokens_negative
  Scenario: A limit of -1 tokens is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: sampling.refused.max_tokens_negative, errors.envelope.object
    When a chat completion is wrongly requested with {"max_tokens": -1, "stop": [" ", "a", "e", "o"]}
    Then the status of the refusal is 400
    And the param names max_tokens

  @should @sampling.named.max_tokens_float
  Scenario: A limit of 1.5 tokens is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: sampling.refused.max_tokens_float, errors.envelope.object
    When a chat completion is wrongly requested with {"max_tokens": 1.5, "stop": [" ", "a", "e", "o"]}
    Then the status of the refusal is 400
    And the param names max_tokens

  @should @sampling.named.seed_range
  Scenario: A seed of more than 64 bits is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the person learns which of twenty parameters it was, and the SDK raises BadRequestError.
    Needs: sampling.refused.seed_range, errors.envelope.object
    When a chat completion is wrongly requested with {"seed": 100000000000000000000, "max_tokens": 2}
    Then the status of the refusal is 400
    And the param names seed

  @should @sampling.accepted.bias_empty
  Scenario: A logit_bias without any token is accepted
    Source: schema, CreateChatCompletionRequest.logit_bias, a map; one without entries changes nothing
    Why: clients that write all their fields send {}.
    When a chat completion is requested with {}
    And a chat completion is requested with {"logit_bias": {}, "max_tokens": 2}
    Then the last is accepted like the first
