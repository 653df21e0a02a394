"""Calls in text that arrives in pieces: nothing is lost, and no part of a call is in the content."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.answers.plan import plan
from gonogo_server.filters.calls import TRANSITIONS, Arguments, Call, Content, State, ToolFilter, call_id
from gonogo_server.filters.markup import GENERIC, Markup
from gonogo_server.tools.offer import Function, Offer
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_wire import CreateChatCompletionRequest

    Make = Callable[..., CreateChatCompletionRequest]

TEAL = '<tool_call>{"name": "set_colour", "arguments": {"colour": "teal"}}</tool_call>'
RING = '<tool_call>{"name": "ring_bell", "arguments": {}}</tool_call>'


def read_words(text: str, _tools: object) -> Any:  # noqa: ANN401 - JSON
    """Parses `name key=value`, several of them after semicolons; after a colon, a text is all arguments."""
    calls = []
    for call in text.split(";"):
        name, _, arguments = call.strip().partition(" ")
        pairs: object = dict(pair.split("=") for pair in arguments.split())
        calls.append({"name": name, "arguments": pairs})
    return calls


OFFER = Offer(tuple(Function(name, strict=False, tool={}, rule="") for name in ("set_colour", "ring_bell")))
WORDS = Markup("[", "]", read_words)
OPEN_WORDS = Markup("[", "", read_words)


@pytest.fixture
def offered(request_with: Make) -> Callable[..., Offer]:
    def make(**fields: Any) -> Offer:  # noqa: ANN401 - JSON
        made = plan(request_with(**fields), None)
        assert made.calls is not None
        return made.calls[1]

    return make


def read(offer: Offer, *pieces: str, marks: Markup = GENERIC) -> tuple[str, list[tuple[str, str]]]:
    """The final content, and the name and arguments of each call."""
    numbers = count()
    tool_filter = ToolFilter(marks, offer, lambda: f"call_{next(numbers)}")
    events = [event for piece in pieces for event in tool_filter.feed(piece)] + tool_filter.flush()
    content, calls = "", list[tuple[str, str]]()
    for event in events:
        match event:
            case Content(text, at):
                assert text
                assert "".join(pieces)[at : at + len(text)] == text
                content += text
            case Call(number, call_id, name):
                assert (number, call_id) == (len(calls), f"call_{number}")
                calls.append((name, ""))
            case Arguments(number, text):
                assert text
                assert number == len(calls) - 1
                calls[number] = (calls[number][0], calls[number][1] + text)
    assert tool_filter.calls == len(calls)
    return content, calls


TABLE = [
    ("", "", []),
    ("Hello!", "Hello!", []),
    (" Hello ", " Hello ", []),
    ("  \n", "  \n", []),
    ("a < b <tool <tool_cal", "a < b <tool <tool_cal", []),
    (RING, "", [("ring_bell", "{}")]),
    (TEAL, "", [("set_colour", '{"colour": "teal"}')]),
    (TEAL + RING, "", [("set_colour", '{"colour": "teal"}'), ("ring_bell", "{}")]),
    (f"\n{TEAL}\n \n{RING}\n", "", [("set_colour", '{"colour": "teal"}'), ("ring_bell", "{}")]),
    (f"Well. {RING} Done.", "Well.  Done.", [("ring_bell", "{}")]),
    (f"Well.\n{RING}\n\n", "Well.\n", [("ring_bell", "{}")]),
    (f"<{RING}", "<", [("ring_bell", "{}")]),
    (RING.replace("{", "\n{ ", 1).replace("}<", " } \n<"), "", [("ring_bell", "{}")]),
    (
        RING.replace("{}", r'{"a": "}]{\"[", "b\\": [{}, 1]}'),
        "",
        [("ring_bell", r'{"a": "}]{\"[", "b\\": [{}, 1]}')],
    ),
    ("<tool_call>Hello</tool_call>", "<tool_call>Hello</tool_call>", []),
    ("<tool_call>" + RING, "<tool_call>", [("ring_bell", "{}")]),
    ("<tool_call>  ", "<tool_call>  ", []),
    ('<tool_call>{"name": "ring', '<tool_call>{"name": "ring', []),
    (RING.replace("ring_bell", "unknown"), RING.replace("ring_bell", "unknown"), []),
    ('<tool_call>{"name": "ring_bell"}</tool_call>!', '<tool_call>{"name": "ring_bell"}</tool_call>!', []),
    ("<tool_call>{" + 200 * "x", "<tool_call>{" + 200 * "x", []),
    (RING[: RING.index("{}") + 1], "", [("ring_bell", "{")]),
    (RING[: RING.index("</")], "", [("ring_bell", "{}")]),
    (RING[:-1], "", [("ring_bell", "{}")]),
    (RING.replace("</tool_call>", " and more"), " and more", [("ring_bell", "{}")]),
    (RING.replace("}</tool_call>", "]"), "]", [("ring_bell", "{}")]),
]


@pytest.mark.parametrize(("text", "content", "calls"), TABLE)
def test_content_and_calls_are_the_same_in_every_cutting(
    offered: Callable[..., Offer], text: str, content: str, calls: list[tuple[str, str]]
) -> None:
    offer = offered()
    assert read(offer, text) == (content, calls)
    assert read(offer, *text) == (content, calls)
    for place in range(len(text)):
        assert read(offer, text[:place], text[place:]) == (content, calls)


@pytest.mark.parametrize(
    ("text", "content", "calls"),
    [
        ("[ring_bell]", "", [("ring_bell", "{}")]),
        ("I do. [set_colour colour=grün]", "I do. ", [("set_colour", '{"colour": "grün"}')]),
        (
            "[ring_bell;set_colour a=b] [ring_bell]",
            "",
            [("ring_bell", "{}"), ("set_colour", '{"a": "b"}'), ("ring_bell", "{}")],
        ),
        ("[ring_bell", "", [("ring_bell", "{}")]),
        ("a [nonsense] b", "a [nonsense] b", []),
        ("[ring_bell a] b", "[ring_bell a] b", []),
        ("[ring_bell a", "[ring_bell a", []),
        ("[ring_bell;nonsense]", "[ring_bell;nonsense]", []),
    ],
)
def test_calls_in_another_form_are_read_as_a_whole(
    offered: Callable[..., Offer], text: str, content: str, calls: list[tuple[str, str]]
) -> None:
    offer = offered()
    assert read(offer, text, marks=WORDS) == (content, calls)
    assert read(offer, *text, marks=WORDS) == (content, calls)


def test_calls_without_an_end_marker_go_to_the_end(offered: Callable[..., Offer]) -> None:
    assert read(offered(), *"a[ring_bell; ring_bell", marks=OPEN_WORDS) == ("a", 2 * [("ring_bell", "{}")])


def test_the_json_form_may_have_no_end_marker(offered: Callable[..., Offer]) -> None:
    call = 'CALL{"name": "ring_bell", "arguments": {}}'
    marks = Markup("CALL", "")
    assert read(offered(), *call, *call, "!", marks=marks) == ("!", 2 * [("ring_bell", "{}")])


def test_arguments_that_a_parser_leaves_as_text_stay_as_they_are(offered: Callable[..., Offer]) -> None:
    marks = Markup("[", "]", lambda text, _tools: {"name": "ring_bell", "arguments": text})
    assert read(offered(), '[{"a":1}]', marks=marks) == ("", [("ring_bell", '{"a":1}')])


def test_arguments_are_given_out_while_they_are_generated(offered: Callable[..., Offer]) -> None:
    tool_filter = ToolFilter(GENERIC, offered())
    assert tool_filter.feed('<tool_call>{"name": "set_colour", "arguments":') == []
    (call,) = tool_filter.feed(" ")[:1] or tool_filter.feed("{")[:1]
    assert isinstance(call, Call)
    assert call.name == "set_colour"
    fragments = [tool_filter.feed(piece) for piece in ('"colour": "te', 'al"', "}", "}</tool_call>")]
    assert fragments == [[Arguments(0, '"colour": "te')], [Arguments(0, 'al"')], [Arguments(0, "}")], []]


def test_content_is_given_out_up_to_what_may_be_a_marker(offered: Callable[..., Offer]) -> None:
    tool_filter = ToolFilter(GENERIC, offered())
    assert tool_filter.feed("Hello <tool") == [Content("Hello ", 0)]
    assert tool_filter.feed("box>") == [Content("<toolbox>", 6)]


@pytest.mark.parametrize("marks", [GENERIC, WORDS])
def test_after_the_only_call_that_may_be_made_nothing_follows(
    offered: Callable[..., Offer], marks: Markup
) -> None:
    offer = offered(parallel_tool_calls=False)
    call = RING if marks is GENERIC else "[ring_bell]"
    tool_filter = ToolFilter(marks, offer)
    closed = []
    for piece in (call[:-1], call[-1]):
        tool_filter.feed(piece)
        closed.append(tool_filter.closed)
    assert closed == [False, True]
    assert tool_filter.feed(call + "and more") == []
    assert tool_filter.flush() == []
    assert tool_filter.calls == 1


def test_of_several_calls_that_come_at_once_no_more_are_made_than_may_be(
    offered: Callable[..., Offer],
) -> None:
    offer = offered(parallel_tool_calls=False)
    assert read(offer, "[ring_bell;set_colour a=b]", marks=WORDS) == ("", [("ring_bell", "{}")])


def test_a_forced_call_that_is_cut_off_is_never_content(offered: Callable[..., Offer]) -> None:
    offer = offered(tool_choice="required")
    assert read(offer, '<tool_call>{"name": "ring') == ("", [])
    assert read(offer, "<tool") == ("", [])
    assert read(offer, " ") == ("", [])


PARTS = ["<", "tool_call", ">", "</", "{", "}", '"', " ", "a", TEAL, RING, TEAL[:20], TEAL[20:]]


@given(parts=st.lists(st.sampled_from(PARTS), max_size=12))
def test_the_result_does_not_depend_on_pieces_and_text_outside_calls_is_content(parts: list[str]) -> None:
    text = "".join(parts)
    content, calls = read(OFFER, *parts)
    assert read(OFFER, text) == read(OFFER, *text) == (content, calls)
    if not calls:
        assert content == text


def test_two_ids_differ_and_say_what_they_are() -> None:
    first, second = call_id(), call_id()
    assert first != second
    assert first.startswith("call_")


def test_every_state_but_the_last_can_be_left() -> None:
    assert {state for state, _ in TRANSITIONS} == set(State) - {State.CLOSED}
    assert set(TRANSITIONS.values()) == set(State)
