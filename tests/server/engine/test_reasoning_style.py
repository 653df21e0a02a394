"""A model's style of reasoning and the efforts that it supports, by its vocabulary and templates like those in use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import httpx2
import pytest
from gonogo_server.compose import application
from gonogo_server.engine.base import EFFORTS, ReasoningStyle
from gonogo_server.engine.mlx.text import Text
from gonogo_server.settings import Settings
from mlx_lm.tokenizer_utils import TokenizerWrapper
from tokenizers import AddedToken

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonogo_server.engine.base import Engine, Message
    from transformers import PreTrainedTokenizerFast

    Reasons = Callable[..., Text]

SAID: list[Message] = [{"role": "user", "content": "Hi"}]
TALK = (
    "{% for message in messages %}{{ message.role + ': ' + message.content + '\n' }}{% endfor %}assistant: "
)
HISTORY = "{# <think> #}"
SWITCH = (
    TALK + "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
)
OPENING = TALK + "{% if enable_thinking %}<think>\n{% else %}<think></think>{% endif %}"
OTHER_SWITCH = TALK + "{% if thinking %}<think>{% else %}</think>{% endif %}"
ALWAYS = TALK + "<think>\n"
LEVELS = "Effort: {{ reasoning_effort or 'medium' }}\n" + HISTORY + TALK
CHECKED = (
    "{% if reasoning_effort not in ['none', 'high'] %}{{ raise_exception('no') }}{% endif %}{{ reasoning_effort }}"
    + ALWAYS
)
BOTH = "{{ reasoning_effort }}{# 'max' #}\n" + OPENING


@pytest.fixture
def reasons(bytes_tokenizer: PreTrainedTokenizerFast) -> Reasons:
    """The text of a model with this template and vocabulary."""

    def make(template: str | None, *marks: str, special: bool = False) -> Text:
        marks = marks or ("<think>", "</think>")
        bytes_tokenizer.add_tokens(
            [AddedToken(mark, special=special) for mark in marks], special_tokens=special
        )
        bytes_tokenizer.chat_template = template
        return Text(TokenizerWrapper(bytes_tokenizer), 64, 300)

    return make


def style(text: Text) -> ReasoningStyle:
    found = text.reasoning_style
    assert found is not None
    return found


def prompt(text: Text, effort: Any = None) -> str:  # noqa: ANN401 - any name, the parameters' too
    return b"".join(text.spell(token) for token in text.chat_prompt(SAID, effort=effort)).decode()


@pytest.mark.parametrize(
    ("template", "efforts", "opened"),
    [
        (SWITCH, EFFORTS, []),
        (OPENING, EFFORTS, [None, "low", "medium", "high", "xhigh", "max"]),
        (OTHER_SWITCH, EFFORTS, ["low", "medium", "high", "xhigh", "max"]),
        (ALWAYS, [], [None]),
        (LEVELS, ["low", "medium", "high"], []),
        (CHECKED, ["none", "high"], ["none", "high"]),
        (BOTH, ["none", "minimal", "low", "medium", "high", "max"], [None, "low", "medium", "high", "max"]),
        (HISTORY + TALK, [], []),
    ],
    ids=["switch", "opening", "other switch", "always", "levels", "checked", "both", "fixed"],
)
def test_a_template_is_given_what_it_takes(
    reasons: Reasons, template: str, efforts: list[str], opened: list[str | None]
) -> None:
    text = reasons(template)
    found = style(text)
    assert (found.start, found.end) == ("<think>", "</think>")
    assert found.efforts == set(efforts)
    asked = [*efforts] if template == CHECKED else [None, *efforts]
    assert [name for name in asked if text.opens_reasoning(text.chat_prompt(SAID, effort=name))] == opened


def test_whether_the_prompt_opens_the_reasoning_is_a_question_of_the_conversation(reasons: Reasons) -> None:
    text = reasons(
        TALK + "{% if '/no_think' in messages[-1].content %}<think></think>{% else %}<think>\n\n{% endif %}"
    )
    said: list[Message] = [{"role": "user", "content": "Hi. /no_think"}]
    assert text.opens_reasoning(text.chat_prompt(SAID))
    assert not text.opens_reasoning(text.chat_prompt(said))


def test_a_marker_in_the_conversation_opens_nothing(reasons: Reasons) -> None:
    text = reasons(SWITCH)
    said: list[Message] = [{"role": "user", "content": "What is <think>?"}]
    assert not text.opens_reasoning(text.chat_prompt(said))


def test_the_effort_is_in_the_prompt(reasons: Reasons) -> None:
    switched = reasons(SWITCH)
    assert (
        prompt(switched, "none")
        == prompt(switched, "minimal")
        == prompt(switched) + "<think>\n\n</think>\n\n"
    )
    assert prompt(switched, "high") == prompt(switched)
    levels = reasons(BOTH)
    assert prompt(levels, "high").startswith("highuser")
    assert prompt(levels, "high").endswith("<think>\n")
    assert prompt(levels, "none").endswith("</think>")


@pytest.mark.parametrize("template", [TALK, None, "{{ raise_exception('no') }}<think>"])
def test_a_template_that_has_nothing_to_do_with_it_is_of_a_model_that_does_not_reason(
    reasons: Reasons, template: str | None
) -> None:
    found = reasons(template).reasoning_style
    assert found is None or not found.efforts
    assert (found is None) is (template is None or "think" not in template)


def test_a_vocabulary_without_markers_is_of_a_model_that_does_not_reason(
    bytes_tokenizer: PreTrainedTokenizerFast,
) -> None:
    bytes_tokenizer.chat_template = SWITCH
    assert Text(TokenizerWrapper(bytes_tokenizer), 64, 300).reasoning_style is None


def test_more_than_a_pair_of_markers_is_left_as_it_is(reasons: Reasons) -> None:
    marks = ("<|open|>", "<|close|>", "<|sep|>", "<|end_of_msg|>")
    text = reasons("<|open|>think<|sep|>" + TALK, *marks, special=True)
    assert text.reasoning_style is None
    stream = text.stream()
    assert [stream(token) for token in text.encode("<|open|>a")] == ["", "a"]


@pytest.mark.parametrize("special", [False, True])
def test_markers_have_a_text_and_a_number(reasons: Reasons, *, special: bool) -> None:
    text = reasons(SWITCH, special=special)
    stream = text.stream()
    tokens = text.encode("<think>a</think>b")
    assert "".join(stream(token) for token in tokens) == "<think>a</think>b"
    assert style(text).start_tokens == (tokens[0],)
    assert style(text).end_tokens == (tokens[2],)


def test_a_marker_may_be_a_special_token_and_a_word(reasons: Reasons) -> None:
    text = reasons("{# <channel|> #}" + TALK, "<|channel>", "<channel|>", special=True)
    stream = text.stream()
    tokens = text.encode("<|channel>thought\na<channel|>b")
    assert "".join(stream(token) for token in tokens) == "<|channel>thought\na<channel|>b"
    found = style(text)
    assert (found.start, found.end) == ("<|channel>thought", "<channel|>")
    assert found.start_tokens == tokens[: len("thought") + 1]


def test_of_several_templates_each_counts(reasons: Reasons, bytes_tokenizer: PreTrainedTokenizerFast) -> None:
    text = reasons(TALK)
    bytes_tokenizer.chat_template = {"default": SWITCH, "tool_use": TALK}
    assert style(text).efforts == set(EFFORTS)


@pytest.fixture
def client_of(open_model: Callable[..., Engine]) -> Callable[[Path], httpx2.AsyncClient]:
    """A client of a server of the model in a folder."""

    def make(folder: Path) -> httpx2.AsyncClient:
        app = application(open_model(folder), Settings())
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://server/v1")

    return make


@pytest.mark.anyio
@pytest.mark.parametrize("special", [False, True])
async def test_a_model_thinks_and_then_keeps_to_a_schema(
    reasons: Reasons,
    make_folder: Callable[..., Path],
    client_of: Callable[[Path], httpx2.AsyncClient],
    *,
    special: bool,
) -> None:
    text = reasons(OPENING, special=special)
    folder = make_folder("thinker", max_position_embeddings=4096)
    (end,) = style(text).end_tokens
    body = {
        "model": "thinker",
        "messages": SAID,
        "seed": 3,
        "max_tokens": 600,
        "logprobs": True,
        # So that the reasoning ends.
        "logit_bias": {str(end): 4},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "b", "strict": True, "schema": {"enum": ["teal", "ochre"]}},
        },
    }
    async with client_of(folder) as client:
        response = await client.post("/chat/completions", json=body)
        assert response.status_code == 200, response.text
        choice = response.json()["choices"][0]
        assert choice["message"]["reasoning_content"]
        assert json.loads(choice["message"]["content"]) in ("teal", "ochre")
        assert choice["finish_reason"] == "stop"
        entries = choice["logprobs"]["content"]
        assert "".join(entry["token"] for entry in entries) == choice["message"]["content"]
        usage = response.json()["usage"]
        details = usage["completion_tokens_details"]
        assert 1 < details["reasoning_tokens"] <= usage["completion_tokens"] - len(entries)
        response = await client.post("/chat/completions", json=body | {"reasoning_effort": "none"})
        message = response.json()["choices"][0]["message"]
        assert "reasoning_content" not in message
        assert json.loads(message["content"]) in ("teal", "ochre")
