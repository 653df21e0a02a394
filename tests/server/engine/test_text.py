"""Text to tokens and back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import pytest
from gonogo_server.engine.mlx.text import Text
from gonogo_server.errors import BadRequest, ModelUnavailable, TooLong
from mlx_lm.tokenizer_utils import TokenizerWrapper
from tokenizers import decoders

if TYPE_CHECKING:
    from gonogo_server.engine.base import Message
    from transformers import PreTrainedTokenizerFast

SAID: list[Message] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


@pytest.fixture
def text(bytes_tokenizer: PreTrainedTokenizerFast) -> Text:
    return Text(TokenizerWrapper(bytes_tokenizer), 64, 257)


def decoded(text: Text, tokens: tuple[int, ...]) -> list[str]:
    stream = text.stream()
    return [stream(token) for token in tokens]


def test_characters_of_several_tokens_come_whole(text: Text) -> None:
    assert decoded(text, text.encode(" né 🎉!")) == [" ", "n", "", "é", " ", "", "", "", "🎉", "!"]


def test_a_character_that_is_never_completed_is_left_out(text: Text) -> None:
    assert decoded(text, text.encode("a🎉")[:-1]) == ["a", "", "", ""]


def test_text_that_changes_with_what_follows_goes_on(bytes_tokenizer: PreTrainedTokenizerFast) -> None:
    backend = bytes_tokenizer.backend_tokenizer
    backend.add_tokens(["bcd"])
    backend.decoder = decoders.Sequence([decoders.Fuse(), decoders.Replace("ab", "X")])
    text = Text(TokenizerWrapper(bytes_tokenizer), 64, 257)
    # Decoded together, "a" and "bcd" are "Xcd", which does not begin with the "a" that was emitted before.
    assert decoded(text, text.encode("abcde")) == ["a", "bcd", "e"]


def test_each_answer_has_a_stream_of_its_own(text: Text) -> None:
    first, second = text.stream(), text.stream()
    half, rest = text.encode("é")
    assert first(half) == ""
    assert second(text.encode("a")[0]) == "a"
    assert first(rest) == "é"


def test_special_tokens_have_no_text(text: Text) -> None:
    assert decoded(text, (*text.end_tokens, *text.encode("a"))) == ["", "a"]


def test_the_template_gets_plain_messages(text: Text) -> None:
    prompt = text.chat_prompt(SAID)
    assert "".join(decoded(text, prompt)) == "system: Be brief.\nuser: Hi\nassistant: "


def test_a_text_that_is_sure_to_be_longer_than_the_context_is_refused_unread(text: Text) -> None:
    long = "x" * 10**5
    readings = (
        lambda: text.encode(long),
        lambda: text.chat_prompt([{"role": "user", "content": long}]),
    )
    for read in readings:
        with pytest.raises(TooLong, match="more than 64 tokens"):
            read()


def test_a_template_that_refuses_says_why(text: Text) -> None:
    with pytest.raises(BadRequest, match="refuses these messages: no tools here") as refused:
        text.chat_prompt([{"role": "tool", "content": "x"}])
    assert refused.value.param == "messages"


def test_the_template_gets_the_variables_of_the_request(bytes_tokenizer: PreTrainedTokenizerFast) -> None:
    bytes_tokenizer.chat_template = "{{ mood }}: {{ messages[0]['content'] }}"
    text = Text(TokenizerWrapper(bytes_tokenizer), 64, 257)
    prompt = text.chat_prompt(SAID[1:], variables={"mood": "calm"})
    assert "".join(decoded(text, prompt)) == "calm: Hi"


def test_a_request_cannot_set_the_chat_template(text: Text) -> None:
    with pytest.raises(BadRequest, match="remove it") as refused:
        text.chat_prompt(SAID, variables={"chat_template": "{{ 1 }}"})
    assert refused.value.param == "chat_template_kwargs.chat_template"


def test_a_model_without_a_template_takes_no_messages(bytes_tokenizer: PreTrainedTokenizerFast) -> None:
    bytes_tokenizer.chat_template = None
    with pytest.raises(BadRequest, match="use completions instead"):
        Text(TokenizerWrapper(bytes_tokenizer), 64, 257).chat_prompt(SAID)


def test_no_text_at_all_is_still_a_token(bytes_tokenizer: PreTrainedTokenizerFast) -> None:
    text = Text(TokenizerWrapper(bytes_tokenizer), 64, 257)
    assert text.encode("") == tuple(text.end_tokens)
    bytes_tokenizer.bos_token = "!"
    assert text.encode("") == text.encode("!")


def test_a_slow_tokenizer_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match="no fast tokenizer"):
        Text(SimpleNamespace(), 64, 257)
