Feature: Stop sequences
  Stop sequences taken from the target's own greedy text, so that the correct answer is known exactly.

  @must @stop.chat.honoured
  Scenario: A stop sequence ends the text
    Source: schema, StopConfiguration, "sequences where the API will stop generating"
    Why: output runs on at the caller's cost (huggingface/text-generation-inference#1999, Blaizzy/mlx-vlm#1044).
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with a part of its text as stop
    Then the text does not ignore the stop sequence

  @must @stop.chat.excluded
  Scenario: The stop sequence is not in the text
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: cursortab.nvim pastes the marker into the buffer (jundot/omlx#2386).
    Needs: stop.chat.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with a part of its text as stop
    Then the text does not contain the stop sequence

  @must @stop.chat.not_leaked
  Scenario: No part of the stop sequence is in the text
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: part of the marker remains in the text (mzau/mlx-knife#68).
    Needs: stop.chat.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with a part of its text as stop
    Then the text does not end with the beginning of the stop sequence

  @must @stop.chat.not_short
  Scenario: Only the stop sequence and the text after it are removed
    Source: schema, StopConfiguration, "will not contain the stop sequence", and nothing more
    Why: the token that contains the start of the sequence also contains text before it.
    Needs: stop.chat.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with a part of its text as stop
    Then nothing is missing before the stop sequence

  @must @stop.chat.finish_reason
  Scenario: A text that ends at a stop sequence finishes with "stop"
    Source: schema, CreateChatCompletionResponse.choices.finish_reason, "a provided stop sequence"
    Why: evaluation harnesses record a truncated answer (LostRuins/koboldcpp#2481, ddalcu/mlx-serve#127).
    Needs: stop.chat.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with a part of its text as stop
    Then the stopped text has the finish reason "stop"

  @should @stop.chat.usage
  Scenario: A stopped text uses no more tokens than the whole text
    Source: project decision; generation ends at the sequence
    Why: callers that stop early to save tokens pay for all of them.
    Needs: stop.chat.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is requested
    And a greedy chat completion is requested with a part of its text as stop
    Then stopping early takes no more tokens

  @must @stop.stream.honoured
  Scenario: A stop sequence ends a stream
    Source: schema, StopConfiguration, "sequences where the API will stop generating"
    Why: agents with textual protocols run past their turn (ModelTC/LightLLM#130).
    When a greedy chat completion is streamed
    And a greedy chat completion is streamed with a part of its text as stop
    Then the text does not ignore the stop sequence

  @must @stop.stream.excluded
  Scenario: No delta contains the stop sequence
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: users see garbage at the end of every answer (SharpAI/SwiftLM#126).
    Needs: stop.stream.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is streamed with a part of its text as stop
    Then the text does not contain the stop sequence

  @must @stop.stream.not_leaked
  Scenario: No part of the stop sequence is streamed
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: text that was sent cannot be taken back (vllm-project/vllm#3574, huggingface/text-generation-inference#1254).
    Needs: stop.stream.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is streamed with a part of its text as stop
    Then the text does not end with the beginning of the stop sequence

  @must @stop.stream.not_short
  Scenario: The deltas contain all text before the stop sequence
    Source: schema, StopConfiguration, "will not contain the stop sequence", and nothing more
    Why: text that was held back is lost.
    Needs: stop.stream.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is streamed with a part of its text as stop
    Then nothing is missing before the stop sequence

  @must @stop.stream.finish_reason
  Scenario: A stream that ends at a stop sequence finishes with "stop"
    Source: schema, CreateChatCompletionStreamResponse.choices.finish_reason, "a provided stop sequence"
    Why: clients ask for more of an answer that is complete (ggml-org/llama.cpp PR#28711).
    Needs: stop.stream.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is streamed with a part of its text as stop
    Then the stopped text has the finish reason "stop"

  @must @stop.stream.released
  Scenario: Text that only begins like a stop sequence is sent
    Source: schema, StopConfiguration, only the sequence itself is left out
    Why: the last characters of an answer are lost if they begin like a stop sequence.
    When a greedy chat completion is streamed
    And a greedy chat completion is streamed with a stop that its end begins
    Then no text is held back at the end

  @must @stop.list.honoured
  Scenario: Each stop sequence of a list ends the text
    Source: schema, StopConfiguration, array of up to four
    Why: some servers use only the first of a list, or none (ollama/ollama#5545).
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with several stops, of which the last comes first
    Then the text does not ignore the stop sequence

  @must @stop.list.excluded
  Scenario: With a list, the text does not contain the stop sequence that ended it
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: callers that give several stop sequences strip none of them.
    Needs: stop.list.honoured, stop.chat.excluded
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with several stops, of which the last comes first
    Then the text does not contain the stop sequence

  @must @stop.list.earliest
  Scenario: The stop sequence that occurs first in the text ends it
    Source: schema, StopConfiguration, array of up to four
    Why: a list has no order of precedence.
    Needs: stop.list.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with several stops, of which the last comes first
    Then the text ends before the stop sequence that comes first

  @must @stop.completions.honoured
  Scenario: A stop sequence ends a completion
    Source: schema, StopConfiguration, "sequences where the API will stop generating"
    Why: editors complete past the end of the line (dtzp555-max/ocp#470).
    When a greedy completion is streamed
    And a greedy completion is requested with a part of its text as stop
    Then the text does not ignore the stop sequence

  @must @stop.completions.excluded
  Scenario: The stop sequence is not in a completion
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: evaluation harnesses compare the text exactly.
    Needs: stop.completions.honoured
    When a greedy completion is streamed
    And a greedy completion is requested with a part of its text as stop
    Then the text does not contain the stop sequence

  @must @stop.completions.not_leaked
  Scenario: No part of the stop sequence is in a completion
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: part of the marker remains in the text (mzau/mlx-knife#68).
    Needs: stop.completions.honoured
    When a greedy completion is streamed
    And a greedy completion is requested with a part of its text as stop
    Then the text does not end with the beginning of the stop sequence

  @must @stop.completions.not_short
  Scenario: A completion contains all text before the stop sequence
    Source: schema, StopConfiguration, "will not contain the stop sequence", and nothing more
    Why: the token that contains the start of the sequence also contains text before it.
    Needs: stop.completions.honoured
    When a greedy completion is streamed
    And a greedy completion is requested with a part of its text as stop
    Then nothing is missing before the stop sequence

  @must @stop.completions.finish_reason
  Scenario: A completion that ends at a stop sequence finishes with "stop"
    Source: schema, CreateCompletionResponse.choices.finish_reason, "a provided stop sequence"
    Why: evaluation harnesses record a truncated answer (LostRuins/koboldcpp#2481).
    Needs: stop.completions.honoured
    When a greedy completion is streamed
    And a greedy completion is requested with a part of its text as stop
    Then the stopped text has the finish reason "stop"

  @must @stop.completions.stream
  Scenario: A streamed completion ends exactly at the stop sequence
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: completion tools show text that they asked to exclude (mzau/mlx-knife#68).
    Needs: stop.completions.honoured
    When a greedy completion is streamed
    And a greedy completion is streamed with a part of its text as stop
    Then the text is exactly the text before the stop sequence

  @must @stop.completions.stream_finish_reason
  Scenario: A streamed completion that ends at a stop sequence finishes with "stop"
    Source: schema, CreateCompletionResponse.choices.finish_reason, "a provided stop sequence"
    Why: clients ask for more of an answer that is complete.
    Needs: stop.completions.stream
    When a greedy completion is streamed
    And a greedy completion is streamed with a part of its text as stop
    Then the stopped text has the finish reason "stop"
