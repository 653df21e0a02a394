"""Texts that are too long are refused before they are tokenized as a whole."""

from __future__ import annotations

import pytest
from gonogo_server.engine.measure import CUT, PART, check_length
from gonogo_server.errors import TooLong


class Reader:
    """Counts a token for each character, and records how many characters it was given."""

    def __init__(self, tokens_each: int = 1) -> None:
        self.read = 0
        self._tokens_each = tokens_each

    def __call__(self, part: str) -> int:
        self.read += len(part)
        return len(part) * self._tokens_each


def test_of_megabytes_as_much_is_read_as_settles_it() -> None:
    reader = Reader()
    with pytest.raises(TooLong, match=r"maximum context length is 1000 tokens.* more than 1000 tokens"):
        check_length("x" * 2**23, 1000, reader)
    assert reader.read == PART


@pytest.mark.parametrize(("length", "tokens_each"), [(PART, 9), (3 * PART, 0)])
def test_a_prompt_that_may_fit_the_context_passes(length: int, tokens_each: int) -> None:
    check_length("x" * length, 1000, Reader(tokens_each))


def test_tokens_added_by_splitting_are_not_counted_against_the_text() -> None:
    text = "x" * 2 * PART
    check_length(text, 2 * PART - 2 * CUT, Reader())
    with pytest.raises(TooLong):
        check_length(text, 2 * PART - 2 * CUT - 1, Reader())
