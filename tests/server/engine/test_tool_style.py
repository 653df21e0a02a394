"""How a model says that it calls a tool, by what mlx_lm knows of its template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import pytest
from gonogo_server.engine.mlx.text import Text
from mlx_lm.tokenizer_utils import TokenizerWrapper
from mlx_lm.tool_parsers import glm47, json_tools, mistral

if TYPE_CHECKING:
    from types import ModuleType

    from gonogo_server.engine.base import ToolStyle
    from transformers import PreTrainedTokenizerFast


def style(tokenizer: PreTrainedTokenizerFast, parser: ModuleType) -> ToolStyle:
    wrapped = TokenizerWrapper(
        tokenizer,
        tool_call_start=parser.tool_call_start,
        tool_call_end=parser.tool_call_end,
        tool_parser=parser.parse_tool_call,
    )
    found = Text(wrapped, 64, 300).tool_style()
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


@pytest.mark.parametrize(("special", "json"), [(True, False), (False, True)])
def test_no_grammar_can_demand_markers_that_are_special_tokens(
    bytes_tokenizer: PreTrainedTokenizerFast, *, special: bool, json: bool
) -> None:
    bytes_tokenizer.add_tokens(["<tool_call>", "</tool_call>"], special_tokens=special)
    assert style(bytes_tokenizer, json_tools).json is json
