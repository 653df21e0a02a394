"""Several requests instead of one, and their answers joined into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server.repair.reports import (
    Notes,
    answered,
    chat,
    completion,
    counted,
    embedding,
    reasons,
    rule,
    spoken,
    texts,
    usage,
)

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document
    from gonogo_server.repair.plan import Plan

IGNORED = "choices.chat.number"


def joined(made: Plan, *answers: list[Document], order: list[int] | None = None) -> list[Document]:
    """One stream of these answers, whose chunks come in this order of answers, or one answer after the other."""
    joiner = made.joiner()
    assert joiner is not None
    left = [list(answer) for answer in answers]
    turns = order or [number for number, answer in enumerate(answers) for _ in answer]
    seen = [out for number in turns for out in joiner.chunk(number, left[number].pop(0))]
    return seen + list(joiner.end())


def test_each_choice_is_a_request_of_its_own() -> None:
    made = chat(IGNORED, n=3, temperature=1)
    assert made.requests == ({"model": "m", "messages": made.document["messages"], "temperature": 1},) * 3
    assert (made.requested.choices, made.client.choices) == (1, 3)


def test_choices_have_seeds_of_their_own_which_the_next_request_has_again() -> None:
    assert [each["seed"] for each in chat(IGNORED, n=3, seed=7).requests] == [7, 8, 9]
    last = 2**63 - 1
    assert [each["seed"] for each in chat(IGNORED, n=3, seed=last).requests] == [last, last - 1, last - 2]


def test_one_choice_is_one_request() -> None:
    made = chat(IGNORED, n=1)
    assert (made.requests, made.joiner()) == ((made.document,), None)


def test_a_best_of_that_is_n_asks_for_nothing_more() -> None:
    made = completion("choices.completions.number", n=2, best_of=2)
    assert made.requests == ({"model": "m", "prompt": "Hi"},) * 2


def test_each_prompt_is_a_request_of_its_own_with_all_of_its_choices() -> None:
    made = completion("completions.prompt.list", prompt=["a", "b"], n=2)
    assert made.requests == (
        {"model": "m", "prompt": "a", "n": 2},
        {"model": "m", "prompt": "b", "n": 2},
    )
    assert made.requested.choices == 2


def test_several_token_prompts_and_a_single_one_are_distinguished() -> None:
    taken = rule("completions.prompt.tokens", "pass")
    lists = completion("completions.prompt.token_lists", taken, prompt=[[1, 2], [3]])
    assert [each["prompt"] for each in lists.requests] == [[1, 2], [3]]
    one = completion("completions.prompt.token_lists", taken, prompt=[1, 2])
    assert one.requests == (one.document,)


def test_prompts_and_choices_are_taken_apart_together() -> None:
    made = completion("choices.completions.number", prompt=["a", "b"], n=2, seed=1)
    assert [(each["prompt"], each["seed"]) for each in made.requests] == [
        ("a", 1),
        ("a", 2),
        ("b", 1),
        ("b", 2),
    ]
    bodies: list[Document] = [
        {"id": str(at), "choices": [{"index": 0, "text": str(at)}], "usage": usage(5, 1)} for at in range(4)
    ]
    joiner = made.joiner()
    assert joiner is not None
    whole = joiner.whole(bodies)
    assert [(choice["index"], choice["text"]) for choice in whole["choices"]] == [
        (0, "0"),
        (1, "1"),
        (2, "2"),
        (3, "3"),
    ]
    # The tokens of two prompts, and of four completions.
    assert (whole["id"], whole["usage"]) == ("0", usage(10, 4))


def test_details_of_the_count_are_added_too() -> None:
    joiner = chat(IGNORED, n=2).joiner()
    assert joiner is not None
    details = {
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    bodies = [
        answered("a", usage={**usage(4, 5), **details}),
        answered("b", usage={**usage(4, 6), **details}),
    ]
    assert joiner.whole(bodies)["usage"] == {
        **usage(4, 11),
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 6},
    }


def test_usage_missing_in_one_answer_is_not_invented() -> None:
    joiner = chat(IGNORED, n=2).joiner()
    assert joiner is not None
    lacking = answered("b")
    del lacking["usage"]
    assert "usage" not in joiner.whole([answered("a"), lacking])
    counting = {"stream": True, "stream_options": {"include_usage": True}}
    made = chat(IGNORED, n=2, **counting)
    assert all(chunk["choices"] for chunk in joined(made, [*spoken("a"), counted(3, 1)], spoken("b")))


def test_a_stream_has_one_id_one_role_for_each_choice_and_one_count() -> None:
    notes = Notes()
    made = chat(IGNORED, n=2, stream=True, stream_options={"include_usage": True}, notes=notes)
    other = spoken("b", id="chatcmpl-2", created=2)
    seen = joined(made, [*spoken("a"), counted(3, 1)], [*other, counted(3, 2, id="chatcmpl-2", created=2)])
    assert {(chunk["id"], chunk["created"]) for chunk in seen} == {("chatcmpl-1", 1)}
    assert (texts(seen), reasons(seen)) == ({0: "a", 1: "b"}, {0: ["length"], 1: ["length"]})
    roles = [choice["index"] for chunk in seen for choice in chunk["choices"] if "role" in choice["delta"]]
    assert roles == [0, 1]
    assert [chunk["usage"] for chunk in seen if chunk.get("usage")] == [usage(3, 3)]
    assert (seen[-1]["choices"], list(notes)) == ([], [IGNORED])


def test_choices_begin_in_order_for_any_order_of_answers() -> None:
    made = chat(IGNORED, n=3, stream=True)
    answers = [spoken(str(at)) for at in range(3)]
    seen = joined(made, *answers, order=[2, 2, 1, 0, 1, 2, 0, 0, 1])
    indexes = [choice["index"] for chunk in seen for choice in chunk["choices"]]
    assert list(dict.fromkeys(indexes)) == [0, 1, 2]
    assert (texts(seen), reasons(seen)) == (
        {0: "0", 1: "1", 2: "2"},
        {0: ["length"], 1: ["length"], 2: ["length"]},
    )


@pytest.mark.parametrize("broken", ["embeddings.input.list", "embeddings.input.batch"])
def test_each_input_of_an_embedding_is_a_request_of_its_own(broken: str) -> None:
    made = embedding(broken, input=["a", "b"])
    assert [each["input"] for each in made.requests] == ["a", "b"]
    joiner = made.joiner()
    assert joiner is not None
    bodies: list[Document] = [
        {
            "object": "list",
            "data": [{"index": 0, "embedding": [float(at)]}],
            "usage": {"prompt_tokens": 2, "total_tokens": 2},
        }
        for at in range(2)
    ]
    assert joiner.whole(bodies) == {
        "object": "list",
        "data": [{"index": 0, "embedding": [0.0]}, {"index": 1, "embedding": [1.0]}],
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }


@given(st.data())
def test_any_interleaving_gives_the_same_text_for_each_choice(data: st.DataObject) -> None:
    said = data.draw(st.lists(st.lists(st.text(max_size=3), max_size=4), min_size=2, max_size=4))
    answers = [[*spoken(*pieces), counted(3, len(pieces))] for pieces in said]
    turns = data.draw(st.permutations([at for at, answer in enumerate(answers) for _ in answer]))
    made = chat(IGNORED, n=len(said), stream=True, stream_options={"include_usage": True})
    seen = joined(made, *answers, order=list(turns))
    assert texts(seen) == {at: "".join(pieces) for at, pieces in enumerate(said)}
    assert reasons(seen) == {at: ["length"] for at in range(len(said))}
    assert seen[-1]["usage"] == usage(3, sum(map(len, said)))
    assert sum(chunk.get("usage") is not None for chunk in seen) == 1
