"""Stop strings: nothing is lost and nothing leaks, however the text is split."""

from __future__ import annotations

from itertools import combinations

import pytest
from gonogo_server.filters.stop import StopFilter
from hypothesis import given, settings
from hypothesis import strategies as st


def shown(pieces: list[str], stops: list[str]) -> tuple[str, bool]:
    """The visible text of the pieces, and whether a stop string ended it."""
    stop_filter = StopFilter(stops)
    text = "".join(stop_filter.feed(piece) for piece in pieces)
    return text + stop_filter.flush(), stop_filter.stopped


def cuttings(text: str) -> list[list[str]]:
    """Every way to split a text into non-empty pieces."""
    places = range(1, len(text))
    return [
        [text[start:end] for start, end in zip((0, *cuts), (*cuts, len(text)), strict=True)]
        for count in range(len(text))
        for cuts in combinations(places, count)
    ]


def first_complete(text: str, stops: list[str]) -> tuple[str, bool]:
    """The same by the definition: read character by character until one of the stops is complete."""
    for end in range(len(text) + 1):
        done = [stop for stop in stops if text[:end].endswith(stop)]
        if done:
            return text[: end - max(map(len, done))], True
    return text, False


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("one two three", ["two"], ("one ", True)),
        ("one two three", ["four"], ("one two three", False)),
        ("aaab", ["aab"], ("a", True)),
        ("ababac", ["abac"], ("ab", True)),
        ("say STOP", ["STO", "STOP"], ("say ", True)),
        ("xabcx", ["b", "abc"], ("xa", True)),
        ("xabx", ["b", "ab"], ("x", True)),
        ("ends with ST", ["STOP"], ("ends with ST", False)),
        ("Grüße 👋!", ["👋"], ("Grüße ", True)),
        ("no stops", [], ("no stops", False)),
    ],
)
def test_the_text_ends_before_the_stop_that_is_complete_first_in_every_cutting(
    text: str, stops: list[str], expected: tuple[str, bool]
) -> None:
    assert first_complete(text, stops) == expected
    assert {shown(pieces, stops) for pieces in cuttings(text)} == {expected}


@given(st.text("abc", max_size=9), st.lists(st.text("abc", min_size=1, max_size=4), max_size=4))
@settings(deadline=None, database=None, max_examples=60)
def test_no_cutting_of_any_text_changes_what_is_shown(text: str, stops: list[str]) -> None:
    assert {shown(pieces, stops) for pieces in cuttings(text) or [[]]} == {first_complete(text, stops)}


def test_only_what_could_begin_a_stop_string_is_held_back() -> None:
    stop_filter = StopFilter(["</end>"])
    assert stop_filter.feed("a < b") == "a < b"
    assert stop_filter.feed(" and </e") == " and "
    assert stop_filter.feed("m>") == "</em>"
    assert stop_filter.flush() == ""


def test_nothing_is_shown_after_a_stop() -> None:
    stop_filter = StopFilter(["."])
    assert stop_filter.feed("One. Two.") == "One"
    assert stop_filter.feed(" Three.") == ""
    assert stop_filter.flush() == ""


def test_an_empty_piece_changes_nothing() -> None:
    assert shown(["", "a", "", "b", ""], ["ab"]) == ("", True)
