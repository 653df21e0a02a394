"""A model's style of tool calls, from what mlx_lm knows of its template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import pytest
from gonogo_server.answers.plan import plan
from gonogo_server.engine.mlx.text import Text
from gonogo_wire import CreateChatCompletionRequest
from mlx_lm.tokenizer_utils import TokenizerWrapper
from mlx_lm.tool_parsers import glm47, json_tools, mistral

if TYPE_CHECKING:
    from types import ModuleType

    from gonogo_server.engine.base import ToolStyle
    from transformers import PreTrainedTokenizerFast


def wrapped(tokenizer: PreTrainedTokenizerFast, parser: ModuleType) -> Text:
    wrapper = TokenizerWrapper(
        tokenizer,
        tool_call_start=parser.tool_call_start,
        tool_call_end=parser.tool_call_end,
        tool_parser=parser.parse_tool_call,
    )
    return Text(wrapper, 64, 300)


def style(tokenizer: PreTrainedTokenizerFast, parser: ModuleType) -> ToolStyle:
    found = wrapped(tokenizer, parser).tool_style()
    assert found is not None
    return found


def test_a_model_without_tools_has_no_style(bytes_tokenizer: PreTrainedTokenizerFast) -> None:
    assert Text(TokenizerWrapper(bytes_tokenizer), 64, 257).tool_style() is None


@pytest.mark.parametrize(
    ("parser", "json", "end"),
    [(json_tools, True, "</tool_call>"), (glm47, False, "</tool_call>"), (mistral, False, "")],
    ids=["json", "other", "endless"],
)
def test_only_a_model_that_writes_json_by_itself_is_said_to(
    bytes_tokenizer: PreTrainedTokenizerFast, parser: ModuleType, end: str, *, json: bool
) -> None:
    found = style(bytes_tokenizer, parser)
    assert (found.json, found.start, found.end) == (json, parser.tool_call_start, end)


def test_markers_that_a_grammar_cannot_spell_are_named_by_their_ids(
    bytes_tokenizer: PreTrainedTokenizerFast,
) -> None:
    spelled = style(bytes_tokenizer, json_tools)
    assert (spelled.start_token, spelled.end_token) == (None, None)
    bytes_tokenizer.add_tokens(["<tool_call>", "</tool_call>"])
    named = style(bytes_tokenizer, json_tools)
    assert (named.start_token, named.end_token) == (257, 258)
    request = {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": {"name": "ring_bell"}}],
    }
    written = bytes_tokenizer.encode('{"name": "ring_bell", "arguments": {}}', add_special_tokens=False)
    before = bytes_tokenizer.encode("Well.\n", add_special_tokens=False)
    spelled_start = bytes_tokenizer.encode("<tool_", add_special_tokens=False)
    text = wrapped(bytes_tokenizer, json_tools)
    for choice, opening in (("required", []), ("auto", []), ("auto", before)):
        body = CreateChatCompletionRequest.model_validate(request | {"tool_choice": choice})
        rules = plan(body, named).grammar
        assert rules is not None
        matcher = text.matcher(rules)
        assert matcher.consume_tokens([*opening, 257, *written, 258])
        assert matcher.is_accepting()
        assert text.matcher(rules).consume_tokens(spelled_start) is (choice == "auto")
