"""The texts of a stream and their log probabilities: sent once, in whole characters, and in the right form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from server.repair.gateway import chunks, text_of
from server.repair.pieces import TWO, mended, said
from server.repair.test_stream import DONE, FIRST, LAST, TEXT, events, piece, through

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document


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


def test_two_pieces_are_enough_if_deltas_are_known_to_be_cumulative() -> None:
    found, _ = mended([FIRST, *snapshots("Hello"), LAST], cumulative=True)
    assert text_of(found) == "Hello"


def test_log_probabilities_distinguish_cumulative_deltas_from_repetition() -> None:
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


def test_a_character_in_two_surrogates_is_joined() -> None:
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


TOKEN = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
TOP = {"token": "Ho", "logprob": -2.0, "bytes": [72, 111]}
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
        (
            {"content": [{**TOKEN, "top_logprobs": [{**TOP, "logprob": "-2.0"}, "Ho"]}], "refusal": None},
            {"content": [{**TOKEN, "top_logprobs": [TOP]}], "refusal": None},
        ),
        (
            {"content": [{**TOKEN, "top_logprobs": [{**TOP, "logprob": "NaN"}]}], "refusal": None},
            {"content": [{**TOKEN, "top_logprobs": [{**TOP, "logprob": None}]}], "refusal": None},
        ),
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
