"""The wire form of steps: both operations, as chunks and whole, by the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.answers.form import ChatForm, CompletionForm, Heading
from gonogo_server.answers.stream import Counted, Finished, Started, Text, fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.answers.respond import Form

    Check = Callable[[str, object], None]
    FormAndName = tuple[Callable[[Heading], Form], str]

STEPS = [Started(0), Text(0, "He"), Text(0, "llo"), Finished(0, "stop"), Counted(3, 2, 1)]


def chunks(form: Form) -> list[dict[str, Any]]:
    return [chunk.model_dump(by_alias=True) for chunk in map(form.chunk, STEPS) if chunk]


@pytest.fixture(params=[(ChatForm, "ChatCompletion"), (CompletionForm, "Completion")], ids=["chat", "text"])
def form_and_name(request: pytest.FixtureRequest) -> FormAndName:
    """Each form, and the component of the contract for its whole answers."""
    return request.param


@pytest.mark.parametrize("include_usage", [False, True])
def test_every_chunk_keeps_the_contract(
    form_and_name: FormAndName, keeps_contract: Check, *, include_usage: bool
) -> None:
    form, name = form_and_name
    for chunk in chunks(form(Heading("m", include_usage=include_usage))):
        keeps_contract(f"{name}Chunk", chunk)


def test_the_whole_keeps_the_contract(form_and_name: FormAndName, keeps_contract: Check) -> None:
    form, name = form_and_name
    whole = form(Heading("m")).whole(fold(STEPS)).model_dump(by_alias=True)
    keeps_contract(name, whole)
    assert whole["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 1},
    }


def test_all_chunks_share_id_created_and_model(form_and_name: FormAndName) -> None:
    form, _ = form_and_name
    headings = {
        (chunk["id"], chunk["created"], chunk["model"], chunk["object"])
        for chunk in chunks(form(Heading("m", include_usage=True)))
    }
    assert len(headings) == 1


def test_two_answers_have_two_ids(form_and_name: FormAndName) -> None:
    form, _ = form_and_name
    assert chunks(form(Heading("m")))[0]["id"] != chunks(form(Heading("m")))[0]["id"]


def test_the_role_is_in_the_first_delta_only_and_the_last_delta_is_empty() -> None:
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks(ChatForm(Heading("m")))]
    assert deltas == [{"role": "assistant", "content": ""}, {"content": "He"}, {"content": "llo"}, {}]


def test_only_the_last_chunk_of_a_choice_has_a_finish_reason(form_and_name: FormAndName) -> None:
    form, _ = form_and_name
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks(form(Heading("m")))]
    assert reasons[-1] == "stop"
    assert set(reasons[:-1]) == {None}


def test_requested_usage_is_in_a_separate_last_chunk(form_and_name: FormAndName) -> None:
    form, _ = form_and_name
    *others, last = chunks(form(Heading("m", include_usage=True)))
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 5
    assert [other["usage"] for other in others] == [None] * len(others)


def test_usage_that_was_not_requested_is_absent(form_and_name: FormAndName) -> None:
    form, _ = form_and_name
    assert not any("usage" in chunk for chunk in chunks(form(Heading("m"))))


def test_ids_have_the_prefix_of_the_operation() -> None:
    assert chunks(ChatForm(Heading("m")))[0]["id"].startswith("chatcmpl-")
    assert chunks(CompletionForm(Heading("m")))[0]["id"].startswith("cmpl-")


def test_a_completion_says_nothing_before_its_text() -> None:
    assert [chunk["choices"][0]["text"] for chunk in chunks(CompletionForm(Heading("m")))] == [
        "He",
        "llo",
        "",
    ]
