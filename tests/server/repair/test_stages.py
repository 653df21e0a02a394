"""Each kind of mistake in a stream: what is wrong is put right and noted, and what is right is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.repair.base import Asked
from server.repair.gateway import NOW, chunks, text_of
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

CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "ring", "arguments": ""}}
CALLED = piece({}, "tool_calls")
WITH_TOOLS = Asked("chat", "m", stream=True, tools=True, fresh_id="chatcmpl-fresh", now=NOW)
TWO = Asked("chat", "m", stream=True, choices=2, fresh_id="chatcmpl-fresh", now=NOW)


def more(arguments: Any, **fields: Any) -> Document:  # noqa: ANN401
    return piece({"tool_calls": [{"index": 0, "function": {"arguments": arguments}, **fields}]})


def call(**fields: Any) -> Document:  # noqa: ANN401
    return piece({"tool_calls": [{**CALL, **fields}]})


def said(text: str, reason: str | None = None, **fields: Any) -> Document:  # noqa: ANN401
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
    return {**HEAD, "object": "text_completion", "choices": [{**choice, **fields}]}


def mended(sent: list[Any], asked: Asked = CHAT, **options: Any) -> tuple[list[Document], set[str]]:  # noqa: ANN401
    out, noted, error = through(events(sent) + DONE, asked, **options)
    assert error is None, error
    assert out.endswith(DONE)
    return chunks(out), set(noted)


def test_right_streams_stay_what_they_are() -> None:
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
def test_choices_that_nobody_can_read_end_the_stream(choices: object) -> None:
    _, _, error = through(events([FIRST, {**HEAD, "choices": choices}, LAST]) + DONE)
    assert error is not None
    assert error.code == "upstream_unreadable"


def test_a_choice_without_an_index_is_only_guessed_where_it_can_be_told() -> None:
    both = [{"delta": {"content": text}, "finish_reason": "stop"} for text in ("Hi", "Ho")]
    found, _ = mended([{**HEAD, "choices": both}], TWO)
    assert (text_of(found, 0), text_of(found, 1)) == ("Hi", "Ho")
    _, _, error = through(events([{**HEAD, "choices": both[:1]}]) + DONE, TWO)
    assert error is not None


@pytest.mark.parametrize("first", [{}, {"role": None}, {"role": ""}, {"role": "bot"}])
def test_the_first_delta_says_who_speaks(first: Document) -> None:
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
def test_words_of_other_apis_for_an_end_are_put_into_the_contracts(word: str, meant: str) -> None:
    assert mended([FIRST, HI, piece({}, word)]) == (
        [FIRST, HI, piece({}, meant)],
        {"chat.stream.finish_reason"},
    )


@pytest.mark.parametrize("word", ["error", "abort", "because", 7])
def test_an_end_that_is_none_is_an_error(word: Any) -> None:  # noqa: ANN401
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
def test_the_count_is_said_once_and_last(sent: list[Document], rule: str) -> None:
    found, noted = mended(sent, COUNTED)
    assert [{**chunk, "usage": None} for chunk in found[:-1]] == [
        {**one, "usage": None} for one in (FIRST, HI, LAST)
    ]
    assert not any(chunk.get("usage") for chunk in found[:-1])
    assert found[-1] == COUNT
    assert f"chat.stream.{rule}" in noted


def test_a_count_that_nobody_asked_for_is_left_out() -> None:
    for sent in ([FIRST, HI, LAST, COUNT], [FIRST, HI, {**LAST, "usage": USAGE}]):
        assert mended(sent) == ([FIRST, HI, LAST], {"chat.stream.usage_unasked"})


@pytest.mark.parametrize("usage", [None, {"total_tokens": 7}, {"prompt_tokens": -1, "completion_tokens": 1}])
def test_a_count_that_does_not_come_is_not_made_up(usage: object) -> None:
    assert mended([FIRST, HI, LAST, {**COUNT, "usage": usage}], COUNTED)[0] == [FIRST, HI, LAST]


def test_reasoning_that_is_counted_beside_the_completion_becomes_a_part_of_it() -> None:
    usage = {**USAGE, "completion_tokens_details": {"reasoning_tokens": 30}, "total_tokens": 37}
    found, noted = mended([FIRST, HI, LAST, {**COUNT, "usage": usage}], COUNTED)
    assert found[-1]["usage"] == {**usage, "completion_tokens": 32}
    assert noted == {"chat.stream.usage_details"}


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        ([call(index=None), more("{}", index=None)], "index"),
        ([call(index=1), more("{}", index=1)], "numbered"),
        ([call(type=None), more("{}")], "type"),
        ([call(type="tool"), more("{}")], "schema"),
        ([call(), more("{}", id="call_1", type="function")], "once"),
        (
            [call(), piece({"tool_calls": [{**CALL, "function": {"name": "ring", "arguments": "{}"}}]})],
            "once",
        ),
        ([call(function={"name": "ring", "arguments": {}}), more("{}")], "arguments"),
        ([call(function={"name": "ring", "arguments": None}), more("{}")], "nulls"),
        ([call(), more("{}", id=None)], "nulls"),
    ],
)
def test_a_call_is_put_together_as_the_api_sends_it(sent: list[Document], rule: str) -> None:
    found, noted = mended([FIRST, *sent, CALLED], WITH_TOOLS)
    assert found == [FIRST, call(), more("{}"), CALLED]
    assert {one.rpartition(".")[2] for one in noted} == {rule}


def test_arguments_that_are_an_object_become_its_text() -> None:
    whole = call(function={"name": "ring", "arguments": {"b": "ä"}})
    assert mended([FIRST, whole, CALLED])[0][1] == call(function={"name": "ring", "arguments": '{"b": "ä"}'})
    empty = call(function={"name": "ring", "arguments": {}})
    assert mended([FIRST, empty, CALLED])[0] == [FIRST, call(), more("{}"), CALLED]


@pytest.mark.parametrize("id_", [None, ""])
def test_a_call_without_an_id_gets_one(id_: object) -> None:
    found, noted = mended([FIRST, call(id=id_), more("{}"), CALLED])
    assert found[1] == call(id="call_chatcmpl-fresh_0")
    assert noted == {"tools.stream.id"}


def test_calls_that_share_an_index_are_told_apart_by_their_ids() -> None:
    second = {"tool_calls": [{**CALL, "id": "call_2", "function": {"name": "dim", "arguments": ""}}]}
    found, noted = mended([FIRST, call(), more("{}"), piece(second), more('{"a":1}'), CALLED])
    assert [(f["index"], f.get("id"), f["function"].get("arguments")) for f in fragments(found)] == [
        (0, "call_1", ""),
        (0, None, "{}"),
        (1, "call_2", ""),
        (1, None, '{"a":1}'),
    ]
    assert noted == {"tools.stream.own_index"}


def fragments(found: list[Document]) -> list[Document]:
    deltas = [choice["delta"] for chunk in found for choice in chunk["choices"]]
    return [fragment for delta in deltas for fragment in delta.get("tool_calls", [])]


def test_another_id_in_every_fragment_of_one_call_is_no_other_call() -> None:
    sent = [call(), call(id="x", function={"name": "ring", "arguments": '{"a":'}), more("1}", id="y")]
    found, _ = mended([FIRST, *sent, CALLED])
    assert [(f["index"], f["function"]["arguments"]) for f in fragments(found)] == [
        (0, ""),
        (0, '{"a":'),
        (0, "1}"),
    ]


def test_whole_calls_without_index_or_id_are_calls_of_their_own() -> None:
    one = {"function": {"name": "ring", "arguments": "{}"}}
    for sent in ([piece({"tool_calls": [one, one]})], [piece({"tool_calls": [one]})] * 2):
        found, _ = mended([FIRST, *sent, CALLED])
        assert [(f["index"], f["type"], f["function"]) for f in fragments(found)] == [
            (0, "function", one["function"]),
            (1, "function", one["function"]),
        ]


def test_what_comes_of_a_call_before_its_name_waits_for_it() -> None:
    nameless = call(function={"arguments": '{"a":'})
    found, _ = mended(
        [FIRST, nameless, more("1}", id=None, function={"name": "ring", "arguments": "1}"}), CALLED]
    )
    assert fragments(found) == [{**CALL, "function": {"name": "ring", "arguments": '{"a":1}'}}]
    _, _, error = through(events([FIRST, nameless, CALLED]) + DONE)
    assert error is not None


def test_the_end_of_an_answer_says_whether_it_called() -> None:
    assert mended([FIRST, call(), more("{}"), LAST])[0][-1] == CALLED
    assert mended([FIRST, call(), more("{}"), piece({}, "length")])[0][-1] == piece({}, "length")
    assert mended([FIRST, HI, CALLED]) == ([FIRST, HI, LAST], {"chat.stream.finish_called"})


def snapshots(text: str, size: int = 3) -> list[Document]:
    ends = [*range(size, len(text), size), len(text)]
    return [piece({"content": text[:end]}) for end in ends]


@pytest.mark.parametrize(
    "text", ["Hello there, how are you today?", "aaa bbb aaa bbb", "一二三四五六七八九十一二三四五六七八九十"]
)
def test_deltas_that_repeat_the_whole_text_are_differenced(text: str) -> None:
    found, noted = mended([FIRST, *snapshots(text), LAST])
    assert text_of(found) == text
    assert "text.same" in noted


@pytest.mark.parametrize(
    "pieces",
    [
        ["a", "aa"],
        ["a", "aa", "aaa", "aaaa", "aaaaa", "aaaaaa"],
        ["=" * (1 << n) for n in range(9)],
        ["ha", "ha ha", "ha ha ha", "ha ha ha ha"],
        ["1", "12", "123", "1234"],
        ["The", "The house", "no"],
        [" ", "  ", "   ", "    x"],
        ["\n", "\n\n", "\n\n\n", "\n\n\n\n", "\n\n\n\n\n" * 4],
        ["x" * n for n in range(1, 60)],
        ["Hi", "Hi", "Hi", "Hi there"],
    ],
)
def test_a_text_that_honestly_repeats_is_not_changed(pieces: list[str]) -> None:
    sent = [FIRST, *(piece({"content": text}) for text in pieces), LAST]
    assert mended(sent) == (sent, set())


def test_where_deltas_are_known_to_be_snapshots_two_are_enough() -> None:
    found, _ = mended([FIRST, *snapshots("Hello"), LAST], cumulative=True)
    assert text_of(found) == "Hello"


def test_log_probabilities_tell_snapshots_from_a_text_that_repeats() -> None:
    def with_tokens(text: str, token: str) -> Document:
        chunk = piece({"content": text})
        chunk["choices"][0]["logprobs"] = {"content": [{**TOKEN, "token": token}], "refusal": None}
        return chunk

    found, _ = mended([FIRST, with_tokens("a", "a"), with_tokens("aa", "a"), LAST])
    assert text_of(found) == "aa"
    sent = [FIRST, with_tokens("a", "a"), with_tokens("aa", "aa"), LAST]
    assert mended(sent) == (sent, set())


def test_snapshots_that_contradict_each_other_end_the_stream() -> None:
    sent = [FIRST, *snapshots("Hello there, how are you?"), piece({"content": "Good day"}), LAST]
    _, _, error = through(events(sent) + DONE)
    assert error is not None


def test_snapshots_of_completions_and_of_several_choices_are_differenced() -> None:
    text = "Hello there, how are you?"
    ends = range(3, len(text) + 3, 3)
    found, noted = mended([*(said(text[:end]) for end in ends), said("", "stop")], TEXT)
    assert (text_of(found), noted) == (text, {"text.completions_same"})
    both = [
        piece({"role": "assistant", "content": text[:end]}, index=index) for end in ends for index in (0, 1)
    ]
    found, _ = mended([*both, LAST, piece({}, "stop", 1)], TWO)
    assert (text_of(found, 0), text_of(found, 1)) == (text, text)


SMILE = "\N{GRINNING FACE}"


def test_a_character_in_two_halves_is_put_together() -> None:
    halves = [piece({"content": text}) for text in ("a\ud83d", "\ude00b", "c")]
    found, noted = mended([FIRST, *halves, LAST])
    assert [text_of([one]) for one in found] == ["", "a", f"{SMILE}b", "c", ""]
    assert noted == {"text.surrogates"}
    data = events([FIRST, *halves, LAST])
    assert [text_of([one]) for one in mended([said("\ud83d"), said("\ude00", "stop")], TEXT)[0]] == [
        "",
        SMILE,
    ]
    assert b"ud83d" in data


@pytest.mark.parametrize("texts", [["a\ud83d", "b"], ["\ud83d"], ["\ude00", "\ud83d"], ["\ud83d", "", "x"]])
def test_half_a_character_that_stays_alone_is_left_as_it_is(texts: list[str]) -> None:
    found, noted = mended([FIRST, *(piece({"content": text}) for text in texts), LAST])
    assert text_of(found) == "".join(texts)
    assert noted <= {"chat.stream.finish_empty"}


def test_an_index_beyond_the_choices_stands_for_the_next_one() -> None:
    other = [piece({"role": "assistant", "content": "Ho"}, index=2), piece({}, "stop", 2)]
    found, noted = mended([FIRST, *other, HI, LAST], TWO)
    assert (text_of(found, 0), text_of(found, 1)) == ("Hi", "Ho")
    assert noted == {"choices.chat.streamed"}
    found, _ = mended([piece({"role": "assistant", "content": "Hi"}, index=1), piece({}, "stop", 1)])
    assert text_of(found) == "Hi"
    _, _, error = through(events([other[0], FIRST, piece({"content": "!"}, index=1)]) + DONE, TWO)
    assert error is not None


TOKEN = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
COLUMNS = {"tokens": ["Hi"], "token_logprobs": [-0.5], "top_logprobs": [{"Ho": -2.0}], "text_offset": [0]}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"content": [TOKEN]}, {"content": [TOKEN], "refusal": None}),
        ([TOKEN], {"content": [TOKEN], "refusal": None}),
        (
            {"content": [{"token": "Hi", "logprob": -0.5}], "refusal": None},
            {"content": [{**TOKEN, "bytes": None}], "refusal": None},
        ),
        (
            COLUMNS,
            {
                "content": [
                    {
                        **TOKEN,
                        "bytes": None,
                        "top_logprobs": [{"token": "Ho", "logprob": -2.0, "bytes": None}],
                    }
                ],
                "refusal": None,
            },
        ),
        ({"content": [{**TOKEN, "logprob": "-0.5"}], "refusal": None}, {"content": [TOKEN], "refusal": None}),
        ("-0.5", None),
    ],
)
def test_log_probabilities_of_chats_get_their_form(wrong: object, right: object) -> None:
    chunk = piece({"content": "Hi"})
    chunk["choices"][0]["logprobs"] = wrong
    found, noted = mended([FIRST, chunk, LAST])
    made = found[1]["choices"][0]["logprobs"]
    assert (made and {name: made[name] for name in ("content", "refusal")}) == right
    assert noted == {"chat.stream.logprobs"}


@pytest.mark.parametrize("number", ["-1e999", "-Infinity"])
def test_a_log_probability_below_all_numbers_is_what_the_api_writes_for_it(number: str) -> None:
    chunk = piece({"content": "Hi"})
    chunk["choices"][0]["logprobs"] = {"content": [TOKEN], "refusal": None}
    data = events([FIRST, chunk, LAST]).replace(b"-0.5", number.encode()) + DONE
    out, _, error = through(data)
    assert error is None
    assert chunks(out)[1]["choices"][0]["logprobs"]["content"] == [{**TOKEN, "logprob": -9999.0}]
    _, _, error = through(data.replace(number.encode(), b"1e999").replace(b'"m"', b'"m", "error": null'))
    assert error is not None


def test_log_probabilities_of_completions_get_their_form() -> None:
    chat = {"content": [{**TOKEN, "top_logprobs": [{"token": "Ho", "logprob": -2.0}]}]}
    found, noted = mended([said("Yo"), said("Hi", logprobs=chat), said("", "stop", logprobs="-0.1")], TEXT)
    assert found[1]["choices"][0]["logprobs"] == {**COLUMNS, "text_offset": [2]}
    assert found[2]["choices"][0]["logprobs"] is None
    assert noted == {"completions.stream.logprobs"}


@pytest.mark.parametrize(
    ("told", "right"),
    [(None, [2, 3]), ([0], [2, 3]), ([0, 0], [0, 1]), ([9, 4], [2, 3]), ([7, 8], [7, 8]), ([2, 3], [2, 3])],
)
def test_text_offsets_are_those_of_the_tokens(told: list[int] | None, right: list[int]) -> None:
    logprobs = {"tokens": ["H", "i"], "token_logprobs": [-1, -1], "top_logprobs": None, "text_offset": told}
    found, _ = mended([said("Yo"), said("Hi", logprobs=logprobs), said("", "stop")], TEXT)
    assert found[1]["choices"][0]["logprobs"] == {**logprobs, "text_offset": right}


def test_an_error_that_is_none_is_left_out() -> None:
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
