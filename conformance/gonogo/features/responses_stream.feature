Feature: Streams of responses
  POST /responses with stream: the order of the events, and what those of one item have in common. A must is what the
  official document and Open Responses agree on; [DONE] is asked for by neither rule, as only one of them has it.

  @must @responses.stream.events
  Scenario: A stream of a response carries its events
    Source: schema, ResponseStreamEvent; Open Responses, Streaming
    Why: a status of 200 and nothing more is a failure that nobody sees (langflow-ai/langflow#10295, sgl-project/sglang#9963).
    When any response is streamed
    Then the stream carries events of a response

  @must @responses.stream.type
  Scenario: Every event says in its data what it is
    Source: schema, ResponseStreamEvent, discriminated by type; Open Responses, Streaming
    Why: all clients tell events apart by it.
    When any response is streamed
    Then the data of each event has a type

  @should @responses.stream.named
  Scenario: Every event is named by its type
    Source: Open Responses, Streaming, "event MUST match type"; the official document says nothing of it
    Why: clients that dispatch by the name of the event see nothing.
    Needs: responses.stream.type
    When any response is streamed
    Then the name of each event is its type

  @must @responses.stream.created
  Scenario: The first event of a response is response.created
    Source: schema, ResponseStreamEvent; Open Responses, Streaming
    Why: openai-python and openai-node raise without it, and others have no response to add to.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no missing-created

  @must @responses.stream.created_once
  Scenario: response.created comes once
    Source: schema, ResponseStreamEvent; Open Responses, Streaming
    Why: clients begin a second response, and lose the first.
    When any response is streamed
    Then the order of the events shows no repeated-created

  @must @responses.stream.created_fits
  Scenario: A response that was created has id, model and time
    Source: schema, ResponseCreatedEvent.response, required; Open Responses, the same
    Why: the AI SDK and async-openai cannot read the event (ggml-org/llama.cpp#20607, ggml-org/llama.cpp PR#21174).
    Needs: responses.stream.created
    When any response is streamed
    Then the response that was created has what clients read of it

  @should @responses.stream.created_empty
  Scenario: A response that was created is under way, and its output empty
    Source: schema, Response.status; Open Responses, Streaming
    Why: openai-node 6 raises where the output is null.
    Needs: responses.stream.created_fits
    When any response is streamed
    Then the response that was created is under way and has no output

  @should @responses.stream.in_progress
  Scenario: A response says that it is in progress
    Source: schema, ResponseInProgressEvent; Open Responses, Streaming
    Why: who shows the state of a request shows it as waiting.
    When any response is streamed
    Then the order of the events shows no missing-in-progress

  @must @responses.stream.same_id
  Scenario: Every event that carries the response has the same id
    Source: schema, Response.id; Open Responses, Streaming
    Why: clients go on with another response.
    When any response is streamed
    Then the order of the events shows no other-response-id

  @must @responses.stream.ended
  Scenario: A stream ends with response.completed, response.incomplete or response.failed
    Source: schema, ResponseStreamEvent; Open Responses, Streaming
    Why: the stream closed before response.completed, says Codex, and loses the answer (openai/codex#41340, router-for-me/CLIProxyAPI#1407).
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no missing-end

  @must @responses.stream.ended_once
  Scenario: A response ends once
    Source: schema, ResponseStreamEvent; Open Responses, Streaming
    Why: clients take the first end, or the second.
    When any response is streamed
    Then the order of the events shows no second-end

  @must @responses.stream.ended_last
  Scenario: Nothing follows the end of a response
    Source: schema, ResponseStreamEvent; Open Responses, Streaming
    Why: clients stop reading there, and lose what follows.
    When any response is streamed
    Then the order of the events shows no event-after-end

  @must @responses.stream.ended_fits
  Scenario: The event that ends a response is that of its status
    Source: schema, ResponseCompletedEvent, ResponseIncompleteEvent, ResponseFailedEvent; Open Responses, Streaming
    Why: gateways turn it into a finished answer (vllm-project/agentic-api#273).
    Needs: responses.stream.ended
    When any response is streamed
    Then the event that ends the stream is that of the status

  @must @responses.stream.released
  Scenario: The stream ends after the event that ends the response
    Source: RFC 9112 section 6.3: the message is complete; schema, ResponseStreamEvent
    Why: clients that read to the end wait forever.
    Needs: responses.stream.ended
    When any response is streamed
    Then the connection is released after the event that ends the response

  @should @responses.stream.no_failure
  Scenario: No stream of a valid request fails
    Source: project decision; a failure in mid-stream is a server error that came too late for a status
    Why: openai-python raises without a message, and the part is lost.
    When any response is streamed
    Then the stream does not fail

  @must @responses.stream.item_added
  Scenario: Every item is added before anything is said of it
    Source: schema, ResponseOutputItemAddedEvent; Open Responses, Streaming
    Why: openai-python and openai-node raise, and the AI SDK finds no part (BerriAI/litellm PR#36375).
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no unannounced-item

  @must @responses.stream.item_id
  Scenario: An item that is added has an id
    Source: schema, OutputItem; Open Responses, Items: every item has an id
    Why: openai-node and the AI SDK refuse it (ggml-org/llama.cpp#20607).
    Needs: responses.stream.item_added
    When any response is streamed
    Then the order of the events shows no nameless-item

  @must @responses.stream.item_same_id
  Scenario: Every event of an item has the item's id
    Source: schema, item_id of each event; Open Responses, Streaming
    Why: openai-node raises at a delta of another item (BerriAI/litellm#30071, BerriAI/litellm#27671).
    Needs: responses.stream.item_id
    When any response is streamed
    Then the order of the events shows no other-item-id

  @must @responses.stream.item_named
  Scenario: Every event within an item has its item_id
    Source: schema, item_id, required in each event; Open Responses, Streaming
    Why: openai-node and the AI SDK refuse the event.
    When any response is streamed
    Then the order of the events shows no missing-item-id

  @must @responses.stream.item_index
  Scenario: Every event of an item has its output_index
    Source: schema, output_index, required in each event; Open Responses, Streaming
    Why: openai-node and the AI SDK refuse the event (ggml-org/llama.cpp#20607).
    When any response is streamed
    Then the order of the events shows no missing-output-index

  @must @responses.stream.item_own_index
  Scenario: No two items share an output_index
    Source: schema, ResponseOutputItemAddedEvent.output_index, "the index of the output item"; Open Responses, Streaming
    Why: openai-python and openai-node raise: duplicate index (BerriAI/litellm PR#36375).
    Needs: responses.stream.item_index
    When any response is streamed
    Then the order of the events shows no reused-index

  @must @responses.stream.item_numbered
  Scenario: Items are numbered from 0 in the order in which they are added
    Source: schema, output_index, "the index of the output item"; Open Responses, Streaming
    Why: openai-node 6 has no item at that place.
    Needs: responses.stream.item_own_index
    When any response is streamed
    Then the order of the events shows no misnumbered-item

  @must @responses.stream.item_done
  Scenario: Every item that is added is done before the response ends
    Source: schema, ResponseOutputItemDoneEvent; Open Responses, Streaming
    Why: Codex loses the answer, and the AI SDK the call.
    Needs: responses.stream.item_added
    When any response is streamed
    Then the order of the events shows no unfinished-item

  @must @responses.stream.item_over
  Scenario: Nothing follows the end of an item
    Source: schema, ResponseOutputItemDoneEvent, "marked done"; Open Responses, Streaming
    Why: clients add text to what is already shown.
    When any response is streamed
    Then the order of the events shows no late-event

  @must @responses.stream.item_same_type
  Scenario: An item is of one type from beginning to end
    Source: schema, ResponseOutputItemDoneEvent.item; Open Responses, Streaming
    Why: clients keep what they made at the beginning.
    When any response is streamed
    Then the order of the events shows no other-item-type

  @should @responses.stream.item_empty
  Scenario: An item and its parts begin empty
    Source: schema, ResponseContentPartAddedEvent; Open Responses, Streaming: items are added empty
    Why: clients that add deltas to what is there have the text twice.
    When any response is streamed
    Then the order of the events shows no begun-text

  @must @responses.stream.part_added
  Scenario: Every part is added before its text comes
    Source: schema, ResponseContentPartAddedEvent; Open Responses, Streaming
    Why: openai-python and openai-node raise: no content at index 0 (BerriAI/litellm PR#24445).
    Needs: responses.stream.item_added
    When any response is streamed
    Then the order of the events shows no unannounced-part

  @should @responses.stream.reasoning_added
  Scenario: Every part of reasoning is added before its text comes
    Source: schema, ResponseReasoningSummaryPartAddedEvent; Open Responses, Streaming
    Why: openai-node raises (seen in Ollama; BerriAI/litellm PR#32777).
    When any response is streamed
    Then the order of the events shows no unannounced-reasoning

  @must @responses.stream.part_once
  Scenario: A part is added once
    Source: schema, ResponseContentPartAddedEvent; Open Responses, Streaming
    Why: clients begin the text again.
    When any response is streamed
    Then the order of the events shows no repeated-part

  @must @responses.stream.part_index
  Scenario: Every event of a part has its index
    Source: schema, content_index, required in each event; Open Responses, Streaming
    Why: openai-python raises TypeError, openai-node too.
    When any response is streamed
    Then the order of the events shows no missing-content-index

  @must @responses.stream.part_numbered
  Scenario: Parts are numbered from 0 in the order in which they are added
    Source: schema, content_index, "the index of the content part"; Open Responses, Streaming
    Why: clients put the text where there is no part.
    Needs: responses.stream.part_index
    When any response is streamed
    Then the order of the events shows no misnumbered-part

  @should @responses.stream.part_done
  Scenario: Every part is done before its item
    Source: schema, ResponseContentPartDoneEvent; Open Responses, Streaming; measured clients go on without
    Why: who shows a part when it is done shows nothing.
    When any response is streamed
    Then the order of the events shows no unfinished-part

  @should @responses.stream.text_done
  Scenario: Every text is said whole before its part ends
    Source: schema, ResponseTextDoneEvent; Open Responses, Streaming; measured clients go on without
    Why: who reads whole texts only gets none (Blaizzy/mlx-vlm PR#1458).
    When any response is streamed
    Then the order of the events shows no text-not-done

  @must @responses.stream.text_over
  Scenario: Nothing follows a text that was said whole
    Source: schema, ResponseTextDoneEvent, "finalized"; Open Responses, Streaming
    Why: clients show a text that ends, and then goes on.
    When any response is streamed
    Then the order of the events shows no late-step

  @must @responses.stream.fits_item
  Scenario: Every event fits the type of its item
    Source: schema, ResponseOutputItemAddedEvent.item; Open Responses, Streaming
    Why: openai-node raises at reasoning in a part of text, and a call that comes as text is not made (vllm-project/vllm PR#24788).
    When any response is streamed
    Then the order of the events shows no stray-step

  @must @responses.stream.delta
  Scenario: Every delta is a string
    Source: schema, ResponseTextDeltaEvent.delta, required; Open Responses, Streaming
    Why: clients add them up.
    When any response is streamed
    Then every delta is a string

  @should @responses.stream.delta_logprobs
  Scenario: Every delta of a text has a list of log probabilities
    Source: schema, ResponseTextDeltaEvent.logprobs, required; measured clients read a delta without it
    Why: strict validators refuse the event.
    When any response is streamed
    Then every delta of a text has a list "logprobs"

  @must @responses.stream.text_sum
  Scenario: The deltas of a text make the text
    Source: schema, ResponseTextDoneEvent.text; Open Responses, Streaming
    Why: what was shown is not what is kept, and the AI SDK has no text without deltas (gemini-web2api PR#57).
    Needs: responses.stream.delta
    When any response is streamed
    Then the order of the events shows no unlike-text

  @must @responses.stream.arguments_sum
  Scenario: The deltas of arguments make the arguments
    Source: schema, ResponseFunctionCallArgumentsDoneEvent.arguments; Open Responses, Streaming
    Why: a tool is called with half of its arguments.
    Needs: responses.stream.delta
    When any response is streamed
    Then the order of the events shows no unlike-arguments

  @must @responses.stream.part_sum
  Scenario: A part that is done has the text of its deltas
    Source: schema, ResponseContentPartDoneEvent.part; Open Responses, Streaming
    Why: what was shown is not what is kept.
    Needs: responses.stream.text_sum
    When any response is streamed
    Then the order of the events shows no unlike-part

  @must @responses.stream.item_sum
  Scenario: An item that is done has what its deltas made
    Source: schema, ResponseOutputItemDoneEvent.item; Open Responses, Streaming
    Why: Codex keeps the item and shows the deltas.
    Needs: responses.stream.text_sum
    When any response is streamed
    Then the order of the events shows no unlike-item

  @must @responses.stream.output_sum
  Scenario: The last event repeats the items of the stream
    Source: schema, ResponseCompletedEvent.response; Open Responses, Streaming
    Why: openai-python's final response is empty, or another one.
    Needs: responses.stream.item_sum, responses.stream.item_done
    When any response is streamed
    Then the order of the events shows no unlike-output

  @must @responses.stream.same_call
  Scenario: A call has one call_id and one name from beginning to end
    Source: schema, FunctionToolCall.call_id; Open Responses, Streaming
    Why: openai-python and openai-node raise: the identity changed (vllm-project/vllm PR#47916).
    When any response is streamed
    Then the order of the events shows no other-call

  @should @responses.stream.sequence
  Scenario: Every event has a sequence_number
    Source: schema, sequence_number, required in each event; measured clients read events without it
    Why: a stream cannot be taken up where it broke off (Blaizzy/mlx-vlm PR#494, onyx-dot-app/onyx PR#13624).
    When any response is streamed
    Then the order of the events shows no no-sequence-number

  @should @responses.stream.sequence_rises
  Scenario: Sequence numbers rise
    Source: schema, sequence_number, "the sequence number for this event"; Open Responses, Streaming
    Why: who sorts by it has the events in another order (ggml-org/llama.cpp PR#24957, BerriAI/litellm PR#28899).
    Needs: responses.stream.sequence
    When any response is streamed
    Then the order of the events shows no unordered-sequence

  @should @responses.stream.sequence_next
  Scenario: Sequence numbers begin at 0 and rise by one
    Source: project decision; every server that was read counts so, and starting_after depends on it
    Why: who looks for gaps waits for an event that never comes.
    Needs: responses.stream.sequence_rises
    When any response is streamed
    Then the order of the events shows no sequence-gap
