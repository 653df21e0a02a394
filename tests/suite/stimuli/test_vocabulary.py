from __future__ import annotations

import pytest
from gonogo.vocabulary import Vocabulary


def vocabulary(*patterns: str) -> Vocabulary[str]:
    words: Vocabulary[str] = Vocabulary()
    for pattern in patterns:
        words.add(pattern, f"meaning of {pattern}")
    return words


def test_a_phrase_gives_its_meaning_and_its_values() -> None:
    words = vocabulary("a chat with {body:json} and {number:d} choices")
    meaning, values = words.find('a chat with {"n": [1, null]} and 2 choices')
    assert meaning.startswith("meaning of a chat")
    assert values == {"body": {"n": [1, None]}, "number": 2}


@pytest.mark.parametrize("text", ['say "a \\u00e9"', 'say ["a", "b"]', 'say {"a": "}"}'])
def test_json_values_may_be_strings_lists_and_objects(text: str) -> None:
    _, values = vocabulary("say {value:json}").find(text)
    assert set(values) == {"value"}


def test_text_that_matches_no_phrase_is_refused() -> None:
    with pytest.raises(LookupError, match="no phrase matches 'the models are eaten'"):
        vocabulary("the models are listed").find("the models are eaten")


def test_case_matters() -> None:
    with pytest.raises(LookupError, match="no phrase matches"):
        vocabulary("the models are listed").find("The models are listed")


def test_text_that_matches_two_phrases_is_refused_with_both() -> None:
    words = vocabulary("the {noun} is listed", "the model is {verb}")
    with pytest.raises(LookupError, match=r"matches 'the \{noun\} is listed' and 'the model is \{verb\}'"):
        words.find("the model is listed")


def test_a_phrase_is_defined_once() -> None:
    words = vocabulary("the models are listed")
    with pytest.raises(ValueError, match="defined twice"):
        words.add("the models are listed", "again")


def test_invalid_json_in_a_phrase_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        vocabulary("say {value:json}").find("say {a}")


def test_a_phrase_with_braces_is_a_pattern_and_never_a_text() -> None:
    with pytest.raises(LookupError, match="no phrase matches"):
        vocabulary("say {value:d}").find("say {value:d}")


def test_a_text_that_one_phrase_is_and_another_fits_is_refused_with_both() -> None:
    with pytest.raises(LookupError, match=r"matches 'the \{noun\} is listed' and 'the model is listed'"):
        vocabulary("the model is listed", "the {noun} is listed").find("the model is listed")


def test_a_pattern_is_compiled_where_a_text_might_be_it() -> None:
    words = vocabulary("a chat with {n:d} choices", "a stream with {n:d} choices")
    words.find("a chat with 2 choices")
    assert {phrase.pattern for phrase in words if "compiled" in vars(phrase)} == {"a chat with {n:d} choices"}
