"""Echo, alternatives, padding and base64, if the upstream does not provide them as requested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.repair.reports import (
    Notes,
    answered,
    chat,
    completion,
    embedding,
    rule,
    run,
    spoken,
    texts,
    usage,
)

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document

UNECHOED = "completions.echo.text"


def piece(text: str, index: int = 0, reason: str | None = None) -> Document:
    """A chunk of a completion."""
    return {
        "id": "cmpl-1",
        "choices": [{"index": index, "text": text, "logprobs": None, "finish_reason": reason}],
    }


def test_the_prompt_precedes_the_text_once() -> None:
    notes = Notes()
    made = completion(UNECHOED, prompt="Hi", echo=True, stream=True, notes=notes)
    assert "echo" not in made.requests[0]
    seen = run(made, [piece(" you"), piece("!"), piece("", reason="stop")])
    assert ([chunk["choices"][0]["text"] for chunk in seen], list(notes)) == (["Hi you", "!", ""], [UNECHOED])


def test_an_empty_completion_with_echo_is_the_prompt() -> None:
    seen = run(completion(UNECHOED, prompt="Hi", echo=True, stream=True), [piece("", reason="stop")])
    assert texts(seen) == {0: "Hi"}


def test_each_choice_begins_with_the_prompt_that_it_is_about() -> None:
    made = completion(UNECHOED, prompt=["a", "b"], n=2, echo=True)
    body = {"choices": [{"index": at, "text": str(at)} for at in range(4)]}
    assert [choice["text"] for choice in made.body(0, body)["choices"]] == ["a0", "a1", "b2", "b3"]


def test_prompts_that_are_taken_apart_are_echoed_each_in_its_own_answer() -> None:
    made = completion(UNECHOED, "completions.prompt.list", prompt=["a", "b"], echo=True)
    bodies = [
        made.body(number, {"choices": [{"index": 0, "text": "!"}]}) for number in range(len(made.requests))
    ]
    joiner = made.joiner()
    assert joiner is not None
    assert [(each["index"], each["text"]) for each in joiner.whole(bodies)["choices"]] == [
        (0, "a!"),
        (1, "b!"),
    ]


def test_a_stop_sequence_in_the_prompt_ends_no_echo() -> None:
    made = completion(UNECHOED, "stop.completions.honoured", prompt="a b", echo=True, stop="b")
    body = {"choices": [{"index": 0, "text": " c b d", "finish_reason": "length"}]}
    assert [choice["text"] for choice in made.body(0, body)["choices"]] == ["a b c "]


def test_without_echo_nothing_is_put_before_a_text() -> None:
    made = completion(UNECHOED)
    body = {"choices": [{"index": 0, "text": "!"}]}
    assert (made.requests, made.body(0, body)) == ((made.document,), body)
    assert "echo" not in completion(UNECHOED, "completions.request.neutral", echo=False).requests[0]
    assert completion(UNECHOED, echo=False, prompt=[1, 2]).requests[0]["prompt"] == [1, 2]


def likely(*logprobs: float) -> Document:
    """A whole chat of one token with these alternatives."""
    tops = [{"token": str(at), "logprob": each, "bytes": None} for at, each in enumerate(logprobs)]
    body = answered("a")
    token = {"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": tops}
    body["choices"][0]["logprobs"] = {"content": [token], "refusal": None}
    return body


def alternatives(body: Document) -> list[float]:
    """The alternatives of the one token of an answer."""
    tops: list[Document] = body["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return [top["logprob"] for top in tops]


def test_alternatives_are_as_many_as_were_asked_for_and_in_order() -> None:
    made = chat("logprobs.chat.tops_sorted", logprobs=True, top_logprobs=2)
    assert alternatives(made.body(0, likely(-2.0, -0.5, -3.0))) == [-0.5, -2.0]
    right = likely(-0.5, -2.0)
    assert made.body(0, right) is right


def test_an_alternative_without_a_number_comes_last() -> None:
    made = chat("logprobs.chat.tops_sorted", logprobs=True, top_logprobs=3)
    body = likely(-2.0, -0.0, -0.5)
    body["choices"][0]["logprobs"]["content"][0]["top_logprobs"][1]["logprob"] = None
    assert alternatives(made.body(0, body)) == [-0.5, -2.0, None]


def test_no_alternatives_are_had_by_not_asking_for_their_number() -> None:
    plain = rule("logprobs.chat.no_top", "pass")
    made = chat("logprobs.chat.top_zero", plain, logprobs=True, top_logprobs=0)
    assert "top_logprobs" not in made.requests[0]
    assert alternatives(made.body(0, likely(-0.5, -2.0))) == []


def test_streams_have_no_more_alternatives_either() -> None:
    made = chat("logprobs.chat.no_tops_unasked", logprobs=True, stream=True)
    chunk = {"choices": likely(-0.5)["choices"]}
    assert [alternatives(each) for each in run(made, [chunk])] == [[]]
    bare = spoken("a")
    assert run(made, bare) == bare


def test_an_answer_that_took_as_many_tokens_as_its_limit_ends_by_it() -> None:
    made = chat("chat.limit.length", max_tokens=4)
    (full,) = made.body(0, answered("a", reason="stop", usage=usage(3, 4)))["choices"]
    assert full["finish_reason"] == "length"
    short = answered("a", reason="stop", usage=usage(3, 3))
    called = answered("a", reason="tool_calls", usage=usage(3, 4))
    assert [made.body(0, each) for each in (short, called)] == [short, called]
    assert chat("chat.limit.length").stages() == []
    assert len(completion("completions.limit.length").stages()) == 1


def test_a_stop_sequence_ends_an_answer_also_at_its_limit() -> None:
    made = chat("chat.limit.length", "stop.chat.honoured", max_tokens=4, stop="b")
    (choice,) = made.body(0, answered("a b", reason="stop", usage=usage(3, 4)))["choices"]
    assert choice["finish_reason"] == "stop"


def test_a_stream_ends_by_its_limit_where_the_whole_answer_tells_it() -> None:
    made = chat("chat.limit.length", "chat.stream.length", max_tokens=4, stream=True)
    assert not made.requested.stream
    body = made.body(0, answered("a", reason="stop", usage=usage(3, 4)))
    assert made.chunks(body)[-1]["choices"][0]["finish_reason"] == "length"


def test_padding_is_taken_out_where_it_was_not_wanted() -> None:
    padded = spoken("a", obfuscation="xyz")
    unwanted = {"stream": True, "stream_options": {"include_obfuscation": False}}
    assert run(chat("chat.stream.obfuscation", **unwanted), padded) == spoken("a")
    assert run(chat("chat.stream.obfuscation", stream=True), padded) == padded


def test_base64_is_made_of_the_numbers_that_the_upstream_is_asked_for() -> None:
    made = embedding("embeddings.format.base64_value", encoding_format="base64")
    assert made.requests == ({"model": "m", "input": "Hi", "encoding_format": "float"},)
    numbers = embedding("embeddings.format.base64_value", encoding_format="float")
    assert numbers.requests == (numbers.document,)
