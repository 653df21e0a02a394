Feature: Models
  GET /models and GET /models/{model}, which clients read first.

  @should @models.list.there
  Scenario: The model list exists
    Source: schema, paths./models.get; project decision: an operation may be absent
    Why: Open WebUI and every model picker start here (openvinotoolkit/model_server#3555).
    When the models are listed
    Then the operation exists

  @must @models.list.status
  Scenario: The model list is answered with 200
    Source: schema, paths./models.get
    Why: clients that compare with it treat 201 and 203 as failures.
    Needs: models.list.there
    When the models are listed
    Then the answer's status is 200

  @must @models.list.content_type
  Scenario: The model list is sent as application/json
    Source: schema, paths./models.get.responses.200.content
    Why: openai-python returns a str instead of an object for any other media type (EricLBuehler/mistral.rs#79).
    When the models are listed
    Then the answer's content type is "application/json"

  @must @models.list.json
  Scenario: The model list is one JSON object
    Source: schema, ListModelsResponse
    Why: every client parses it.
    Needs: models.list.content_type
    When the models are listed
    Then the answer is one JSON object

  @must @models.list.object
  Scenario: The object of the model list is "list"
    Source: schema, ListModelsResponse.object
    Why: typed clients select their decoder by it.
    Needs: models.list.data
    When the models are listed
    Then "object" in the answer fits ModelList

  @must @models.list.data
  Scenario: The data of the model list is an array
    Source: schema, ListModelsResponse.data
    Why: clients iterate over it; null or a map raises TypeError.
    Needs: models.list.json
    When the models are listed
    Then "data" in the answer, apart from ["data[]"], fits ModelList

  @must @models.entry.id
  Scenario: Every listed model has an id
    Source: schema, Model.id
    Why: clients use it as "model".
    Needs: models.list.data
    When the models are listed
    Then "data[].id" in the answer fits ModelList

  @must @models.entry.object
  Scenario: The object of every listed model is "model"
    Source: schema, Model.object
    Why: strict decoders reject the list without it (mozilla-ai/any-llm#1083).
    Needs: models.list.data
    When the models are listed
    Then "data[].object" in the answer fits ModelList

  @must @models.entry.created
  Scenario: The creation time of every listed model is an integer
    Source: schema, Model.created
    Why: openai-php fails without it (openai-php/client#598), Swift and Rust decoders on a float.
    Needs: models.list.data
    When the models are listed
    Then "data[].created" in the answer fits ModelList

  @should @models.entry.seconds
  Scenario: The creation time of a listed model is in seconds
    Source: schema, Model.created, "Unix timestamp (in seconds)"
    Why: model pickers show milliseconds as the year 57,000.
    Needs: models.list.data
    When the models are listed
    Then every model has a creation time in seconds

  @must @models.entry.owned_by
  Scenario: Every listed model names its owner
    Source: schema, Model.owned_by
    Why: strict decoders reject the list without it (lmstudio-ai/lmstudio-bug-tracker#1988).
    Needs: models.list.data
    When the models are listed
    Then "data[].owned_by" in the answer fits ModelList

  # "type", "context_length" and "loaded" are extensions of this project; other servers use these names differently.
  @must @models.entry.rest
  Scenario: All other fields of a listed model match its schema
    Source: schema, Model
    Why: strict decoders fail on a field of the wrong type, even an optional one.
    Needs: models.list.data
    When the models are listed
    Then "data[]" in the answer, apart from ["data[].id", "data[].object", "data[].created", "data[].owned_by", "data[].type", "data[].context_length", "data[].loaded"], fits ModelList

  @must @models.list.unique
  Scenario: No model is listed twice
    Source: schema, Model.id, "can be referenced in the API endpoints"
    Why: model pickers keyed by id show one entry twice or drop one.
    When the models are listed
    Then no two models have the same id

  @should @models.list.stable
  Scenario: Two requests for the model list return the same list
    Source: schema, Model.created, "when the model was created"
    Why: caches keyed by creation time never hit if it is the time of the request (pollinations/pollinations PR#13875).
    When the models are listed
    And the same request is sent again
    Then the lists have the same ids and times

  @should @models.list.serves
  Scenario: The model that answers is listed
    Source: project decision; OpenAI lists every model that a key may use
    Why: clients refuse to select an unlisted model.
    When the models are listed
    And a chat completion is requested with {}
    Then the model that answers is listed

  @must @models.retrieve.found
  Scenario: A listed model can be retrieved
    Source: schema, paths./models/{model}.get
    Why: models.retrieve() and clients that probe with it treat the model as missing (ollama/ollama#10139, BerriAI/litellm#37271).
    When the models are listed
    And the served model is retrieved
    And any model is retrieved by its id as it is
    Then the listed model can be retrieved

  # Up to three listed models besides the served one; ids with "/" come first.
  @must @models.retrieve.every
  Scenario: Every other listed model can be retrieved
    Source: schema, paths./models/{model}.get, whose ids are those of the list
    Why: model pickers offer models that cannot be retrieved; ids with "/" are treated as paths (kekzl/imp#1599).
    Needs: models.retrieve.found
    When the models are listed
    And any listed model is retrieved
    Then each of them can be retrieved

  @must @models.retrieve.id
  Scenario: A retrieved model has the requested id
    Source: schema, Model.id
    Why: clients compare it with the requested id.
    Needs: models.retrieve.found
    When any listed model is retrieved
    Then the retrieved model has the requested id

  @must @models.retrieve.schema
  Scenario: A retrieved model matches the schema of a model
    Source: schema, Model
    Why: typed clients decode it like an entry of the list.
    Needs: models.retrieve.id
    When any listed model is retrieved
    Then every field of the answer except ["id", "type", "context_length", "loaded"] fits Model

  @should @models.retrieve.agrees
  Scenario: A retrieved model equals its entry in the list
    Source: schema, Model, the same object in both places
    Why: clients see two different versions of one model.
    Needs: models.retrieve.schema
    When the models are listed
    And the served model is retrieved
    Then the retrieved model is the listed one

  @must @models.retrieve.unknown
  Scenario: An unknown model cannot be retrieved
    Source: guide, Error codes; RFC 9110 section 15.5
    Why: clients that probe for a model must be able to see that it does not exist.
    When the model "gonogo-no-such-model" is retrieved
    Then the request is refused with 4xx

  @should @models.retrieve.unknown_status
  Scenario: An unknown model is refused with 404
    Source: guide, Error codes, 404 model_not_found
    Why: SDKs map the status to NotFoundError, which callers catch.
    Needs: models.retrieve.unknown
    When the model "gonogo-no-such-model" is retrieved
    Then the status of the refusal is 404
