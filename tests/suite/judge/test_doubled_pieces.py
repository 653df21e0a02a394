"""A piece that a stream sends twice, found without joining the whole text for each piece."""

from __future__ import annotations

from itertools import pairwise

from gonogo.judge.causes.deltas import _twice
from hypothesis import assume, given
from hypothesis import strategies as st


def by_definition(text: str, parts: list[str]) -> bool:
    return any(
        one == other and "".join(parts[:number] + parts[number + 1 :]).strip() == text
        for number, (one, other) in enumerate(pairwise(parts))
    )


@given(st.lists(st.sampled_from(["a", "b", " ", "ab", "\n"]), min_size=1, max_size=8), st.data())
def test_it_is_found_wherever_the_text_has_it_once(parts: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(parts) - 1))
    text = data.draw(st.sampled_from(["".join(parts).strip(), "ab", "a"]))
    doubled = [*parts[: place + 1], *parts[place:]]
    assume("".join(doubled).strip() != text)  # such pairs are out of scope
    found = _twice(text, doubled)
    assert (found is not None and "the piece" in found) == by_definition(text, doubled)


def test_an_endless_stream_is_read_once() -> None:
    assert _twice("x", ["x"] * 200_000) == 'every piece is sent twice, such as "x"'
