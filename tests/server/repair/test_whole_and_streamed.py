"""Streams made from whole answers, and whole answers made from streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo_wire import ChatCompletionChunk
from hypothesis import given
from hypothesis import strategies as st
from server.repair.reports import answered, chat, completion, counted, reasons, rule, spoken, texts, usage

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document

NO_STREAM = "chat.stream.works"
WHOLE = rule("chat.response.message", "pass")
CALL: Document = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
COUNTING = {"stream": True, "stream_options": {"include_usage": True}}


def test_a_stream_is_asked_for_as_a_whole_answer_and_made_of_it() -> None:
    made = chat(NO_STREAM, WHOLE, seed=1, **COUNTING)
    assert made.requests == ({"model": "m", "messages": made.document["messages"], "seed": 1},)
    assert (made.requested.stream, made.client.stream) == (False, True)
    chunks = made.chunks(answered("a", "b", usage=usage(3, 2)))
    assert (texts(list(chunks)), reasons(list(chunks))) == (
        {0: "a", 1: "b"},
        {0: ["length"], 1: ["length"]},
    )
    assert (chunks[-1]["choices"], chunks[-1]["usage"]) == ([], usage(3, 2))
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}


def test_a_whole_answer_that_is_wanted_stays_one() -> None:
    made = chat(NO_STREAM, WHOLE)
    assert made.requests == (made.document,)


def test_calls_of_a_whole_answer_are_streamed_with_an_index() -> None:
    body = answered("", reason="tool_calls")
    body["choices"][0]["message"] |= {"content": None, "tool_calls": [CALL]}
    deltas = [chunk["choices"][0]["delta"] for chunk in chat(NO_STREAM, WHOLE, stream=True).chunks(body)]
    assert deltas == [
        {"role": "assistant", "content": None},
        {"tool_calls": [{"index": 0, **CALL}]},
        {},
    ]


def test_only_streams_that_are_counted_are_made_of_whole_answers_where_only_the_count_is_missing() -> None:
    counts = rule("chat.response.usage", "pass")
    assert not chat("chat.stream.usage", counts, **COUNTING).requested.stream
    assert chat("chat.stream.usage", counts, stream=True).requested.stream


def test_only_streams_with_tools_are_made_of_whole_answers_where_only_calls_are_lost() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert not chat("tools.stream.arguments_kept", tools=tools, stream=True).requested.stream
    assert chat("tools.stream.arguments_kept", stream=True).requested.stream


def test_a_completion_is_streamed_of_a_whole_one() -> None:
    made = completion("completions.stream.works", rule("completions.response.text", "pass"), stream=True)
    body = {"id": "cmpl-1", "choices": [{"index": 0, "text": "a", "logprobs": None, "finish_reason": "stop"}]}
    chunks = list(made.chunks(body))
    assert (texts(chunks), reasons(chunks)) == ({0: "a"}, {0: ["stop"]})
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}


def test_a_whole_answer_is_put_together_from_a_stream() -> None:
    made = chat("chat.response.usage", rule("chat.stream.usage", "pass"), seed=1)
    assert made.requests[0].items() >= COUNTING.items()
    assert (made.requested.stream, made.requested.include_usage, made.client.stream) == (True, True, False)
    assert made.fold([*spoken("a", "b"), counted(3, 2)]) == {**answered("ab"), "usage": usage(3, 2)}


def test_fragments_of_calls_and_log_probabilities_are_joined() -> None:
    made = chat("chat.response.usage", rule("chat.stream.usage", "pass"))
    first = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    rows = [{"token": "a"}, {"token": "b"}]
    deltas: list[Document] = [
        {"role": "assistant", "content": None},
        {"tool_calls": [first]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a": '}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
    ]
    scores = [None, {"content": rows[:1], "refusal": None}, {"content": rows[1:], "refusal": None}, None]
    chunks: list[Document] = [
        {"choices": [{"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": None}]}
        for delta, logprobs in zip(deltas, scores, strict=True)
    ]
    (choice,) = made.fold(chunks)["choices"]
    assert choice["message"]["tool_calls"] == [CALL]
    assert choice["logprobs"] == {"content": rows, "refusal": None}


def test_the_text_of_a_completion_is_joined() -> None:
    made = completion("completions.response.usage", rule("completions.stream.usage", "pass"))
    chunks: list[Document] = [
        {"choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": None}]} for text in "ab"
    ]
    assert [choice["text"] for choice in made.fold(chunks)["choices"]] == ["ab"]


@given(st.lists(st.text(max_size=5), min_size=1, max_size=3))
def test_a_stream_made_from_a_complete_answer_folds_back_to_it(contents: list[str]) -> None:
    body = answered(*contents)
    made = chat(NO_STREAM, WHOLE, **COUNTING)
    assert made.fold(made.chunks(body)) == body


@pytest.mark.parametrize("content", ["a", ""])
def test_every_chunk_keeps_the_contract(content: str) -> None:
    chunks = chat(NO_STREAM, WHOLE, **COUNTING).chunks(answered(content))
    assert [ChatCompletionChunk.model_validate(chunk).id for chunk in chunks] == ["chatcmpl-1"] * len(chunks)
