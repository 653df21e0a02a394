"""Chunks of a chat completion as the steps of an answer."""

from __future__ import annotations

from typing import Any

import pytest
from gonogo_server.answers.stream import Calling, Counted, Finished, Reasoned, Started, Step, Text
from gonogo_server.errors import UpstreamError
from gonogo_server.filters.calls import Call
from gonogo_server.surfaces.chat_answer import ChatAnswer, as_chunk, counted

Document = dict[str, Any]


def chunk(delta: Document, reason: str | None = None, **more: object) -> Document:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason, **more}]}


USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
MORE = {"index": 0, "function": {"arguments": "{}"}}
CASES: dict[str, tuple[Document, list[Step]]] = {
    "role": ({"role": "assistant", "content": ""}, []),
    "text": ({"content": "Hi"}, [Text(0, "Hi")]),
    "reasoning": ({"reasoning_content": "Hm."}, [Reasoned(0, "Hm.")]),
    "reasoning by its other name": ({"reasoning": "Hm."}, [Reasoned(0, "Hm.")]),
    "both names": ({"reasoning": "Hm.", "reasoning_content": "Hm."}, [Reasoned(0, "Hm.")]),
    "reasoning before text": ({"content": "Hi", "reasoning": "Hm."}, [Reasoned(0, "Hm."), Text(0, "Hi")]),
    "refusal": ({"refusal": "No."}, [Text(0, "No.", refused=True)]),
    "call": ({"tool_calls": [CALL]}, [Calling(0, Call(0, "c", "f"))]),
    "text before a call": (
        {"content": "Hi", "tool_calls": [CALL]},
        [Text(0, "Hi"), Calling(0, Call(0, "c", "f"))],
    ),
    "nulls": ({"content": None, "refusal": None, "tool_calls": None}, []),
}


@pytest.mark.parametrize("name", CASES)
def test_each_part_of_a_delta_is_a_step(name: str) -> None:
    delta, steps = CASES[name]
    assert ChatAnswer().take([chunk(delta)]) == [Started(0), *steps]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
    ],
)
def test_the_reason_is_the_last_step_before_the_count(reason: str, told: Any) -> None:  # noqa: ANN401 - a literal
    answer = ChatAnswer()
    assert answer.take([chunk({"content": "Hi"}), chunk({}, reason), {"choices": [], "usage": USAGE}]) == [
        Started(0),
        Text(0, "Hi"),
        Finished(0, told),
    ]
    assert answer.end() == [Counted(9, 4)]


def test_a_whole_answer_gives_the_steps_of_its_stream() -> None:
    streamed, whole = ChatAnswer(), ChatAnswer()
    message = {
        "role": "assistant",
        "content": "Hi",
        "reasoning": "Hm.",
        "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "{}"}}],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    chunks = [
        chunk({"role": "assistant", "reasoning": "Hm."}),
        chunk({"content": "Hi"}),
        chunk({"tool_calls": [CALL]}),
        chunk({"tool_calls": [MORE]}),
        chunk({}, "tool_calls"),
    ]
    assert whole.take([as_chunk({"choices": [choice], "usage": USAGE})]) == streamed.take(chunks)
    assert whole.end() == [Counted(9, 4)]


@pytest.mark.parametrize("pieces", [("One. Two", ". Th"), ("One.", " T", "wo", ".", "Three")], ids=str)
def test_the_answer_ends_at_the_first_stop_sequence_and_says_which(pieces: tuple[str, ...]) -> None:
    answer = ChatAnswer(["Three", " Two."])
    steps = answer.take(
        [*(chunk({"content": piece}) for piece in pieces), chunk({"tool_calls": [CALL]}, "length")]
    )
    assert "".join(step.text for step in steps if isinstance(step, Text)) == "One."
    assert steps[-1] == Finished(0, "stop")
    assert isinstance(steps[-1], Finished)
    assert steps[-1].stop == " Two."
    assert sum(isinstance(step, Finished) for step in steps) == 1


def test_held_text_that_was_not_a_stop_sequence_is_sent() -> None:
    answer = ChatAnswer(["abc"])
    steps = answer.take(
        [chunk({"content": "ab"}), chunk({"tool_calls": [CALL]}), chunk({"content": "ab"}, "stop")]
    )
    assert [step.text for step in steps if isinstance(step, Text)] == ["ab", "ab"]


def test_log_probabilities_go_with_their_text() -> None:
    row = {
        "token": "Hi",
        "logprob": -0.5,
        "bytes": [72, 105],
        "top_logprobs": [{"token": "H", "logprob": -2.0, "bytes": None}],
    }
    _, step = ChatAnswer().take([chunk({"content": "Hi"}, logprobs={"content": [row], "refusal": None})])
    assert isinstance(step, Text)
    (placed,) = step.tokens
    assert placed.token is not None
    assert (placed.data, placed.token.chosen.logprob, placed.token.top_logprobs[0].bytes) == (
        b"Hi",
        -0.5,
        b"H",
    )


@pytest.mark.parametrize("spelled", [None, 5, 10**15, "Hi", [300], [None]], ids=str)
def test_bytes_of_a_token_that_are_none_are_those_of_its_text(spelled: object) -> None:
    row = {"token": "Hi", "logprob": -0.5, "bytes": spelled, "top_logprobs": []}
    _, step = ChatAnswer().take([chunk({"content": "Hi"}, logprobs={"content": [row], "refusal": None})])
    assert isinstance(step, Text)
    assert [placed.data for placed in step.tokens] == [b"Hi"]


@pytest.mark.parametrize("row", [{"token": "Hi", "logprob": None}, {"logprob": -0.5}], ids=str)
def test_a_log_probability_without_a_token_or_a_number_is_an_error_of_the_upstream(row: Document) -> None:
    with pytest.raises(UpstreamError, match="log probabilities cannot be read"):
        ChatAnswer().take([chunk({"content": "Hi"}, logprobs={"content": [row]})])


def test_a_stream_without_an_end_is_an_error() -> None:
    answer = ChatAnswer()
    answer.take([chunk({"content": "Hi"})])
    with pytest.raises(UpstreamError, match="before it was finished"):
        answer.end()


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (None, Counted(0, 0, known=False)),
        (USAGE, Counted(9, 4)),
        (USAGE | {"prompt_tokens_details": {"cached_tokens": 5}}, Counted(9, 4, 5)),
        (USAGE | {"prompt_tokens_details": {"cached_tokens": 50}}, Counted(9, 4, 9)),
        (USAGE | {"prompt_tokens_details": {"cached_tokens": None}}, Counted(9, 4)),
        (USAGE | {"completion_tokens_details": {"reasoning_tokens": 3}}, Counted(9, 4, 0, 3)),
    ],
    ids=str,
)
def test_the_count_has_the_tokens_of_the_cache_and_of_the_reasoning(
    usage: Document | None, told: Counted
) -> None:
    assert counted(usage) == told
