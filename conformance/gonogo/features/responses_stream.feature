Feature: Streams of responses
  POST /responses with stream true: order, ids and indices of the events, and whether the deltas add up. A must is required
  by the official document and by Open Responses. [DONE] is neither required nor forbidden, as only one of them has it.

  @must @responses.stream.events
  Scenario: A streamed response sends response events
    Source: schema, ResponseStreamEvent; Open Responses, Streaming
    Why: a status of 200 without events is a failure that clients do not notice (langflow-ai/langflow#10295, sgl-project/sglang#9963).
    Needs: responses.stream.type
    When any response is streamed
    Then the stream carries events of a response

  @must @responses.stream.type
  Scenario: Every event has a type in its data
    Source: schema, ResponseStreamEvent, discriminated by type; Open Responses, Streaming
    Why: all clients tell events apart by it.
    Needs: stream.json
    When any response is streamed
    Then the data of each event has a type

  @should @responses.stream.named
  Scenario: The event line of every event equals its type
    Source: Open Responses, Streaming, "event MUST match type"; the official document says nothing of it
    Why: clients that dispatch on the event line receive nothing.
    Needs: responses.stream.type
    When any response is streamed
    Then the name of each event is its type

  @must @responses.stream.created
  Scenario: response.created is the first event of a response
    Source: schema, ResponseStreamEvent; Open Responses, Streaming, where events of a server's own kind may come anywhere
    Why: openai-python and openai-node raise without it.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no missing-created

  @must @responses.stream.created_once
  Scenario: response.created is sent once
    Source: schema, ResponseStreamEvent; Open Responses, Streaming
    Why: clients start a second response and lose the first.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no repeated-created

  @must @responses.stream.created_fits
  Scenario: response.created carries id, model and created_at
    Source: schema, ResponseCreatedEvent.response, required; Open Responses, the same
    Why: the AI SDK and async-openai cannot read the event (ggml-org/llama.cpp#20607, ggml-org/llama.cpp PR#21174).
    Needs: responses.stream.created
    When any response is streamed
    Then response.created has id, object, created_at and model

  @should @responses.stream.created_empty
  Scenario: response.created has the status in_progress or queued and no output
    Source: schema, Response.status; Open Responses, Streaming
    Why: openai-node 6 raises if the output is null.
    Needs: responses.stream.created_fits, responses.response.output
    When any response is streamed
    Then response.created has the status in_progress or queued, and no output

  @should @responses.stream.in_progress
  Scenario: response.in_progress is sent
    Source: schema, ResponseInProgressEvent; Open Responses, Streaming
    Why: a client that displays the state shows the request as waiting.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no missing-in-progress

  @must @responses.stream.same_id
  Scenario: The response id is the same in every event
    Source: schema, Response.id; Open Responses, Streaming
    Why: clients continue the wrong response.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no other-response-id

  @must @responses.stream.ended
  Scenario: A terminal event is sent: response.completed, response.incomplete or response.failed
    Source: schema, ResponseStreamEvent; Open Responses, Streaming
    Why: Codex reports "stream closed before response.completed" and loses the answer (openai/codex#41340, router-for-me/CLIProxyAPI#1407).
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no missing-end

  @must @responses.stream.ended_once
  Scenario: Only one terminal event is sent
    Source: schema, ResponseStreamEvent; Open Responses, Streaming
    Why: clients disagree about which one counts.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no second-end

  @must @responses.stream.ended_last
  Scenario: The terminal event is the last event
    Source: schema, ResponseStreamEvent; Open Responses, Streaming
    Why: clients stop reading there, and lose what follows.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no event-after-end

  @must @responses.stream.ended_fits
  Scenario: The type of the terminal event equals the status of its response
    Source: schema, ResponseCompletedEvent, ResponseIncompleteEvent, ResponseFailedEvent; Open Responses, Streaming
    Why: gateways forward it as a finished answer (vllm-project/agentic-api#273).
    Needs: responses.stream.ended
    When any response is streamed
    Then the terminal event matches the status

  @must @responses.stream.released
  Scenario: The connection is released after the terminal event
    Source: RFC 9112 section 6.3: the message is complete; schema, ResponseStreamEvent
    Why: clients that read to the end wait forever.
    Needs: responses.stream.ended
    When any response is streamed
    Then the connection is released after the terminal event

  @should @responses.stream.no_failure
  Scenario: No streamed response to a valid request fails
    Source: project decision; a failure in mid-stream is a server error that came too late for a status
    Why: openai-python raises without a message, and the text so far is lost.
    Needs: responses.stream.type
    When any response is streamed
    Then the stream does not fail

  @must @responses.stream.item_added
  Scenario: output_item.added comes before every other event of an item
    Source: schema, ResponseOutputItemAddedEvent; Open Responses, Streaming
    Why: openai-python and openai-node raise, and the AI SDK reports "text part not found" (BerriAI/litellm PR#36375).
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no unannounced-item

  @must @responses.stream.item_id
  Scenario: Every added message and reasoning item has an id
    Source: schema, OutputMessage.id and ReasoningItem.id, required; Open Responses, Items
    Why: openai-node and the AI SDK refuse it (ggml-org/llama.cpp#20607).
    Needs: responses.stream.item_added
    When any response is streamed
    Then the order of the events shows no nameless-item

  @should @responses.stream.call_item_id
  Scenario: Every added function call has an id
    Source: Open Responses, "Items", every item has an id; schema, FunctionToolCall.id, which may be left out
    Why: openai-node and the AI SDK refuse it (ggml-org/llama.cpp#20607).
    Needs: responses.stream.item_added
    When any response is streamed
    Then the order of the events shows no nameless-call

  @should @responses.stream.call_named
  Scenario: Every function call is added with its call_id and name
    Source: schema, FunctionToolCall.call_id and name, required; Open Responses, FunctionCall
    Why: the AI SDK announces the tool by them before its arguments come (vllm-project/vllm PR#24788 sent empty ones).
    Needs: responses.stream.item_added
    When any response is streamed
    Then the order of the events shows no unidentified-call

  @must @responses.stream.item_same_id
  Scenario: The item id is the same in every event of an item
    Source: schema, item_id of each event; Open Responses, Streaming
    Why: openai-node raises on a delta with another item_id (BerriAI/litellm#30071, BerriAI/litellm#27671).
    Needs: responses.stream.item_id
    When any response is streamed
    Then the order of the events shows no other-item-id

  @must @responses.stream.item_named
  Scenario: Every event within an item has an item_id
    Source: schema, item_id, required in each event; Open Responses, Streaming
    Why: openai-node and the AI SDK refuse the event.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no missing-item-id

  @must @responses.stream.item_index
  Scenario: Every event of an item has an output_index
    Source: schema, output_index, required in each event; Open Responses, Streaming
    Why: openai-node and the AI SDK refuse the event (ggml-org/llama.cpp#20607).
    When any response is streamed
    Then the order of the events shows no missing-output-index

  @must @responses.stream.item_own_index
  Scenario: No two output items share an output_index
    Source: schema, ResponseOutputItemAddedEvent.output_index, "the index of the output item"; Open Responses, Streaming
    Why: openai-python and openai-node raise: duplicate index (BerriAI/litellm PR#36375).
    Needs: responses.stream.item_index
    When any response is streamed
    Then the order of the events shows no reused-index

  @must @responses.stream.item_numbered
  Scenario: output_index counts up from 0 in the order of the added items
    Source: schema, output_index, "the index of the output item"; Open Responses, Streaming
    Why: openai-node 6 finds no item at that index.
    Needs: responses.stream.item_own_index
    When any response is streamed
    Then the order of the events shows no misnumbered-item

  @must @responses.stream.item_done
  Scenario: Every added item has its output_item.done before the terminal event
    Source: schema, ResponseOutputItemDoneEvent; Open Responses, Streaming
    Why: Codex loses the answer, and the AI SDK loses the tool call.
    Needs: responses.stream.item_added
    When any response is streamed
    Then the order of the events shows no unfinished-item

  @must @responses.stream.item_over
  Scenario: No event of an item follows its output_item.done
    Source: schema, ResponseOutputItemDoneEvent, "marked done"; Open Responses, Streaming
    Why: clients append text to a finished item.
    When any response is streamed
    Then the order of the events shows no late-event

  @must @responses.stream.item_same_type
  Scenario: The type of an item does not change
    Source: schema, ResponseOutputItemDoneEvent.item; Open Responses, Streaming
    Why: clients keep the type of the first event.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no other-item-type

  @should @responses.stream.item_empty
  Scenario: Added items and parts are empty
    Source: schema, ResponseContentPartAddedEvent; Open Responses, Streaming: items are added empty
    Why: clients that append deltas to it show the text twice.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no begun-text

  @must @responses.stream.part_added
  Scenario: content_part.added comes before the deltas of a part
    Source: schema, ResponseContentPartAddedEvent; Open Responses, Streaming
    Why: openai-python and openai-node raise: no content at index 0 (BerriAI/litellm PR#24445).
    Needs: responses.stream.item_added
    When any response is streamed
    Then the order of the events shows no unannounced-part

  @should @responses.stream.reasoning_added
  Scenario: Reasoning parts are added before their deltas
    Source: schema, ResponseReasoningSummaryPartAddedEvent; Open Responses, Streaming
    Why: openai-node raises (seen in Ollama; BerriAI/litellm PR#32777).
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no unannounced-reasoning

  @must @responses.stream.part_once
  Scenario: No content part is added twice
    Source: schema, ResponseContentPartAddedEvent; Open Responses, Streaming
    Why: clients start the text again.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no repeated-part

  @must @responses.stream.part_index
  Scenario: Every event of a content part has a content_index
    Source: schema, content_index, required in each event; Open Responses, Streaming
    Why: openai-python raises TypeError, openai-node too.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no missing-content-index

  @must @responses.stream.part_numbered
  Scenario: content_index counts up from 0 within an item
    Source: schema, content_index, "the index of the content part"; Open Responses, Streaming
    Why: clients find no part at that index.
    Needs: responses.stream.part_index
    When any response is streamed
    Then the order of the events shows no misnumbered-part

  @should @responses.stream.part_done
  Scenario: Every content part has its content_part.done before the item is done
    Source: schema, ResponseContentPartDoneEvent; Open Responses, Streaming; measured clients go on without
    Why: clients that display finished parts show nothing.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no unfinished-part

  @should @responses.stream.text_done
  Scenario: Every text and every argument string has a done event
    Source: schema, ResponseTextDoneEvent; Open Responses, Streaming; measured clients go on without
    Why: clients that read only done events get no text (Blaizzy/mlx-vlm PR#1458).
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no text-not-done

  @must @responses.stream.text_over
  Scenario: No delta follows the done event of a text
    Source: schema, ResponseTextDoneEvent, "finalized"; Open Responses, Streaming
    Why: clients display a finished text that continues.
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no late-step

  @must @responses.stream.fits_item
  Scenario: The events within an item fit the item's type
    Source: schema, ResponseOutputItemAddedEvent.item; Open Responses, Streaming
    Why: openai-node raises on reasoning in an output_text part, and a tool call sent as text is not executed (vllm-project/vllm PR#24788).
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no stray-step

  @must @responses.stream.delta
  Scenario: Every delta of a streamed response is a string
    Source: schema, ResponseTextDeltaEvent.delta, required; Open Responses, Streaming
    Why: clients concatenate them.
    Needs: responses.stream.events
    When any response is streamed
    Then every delta is a string

  @should @responses.stream.delta_logprobs
  Scenario: Every output_text.delta has a logprobs array
    Source: schema, ResponseTextDeltaEvent.logprobs, required; measured clients read a delta without it
    Why: strict validators refuse the event.
    Needs: responses.stream.events
    When any response is streamed
    Then every output_text.delta has an array "logprobs"

  @must @responses.stream.text_sum
  Scenario: The deltas add up to the text of the done event
    Source: schema, ResponseTextDoneEvent.text; Open Responses, Streaming
    Why: the displayed text differs from the stored one, and the AI SDK has no text without deltas (gemini-web2api PR#57).
    Needs: responses.stream.delta
    When any response is streamed
    Then the order of the events shows no unlike-text

  @must @responses.stream.arguments_sum
  Scenario: The deltas add up to the arguments of the done event
    Source: schema, ResponseFunctionCallArgumentsDoneEvent.arguments; Open Responses, Streaming
    Why: a tool is called with incomplete arguments.
    Needs: responses.stream.delta
    When any response is streamed
    Then the order of the events shows no unlike-arguments

  @must @responses.stream.part_sum
  Scenario: content_part.done has the text of the deltas
    Source: schema, ResponseContentPartDoneEvent.part; Open Responses, Streaming
    Why: the displayed text differs from the stored one.
    Needs: responses.stream.text_sum
    When any response is streamed
    Then the order of the events shows no unlike-part

  @must @responses.stream.item_sum
  Scenario: output_item.done has the content of the deltas
    Source: schema, ResponseOutputItemDoneEvent.item; Open Responses, Streaming
    Why: Codex stores the item and displays the deltas.
    Needs: responses.stream.text_sum, responses.call.arguments
    When any response is streamed
    Then the order of the events shows no unlike-item

  @must @responses.stream.output_sum
  Scenario: The output of the terminal event equals the streamed items
    Source: schema, ResponseCompletedEvent.response; Open Responses, Streaming
    Why: the final response of openai-python is empty or differs from what was displayed.
    Needs: responses.stream.item_sum, responses.stream.item_done, responses.response.output, responses.message.content, responses.message.part, responses.call.arguments, responses.call.arguments_json
    When any response is streamed
    Then the order of the events shows no unlike-output

  @must @responses.stream.same_call
  Scenario: call_id and name of a function call do not change
    Source: schema, FunctionToolCall.call_id; Open Responses, Streaming
    Why: openai-python and openai-node raise: the identity changed (vllm-project/vllm PR#47916).
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no other-call

  @should @responses.stream.sequence
  Scenario: Every event of a response has a sequence_number
    Source: schema, sequence_number, required in each event; measured clients read events without it
    Why: a stream that was cut off cannot be resumed (Blaizzy/mlx-vlm PR#494, onyx-dot-app/onyx PR#13624).
    Needs: responses.stream.events
    When any response is streamed
    Then the order of the events shows no no-sequence-number

  @should @responses.stream.sequence_rises
  Scenario: Sequence numbers increase
    Source: schema, sequence_number, "the sequence number for this event"; Open Responses, Streaming
    Why: clients that sort by it get the events in the wrong order (ggml-org/llama.cpp PR#24957, BerriAI/litellm PR#28899).
    Needs: responses.stream.sequence
    When any response is streamed
    Then the order of the events shows no unordered-sequence

  @should @responses.stream.sequence_next
  Scenario: Sequence numbers start at 0 and increase by one
    Source: project decision; every server that was read counts so, and starting_after depends on it
    Why: clients that look for gaps wait for an event that is never sent.
    Needs: responses.stream.sequence_rises
    When any response is streamed
    Then the order of the events shows no sequence-gap
