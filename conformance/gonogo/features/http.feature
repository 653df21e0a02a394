Feature: HTTP
  Rules for every answer, whatever the request.

  @must @http.no_server_error
  Scenario: No valid request is answered with a server error
    Source: RFC 9110 section 15.6: the server is aware that it has erred
    Why: SDKs retry on 5xx, and the user waits for the same failure three times.
    When any valid request is sent
    Then no valid request is answered with a server error

  @should @http.retry_after
  Scenario: A busy target says when to retry
    Source: RFC 9110 section 15.6.4: Retry-After may be sent with 503; SDK behaviour: its retries obey it
    Why: the official SDKs retry twice within two seconds, and then give up on a target that serves one request at a time.
    When any valid request is sent
    Then no valid request is rejected with 503 without Retry-After

  @must @http.complete
  Scenario: No answer is truncated
    Source: RFC 9112 section 8: an incomplete message is an error
    Why: clients raise "incomplete chunked read" in the middle of an answer (chatchat-space/Langchain-Chatchat#4542).
    When any valid request is sent
    Then the connection is open until the answer is complete

  @should @http.in_time
  Scenario: Every answer arrives within the time limit
    Source: project decision; RFC 9110 section 3.4 asks for an answer, not for its time
    Why: clients have time limits of their own.
    When any request is sent that is to be answered
    Then the answer comes within the time limit

  # A wrong request without a small limit may be running as a valid one: other rules report that it was not refused.
  @should @http.refused_in_time
  Scenario: Every refusal arrives within the time limit
    Source: project decision; RFC 9110 section 3.4 asks for an answer, not for its time
    Why: a request that hangs blocks a worker and its client until one of them gives up.
    When any request is sent that is to be refused
    Then a refusal comes within the time limit

  @must @http.survives
  Scenario: The target still answers after every request
    Source: RFC 9110 section 3.4: a server responds to every request
    Why: one malformed request stops the service for everyone (ml-explore/mlx-lm#1215, ggml-org/llama.cpp#6396).
    When a sign of life is asked for
    Then the target still answers afterwards

  @may @http.request_id
  Scenario: Every answer has an x-request-id
    Source: guide, Debugging requests
    Why: SDKs expose it as _request_id, and support asks for it (vllm-project/vllm#9593).
    When any valid request is sent
    Then the answer has a header x-request-id

  @may @http.charset
  Scenario: JSON with a charset is accepted like JSON
    Source: RFC 8259 section 11: the parameter has no effect
    Why: many HTTP libraries send "application/json; charset=utf-8" (openai/openai-openapi#194).
    When a chat completion is requested with {}
    And a chat completion is requested as "application/json; charset=utf-8"
    Then the last is accepted like the first

  @must @http.media_type
  Scenario: JSON declared as text does not fail the server
    Source: RFC 9110 section 15.5.16: 415 is for it; section 15.6: 5xx is for the server's own errors
    Why: fetch sends a string as text/plain by default.
    When a chat completion is wrongly requested as "text/plain"
    Then the answer is not a server error, except 501

  @must @http.large_body
  Scenario: A body of more than 64 KiB is accepted or refused
    Source: RFC 9110 section 15.5.14: 413 is for it; RFC 9112 section 9.6 for how to close then
    Why: long conversations and images exceed the buffers of proxies and small servers.
    When a chat completion is requested with a user of 64 KiB
    Then the answer is not a server error, except 501

  @should @http.head
  Scenario: HEAD for the models does not fail the server
    Source: RFC 9110 section 9.1: GET and HEAD are the methods that every server has; 405 and 501 say no
    Why: load balancer probes take the target out of service.
    When HEAD is sent to "/models"
    Then the answer is not a server error, except 501

  @should @http.options
  Scenario: OPTIONS does not fail the server
    Source: RFC 9110 section 9.3.7; 405 and 501 say no
    Why: browsers send it before the request (ollama/ollama#4388, lidge-jun/opencodex#1773).
    When a browser asks whether a page may request a chat completion
    Then the answer is not a server error, except 501

  @may @http.cors
  Scenario: A web page may send what openai-node sends
    Source: Fetch standard, CORS-preflight fetch: "*" does not stand for Authorization among the allowed headers
    Why: openai-node in a browser, Obsidian or Tauri is blocked (ollama/ollama#4388, pollinations/pollinations PR#10165).
    When a browser asks whether a page may request a chat completion
    Then the page may send the headers of openai-node

  @should @http.trailing_slash
  Scenario: A trailing slash in a path does not fail the server
    Source: RFC 9110 section 15.6: it is the client's choice of a path, not the server's error
    Why: users write base URLs with a trailing slash (lmstudio-ai/lmstudio-bug-tracker#1988, sigoden/aichat#767).
    When GET is sent to "/models/"
    Then the answer is not a server error, except 501

  @should @http.client_leaves
  Scenario: A client that disconnects during a stream does not affect others
    Source: RFC 9112 section 9.5: a server should be prepared for a connection that closes; project decision
    Why: users press stop, and a worker that keeps writing to the closed connection is lost for others (ggml-org/llama.cpp#24496).
    Needs: http.survives
    When a sign of life is asked for after a client left in the middle of a stream
    Then the target still answers afterwards

  @should @http.left_prompt
  Scenario: The prompt of an abandoned stream is answered when it is sent again
    Source: RFC 9112 section 9.5: a server should be prepared for a connection that closes; project decision
    Why: users who press stop often send the same prompt again, and a half-filled cache then fails each time.
    Needs: http.client_leaves
    When a client leaves in the middle of a stream
    And the prompt of a stream that was left is sent again
    Then it is answered as if no client had disconnected

  @should @http.one_length
  Scenario: No answer has two body lengths
    Source: RFC 9112 section 6.2: no Content-Length beside Transfer-Encoding
    Why: proxies refuse such an answer with 502, because readers disagree about its end.
    When any request is sent
    Then the answer states its length in one way only

  @should @http.utf8
  Scenario: No answer declares another charset than UTF-8
    Source: RFC 8259 section 8.1: JSON is UTF-8; SSE standard 9.2.5: so are streams
    Why: httpx and .NET's HttpClient trust the charset and corrupt every accented character.
    When any request is sent
    Then no other charset than that of the bytes is named

  @should @http.names
  Scenario: No object in an answer has duplicate field names
    Source: RFC 8259 section 4: names should be unique, or what software makes of them is unpredictable
    Why: one parser uses the first, another the last, and a strict one neither.
    When any request is sent
    Then no object has two fields of one name

  @should @http.allow
  Scenario: A refusal with 405 lists the allowed methods
    Source: RFC 9110 section 15.5.6: a 405 must have Allow
    Why: a caller with the wrong method learns the right one.
    Needs: errors.status.wrong_method
    When PUT is sent to "/chat/completions"
    Then a refusal with 405 has a header allow

  @should @http.coding
  Scenario: No answer has a content coding that was not requested
    Source: RFC 9110 section 12.5.3: identity is the only coding that the request takes
    Why: stream readers and small clients treat compressed bytes as text.
    When any request is sent
    Then the body has no content coding that was not requested

  @should @http.connection
  Scenario: No connection is closed after an answer without notice
    Source: RFC 9112 section 9.3: who does not keep connections says "close" in every answer
    Why: clients keep connections open and send the next request into a closed one.
    When a chat completion is requested as "application/json; charset=utf-8"
    Then the connection stays open, or the answer announces its end

  @must @http.chunked
  Scenario: A request with a chunked body is answered like one with a length
    Source: RFC 9112 section 7.1: a recipient must be able to parse the chunked transfer coding; 411 is its way out
    Why: clients that stream their body have no length: Node's fetch, Java, and proxies.
    When a chat completion is requested with {}
    And a chat completion is requested in chunks
    Then the last is answered like the first, unless it is refused with 411

  @must @http.upgrade_offer
  Scenario: A request that offers to upgrade to HTTP/2 is answered like any other
    Source: RFC 9110 section 7.8: a server may ignore the field, and then answers the request as it is
    Why: Java's HTTP client offers it with its first request; some servers then drop the body or never answer.
    When a chat completion is requested with {}
    And a chat completion is requested with an offer to upgrade
    Then the last is answered like the first, unless it is refused with 411

  @should @http.shared_id
  Scenario: Two requests with the same X-Request-Id are both answered
    Source: project decision; the field is none of the contract, and a server passes over what it does not know
    Why: gateways use one id for several requests, and clients for every retry.
    When a chat completion is requested with {}
    And a chat completion is requested with a request id
    And another is requested at the same time with the same request id
    Then both of the others are answered like the first

  @should @http.beside
  Scenario: Concurrent requests are answered like single ones
    Source: project decision; RFC 9110 section 3.4: a server responds to every request
    Why: of two users at the same time, one gets an error or the other's answer.
    When any greedy text is asked for
    Then each request gets its own answer in parallel too
