Feature: Stop sequences
  Cut out of the target's own greedy text, so that the right answer is known to the letter.

  @must @stop.chat.honoured
  Scenario: A stop sequence ends the text
    Source: schema, StopConfiguration, "sequences where the API will stop generating"
    Why: runaway output, at the caller's cost (huggingface/text-generation-inference#1999, Blaizzy/mlx-vlm#1044).
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with a part of its text as stop
    Then the text does not go on as if there were no stop

  @must @stop.chat.excluded
  Scenario: The stop sequence is not in the text
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: cursortab.nvim pastes the marker into the buffer (jundot/omlx#2386).
    Needs: stop.chat.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with a part of its text as stop
    Then the text does not contain the stop sequence

  @must @stop.chat.not_leaked
  Scenario: No half of the stop sequence is in the text
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: half a marker stays behind (mzau/mlx-knife#68).
    Needs: stop.chat.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with a part of its text as stop
    Then no beginning of the stop sequence is left in the text

  @must @stop.chat.not_short
  Scenario: Nothing is cut off but the stop sequence and what follows it
    Source: schema, StopConfiguration, "will not contain the stop sequence", and nothing more
    Why: the token that the sequence begins in holds text before it.
    Needs: stop.chat.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with a part of its text as stop
    Then nothing is missing before the stop sequence

  @must @stop.chat.finish_reason
  Scenario: A text that a stop sequence ends finishes with "stop"
    Source: schema, CreateChatCompletionResponse.choices.finish_reason, "a provided stop sequence"
    Why: harnesses record a truncated answer (LostRuins/koboldcpp#2481, ddalcu/mlx-serve#127).
    Needs: stop.chat.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with a part of its text as stop
    Then the stop is given as the reason "stop"

  @should @stop.chat.usage
  Scenario: A text that is stopped takes no more tokens than the whole
    Source: project decision; generation ends at the sequence
    Why: who stops early to save, pays the whole.
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
    Then the text does not go on as if there were no stop

  @must @stop.stream.excluded
  Scenario: The stop sequence is in no delta
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: visible garbage at the end of every answer (SharpAI/SwiftLM#126).
    Needs: stop.stream.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is streamed with a part of its text as stop
    Then the text does not contain the stop sequence

  @must @stop.stream.not_leaked
  Scenario: No half of the stop sequence is streamed
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: what was sent cannot be taken back (vllm-project/vllm#3574, huggingface/text-generation-inference#1254).
    Needs: stop.stream.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is streamed with a part of its text as stop
    Then no beginning of the stop sequence is left in the text

  @must @stop.stream.not_short
  Scenario: Nothing is missing in the deltas before the stop sequence
    Source: schema, StopConfiguration, "will not contain the stop sequence", and nothing more
    Why: text that was held back is lost.
    Needs: stop.stream.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is streamed with a part of its text as stop
    Then nothing is missing before the stop sequence

  @must @stop.stream.finish_reason
  Scenario: A stream that a stop sequence ends finishes with "stop"
    Source: schema, CreateChatCompletionStreamResponse.choices.finish_reason, "a provided stop sequence"
    Why: clients ask for more of what was complete (ggml-org/llama.cpp PR#28711).
    Needs: stop.stream.honoured
    When a greedy chat completion is streamed
    And a greedy chat completion is streamed with a part of its text as stop
    Then the stop is given as the reason "stop"

  @must @stop.stream.released
  Scenario: Text that might have become a stop sequence is sent in the end
    Source: schema, StopConfiguration, only the sequence itself is left out
    Why: the last letters of an answer are lost when one of them begins a sequence.
    When a greedy chat completion is streamed
    And a greedy chat completion is streamed with a stop that its end begins
    Then no text is held back at the end

  @must @stop.list.honoured
  Scenario: Each stop sequence of a list ends the text
    Source: schema, StopConfiguration, array of up to four
    Why: some servers read the first of a list, or none (ollama/ollama#5545).
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with several stops, of which the last comes first
    Then the text does not go on as if there were no stop

  @must @stop.list.excluded
  Scenario: The stop sequence of a list that ended the text is not in it
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: who asks for several stops cuts none of them off itself.
    Needs: stop.list.honoured, stop.chat.excluded
    When a greedy chat completion is streamed
    And a greedy chat completion is requested with several stops, of which the last comes first
    Then the text does not contain the stop sequence

  @must @stop.list.earliest
  Scenario: The stop sequence that comes first in the text ends it
    Source: schema, StopConfiguration, array of up to four
    Why: a list is a set, not an order of precedence.
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
    Then the text does not go on as if there were no stop

  @must @stop.completions.excluded
  Scenario: The stop sequence is not in a completion
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: evaluation harnesses compare the text to the letter.
    Needs: stop.completions.honoured
    When a greedy completion is streamed
    And a greedy completion is requested with a part of its text as stop
    Then the text does not contain the stop sequence

  @must @stop.completions.not_leaked
  Scenario: No half of the stop sequence is in a completion
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: half a marker stays behind (mzau/mlx-knife#68).
    Needs: stop.completions.honoured
    When a greedy completion is streamed
    And a greedy completion is requested with a part of its text as stop
    Then no beginning of the stop sequence is left in the text

  @must @stop.completions.not_short
  Scenario: Nothing is missing in a completion before the stop sequence
    Source: schema, StopConfiguration, "will not contain the stop sequence", and nothing more
    Why: the token that the sequence begins in holds text before it.
    Needs: stop.completions.honoured
    When a greedy completion is streamed
    And a greedy completion is requested with a part of its text as stop
    Then nothing is missing before the stop sequence

  @must @stop.completions.finish_reason
  Scenario: A completion that a stop sequence ends finishes with "stop"
    Source: schema, CreateCompletionResponse.choices.finish_reason, "a provided stop sequence"
    Why: harnesses record a truncated answer (LostRuins/koboldcpp#2481).
    Needs: stop.completions.honoured
    When a greedy completion is streamed
    And a greedy completion is requested with a part of its text as stop
    Then the stop is given as the reason "stop"

  @must @stop.completions.stream
  Scenario: A stop sequence ends a streamed completion to the letter
    Source: schema, StopConfiguration, "the returned text will not contain the stop sequence"
    Why: completion tools show what they asked not to get (mzau/mlx-knife#68).
    Needs: stop.completions.honoured
    When a greedy completion is streamed
    And a greedy completion is streamed with a part of its text as stop
    Then the text is what comes before the stop sequence

  @must @stop.completions.stream_finish_reason
  Scenario: A streamed completion that a stop sequence ends finishes with "stop"
    Source: schema, CreateCompletionResponse.choices.finish_reason, "a provided stop sequence"
    Why: clients ask for more of what was complete.
    Needs: stop.completions.stream
    When a greedy completion is streamed
    And a greedy completion is streamed with a part of its text as stop
    Then the stop is given as the reason "stop"
