Feature: Sampling parameters
  Each parameter is honoured within its limits or refused by name, and refused beyond them. An accepted parameter must
  have an effect where this can be observed with any model.

  @should @sampling.accepted.temperature
  Scenario: A temperature of 2 is accepted, or refused by name
    Source: schema, CreateChatCompletionRequest.temperature, maximum 2; guide, Error codes
    Why: settings pages allow up to 2, but some servers only up to 1.
    When a chat completion of an open question is drawn at temperature 2
    Then it is accepted, or refused with the param temperature

  @should @sampling.accepted.top_p
  Scenario: A small top_p is accepted, or refused by name
    Source: schema, CreateChatCompletionRequest.top_p, minimum 0; guide, Error codes
    Why: clients drop unsupported parameters if the error names them (livekit/agents#1274).
    When a chat completion is drawn from a nucleus of one token
    Then it is accepted, or refused with the param top_p

  @should @sampling.accepted.penalties
  Scenario: Penalties at their limits are accepted, or refused by name
    Source: schema, CreateChatCompletionRequest.presence_penalty, maximum 2, and frequency_penalty, minimum -2; guide, Error codes
    Why: clients drop unsupported parameters if the error names them (livekit/agents#1274).
    When a chat completion is requested with {"presence_penalty": 2, "frequency_penalty": -2, "max_tokens": 2}
    Then it is accepted, or refused with the param presence_penalty or frequency_penalty

  @should @sampling.accepted.seed
  Scenario: The smallest seed is accepted, or refused by name
    Source: schema, CreateChatCompletionRequest.seed, a signed integer of 64 bits; guide, Error codes
    Why: random generators that accept no negative number cause a 500 (numpy's raises a ValueError).
    When a chat completion is drawn with a seed
    Then it is accepted, or refused with the param seed

  @should @sampling.accepted.logit_bias
  Scenario: A logit_bias map is accepted, or refused by name
    Source: schema, CreateChatCompletionRequest.logit_bias, an object; guide, Error codes
    Why: servers that support only lists of pairs refuse what every client sends (ggml-org/llama.cpp PR#14946, xorbitsai/inference#2291).
    When a greedy chat completion is requested with one token forced
    Then it is accepted, or refused with the param logit_bias

  @should @sampling.accepted.reasoning_effort
  Scenario: A reasoning effort of none is accepted, or refused by name
    Source: schema, CreateChatCompletionRequest.reasoning_effort, "none"; guide, Error codes
    Why: clients that want short answers send it to every model, and a model without reasoning already complies.
    When a chat completion is requested with {"reasoning_effort": "none", "max_tokens": 2}
    Then it is accepted, or refused with the param reasoning_effort

  @should @sampling.accepted.bookkeeping
  Scenario: Metadata and similar parameters at their limits are accepted
    Source: schema, CreateChatCompletionRequest.metadata, service_tier, safety_identifier, prompt_cache_key
    Why: sixteen entries of full length are allowed, and none of them has an effect (livekit/agents#1274, voideditor/void#128).
    When a chat completion is requested with {}
    And a chat completion is requested with bookkeeping at its limits
    Then the last is accepted like the first

  @must @sampling.effect.logit_bias
  Scenario: A forced token changes the text
    Source: schema, CreateChatCompletionRequest.logit_bias: 100 all but forces a token; project decision: what is accepted is not ignored
    Why: banned words appear and single-token choices are unconstrained, without notice (sgl-project/sglang#6171, BerriAI/litellm#7793).
    When a greedy chat completion is requested
    And a greedy chat completion is requested with one token forced
    Then the text changes if the token is forced

  @should @sampling.effect.top_p
  Scenario: A nucleus of one token makes the text deterministic
    Source: schema, CreateChatCompletionRequest.top_p: only the most likely tokens that together have this probability
    Why: an ignored parameter leaves the caller with more randomness than requested.
    When a greedy chat completion is streamed
    And the same request is sent again
    And a chat completion is drawn from a nucleus of one token
    Then the last text begins like the greedy one

  @should @sampling.effect.temperature
  Scenario: A temperature of 2 makes the text vary
    Source: schema, CreateChatCompletionRequest.temperature, "higher values make the output more random"; project decision: what is accepted is not ignored
    Why: callers that sample several answers to choose or vote get the same answer each time (transformers serve, if its model's settings do not sample).
    When a greedy chat completion of an open question is requested
    And a chat completion of an open question is drawn at temperature 2
    And a chat completion of that question is drawn at temperature 2 once more
    And that greedy chat completion is requested with log probabilities and a late part of its text as stop
    Then a text at temperature 2 is not the greedy one

  @should @sampling.effect.both_limits
  Scenario: Of two token limits, the newer one applies
    Source: schema, CreateChatCompletionRequest.max_completion_tokens; the API refuses both together
    Why: libraries send both during a migration, and the older one is larger.
    Needs: chat.limit.max_tokens, chat.limit.max_completion_tokens
    When a chat completion is requested with {"max_tokens": 8, "max_completion_tokens": 2}
    Then of the limits 8 and 2 the newer one applies

  @may @sampling.repeats.greedy
  Scenario: A text at temperature 0 is repeatable
    Source: schema, CreateChatCompletionRequest.temperature: 0 takes the most likely token; project decision
    Why: tests and caches rely on it, though other requests in a batch can change the last digits.
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
    Then the seed gives the same text, if greedy text repeats

  @must @sampling.harmless.bookkeeping
  Scenario: Metadata and similar parameters beyond their limits do not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.metadata, maxProperties 16, and service_tier, enum
    Why: a database column that is too short causes a 500 for a value that has no effect.
    When a chat completion is wrongly requested with bookkeeping beyond its limits
    Then the request does not fail the server

  @must @sampling.harmless.bias_list
  Scenario: A logit_bias list does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.logit_bias, an object
    Why: a loop over the items of a map fails on a list with a 500.
    When a chat completion is wrongly requested with {"logit_bias": [[1000, 1]], "max_tokens": 2}
    Then the request does not fail the server

  @must @sampling.harmless.bias_range
  Scenario: A logit_bias of 101 does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.logit_bias: from -100 to 100
    Why: a value out of range is the caller's error, but a 500 blames the server (raullenchai/Rapid-MLX PR#740).
    When a chat completion is wrongly requested with {"logit_bias": {"1000": 101}, "max_tokens": 2}
    Then the request does not fail the server

  @must @sampling.harmless.reasoning_effort
  Scenario: An unknown reasoning effort does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.reasoning_effort, enum
    Why: a look-up by name fails with a 500.
    When a chat completion is wrongly requested with {"reasoning_effort": "gonogo", "max_tokens": 2}
    Then the request does not fail the server

  @must @sampling.harmless.stream_options
  Scenario: stream_options without stream does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.stream_options: only with stream
    Why: stream code that runs without a stream fails with a 500.
    When a chat completion is wrongly requested with {"stream_options": {"include_usage": true}, "max_tokens": 2}
    Then the request does not fail the server

  @must @sampling.harmless.max_tokens_zero
  Scenario: A limit of 0 tokens does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.max_tokens; guide, Error codes
    Why: a division by the limit, or parsing an empty answer, causes a 500.
    When a chat completion is wrongly requested with {"max_tokens": 0, "stop": [" ", "a", "e", "o"]}
    Then the request does not fail the server

  @must @sampling.harmless.max_tokens_negative
  Scenario: A limit of -1 tokens does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.max_tokens; guide, Error codes
    Why: an array of -1 entries causes a 500; some servers treat it as unlimited.
    When a chat completion is wrongly requested with {"max_tokens": -1, "stop": [" ", "a", "e", "o"]}
    Then the request does not fail the server

  @must @sampling.harmless.max_tokens_float
  Scenario: A limit of 1.5 tokens does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.max_tokens, integer
    Why: a range of 1.5 steps fails with a 500.
    When a chat completion is wrongly requested with {"max_tokens": 1.5, "stop": [" ", "a", "e", "o"]}
    Then the request does not fail the server

  @must @sampling.harmless.nan
  Scenario: A temperature of NaN does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; RFC 8259 section 6: NaN is not permitted
    Why: one NaN stops the process (raullenchai/Rapid-MLX PR#740).
    When a chat completion is wrongly requested with {"temperature": NaN, "max_tokens": 2}
    Then the request does not fail the server

  @must @sampling.harmless.seed_range
  Scenario: A seed of more than 64 bits does not fail the server
    Source: RFC 9110 section 15.6: a 5xx is the server's own error; schema, CreateChatCompletionRequest.seed, a signed integer of 64 bits
    Why: a number beyond 64 bits raises when the sampler is created, which causes a 500.
    When a chat completion is wrongly requested with {"seed": 100000000000000000000, "max_tokens": 2}
    Then the request does not fail the server

  @may @sampling.refused.bookkeeping
  Scenario: Metadata and similar parameters beyond their limits are refused
    Source: schema, CreateChatCompletionRequest.metadata, maxProperties 16, and service_tier, enum
    Why: another provider refuses them later.
    Needs: sampling.harmless.bookkeeping
    When a chat completion is wrongly requested with bookkeeping beyond its limits
    Then the request is not accepted

  @may @sampling.refused.bias_list
  Scenario: A logit_bias list is refused
    Source: schema, CreateChatCompletionRequest.logit_bias, an object
    Why: no API client sends it; a server that accepts it has an extension.
    Needs: sampling.harmless.bias_list
    When a chat completion is wrongly requested with {"logit_bias": [[1000, 1]], "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.refused.bias_range
  Scenario: A logit_bias of 101 is refused
    Source: schema, CreateChatCompletionRequest.logit_bias: from -100 to 100
    Why: 101 is clamped to 100, or forces a token that should only be more likely (Arthur-Ficial/apfel#235).
    Needs: sampling.harmless.bias_range
    When a chat completion is wrongly requested with {"logit_bias": {"1000": 101}, "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.refused.reasoning_effort
  Scenario: An unknown reasoning effort is refused
    Source: schema, CreateChatCompletionRequest.reasoning_effort, enum
    Why: a typing error is silently treated as the default.
    Needs: sampling.harmless.reasoning_effort
    When a chat completion is wrongly requested with {"reasoning_effort": "gonogo", "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.refused.stream_options
  Scenario: stream_options without stream is refused
    Source: schema, CreateChatCompletionRequest.stream_options: only with stream
    Why: a caller who forgot stream waits for events that never arrive.
    Needs: sampling.harmless.stream_options
    When a chat completion is wrongly requested with {"stream_options": {"include_usage": true}, "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.refused.max_tokens_zero
  Scenario: A limit of 0 tokens is refused
    Source: schema, CreateChatCompletionRequest.max_tokens; guide, Error codes
    Why: a computed limit of 0 is treated as unlimited (entrius/gittensor#1749).
    Needs: sampling.harmless.max_tokens_zero
    When a chat completion is wrongly requested with {"max_tokens": 0, "stop": [" ", "a", "e", "o"]}
    Then the request is not accepted

  @should @sampling.refused.max_tokens_negative
  Scenario: A limit of -1 tokens is refused
    Source: schema, CreateChatCompletionRequest.max_tokens; guide, Error codes
    Why: a computed limit below 0 is treated as unlimited (entrius/gittensor#1749).
    Needs: sampling.harmless.max_tokens_negative
    When a chat completion is wrongly requested with {"max_tokens": -1, "stop": [" ", "a", "e", "o"]}
    Then the request is not accepted

  @should @sampling.refused.max_tokens_float
  Scenario: A limit of 1.5 tokens is refused
    Source: schema, CreateChatCompletionRequest.max_tokens, integer
    Why: a rounded limit is not the requested one.
    Needs: sampling.harmless.max_tokens_float
    When a chat completion is wrongly requested with {"max_tokens": 1.5, "stop": [" ", "a", "e", "o"]}
    Then the request is not accepted

  @should @sampling.refused.nan
  Scenario: A temperature of NaN is refused
    Source: RFC 8259 section 6: NaN is not permitted
    Why: every parser reads invalid JSON differently.
    Needs: sampling.harmless.nan
    When a chat completion is wrongly requested with {"temperature": NaN, "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.refused.seed_range
  Scenario: A seed of more than 64 bits is refused
    Source: schema, CreateChatCompletionRequest.seed, a signed integer of 64 bits
    Why: a seed truncated to 64 bits is not repeatable elsewhere (Arthur-Ficial/apfel#235).
    Needs: sampling.harmless.seed_range
    When a chat completion is wrongly requested with {"seed": 100000000000000000000, "max_tokens": 2}
    Then the request is not accepted

  @should @sampling.named.temperature_range
  Scenario: A temperature of 5 is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: errors.refused.temperature_range, errors.envelope.object
    When a chat completion is wrongly requested with {"temperature": 5}
    Then the status of the refusal is 400
    And the param names temperature

  @should @sampling.named.top_p_range
  Scenario: A top_p of 2 is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: errors.refused.top_p_range, errors.envelope.object
    When a chat completion is wrongly requested with {"top_p": 2}
    Then the status of the refusal is 400
    And the param names top_p

  @should @sampling.named.n_zero
  Scenario: A request for 0 choices is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: errors.refused.n_zero, errors.envelope.object
    When a chat completion is wrongly requested with {"n": 0}
    Then the status of the refusal is 400
    And the param names n

  @should @sampling.named.penalty_range
  Scenario: A presence penalty of 9 is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: errors.refused.penalty_range, errors.envelope.object
    When a chat completion is wrongly requested with {"presence_penalty": 9}
    Then the status of the refusal is 400
    And the param names presence_penalty

  @should @sampling.named.stop_too_many
  Scenario: A list of five stop sequences is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: errors.refused.stop_too_many, errors.envelope.object
    When a chat completion is wrongly requested with {"stop": ["a", "b", "c", "d", "e"]}
    Then the status of the refusal is 400
    And the param names stop

  @should @sampling.named.bias_list
  Scenario: A logit_bias list is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: sampling.refused.bias_list, errors.envelope.object
    When a chat completion is wrongly requested with {"logit_bias": [[1000, 1]], "max_tokens": 2}
    Then the status of the refusal is 400
    And the param names logit_bias

  @should @sampling.named.bias_range
  Scenario: A logit_bias of 101 is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: sampling.refused.bias_range, errors.envelope.object
    When a chat completion is wrongly requested with {"logit_bias": {"1000": 101}, "max_tokens": 2}
    Then the status of the refusal is 400
    And the param names logit_bias

  @should @sampling.named.reasoning_effort
  Scenario: An unknown reasoning effort is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: sampling.refused.reasoning_effort, errors.envelope.object
    When a chat completion is wrongly requested with {"reasoning_effort": "gonogo", "max_tokens": 2}
    Then the status of the refusal is 400
    And the param names reasoning_effort

  @should @sampling.named.stream_options
  Scenario: stream_options without stream is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: sampling.refused.stream_options, errors.envelope.object
    When a chat completion is wrongly requested with {"stream_options": {"include_usage": true}, "max_tokens": 2}
    Then the status of the refusal is 400
    And the param names stream_options

  @should @sampling.named.max_tokens_zero
  Scenario: A limit of 0 tokens is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: sampling.refused.max_tokens_zero, errors.envelope.object
    When a chat completion is wrongly requested with {"max_tokens": 0, "stop": [" ", "a", "e", "o"]}
    Then the status of the refusal is 400
    And the param names max_tokens

  @should @sampling.named.max_tokens_negative
  Scenario: A limit of -1 tokens is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: sampling.refused.max_tokens_negative, errors.envelope.object
    When a chat completion is wrongly requested with {"max_tokens": -1, "stop": [" ", "a", "e", "o"]}
    Then the status of the refusal is 400
    And the param names max_tokens

  @should @sampling.named.max_tokens_float
  Scenario: A limit of 1.5 tokens is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: sampling.refused.max_tokens_float, errors.envelope.object
    When a chat completion is wrongly requested with {"max_tokens": 1.5, "stop": [" ", "a", "e", "o"]}
    Then the status of the refusal is 400
    And the param names max_tokens

  @should @sampling.named.seed_range
  Scenario: A seed of more than 64 bits is refused with 400 and the name of the parameter
    Source: guide, Error codes, 400; seen in IBM/unitxt#1193
    Why: the caller learns which of many parameters is wrong, and the SDK raises BadRequestError.
    Needs: sampling.refused.seed_range, errors.envelope.object
    When a chat completion is wrongly requested with {"seed": 100000000000000000000, "max_tokens": 2}
    Then the status of the refusal is 400
    And the param names seed

  @should @sampling.accepted.bias_empty
  Scenario: An empty logit_bias is accepted
    Source: schema, CreateChatCompletionRequest.logit_bias, a map; one without entries changes nothing
    Why: clients that write all their fields send {}.
    When a chat completion is requested with {}
    And a chat completion is requested with {"logit_bias": {}, "max_tokens": 2}
    Then the last is accepted like the first
