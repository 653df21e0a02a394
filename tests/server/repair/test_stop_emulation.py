"""Stop sequences that the gateway applies itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.filters.stop import StopFilter
from hypothesis import given
from hypothesis import strategies as st
from server.repair.reports import (
    Notes,
    answered,
    chat,
    completion,
    counted,
    reasons,
    rule,
    run,
    spoken,
    texts,
)

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document

IGNORED = "stop.stream.honoured"


def streamed(*pieces: str, stop: object, notes: Notes | None = None, **members: object) -> list[Document]:
    """What a client sees of a stream of these pieces."""
    return run(chat(IGNORED, notes=notes, stop=stop, stream=True, **members), spoken(*pieces))


def test_a_sequence_that_the_upstream_handles_wrong_is_not_sent() -> None:
    assert "stop" not in chat(IGNORED, stop="b").requests[0]


def test_a_sequence_that_only_streams_get_wrong_is_sent_for_whole_answers() -> None:
    known = (IGNORED, rule("stop.chat.honoured", "pass"))
    assert chat(*known, stop="b").requests[0]["stop"] == "b"
    assert chat(*known, stop="b").stages() == []
    assert "stop" not in chat(*known, stop="b", stream=True).requests[0]
    seen = run(chat(*known, stop="b", stream=True), spoken("a", "b"))
    assert (texts(seen), reasons(seen)) == ({0: "a"}, {0: ["stop"]})


def test_a_sequence_is_looked_for_in_a_whole_answer_that_is_put_together_from_a_stream() -> None:
    known = (IGNORED, rule("stop.chat.honoured", "pass"), "chat.response.finish_reason")
    made = chat(*known, rule("chat.stream.finish_reason", "pass"), stop="b")
    assert made.requests[0].keys() == {"model", "messages", "stream", "stream_options"}
    assert len(made.stages()) == 1


def test_a_sequence_that_is_only_leaked_is_sent_too_so_that_the_upstream_stops() -> None:
    made = chat("stop.chat.excluded", rule("stop.chat.honoured", "pass"), stop=["b"])
    assert made.requests[0]["stop"] == ["b"]
    assert made.body(0, answered("ab", reason="stop"))["choices"][0]["message"]["content"] == "a"


def test_a_stream_ends_at_the_sequence_and_says_so() -> None:
    notes = Notes()
    seen = streamed("one t", "wo th", "ree", stop=["two"], notes=notes)
    assert (texts(seen), reasons(seen)) == ({0: "one "}, {0: ["stop"]})
    assert list(notes) == [IGNORED]
    assert seen[-1]["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]


def test_text_that_began_no_sequence_is_let_go_before_the_end() -> None:
    notes = Notes()
    seen = streamed("one t", stop="two", notes=notes)
    assert (texts(seen), reasons(seen), list(notes)) == ({0: "one t"}, {0: ["length"]}, [])
    assert seen[-1]["choices"][0]["delta"] == {}


def test_chunks_in_which_nothing_is_held_back_are_the_same_objects() -> None:
    chunks = spoken("one", " more", reason="stop")
    seen = run(chat(IGNORED, stop="x", stream=True), chunks)
    assert [id(chunk) for chunk in seen] == [id(chunk) for chunk in chunks]


def test_the_upstream_can_be_left_once_every_choice_is_stopped() -> None:
    made = chat(IGNORED, stop="b", stream=True, n=2)
    (stage,) = made.stages()
    first, second = spoken("ab", index=0, reason=None), spoken("b", index=1, reason=None)
    for chunk in first:
        list(stage.chunk(chunk))
    assert not stage.finished
    for chunk in second:
        list(stage.chunk(chunk))
    assert stage.finished


def test_the_upstream_is_not_left_where_its_count_of_tokens_was_asked_for() -> None:
    made = chat(IGNORED, stop="b", stream=True, stream_options={"include_usage": True})
    (stage,) = made.stages()
    seen = [out for chunk in [*spoken("ab", "c"), counted(3, 2)] for out in stage.chunk(chunk)]
    assert not stage.finished
    assert (texts(seen), seen[-1]["usage"]["completion_tokens"]) == ({0: "a"}, 2)


def test_a_choice_that_ends_naturally_does_not_stop_the_upstream() -> None:
    (stage,) = chat(IGNORED, stop="x", stream=True).stages()
    for chunk in spoken("a", reason="stop"):
        list(stage.chunk(chunk))
    assert not stage.finished


def test_a_whole_answer_is_cut_and_keeps_its_count() -> None:
    body = answered("a two b", "a", reason="length")
    made = chat(IGNORED, stop=["two", "b"], n=2)
    cut = made.body(0, body)
    assert [choice["message"]["content"] for choice in cut["choices"]] == ["a ", "a"]
    assert [choice["finish_reason"] for choice in cut["choices"]] == ["stop", "length"]
    assert cut["usage"] is body["usage"]
    assert cut["choices"][1] is body["choices"][1]


def test_a_whole_answer_without_the_sequence_is_the_same_object() -> None:
    body = answered("a")
    assert chat(IGNORED, stop="x").body(0, body) is body


def test_calls_that_come_after_the_sequence_are_not_passed_on() -> None:
    body = answered("a two")
    body["choices"][0]["message"]["tool_calls"] = [{"id": "c"}]
    (choice,) = chat(IGNORED, stop="two").body(0, body)["choices"]
    assert (choice["message"].get("tool_calls"), choice["finish_reason"]) == (None, "stop")


def test_fragments_of_calls_pass_while_text_is_held_back() -> None:
    fragment = {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}
    chunks = [
        {**chunk, "choices": [{**choice, "delta": {**choice["delta"], **fragment}}]}
        for chunk in spoken("t", reason=None)[1:]
        for choice in chunk["choices"]
    ]
    (seen,) = run(chat(IGNORED, stop="two", stream=True), chunks)
    assert seen["choices"][0]["delta"] == {"content": "", **fragment}


def scored(text: str, *tokens: str) -> Document:
    """A choice of a chunk, with the log probabilities of its tokens."""
    rows = [
        {"token": each, "bytes": list(each.encode()), "logprob": -1.0, "top_logprobs": []} for each in tokens
    ]
    return {
        "index": 0,
        "delta": {"content": text},
        "logprobs": {"content": rows, "refusal": None},
        "finish_reason": None,
    }


def test_log_probabilities_go_with_the_text_of_their_tokens() -> None:
    head = spoken(reason=None)[0]
    chunks = [{**head, "choices": [each]} for each in (scored("é", "é"), scored("a t", "a", " ", "t"))]
    chunks += [{**head, "choices": [scored("wo", "w", "o")]}]
    seen = run(chat(IGNORED, stop="two", stream=True, logprobs=True), chunks)
    tokens = [
        row["token"]
        for chunk in seen
        for choice in chunk["choices"]
        for row in (choice["logprobs"] or {}).get("content", ())
    ]
    assert (texts(seen), "".join(tokens)) == ({0: "éa "}, "éa ")


def test_the_arrays_of_a_completion_are_cut_alike() -> None:
    logprobs = {
        "tokens": ["a", " two"],
        "token_logprobs": [-1.0, -2.0],
        "top_logprobs": None,
        "text_offset": [0, 1],
    }
    choice = {"index": 0, "text": "a two", "logprobs": logprobs, "finish_reason": "length"}
    made = completion("stop.completions.honoured", stop="two", logprobs=0)
    (cut,) = made.body(0, {"choices": [choice]})["choices"]
    assert (cut["text"], cut["finish_reason"]) == ("a ", "stop")
    assert cut["logprobs"] == {
        "tokens": ["a"],
        "token_logprobs": [-1.0],
        "top_logprobs": None,
        "text_offset": [0],
    }


PIECES = st.lists(st.text("abc", max_size=3), max_size=8)
STOPS = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=4)


@given(PIECES, STOPS)
def test_a_stream_and_a_complete_answer_end_at_the_same_text_for_any_pieces(
    pieces: list[str], stops: list[str]
) -> None:
    text = "".join(pieces)
    seen = streamed(*pieces, stop=stops)
    (choice,) = chat(IGNORED, stop=stops).body(0, answered(text))["choices"]
    one = StopFilter(stops)
    expected = one.feed(text) + one.flush()
    assert texts(seen)[0] == choice["message"]["content"] == expected
    assert reasons(seen)[0] == [choice["finish_reason"]] == ["stop" if one.stopped else "length"]
