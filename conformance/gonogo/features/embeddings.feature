Feature: Embeddings
  POST /embeddings, if the target has an embedding model.

  @must @embeddings.response.status
  Scenario: Embeddings are answered with 200
    Source: schema, paths./embeddings.post.responses
    Why: the schema defines only 200 for success; clients that compare with it treat 201 and 203 as failures.
    When any embeddings are requested
    Then the answer's status is 200

  @must @embeddings.response.content_type
  Scenario: Embeddings are sent as application/json
    Source: schema, paths./embeddings.post.responses.200.content
    Why: openai-python returns a str instead of an object for any other media type (EricLBuehler/mistral.rs#79).
    When any embeddings are requested
    Then the answer's content type is "application/json"

  @must @embeddings.response.json
  Scenario: An embeddings answer is one JSON object
    Source: schema, CreateEmbeddingResponse; RFC 8259
    Why: NaN in a vector is not JSON, and every client fails to parse it.
    Needs: embeddings.response.content_type
    When any embeddings are requested
    Then the answer is one JSON object

  @must @embeddings.response.object
  Scenario: The object of an embeddings answer is "list"
    Source: schema, CreateEmbeddingResponse.object
    Why: typed clients select their decoder by it.
    When any embeddings are requested
    Then "object" in the answer fits EmbeddingList

  @must @embeddings.response.data
  Scenario: An embeddings answer has an array of data
    Source: schema, CreateEmbeddingResponse.data
    Why: every caller reads data[0].embedding.
    Needs: embeddings.response.json
    When any embeddings are requested
    Then "data" in the answer, apart from ["data[].object", "data[].index", "data[].embedding"], fits EmbeddingList

  @must @embeddings.response.entry_object
  Scenario: The object of every vector is "embedding"
    Source: schema, Embedding.object
    Why: typed clients select their decoder by it.
    Needs: embeddings.response.data
    When any embeddings are requested
    Then "data[].object" in the answer fits EmbeddingList

  @must @embeddings.response.index
  Scenario: The index of every vector is an integer
    Source: schema, Embedding.index
    Why: callers match vectors to texts by it.
    Needs: embeddings.response.data
    When any embeddings are requested
    Then "data[].index" in the answer fits EmbeddingList

  @must @embeddings.response.indexes
  Scenario: The vectors are numbered from 0
    Source: schema, Embedding.index, "the index of the embedding in the list"
    Why: a vector is stored for the wrong text (chroma-core/chroma PR#344).
    Needs: embeddings.response.index
    When any embeddings are requested
    Then the vectors are numbered from 0

  @must @embeddings.response.vector
  Scenario: Every vector is an array of numbers or a string
    Source: schema, Embedding.embedding
    Why: vector stores reject null.
    Needs: embeddings.response.data
    When any embeddings are requested
    Then "data[].embedding" in the answer fits EmbeddingList

  @must @embeddings.response.not_empty
  Scenario: No vector is empty
    Source: schema, Embedding.embedding, "a list of floats, the length of which depends on the model"
    Why: pi-llm-wiki silently stored empty vectors (zosmaai/pi-llm-wiki PR#103).
    Needs: embeddings.response.data
    When any embeddings are requested
    Then no vector is empty

  @must @embeddings.response.one_length
  Scenario: All vectors of an answer have the same length
    Source: schema, Embedding.embedding, "the length of which depends on the model"
    Why: vector stores have a fixed dimension.
    Needs: embeddings.response.vector
    When any embeddings are requested
    Then all vectors have the same length

  @must @embeddings.response.model
  Scenario: An embeddings answer names its model
    Source: schema, CreateEmbeddingResponse.model
    Why: typed clients fail on null (opea-project/GenAIComps#926).
    When any embeddings are requested
    Then "model" in the answer fits EmbeddingList

  @should @embeddings.response.model_not_empty
  Scenario: The model of an embeddings answer is not empty
    Source: schema, CreateEmbeddingResponse.model, "the name of the model used"
    Why: applications store the model together with its vectors.
    Needs: embeddings.response.model
    When any embeddings are requested
    Then "model" in the answer is a string that is not empty

  @must @embeddings.response.usage
  Scenario: An embeddings answer has usage with two integers
    Source: schema, CreateEmbeddingResponse.usage, required
    Why: cost tracking uses it and fails on null (opea-project/GenAIComps#926).
    When any embeddings are requested
    Then "usage" in the answer fits EmbeddingList

  @should @embeddings.response.usage_prompt
  Scenario: The usage counts the tokens of the inputs
    Source: schema, CreateEmbeddingResponse.usage.prompt_tokens, "the number of tokens used by the prompt"
    Why: requests with a count of 0 are not limited.
    Needs: embeddings.response.usage
    When any embeddings are requested
    Then prompt tokens were counted

  @should @embeddings.response.usage_total
  Scenario: Prompt and total tokens of embeddings are equal
    Source: schema, CreateEmbeddingResponse.usage.total_tokens, "the total number of tokens used by the request"
    Why: quota and billing code reads either of them.
    Needs: embeddings.response.usage
    When any embeddings are requested
    Then prompt and total tokens are equal

  @must @embeddings.input.text
  Scenario: A text gets one vector
    Source: schema, CreateEmbeddingRequest.input, string
    Why: callers read only data[0].
    When embeddings are requested with {}
    Then there is a vector for each input

  @must @embeddings.input.list
  Scenario: A list of texts is accepted
    Source: schema, CreateEmbeddingRequest.input, array of strings
    Why: every vector store embeds in batches.
    When embeddings are requested with {}
    And embeddings are requested with {"input": ["Count from one to ten.", "Red, green, blue.", "A house by the sea."]}
    Then if the first is accepted, so is the last

  @must @embeddings.input.list_vectors
  Scenario: A list of texts gets one vector per text
    Source: schema, CreateEmbeddingRequest.input, "multiple inputs in a single request"
    Why: texts are lost and cannot be found.
    Needs: embeddings.input.list
    When embeddings are requested with {"input": ["Count from one to ten.", "Red, green, blue.", "A house by the sea."]}
    Then there is a vector for each input

  @must @embeddings.input.order
  Scenario: Each text has its own vector at its index
    Source: schema, Embedding.index, "the index of the embedding in the list"
    Why: search finds the wrong documents (pydantic/pydantic-ai PR#7506).
    Needs: embeddings.input.list_vectors, embeddings.response.indexes
    When embeddings are requested with {}
    And embeddings are requested with {"input": ["Count from one to ten.", "Red, green, blue.", "A house by the sea."]}
    Then the vector of index 0 is nearest to that of the first text alone

  @should @embeddings.input.batch
  Scenario: A text has the same vector alone and in a batch
    Source: project decision; batching is no part of the contract
    Why: documents are indexed in batches and searched one by one.
    Needs: embeddings.input.order
    When embeddings are requested with {}
    And embeddings are requested with {"input": ["Count from one to ten.", "Red, green, blue.", "A house by the sea."]}
    Then the vector of index 0 is that of its text alone

  @must @embeddings.input.tokens
  Scenario: A list of tokens is one input
    Source: schema, CreateEmbeddingRequest.input, array of integers
    Why: langchain's OpenAIEmbeddings sends tokens by default (michaelfeil/infinity#36, huggingface/text-embeddings-inference#106).
    When embeddings are requested with {"input": [1000, 1001, 1002]}
    Then there is a vector for each input

  @must @embeddings.input.token_lists
  Scenario: Several lists of tokens get one vector each
    Source: schema, CreateEmbeddingRequest.input, array of token arrays
    Why: langchain's OpenAIEmbeddings sends batches of tokens (langchain-ai/langchain#27448).
    When embeddings are requested with {"input": [[1000, 1001], [1002, 1003]]}
    Then there is a vector for each input

  @should @embeddings.input.repeats
  Scenario: The same text always has the same vector
    Source: project decision; an embedding is a function of its text
    Why: indexed documents are not found again.
    When embeddings are requested with {}
    And embeddings are requested with {"encoding_format": "float"}
    Then the vectors agree

  @must @embeddings.format.default
  Scenario: Without encoding_format a vector is an array
    Source: schema, CreateEmbeddingRequest.encoding_format, default "float"
    Why: callers compute with the array.
    When embeddings are requested with {}
    Then the vectors are arrays of numbers

  @must @embeddings.format.float
  Scenario: With encoding_format float, a vector is an array
    Source: schema, CreateEmbeddingRequest.encoding_format
    Why: callers compute with the array.
    When embeddings are requested with {"encoding_format": "float"}
    Then the vectors are arrays of numbers

  @must @embeddings.format.base64
  Scenario: With encoding_format base64, a vector is a string
    Source: schema, CreateEmbeddingRequest.encoding_format
    Why: openai-node requests it by default and read an array as 256 wrong numbers (openai/openai-node#1542, ollama/ollama#6934).
    When embeddings are requested with {"encoding_format": "base64"}
    Then the vectors are strings of base64

  @must @embeddings.format.base64_size
  Scenario: The base64 of a vector contains 32-bit floats
    Source: guide, Embeddings; openai-python reads 32-bit floats
    Why: 64-bit floats decode to twice as many numbers (michaelfeil/infinity#349).
    Needs: embeddings.format.base64
    When embeddings are requested with {}
    And embeddings are requested with {"encoding_format": "base64"}
    Then the base64 has four bytes for each number

  @must @embeddings.format.base64_value
  Scenario: The base64 and the array contain the same vector
    Source: schema, CreateEmbeddingRequest.encoding_format, one embedding in two formats; openai-python reads little-endian
    Why: another byte order decodes to noise (runpod-workers/worker-infinity-embedding#30).
    Needs: embeddings.format.base64_size
    When embeddings are requested with {}
    And embeddings are requested with {"encoding_format": "float"}
    And embeddings are requested with {"encoding_format": "base64"}
    Then the base64 encodes the same vector

  @must @embeddings.harmless.format
  Scenario: An unknown encoding_format does not fail the server
    Source: schema, CreateEmbeddingRequest.encoding_format, enum; RFC 9110 section 15.6
    Why: SDKs retry on 5xx.
    When embeddings are wrongly requested with {"encoding_format": "gonogo"}
    Then the request does not fail the server

  @should @embeddings.refused.format
  Scenario: An unknown encoding_format is refused
    Source: schema, CreateEmbeddingRequest.encoding_format, enum
    Why: a typing error goes unnoticed until the vectors are read.
    Needs: embeddings.harmless.format
    When embeddings are wrongly requested with {"encoding_format": "gonogo"}
    Then the request is not accepted

  @must @embeddings.dimensions.length
  Scenario: dimensions sets the length of the vectors
    Source: schema, CreateEmbeddingRequest.dimensions, "the number of dimensions the resulting output embeddings should have"
    Why: the vector store rejects every insertion (ggml-org/llama.cpp#25210, BerriAI/litellm#11940).
    When embeddings are requested with {"dimensions": 8}
    Then every vector has 8 numbers

  @must @embeddings.request.user
  Scenario: The parameter user is accepted with embeddings
    Source: schema, CreateEmbeddingRequest.user
    Why: applications send it with every request.
    When embeddings are requested with {}
    And embeddings are requested with {"user": "gonogo"}
    Then if the first is accepted, so is the last

  @must @embeddings.harmless.empty_text
  Scenario: An empty text does not fail the server
    Source: schema, CreateEmbeddingRequest.input, "cannot be an empty string"; RFC 9110 section 15.6
    Why: one empty document stops the indexing of all others (langgenius/dify#6807).
    When embeddings are wrongly requested with {"input": ""}
    Then the request does not fail the server

  @should @embeddings.refused.empty_text
  Scenario: An empty text is refused
    Source: schema, CreateEmbeddingRequest.input, "cannot be an empty string"
    Why: its vector matches every query.
    Needs: embeddings.harmless.empty_text
    When embeddings are wrongly requested with {"input": ""}
    Then the request is not accepted

  @must @embeddings.harmless.empty_list
  Scenario: An empty list of texts does not fail the server
    Source: schema, CreateEmbeddingRequest.input; RFC 9110 section 15.6
    Why: a batch that happens to be empty stops the service for everyone (memodb-io/memobase#142).
    When embeddings are wrongly requested with {"input": []}
    Then the request does not fail the server

  @should @embeddings.refused.empty_list
  Scenario: An empty list of texts is refused
    Source: schema, CreateEmbeddingRequest.input, at least one
    Why: the request contains nothing to embed.
    Needs: embeddings.harmless.empty_list
    When embeddings are wrongly requested with {"input": []}
    Then the request is not accepted

  @must @embeddings.harmless.number
  Scenario: A number as input does not fail the server
    Source: schema, CreateEmbeddingRequest.input; RFC 9110 section 15.6
    Why: SDKs retry on 5xx.
    When embeddings are wrongly requested with {"input": 7}
    Then the request does not fail the server

  @should @embeddings.refused.number
  Scenario: A number as input is refused
    Source: schema, CreateEmbeddingRequest.input
    Why: a single number is not a token list.
    Needs: embeddings.harmless.number
    When embeddings are wrongly requested with {"input": 7}
    Then the request is not accepted

  @must @embeddings.harmless.too_many
  Scenario: A list of 2049 texts does not fail the server
    Source: schema, CreateEmbeddingRequest.input, "2048 dimensions or less"; RFC 9110 section 15.6
    Why: vector stores that get a 413 without an error object give up (ggml-org/llama.cpp PR#7389).
    When embeddings of 2049 texts are wrongly requested
    Then the request does not fail the server

  @should @embeddings.refused.too_many
  Scenario: A list of 2049 texts is refused
    Source: schema, CreateEmbeddingRequest.input, "2048 dimensions or less"
    Why: clients that rely on this batch limit never see it.
    Needs: embeddings.harmless.too_many
    When embeddings of 2049 texts are wrongly requested
    Then the request is not accepted

  @must @embeddings.input.not_cut
  Scenario: A text longer than the context is not truncated silently
    Source: schema, CreateEmbeddingRequest.input, "must not exceed the max input tokens for the model"
    Why: the end of every long document is silently missing from the index.
    Needs: embeddings.response.vector
    When embeddings of two long texts that differ at their end are requested
    Then the vectors of the two texts differ, or the texts are refused
