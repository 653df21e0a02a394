"""Stop strings and calls of one answer: only content is cut, and every character is accounted for."""

from __future__ import annotations

import pytest
from gonogo_server.answers.align import Aligner
from gonogo_server.answers.form import ChatForm, CompletionForm, Heading
from gonogo_server.answers.stream import Answer, Calling, Counted, Finished, Started, Text, fold
from gonogo_server.engine.base import Alternative, Piece, Token
from gonogo_server.filters.calls import Arguments, Call, ToolFilter
from gonogo_server.filters.markup import GENERIC
from gonogo_server.filters.reader import Reader, Shown
from gonogo_server.tools.offer import Function, Offer

RING = '<tool_call>{"name": "ring_bell", "arguments": {}}</tool_call>'
OFFER = Offer((Function("ring_bell", strict=False, tool={}, rule=""),))


def tools() -> ToolFilter:
    return ToolFilter(GENERIC, OFFER, lambda: "call_1")


def read(reader: Reader, text: str) -> list[Shown | Call | Arguments]:
    """All parts, with adjacent texts joined."""
    parts: list[Shown | Call | Arguments] = []
    for part in [part for piece in text for part in reader.feed(piece)] + reader.flush():
        if isinstance(part, Shown) and part.skipped == 0 and parts and isinstance(parts[-1], Shown):
            parts[-1] = Shown(parts[-1].text + part.text, parts[-1].skipped)
        elif isinstance(part, Arguments) and isinstance(parts[-1], Arguments):
            parts[-1] = Arguments(part.number, parts[-1].text + part.text)
        else:
            parts.append(part)
    return parts


CALLED: tuple[Call, Arguments] = (Call(0, "call_1", "ring_bell"), Arguments(0, "{}"))


@pytest.mark.parametrize(
    ("text", "stops", "parts"),
    [
        ("Hello", [], [Shown("Hello")]),
        ("Hello", ["l"], [Shown("He")]),
        (f"Hel{RING}", ["lo"], [Shown("Hel"), *CALLED]),
        (f"Hello{RING}", ["lo"], [Shown("Hel")]),
        (f" {RING} lo ", ["lo"], [*CALLED, Shown(" ", len(RING) + 1)]),
        (f" {RING} He", ["lo"], [*CALLED, Shown(" He", len(RING) + 1)]),
        (RING, ["bell", "{", "}"], [*CALLED]),
        ("<tool_call>x", ["call"], [Shown("<tool_")]),
    ],
)
def test_stop_strings_are_looked_for_in_the_content_only(
    text: str, stops: list[str], parts: list[Shown | Call | Arguments]
) -> None:
    assert read(Reader(stops, tools()), text) == parts


def test_an_answer_with_calls_finishes_with_them_unless_it_was_cut_off() -> None:
    pieces = [Piece("Well. ", 1), Piece(RING, 1), Piece("", 1, "stop")]
    whole = Answer(0, (), None, tools())
    steps = [step for piece in pieces for step in whole.take(piece)]
    assert steps == [
        Started(0),
        Text(0, "Well. "),
        Calling(0, CALLED[0]),
        Calling(0, CALLED[1]),
        Finished(0, "tool_calls"),
    ]
    cut = Answer(0, (), None, tools())
    assert cut.take(Piece(RING, 1, "length"))[-1] == Finished(0, "length")
    named = Answer(0, (), None, tools(), "stop")
    assert named.take(Piece(RING, 1, "stop"))[-1] == Finished(0, "stop")


def token(text: str) -> Token:
    return Token(Alternative(0, text.encode(), -0.5))


def test_the_tokens_of_calls_are_not_those_of_the_content() -> None:
    answer = Answer(0, (), None, tools())
    texts = [
        "Hi ",
        "<tool",
        "_call>",
        '{"name": "ring_bell", ',
        '"arguments": {}}',
        "</tool_call>",
        " so",
        ".",
    ]
    pieces = [Piece(text, 1, None, 0, (token(text),)) for text in texts] + [Piece("", 1, "stop")]
    said = fold([step for piece in pieces for step in answer.take(piece)] + [Counted(1, 9)]).answers[0]
    assert said.text == "Hi  so."
    assert [placed.data for placed in said.tokens] == [b"Hi ", b" so", b"."]
    assert said.calls == ((CALLED[0], "{}"),)


def test_skipping_text_skips_its_tokens() -> None:
    aligner = Aligner()
    for text in ("ab", "cd", "ef"):
        aligner.add(text.encode(), token(text))
    assert [placed.data for placed in aligner.show(2)] == [b"ab"]
    aligner.skip(2)
    assert [placed.data for placed in aligner.show(2)] == [b"ef"]


def test_nothing_is_called_in_a_completion() -> None:
    assert CompletionForm(Heading("m")).chunk(Calling(0, CALLED[0])) is None
    chunk = ChatForm(Heading("m")).chunk(Calling(0, CALLED[1]))
    assert chunk is not None
    assert chunk.model_dump(by_alias=True)["choices"][0]["delta"] == {
        "tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]
    }
