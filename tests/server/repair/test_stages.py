"""Each kind of mistake in the form, the ends and the usage of a stream is repaired; correct parts are unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from server.repair.gateway import NOW, text_of
from server.repair.pieces import CALLED, TWO, WITH_TOOLS, call, mended, more, said
from server.repair.test_stream import (
    CHAT,
    COUNTED,
    DONE,
    FIRST,
    HEAD,
    HI,
    LAST,
    TEXT,
    USAGE,
    events,
    piece,
    through,
)

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document


def test_correct_streams_are_unchanged() -> None:
    for sent, asked in (
        ([FIRST, HI, LAST], CHAT),
        ([FIRST, call(), more('{"a":'), more("1}"), CALLED], WITH_TOOLS),
        ([FIRST, HI, LAST, {**HEAD, "choices": [], "usage": USAGE}], COUNTED),
        (
            [{**one, "usage": None} for one in (FIRST, HI, LAST)] + [{**HEAD, "choices": [], "usage": USAGE}],
            COUNTED,
        ),
        ([piece({"role": "assistant", "content": None}), call(), CALLED], WITH_TOOLS),
        (
            [piece({"role": "assistant", "content": None, "refusal": ""}), piece({"refusal": "No"}), LAST],
            CHAT,
        ),
        ([said("Hi"), said("", "stop")], TEXT),
        ([said("Hi"), said(" you", "length")], TEXT),
    ):
        data = events(sent) + DONE
        assert through(data, asked) == (data, [], None)


@pytest.mark.parametrize(
    ("field", "values", "right", "rule"),
    [
        ("id", [None, None, None], "chatcmpl-fresh", "id"),
        ("id", ["", "", ""], "chatcmpl-fresh", "id_not_empty"),
        ("id", ["a", "b", "c"], "a", "same_id"),
        ("id", [7, 7, 7], "chatcmpl-fresh", "id"),
        ("object", ["chat.completion"] * 3, "chat.completion.chunk", "object"),
        ("created", [NOW * 1000] * 3, NOW, "seconds"),
        ("created", [NOW * 1000 + 7, NOW * 1000 + 99, NOW * 1000 + 5000], NOW, "seconds"),
        ("created", [NOW + 0.5] * 3, NOW, "created"),
        ("created", [float(NOW)] * 3, NOW, "created"),
        ("created", [str(NOW)] * 3, NOW, "created"),
        ("created", [NOW, NOW + 1, NOW + 2], NOW, "same_created"),
        ("created", [None] * 3, NOW, "created"),
        ("created", [0] * 3, NOW, "same_created"),
        ("created", ["soon"] * 3, NOW, "created"),
        ("model", [None] * 3, "m", "model"),
        ("model", ["other", "other", ""], "other", "same_model"),
    ],
)
def test_every_chunk_has_the_heading_of_the_stream(
    field: str, values: list[Any], right: object, rule: str
) -> None:
    sent = [{**one, field: value} for one, value in zip((FIRST, HI, LAST), values, strict=True)]
    found, noted = mended([{k: v for k, v in one.items() if v is not None} for one in sent])
    assert [chunk[field] for chunk in found] == [right] * 3
    assert f"chat.stream.{rule}" in noted


@pytest.mark.parametrize(
    ("wrong", "right", "rule"),
    [
        ({"index": None, "delta": {"content": "Hi"}, "finish_reason": None}, HI, "index"),
        ({"delta": {"content": "Hi"}, "finish_reason": None}, HI, "index"),
        ({"index": "0", "delta": {"content": "Hi"}, "finish_reason": None}, HI, "index"),
        ({"index": 0, "message": {"content": "Hi"}, "finish_reason": None}, HI, "delta"),
        ({"index": 0, "text": "Hi", "finish_reason": None}, HI, "delta"),
        ({"index": 0, "delta": "Hi", "finish_reason": None}, HI, "delta"),
        ({"index": 0, "message": {}, "text": "Hi", "finish_reason": None}, HI, "delta"),
        ({"index": 0, "delta": None, "finish_reason": None}, piece({}), "delta"),
        (
            {"index": 0, "delta": {"content": [{"type": "text", "text": "Hi"}]}, "finish_reason": None},
            HI,
            "delta",
        ),
        ({"index": 0, "delta": {"content": "Hi"}}, HI, "finish_reason"),
        ({"index": 0, "delta": {"content": "Hi"}, "finish_reason": ""}, HI, "finish_reason"),
        ({"index": 0, "delta": {"content": "Hi", "role": None}, "finish_reason": None}, HI, "nulls"),
        ({"index": 0, "delta": {"content": "Hi", "role": ""}, "finish_reason": None}, HI, "role"),
        (
            {"index": 0, "delta": {"content": "Hi", "role": "assistant"}, "finish_reason": None},
            HI,
            "role_once",
        ),
        ({"index": 0, "delta": {"content": "Hi", "tool_calls": []}, "finish_reason": None}, HI, "tool_calls"),
        ({"index": 0, "delta": {"content": "Hi", "tool_calls": None}, "finish_reason": None}, HI, "nulls"),
        ({"index": 0, "delta": {"content": "Hi", "function_call": None}, "finish_reason": None}, HI, "nulls"),
    ],
)
def test_a_choice_of_a_chunk_gets_its_form(wrong: Document, right: Document, rule: str) -> None:
    found, noted = mended([FIRST, {**HEAD, "choices": [wrong]}, LAST])
    assert found == [FIRST, right, LAST]
    assert noted == {f"chat.stream.{rule}"}


@pytest.mark.parametrize(
    ("empty", "rule"), [({"choices": []}, "has_choices"), ({"choices": None}, "choices"), ({}, "choices")]
)
def test_a_chunk_that_carries_nothing_is_left_out(empty: Document, rule: str) -> None:
    assert mended([{**HEAD, **empty, "id": ""}, FIRST, HI, LAST]) == (
        [FIRST, HI, LAST],
        {f"chat.stream.{rule}"},
    )


@pytest.mark.parametrize("choices", [{"0": {}}, ["Hi"], "Hi", [{"index": 0, "delta": {"content": 7}}]])
def test_unreadable_choices_end_the_stream(choices: object) -> None:
    _, _, error = through(events([FIRST, {**HEAD, "choices": choices}, LAST]) + DONE)
    assert error is not None
    assert error.code == "upstream_unreadable"


def test_a_missing_index_is_set_only_if_it_is_certain() -> None:
    both = [{"delta": {"content": text}, "finish_reason": "stop"} for text in ("Hi", "Ho")]
    found, _ = mended([{**HEAD, "choices": both}], TWO)
    assert (text_of(found, 0), text_of(found, 1)) == ("Hi", "Ho")
    _, _, error = through(events([{**HEAD, "choices": both[:1]}]) + DONE, TWO)
    assert error is not None


@pytest.mark.parametrize("first", [{}, {"role": None}, {"role": ""}, {"role": "bot"}])
def test_the_first_delta_has_the_role(first: Document) -> None:
    found, noted = mended([piece({**first, "content": "Hi"}), LAST])
    assert found[0]["choices"][0]["delta"] == {"role": "assistant", "content": "Hi"}
    assert noted <= {"chat.stream.role", "chat.stream.role_first"}


def test_null_as_the_first_content_waits_for_what_follows() -> None:
    null = piece({"role": "assistant", "content": None})
    assert mended([null, HI, LAST]) == ([FIRST, HI, LAST], {"chat.stream.first_content"})
    assert mended([null, LAST]) == ([null, LAST], set())
    assert mended([null, piece({"reasoning_content": "Hm"}), HI, LAST])[1] == {"chat.stream.first_content"}


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("eos_token", "stop"),
        ("STOP", "stop"),
        ("end_turn", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
    ],
)
def test_finish_reasons_of_other_apis_are_converted(word: str, meant: str) -> None:
    assert mended([FIRST, HI, piece({}, word)]) == (
        [FIRST, HI, piece({}, meant)],
        {"chat.stream.finish_reason"},
    )


@pytest.mark.parametrize("word", ["error", "abort", "because", 7])
def test_an_invalid_finish_reason_is_an_error(word: Any) -> None:  # noqa: ANN401
    _, _, error = through(events([FIRST, HI, piece({}, word)]) + DONE)
    assert error is not None


HO = piece({"content": "Ho"})


@pytest.mark.parametrize(
    ("sent", "right", "rule"),
    [
        ([FIRST, HI, LAST, LAST], [FIRST, HI, LAST], "finish_once"),
        ([FIRST, HI, LAST, piece({}, "length")], [FIRST, HI, LAST], "finish_once"),
        ([FIRST, HI, LAST, HO], [FIRST, HI, HO, LAST], "finish_last"),
        ([FIRST, LAST, HI, HO], [FIRST, HI, HO, LAST], "finish_last"),
        ([FIRST, HI, piece({"content": "Ho"}, "stop")], [FIRST, HI, HO, LAST], "finish_empty"),
        (
            [piece({"role": "assistant", "content": ""}, "stop"), piece({"content": "Hi"}, "stop"), LAST],
            [FIRST, HI, LAST],
            "finish_last",
        ),
        (
            [*(piece(one["choices"][0]["delta"], "stop") for one in (FIRST, HI, HO)), piece({}, "length")],
            [FIRST, HI, HO, piece({}, "length")],
            "finish_last",
        ),
    ],
)
def test_a_choice_finishes_once_and_last(sent: list[Document], right: list[Document], rule: str) -> None:
    found, noted = mended(sent)
    assert found == right
    assert f"chat.stream.{rule}" in noted


def test_a_completion_finishes_once_and_last() -> None:
    assert mended([said("Hi", "stop"), said("Ho", "stop")], TEXT)[0] == [said("Hi"), said("Ho", "stop")]
    assert mended([said("", "stop"), said("Hi"), said("Ho")], TEXT)[0] == [said("Hi"), said("Ho", "stop")]
    assert mended([said("Hi"), said("", "stop"), said("", "stop")], TEXT)[0] == [said("Hi"), said("", "stop")]


def test_the_choices_of_a_stream_end_each_for_itself() -> None:
    other = {"index": 1, "delta": {"role": "assistant", "content": "Ho"}, "finish_reason": None}
    sent = [
        FIRST,
        {**HEAD, "choices": [other]},
        HI,
        LAST,
        piece({"content": "!"}, index=1),
        piece({}, "length", 1),
    ]
    assert mended(sent, TWO) == (sent, set())


COUNT = {**HEAD, "choices": [], "usage": USAGE}


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        ([FIRST, HI, {**LAST, "usage": USAGE}], "usage"),
        ([COUNT, FIRST, HI, LAST], "usage_last"),
        ([FIRST, HI, COUNT, LAST], "usage_last"),
        ([FIRST, HI, LAST, COUNT, COUNT], "usage_once"),
        (
            [*({**one, "usage": {**USAGE, "completion_tokens": 1}} for one in (FIRST, HI, LAST)), COUNT],
            "usage_once",
        ),
        ([FIRST, HI, LAST, {**HEAD, "usage": USAGE}], "choices"),
        ([FIRST, HI, LAST, {**HEAD, "choices": None, "usage": USAGE}], "choices"),
        ([FIRST, HI, LAST, {**COUNT, "usage": {**USAGE, "total_tokens": 9}}], "usage_total"),
        ([FIRST, HI, LAST, {**COUNT, "usage": {"prompt_tokens": 5, "completion_tokens": 2}}], "usage_schema"),
        ([FIRST, HI, LAST, {**COUNT, "usage": {**USAGE, "completion_tokens": None}}], "usage_schema"),
        ([FIRST, HI, LAST, {**COUNT, "usage": {**USAGE, "prompt_tokens": "5"}}], "usage_schema"),
        ([FIRST, HI, LAST, {**COUNT, "usage": {**USAGE, "prompt_tokens_details": None}}], "nulls"),
        ([FIRST, {**HI, "usage": "none"}, LAST, COUNT], "usage_schema"),
        ([FIRST, {**HI, "usage": {}}, LAST, COUNT], "usage_schema"),
    ],
)
def test_usage_is_sent_once_and_last(sent: list[Document], rule: str) -> None:
    found, noted = mended(sent, COUNTED)
    assert [{**chunk, "usage": None} for chunk in found[:-1]] == [
        {**one, "usage": None} for one in (FIRST, HI, LAST)
    ]
    assert not any(chunk.get("usage") for chunk in found[:-1])
    assert found[-1] == COUNT
    assert f"chat.stream.{rule}" in noted


def test_usage_that_was_not_requested_is_removed() -> None:
    for sent in ([FIRST, HI, LAST, COUNT], [FIRST, HI, {**LAST, "usage": USAGE}]):
        assert mended(sent) == ([FIRST, HI, LAST], {"chat.stream.usage_unasked"})


@pytest.mark.parametrize("usage", [None, {"total_tokens": 7}, {"prompt_tokens": -1, "completion_tokens": 1}])
def test_missing_usage_is_not_invented(usage: object) -> None:
    assert mended([FIRST, HI, LAST, {**COUNT, "usage": usage}], COUNTED)[0] == [FIRST, HI, LAST]


def test_reasoning_tokens_counted_separately_are_added_to_the_completion() -> None:
    usage = {**USAGE, "completion_tokens_details": {"reasoning_tokens": 30}, "total_tokens": 37}
    found, noted = mended([FIRST, HI, LAST, {**COUNT, "usage": usage}], COUNTED)
    assert found[-1]["usage"] == {**usage, "completion_tokens": 32}
    assert noted == {"chat.stream.usage_details"}


def test_an_index_beyond_the_choices_is_replaced_by_the_next_one() -> None:
    other = [piece({"role": "assistant", "content": "Ho"}, index=2), piece({}, "stop", 2)]
    found, noted = mended([FIRST, *other, HI, LAST], TWO)
    assert (text_of(found, 0), text_of(found, 1)) == ("Hi", "Ho")
    assert noted == {"choices.chat.streamed"}
    found, _ = mended([piece({"role": "assistant", "content": "Hi"}, index=1), piece({}, "stop", 1)])
    assert text_of(found) == "Hi"
    _, _, error = through(events([other[0], FIRST, piece({"content": "!"}, index=1)]) + DONE, TWO)
    assert error is not None


def test_an_empty_error_is_removed() -> None:
    for error in (None, {}, ""):
        sent = [{**one, "error": error} for one in (FIRST, HI, LAST)]
        assert mended(sent) == ([FIRST, HI, LAST], {"stream.no_empty_error"})


def test_deltas_in_a_streamed_completion_become_its_text() -> None:
    sent = [
        {
            **HEAD,
            "object": "text_completion",
            "choices": [{"index": 0, "delta": delta, "finish_reason": end}],
        }
        for delta, end in (({"content": "Hi"}, None), (" you", None), ({"content": ""}, "stop"))
    ]
    assert mended(sent, TEXT)[0] == [said("Hi"), said(" you"), said("", "stop")]
