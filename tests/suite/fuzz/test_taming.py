"""Generated requests adapted to a language model: each trap of a generator that does not know one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from gonogo.fuzz.cases import Shot, shots
from gonogo.fuzz.contract import admits, admits_closed
from gonogo.fuzz.meaning import LONG, meaning
from gonogo.fuzz.smaller import smaller
from gonogo.fuzz.tame import (
    CHAT,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    GENERATING,
    INPUT_TOKENS,
    MESSAGES,
    RESPONSES,
    STREAMING,
    most_tokens,
    tame,
)
from gonogo.stimuli.bodies import JSON_HEADERS
from gonogo.stimuli.fuzzed import Case, Meant, case, is_fuzzed
from gonogo.stimuli.stimulus import Subject, canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.fuzz.source import Told

SUBJECT = Subject("org/served", "org/embedder")
HELLO: dict[str, Any] = {"model": "0", "messages": [{"role": "user", "content": "Hello"}]}
TEXT: dict[str, Any] = {"model": "0", "prompt": "Hello"}


def chat(**changes: object) -> dict[str, Any]:
    return cast("dict[str, Any]", tame(CHAT, HELLO | changes, SUBJECT))


def text(**changes: object) -> dict[str, Any]:
    return cast("dict[str, Any]", tame(COMPLETIONS, TEXT | changes, SUBJECT))


def meant(path: str, body: object, *, embeds: bool = True) -> Meant:
    return meaning(path, canonical(body).encode(), embeds=embeds)


@pytest.fixture(scope="module")
def sent(told: list[Told]) -> list[Shot]:
    return list(shots(told, 0, SUBJECT))


@pytest.fixture(scope="module")
def generations(sent: list[Shot]) -> list[dict[str, Any]]:
    """The bodies of the valid generations."""
    found = [shot.request.json for shot in sent if shot.case.meant is Meant.VALID and shot.path in STREAMING]
    return [body for body in found if isinstance(body, dict)]


def test_every_valid_request_names_a_model_that_is_served(sent: list[Shot]) -> None:
    valid = [shot for shot in sent if shot.case.meant is Meant.VALID]
    served = dict.fromkeys(GENERATING, "org/served") | {EMBEDDINGS: "org/embedder"}
    posts = [shot for shot in valid if shot.request.body]

    assert {shot.path for shot in posts} == set(served)
    assert all(shot.request.json["model"] == served[shot.path] for shot in posts)
    assert {shot.request.path for shot in valid if not shot.request.body} == {
        "/models",
        "/models/org%2Fserved",
    }


def test_every_valid_generation_is_of_few_tokens_and_two_answers_at_most(
    generations: list[dict[str, Any]],
) -> None:
    limits = [
        body.get("max_completion_tokens") or body.get("max_tokens", -1)
        for body in generations
        if "max_output_tokens" not in body
    ]

    assert limits
    assert max(limits) <= 4
    assert min(limits) >= 0
    assert {body["max_output_tokens"] for body in generations if "max_output_tokens" in body} == {16}
    assert max(body.get("n") or 1 for body in generations) <= 2
    assert max(body.get("best_of") or 1 for body in generations) <= 2


def test_no_sent_request_has_a_whole_number_with_a_point(sent: list[Shot]) -> None:
    def floats(value: object) -> Iterator[float]:
        if isinstance(value, float):
            yield value
        for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from floats(child)

    found = [number for shot in sent if shot.request.body for number in floats(shot.request.json)]

    assert found
    assert [number for number in found if abs(number) < 2**53 and number.is_integer()] == []


def test_no_valid_request_has_a_field_that_the_contract_does_not_describe(sent: list[Shot]) -> None:
    posts = [shot for shot in sent if shot.case.meant is Meant.VALID and shot.request.body]

    assert all(admits_closed(shot.path).is_valid(shot.request.json) for shot in posts)


def test_every_sixth_valid_generation_is_sent_as_a_stream_too(generations: list[dict[str, Any]]) -> None:
    plain = sum(body.get("stream") is not True for body in generations)

    assert sum(body.get("stream") is True for body in generations) >= plain // 6 > 0


def test_an_invalid_request_is_invalid_as_it_is_sent(sent: list[Shot]) -> None:
    posts = [
        s for s in sent if s.case.meant is Meant.INVALID and s.request.body and s.request.json is not None
    ]

    assert posts
    assert not any(admits(shot.path).is_valid(shot.request.json) for shot in posts)


def test_no_request_is_sent_twice_and_each_has_a_number(sent: list[Shot]) -> None:
    assert len({shot.request for shot in sent}) == len(sent)
    assert [int(shot.case.number) for shot in sent] == list(range(1, len(sent) + 1))


def test_a_method_that_a_path_does_not_have_is_tried_without_a_body(sent: list[Shot]) -> None:
    probes = [shot for shot in sent if shot.case.meant is Meant.METHOD]

    assert "TRACE" in {shot.request.method for shot in probes}
    assert "OPTIONS" not in {shot.request.method for shot in probes}
    # They are methods of a response whose id is "input_tokens".
    assert not {("GET", "/responses/input_tokens"), ("DELETE", "/responses/input_tokens")} & {
        (shot.request.method, shot.request.path) for shot in probes
    }
    assert {shot.request.body for shot in probes} == {b""}
    assert all("{" not in shot.request.path for shot in probes)


def test_another_content_type_leaves_open_what_a_server_does(sent: list[Shot]) -> None:
    other = [shot for shot in sent if shot.request.method == "POST" and shot.request.headers != JSON_HEADERS]

    assert {shot.case.meant for shot in other} - {Meant.METHOD} <= {Meant.ODD}


@pytest.mark.parametrize(
    ("asked", "sent_"),
    [
        ({}, {"max_tokens": 4}),
        ({"max_tokens": 3}, {"max_tokens": 3}),
        ({"max_tokens": 500}, {"max_tokens": 4}),
        ({"max_tokens": None}, {"max_tokens": None, "max_completion_tokens": 4}),
        (
            {"max_tokens": None, "max_completion_tokens": None},
            {"max_tokens": None, "max_completion_tokens": 4},
        ),
        ({"max_tokens": 0}, {"max_tokens": 0, "max_completion_tokens": 4, "stop": [" ", "a", "e", "o"]}),
        (
            {"max_tokens": "many"},
            {"max_tokens": "many", "max_completion_tokens": 4, "stop": [" ", "a", "e", "o"]},
        ),
        ({"max_tokens": True, "max_completion_tokens": 9}, {"max_tokens": True, "max_completion_tokens": 4}),
        ({"n": 128}, {"n": 2, "max_tokens": 4}),
        ({"n": 129}, {"n": 129, "max_tokens": 4}),
        ({"n": 1.0}, {"n": 1, "max_tokens": 4}),
        ({"top_p": 0.5}, {"top_p": 0.5, "max_tokens": 4}),
        ({"top_logprobs": 3}, {"top_logprobs": 3, "logprobs": True, "max_tokens": 4}),
        ({"stream_options": {}}, {"stream_options": {}, "stream": True, "max_tokens": 4}),
        ({"tool_choice": "auto"}, {"max_tokens": 4}),
        ({"tool_choice": "none"}, {"tool_choice": "none", "max_tokens": 4}),
    ],
)
def test_a_chat_request_is_tamed(asked: dict[str, object], sent_: dict[str, object]) -> None:
    assert chat(**asked) == HELLO | {"model": "org/served"} | sent_


@pytest.mark.parametrize(
    ("asked", "sent_"),
    [
        ({"best_of": 20, "n": 5}, {"best_of": 2, "n": 2}),
        ({"best_of": 0}, {"best_of": 1}),
        ({"best_of": -1}, {"best_of": -1}),
        ({"best_of": 2, "stream": True}, {"stream": True}),
        ({"prompt": ["a", "b", "c"]}, {"prompt": ["a", "b"]}),
        ({"prompt": [1, 2, 3]}, {"prompt": [1, 2, 3]}),
    ],
)
def test_a_completion_request_is_tamed(asked: dict[str, object], sent_: dict[str, object]) -> None:
    assert text(**asked) == TEXT | {"model": "org/served", "max_tokens": 4} | sent_


ASKED: dict[str, Any] = {"model": "0", "input": "Hello"}
SAID = HELLO | {"max_tokens": 4}
BRAKES = {"stop_sequences": [" ", "a", "e", "o"]}


@pytest.mark.parametrize(
    ("path", "asked", "sent_"),
    [
        (RESPONSES, ASKED, ASKED | {"max_output_tokens": 16}),
        (RESPONSES, ASKED | {"max_output_tokens": 900}, ASKED | {"max_output_tokens": 16}),
        (RESPONSES, ASKED | {"max_output_tokens": 3}, ASKED | {"max_output_tokens": 3}),
        (
            RESPONSES,
            ASKED | {"top_logprobs": 2, "max_output_tokens": 16},
            ASKED | {"top_logprobs": 2, "max_output_tokens": 16},
        ),
        (INPUT_TOKENS, ASKED, ASKED),
        (MESSAGES, HELLO | {"max_tokens": 900}, SAID),
        (MESSAGES, HELLO, HELLO | BRAKES),
        (MESSAGES, HELLO | {"max_tokens": None}, HELLO | {"max_tokens": None} | BRAKES),
        (COUNT_TOKENS, HELLO, HELLO),
    ],
)
def test_a_request_of_another_surface_is_tamed(
    path: str, asked: dict[str, object], sent_: dict[str, object]
) -> None:
    assert tame(path, asked, SUBJECT) == sent_ | {"model": "org/served"}


def test_instructions_without_a_user_message_become_one() -> None:
    assert chat(messages=[{"role": "developer", "content": ""}])["messages"] == [
        {"role": "user", "content": ""}
    ]


def test_a_model_that_is_wrong_on_purpose_stays_wrong() -> None:
    assert chat(model=7)["model"] == 7
    assert chat(model="")["model"] == ""
    assert tame(CHAT, [], SUBJECT) == []


def test_embeddings_name_the_model_for_embeddings_or_the_only_one() -> None:
    body = {"model": "0", "input": "Hello"}

    assert tame(EMBEDDINGS, body, SUBJECT) == {"model": "org/embedder", "input": "Hello"}
    assert tame(EMBEDDINGS, body, Subject("only")) == {"model": "only", "input": "Hello"}


@pytest.mark.parametrize(
    ("path", "body", "most"),
    [
        (CHAT, {"max_tokens": 4, "n": 2}, 8),
        (CHAT, {"max_completion_tokens": 2, "max_tokens": 4}, 2),
        (COMPLETIONS, {"max_tokens": 4, "prompt": ["a", "b"], "best_of": 2}, 16),
        (COMPLETIONS, {"max_tokens": 4, "prompt": [1, 2]}, 4),
        (COMPLETIONS, {"max_tokens": -1}, 0),
        (EMBEDDINGS, {"max_tokens": 4}, 0),
        (RESPONSES, {"max_output_tokens": 16}, 16),
        (MESSAGES, {"max_tokens": 4}, 4),
        (COUNT_TOKENS, {"max_tokens": 4}, 0),
        (CHAT, [], 0),
    ],
)
def test_the_tokens_of_a_request_are_counted_at_their_most(path: str, body: object, most: int) -> None:
    assert most_tokens(path, body) == most


TOOL = {"type": "function", "function": {"name": "f"}}
USER, ASSISTANT = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Meant.VALID),
        ({"temperature": None}, Meant.VALID),
        ({"temperature": 3}, Meant.INVALID),
        ({"user": None}, Meant.ODD),  # null means absent, and is not described
        ({"messages": None}, Meant.INVALID),
        ({"x": 1}, Meant.ODD),
        ({"logit_bias": {"5": 1}}, Meant.ODD),
        ({"logit_bias": {}}, Meant.VALID),
        ({"tools": [TOOL]}, Meant.ODD),
        ({"tool_choice": "required"}, Meant.ODD),
        ({"top_logprobs": 1}, Meant.ODD),
        ({"stream_options": {}}, Meant.ODD),
        ({"stream_options": {}, "stream": True}, Meant.VALID),
        ({"response_format": {"type": "text"}}, Meant.VALID),
        ({"response_format": {"type": "json_object"}}, Meant.ODD),
        ({"reasoning_effort": "low"}, Meant.ODD),
        ({"messages": [USER, ASSISTANT, USER]}, Meant.VALID),
        ({"messages": [USER, ASSISTANT]}, Meant.ODD),
        ({"messages": [USER, USER]}, Meant.ODD),
        ({"messages": [{"role": "system", "content": "a"}, USER]}, Meant.VALID),
        ({"messages": [{"role": "system", "content": "a"}]}, Meant.ODD),
        ({"messages": [USER, {"role": "assistant", "content": None}, USER]}, Meant.ODD),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}, Meant.VALID),
        ({"messages": [{"role": "user", "content": "a" * LONG}]}, Meant.ODD),
    ],
)
def test_chat_requests_are_classified_by_the_contract(changes: dict[str, object], expected: Meant) -> None:
    assert meant(CHAT, HELLO | changes) is expected


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (COMPLETIONS, TEXT, Meant.VALID),
        (COMPLETIONS, TEXT | {"prompt": ""}, Meant.ODD),
        (COMPLETIONS, TEXT | {"prompt": None}, Meant.ODD),
        (COMPLETIONS, TEXT | {"prompt": [1]}, Meant.ODD),
        (COMPLETIONS, TEXT | {"suffix": "b"}, Meant.VALID),
        (COMPLETIONS, TEXT | {"suffix": "b", "echo": True}, Meant.ODD),
        (COMPLETIONS, TEXT | {"n": 2, "best_of": 1}, Meant.ODD),
        (COMPLETIONS, TEXT | {"prompt": {}}, Meant.INVALID),
        (EMBEDDINGS, {"model": "m", "input": ["a", "b"]}, Meant.VALID),
        (EMBEDDINGS, {"model": "m", "input": [1]}, Meant.ODD),
        (EMBEDDINGS, {"model": "m", "input": "a", "dimensions": 8}, Meant.ODD),
        (EMBEDDINGS, {"model": "m", "input": "a", "x": 1}, Meant.INVALID),
        (RESPONSES, ASKED, Meant.VALID),
        (RESPONSES, ASKED | {"temperature": None}, Meant.ODD),
        (RESPONSES, ASKED | {"input": " "}, Meant.ODD),
        (RESPONSES, ASKED | {"input": [USER]}, Meant.VALID),
        (RESPONSES, ASKED | {"input": [USER, USER]}, Meant.ODD),
        (RESPONSES, ASKED | {"store": True}, Meant.ODD),
        (RESPONSES, ASKED | {"max_output_tokens": 1}, Meant.INVALID),
        (INPUT_TOKENS, ASKED | {"instructions": "a"}, Meant.VALID),
        (MESSAGES, SAID, Meant.VALID),
        (MESSAGES, SAID | {"max_tokens": 0}, Meant.ODD),
        (MESSAGES, SAID | {"temperature": 1}, Meant.ODD),
        (MESSAGES, SAID | {"messages": [{"role": "system", "content": "a"}, USER]}, Meant.ODD),
        (MESSAGES, HELLO, Meant.INVALID),
        (COUNT_TOKENS, HELLO, Meant.VALID),
    ],
)
def test_other_requests_are_classified_by_the_contract(path: str, body: object, expected: Meant) -> None:
    assert meant(path, body) is expected


def test_without_a_model_for_embeddings_a_refusal_of_them_is_right() -> None:
    assert meant(EMBEDDINGS, {"model": "m", "input": "a"}, embeds=False) is Meant.ODD


@pytest.mark.parametrize("body", [b"", b"\x00", b"\xff", b"{", b"[" * 100_000, b'{"model": NaN}', b"[]"])
def test_a_body_that_is_not_a_json_object_is_invalid(body: bytes) -> None:
    assert meaning(CHAT, body, embeds=True) is Meant.INVALID


def test_a_key_says_what_a_case_is() -> None:
    known = Case(7, "31.2", Meant.VALID, "POST /chat/completions")

    assert known.key == "fuzz 7/31.2 valid POST /chat/completions"
    assert case(known.key) == known
    assert not any(
        map(is_fuzzed, ("GET /models", "fuzz 7/1 meant POST /x", "alive after fuzz 7/1 valid GET /models"))
    )


def test_smaller_values_end_and_reach_each_field_alone() -> None:
    value = {"a": [1, {"b": "text"}], "c": 9.5}
    found = list(smaller(value))

    assert {"c": 9.5} in found
    assert {"a": [1, {"b": "te"}], "c": 9.5} in found
    assert {"a": [{"b": "text"}], "c": 9.5} in found
    assert {"a": [], "c": 9.5} in found
    assert all(len(canonical(one)) < len(canonical(value)) for one in found)
    assert list(smaller({})) == []
