Feature: HTTP
  What holds for every answer, whoever asked.

  @must @http.no_server_error
  Scenario: No valid request is answered with a server error
    Source: RFC 9110 section 15.6: the server is aware that it has erred
    Why: SDKs retry on 5xx, and the user waits for the same failure three times.
    When any valid request is sent
    Then no valid request is answered with a server error

  @must @http.complete
  Scenario: No answer is cut off
    Source: RFC 9112 section 8: an incomplete message is an error
    Why: "incomplete chunked read" in the middle of an answer (chatchat-space/Langchain-Chatchat#4542).
    When any valid request is sent
    Then the connection holds until the answer is complete

  @should @http.in_time
  Scenario: Every answer comes within the time limit
    Source: project decision; RFC 9110 section 3.4 asks for an answer, not for its time
    Why: clients have limits of their own.
    When any request is sent
    Then the answer comes within the time limit

  @must @http.survives
  Scenario: The target answers on after every request
    Source: RFC 9110 section 3.4: a server responds to every request
    Why: one malformed request takes the service from everybody (ml-explore/mlx-lm#1215, ggml-org/llama.cpp#6396).
    When a sign of life is asked for
    Then the target still answers afterwards

  @may @http.request_id
  Scenario: Every answer has an x-request-id
    Source: guide, Debugging requests
    Why: the SDKs show it as _request_id, and support asks for it (vllm-project/vllm#9593).
    When any valid request is sent
    Then the answer has a header x-request-id
