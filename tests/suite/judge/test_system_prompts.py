"""When a system prompt counts as lost, and when a message counts as cut by its limit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.judge.checks.message_texts import stopped_by_limit
from gonogo.judge.checks.surfaces import part_reaches
from gonogo.judge.outcome import Deviation, Kept, Stop
from gonogo.reasons import Reason
from suite.judge.exchanges import answer_to, stream_to

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

Json = dict[str, Any]

PLAIN = "One, two, three, four, five"
BEGINNING = "One, two"
LIMIT = 8


def message(said: str, tokens: int, *, made: int = LIMIT, reason: str = "max_tokens") -> Exchange:
    content = [{"type": "text", "text": said}] if said else []
    usage = {"input_tokens": tokens, "output_tokens": made}
    return answer_to(
        "/messages",
        {"type": "message", "content": content, "stop_reason": reason, "usage": usage},
        {"max_tokens": LIMIT},
    )


def streamed_message(said: str) -> Exchange:
    events: list[Json] = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 20}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": said}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 24}},
        {"type": "message_stop"},
    ]
    return stream_to("/messages", events)


def response(said: str, tokens: int) -> Exchange:
    item = {"type": "message", "content": [{"type": "output_text", "text": said}]}
    usage = {"input_tokens": tokens, "output_tokens": 24}
    return answer_to("/responses", _ended({"output": [item], "usage": usage}), {"max_output_tokens": 24})


def streamed_response(said: str) -> Exchange:
    item = {"type": "message", "content": [{"type": "output_text", "text": said}]}
    end = {"type": "response.incomplete", "response": _ended({"output": [item]})}
    return stream_to("/responses", [end])


def _ended(value: Json) -> Json:
    return value | {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}


def judged(*exchanges: Exchange) -> Outcome:
    """The outcome of the check for a stream, a plain answer, and one with a system prompt."""
    try:
        return part_reaches(*exchanges, part="system prompt")
    except Stop as stop:
        return stop.outcome


@pytest.mark.parametrize(
    "given",
    [
        message(BEGINNING, 35),
        message(BEGINNING, 15),
        message("", 35),
        message("Once upon a time", 20),
        message("Once", 20, made=2, reason="end_turn"),
    ],
    ids=["more tokens", "fewer than a default", "no text", "another text", "another short text"],
)
def test_another_count_or_another_text_shows_that_a_system_prompt_reaches_the_model(given: Exchange) -> None:
    assert isinstance(judged(streamed_message(PLAIN), message(PLAIN, 20), given), Kept)


@pytest.mark.parametrize("reason", ["max_tokens", "end_turn"])
def test_an_equal_count_and_the_same_text_show_that_a_system_prompt_is_dropped(reason: str) -> None:
    found = judged(streamed_message(PLAIN), message(PLAIN, 20), message(BEGINNING, 20, reason=reason))
    assert isinstance(found, Deviation)
    found = judged(streamed_response(PLAIN), response(PLAIN, 20), response(PLAIN, 20))
    assert isinstance(found, Deviation)


@pytest.mark.parametrize(
    ("streamed", "plain", "given", "reason"),
    [
        ("One. Two.", message(PLAIN, 20), message(BEGINNING, 20), Reason.NOT_REPEATED),
        (PLAIN, message(PLAIN, 20), message("One", 20, made=1, reason="end_turn"), Reason.TEXT_CHANGED),
        (PLAIN, message(PLAIN, 20), message(f"{PLAIN}, six", 20), Reason.TEXT_CHANGED),
        (PLAIN, message(PLAIN, 20), message("", 20), Reason.NO_TEXT),
        (PLAIN, message(PLAIN, 0), message(BEGINNING, 0), Reason.NO_COUNT),
        (PLAIN, message(PLAIN, 20), message(BEGINNING, 0), Reason.NO_COUNT),
    ],
    ids=["not repeated", "ended by itself", "longer", "no text", "no counts", "no count"],
)
def test_an_equal_count_of_the_input_alone_is_inconclusive(
    streamed: str, plain: Exchange, given: Exchange, reason: Reason
) -> None:
    found = judged(streamed_message(streamed), plain, given)
    assert getattr(found, "reason", found) is reason


def test_a_server_that_does_not_stream_is_judged_by_its_counts() -> None:
    refused = replace(answer_to("/messages", {"type": "error", "error": {}}), status=400)
    found = judged(refused, message(PLAIN, 20), message(BEGINNING, 35))
    assert isinstance(found, Kept)


# ---- the limit ---------------------------------------------------------------------------------------------------

OPEN = message("One.", 20, made=2, reason="end_turn")
"""A message that ended by itself."""


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded"])
@pytest.mark.parametrize("said", ["Once upon a time there", "Once upon a time.", ""])
def test_a_message_that_reached_its_limit_has_its_reason(said: str, reason: str) -> None:
    assert isinstance(stopped_by_limit(OPEN, message(said, 20, reason=reason)), Kept)


@pytest.mark.parametrize("said", ["Once upon a time there", "Once upon a time,", "One, two, three"])
def test_a_text_that_goes_on_was_cut_whatever_its_reason(said: str) -> None:
    assert isinstance(stopped_by_limit(OPEN, message(said, 20, reason="end_turn")), Deviation)


@pytest.mark.parametrize(("reason", "outcome"), [("max_tokens", Kept), ("end_turn", Deviation)])
def test_a_count_that_its_limit_cuts_is_looked_at_if_the_story_ends_early(reason: str, outcome: type) -> None:
    story = message("The end.", 20, made=4, reason="end_turn")
    assert isinstance(stopped_by_limit(message(PLAIN, 20, reason=reason), story), outcome)
    refused = replace(answer_to("/messages", {"type": "error", "error": {}}), status=400)
    assert isinstance(stopped_by_limit(message(PLAIN, 20, reason=reason), refused), outcome)


@pytest.mark.parametrize("said", ["1, 2, 3, 4, 5, 6, 7, 8, 9, 10", "One to ten"])
def test_a_count_to_ten_may_have_ended_by_itself(said: str) -> None:
    with pytest.raises(Stop):
        stopped_by_limit(message(said, 20, reason="end_turn"), OPEN)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (message("Once upon a time.", 20, reason="end_turn"), Reason.MAY_HAVE_ENDED),
        (message("很久以前。", 20, reason="end_turn"), Reason.MAY_HAVE_ENDED),
        (message("Hello, sailor 🌊", 20, reason="end_turn"), Reason.MAY_HAVE_ENDED),
        (message("That was the end", 20, reason="end_turn"), Reason.MAY_HAVE_ENDED),
        (message("Once upon", 20, made=7, reason="end_turn"), Reason.LIMIT_NOT_REACHED),
        (message("Once upon", 20, made=9, reason="end_turn"), Reason.LIMIT_PASSED),
        (message("I cannot", 20, reason="refusal"), Reason.CUT_OFF),
        (message("", 20, reason="end_turn"), Reason.NO_TEXT),
    ],
    ids=[
        "a sentence",
        "a sentence in Chinese",
        "a picture",
        "the end",
        "fewer tokens",
        "more tokens",
        "refused",
        "no text",
    ],
)
def test_a_text_that_may_have_ended_by_itself_is_inconclusive(given: Exchange, reason: Reason) -> None:
    with pytest.raises(Stop) as stopped:
        stopped_by_limit(OPEN, given)
    assert stopped.value.outcome.reason is reason
