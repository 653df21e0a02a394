Feature: Models
  GET /models and GET /models/{model}: what a client reads before it asks for anything.

  @should @models.list.there
  Scenario: There is a list of models
    Source: schema, paths./models.get; project decision: an operation may be absent
    Why: Open WebUI and every model picker start here (openvinotoolkit/model_server#3555).
    When the models are listed
    Then the operation is there

  @must @models.list.status
  Scenario: The list of models is answered with 200
    Source: schema, paths./models.get
    Why: clients that compare with it take 201 and 203 for failures.
    Needs: models.list.there
    When the models are listed
    Then the answer's status is 200

  @must @models.list.content_type
  Scenario: The list of models is sent as application/json
    Source: schema, paths./models.get.responses.200.content
    Why: openai-python hands out a str instead of an object for any other media type (EricLBuehler/mistral.rs#79).
    When the models are listed
    Then the answer's content type is "application/json"

  @must @models.list.json
  Scenario: The list of models is one JSON object
    Source: schema, ListModelsResponse
    Why: every client parses it.
    Needs: models.list.content_type
    When the models are listed
    Then the answer is one JSON object

  @must @models.list.object
  Scenario: The list of models says that it is a list
    Source: schema, ListModelsResponse.object
    Why: typed clients decode by this literal.
    Needs: models.list.data
    When the models are listed
    Then "object" in the answer fits ModelList

  @must @models.list.data
  Scenario: The list of models is an array
    Source: schema, ListModelsResponse.data
    Why: clients iterate over it; null or a map ends in a TypeError.
    Needs: models.list.json
    When the models are listed
    Then "data" in the answer, apart from ["data[]"], fits ModelList

  @must @models.entry.id
  Scenario: Every listed model has an id
    Source: schema, Model.id
    Why: it is what goes into "model".
    Needs: models.list.data
    When the models are listed
    Then "data[].id" in the answer fits ModelList

  @must @models.entry.object
  Scenario: Every listed model says that it is a model
    Source: schema, Model.object
    Why: strict decoders refuse the list without it (mozilla-ai/any-llm#1083).
    Needs: models.list.data
    When the models are listed
    Then "data[].object" in the answer fits ModelList

  @must @models.entry.created
  Scenario: Every listed model has a creation time that is a whole number
    Source: schema, Model.created
    Why: openai-php dies of a list without it (openai-php/client#598), Swift and Rust decoders of a float.
    Needs: models.list.data
    When the models are listed
    Then "data[].created" in the answer fits ModelList

  @should @models.entry.seconds
  Scenario: The creation time of a listed model is in seconds
    Source: schema, Model.created, "Unix timestamp (in seconds)"
    Why: milliseconds show as the year 57,000 in model pickers.
    Needs: models.list.data
    When the models are listed
    Then every model was created at a time in seconds

  @must @models.entry.owned_by
  Scenario: Every listed model names its owner
    Source: schema, Model.owned_by
    Why: strict decoders refuse the list without it (lmstudio-ai/lmstudio-bug-tracker#1988).
    Needs: models.list.data
    When the models are listed
    Then "data[].owned_by" in the answer fits ModelList

  # "type", "context_length" and "loaded" are extensions of this project; others give these names meanings of their own.
  @must @models.entry.rest
  Scenario: Nothing else in a listed model breaks its schema
    Source: schema, Model
    Why: a field of the wrong type is worse than a missing one to a strict decoder.
    Needs: models.list.data
    When the models are listed
    Then "data[]" in the answer, apart from ["data[].id", "data[].object", "data[].created", "data[].owned_by", "data[].type", "data[].context_length", "data[].loaded"], fits ModelList

  @must @models.list.unique
  Scenario: No model is listed twice
    Source: schema, Model.id, "can be referenced in the API endpoints"
    Why: pickers keyed by id show one entry twice or drop one.
    When the models are listed
    Then no two models have the same id

  @should @models.list.stable
  Scenario: Two lists of models agree
    Source: schema, Model.created, "when the model was created"
    Why: caches keyed by creation time never hit where it is the time of asking (pollinations/pollinations PR#13875).
    When the models are listed
    And the same request is sent again
    Then the lists agree in ids and times

  @should @models.list.serves
  Scenario: The model that answers is listed
    Source: project decision; OpenAI lists every model that a key may use
    Why: clients refuse to select what is not listed.
    When the models are listed
    And a chat completion is requested with {}
    Then the model that answers is listed

  @must @models.retrieve.found
  Scenario: A listed model can be retrieved
    Source: schema, paths./models/{model}.get
    Why: models.retrieve() and clients that probe with it take the model for absent (ollama/ollama#10139, BerriAI/litellm#37271).
    When the models are listed
    And the served model is retrieved
    And any model is retrieved by its id as it is
    Then the listed model can be retrieved

  # A few of them: the one that is asked for, and up to three others, those with "/" in their ids first.
  @must @models.retrieve.every
  Scenario: What else is listed can be retrieved too
    Source: schema, paths./models/{model}.get, whose ids are those of the list
    Why: model pickers offer what then cannot be looked up; ids with "/" are taken for paths (kekzl/imp#1599).
    Needs: models.retrieve.found
    When the models are listed
    And any listed model is retrieved
    Then each of them can be retrieved

  @must @models.retrieve.id
  Scenario: A retrieved model has the id that was asked for
    Source: schema, Model.id
    Why: clients compare it with what they asked for.
    Needs: models.retrieve.found
    When any listed model is retrieved
    Then the retrieved model has the id that was asked for

  @must @models.retrieve.schema
  Scenario: A retrieved model has the form of a model
    Source: schema, Model
    Why: typed clients decode it like an entry of the list.
    Needs: models.retrieve.id
    When any listed model is retrieved
    Then nothing else in the answer breaks Model than ["id", "type", "context_length", "loaded"]

  @should @models.retrieve.agrees
  Scenario: A retrieved model says the same as its entry in the list
    Source: schema, Model, the same object in both places
    Why: two truths about one model.
    Needs: models.retrieve.schema
    When the models are listed
    And the served model is retrieved
    Then the retrieved model is the listed one

  @must @models.retrieve.unknown
  Scenario: An unknown model cannot be retrieved
    Source: guide, Error codes; RFC 9110 section 15.5
    Why: a client that probes for a model must be able to learn that it is not there.
    When the model "gonogo-no-such-model" is retrieved
    Then the request is refused with 4xx

  @should @models.retrieve.unknown_status
  Scenario: An unknown model is refused with 404
    Source: guide, Error codes, 404 model_not_found
    Why: SDKs map the status to NotFoundError, which callers catch.
    Needs: models.retrieve.unknown
    When the model "gonogo-no-such-model" is retrieved
    Then the status of the refusal is 404
