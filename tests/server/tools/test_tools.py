"""Which tools may be called, and how they are described, enforced and parsed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.answers.plan import Plan, plan
from gonogo_server.engine.base import ToolStyle
from gonogo_server.errors import BadRequest
from gonogo_server.filters.markup import reads_json
from gonogo_server.tools.offer import MOST_CALLS, offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_wire import CreateChatCompletionRequest
    from server.grammars import Grammar

    Make = Callable[..., CreateChatCompletionRequest]

TEAL = '<tool_call>{"name": "set_colour", "arguments": {"colour": "teal"}}</tool_call>'
RING = '<tool_call>{"name": "ring_bell", "arguments": {}}</tool_call>'
NAMED = {"type": "function", "function": {"name": "ring_bell"}}


def read_json(text: str, _tools: object) -> Any:  # noqa: ANN401 - JSON
    return json.loads(text)


def read_function(text: str, _tools: object) -> Any:  # noqa: ANN401 - JSON
    name, arguments = text.removeprefix("<function=").split(">")
    return {"name": name, "arguments": {"text": arguments}}


JSON_STYLE = ToolStyle("[TOOL]", "[/TOOL]", read_json, json=True)
EITHER_STYLE = ToolStyle("[TOOL]", "[/TOOL]", read_json)
OTHER_STYLE = ToolStyle("<call>", "</call>", read_function)


def allowed(mode: str, *names: str) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def function(name: str = "f", **fields: object) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **fields}}


@pytest.mark.parametrize(
    ("fields", "names", "forced", "named", "most"),
    [
        ({}, ["set_colour", "ring_bell"], False, False, MOST_CALLS),
        ({"tool_choice": "auto"}, ["set_colour", "ring_bell"], False, False, MOST_CALLS),
        ({"parallel_tool_calls": False}, ["set_colour", "ring_bell"], False, False, 1),
        ({"tool_choice": "required"}, ["set_colour", "ring_bell"], True, False, MOST_CALLS),
        ({"tool_choice": NAMED}, ["ring_bell"], True, True, 1),
        ({"tool_choice": allowed("auto", "ring_bell")}, ["ring_bell"], False, False, MOST_CALLS),
        (
            {"tool_choice": allowed("required", "ring_bell", "ring_bell")},
            ["ring_bell"],
            True,
            False,
            MOST_CALLS,
        ),
    ],
)
def test_a_choice_says_what_may_be_called(
    request_with: Make,
    fields: dict[str, Any],
    names: list[str],
    forced: bool,  # noqa: FBT001 - a column of the table
    named: bool,  # noqa: FBT001 - a column of the table
    most: int,
) -> None:
    offered = offer(request_with(**fields))
    assert offered is not None
    assert [found.name for found in offered.functions] == names
    assert (offered.forced, offered.named, offered.most) == (forced, named, most)


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": []},
        {"tool_choice": "none"},
        {"tool_choice": allowed("auto")},
        {"tools": [], "tool_choice": "none"},
    ],
)
def test_nothing_may_be_called_where_nothing_is_there_or_allowed(
    request_with: Make, fields: dict[str, Any]
) -> None:
    assert offer(request_with(**fields)) is None
    assert plan(request_with(**fields), None) == Plan()


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"tools": [], "tool_choice": "required"}, "tool_choice", "there is no tool"),
        ({"tool_choice": allowed("required")}, "tool_choice", "there is no tool"),
        (
            {"tool_choice": {"type": "function", "function": {"name": "x"}}},
            "tool_choice.function.name",
            "no function 'x'",
        ),
        (
            {"tool_choice": allowed("auto", "ring_bell", "x")},
            "tool_choice.allowed_tools.tools[1].function.name",
            "no function 'x'",
        ),
        ({"tools": [function(), function()]}, "tools[1].function.name", "Two functions have the name 'f'"),
        (
            {"tools": [function(parameters={"type": "string"})]},
            "tools[0].function.parameters",
            "must be an object",
        ),
        (
            {"tools": [function(parameters={"properties": 3})]},
            "tools[0].function.parameters",
            "This schema cannot be read",
        ),
        (
            {"tools": [function(parameters={"not": {}}, strict=True)]},
            "tools[0].function.parameters",
            "'not' is not supported",
        ),
        (
            {"tools": [function(parameters={"properties": 3})], "tool_choice": "none"},
            "tools[0].function.parameters",
            "This schema cannot be read",
        ),
    ],
)
def test_an_invalid_tool_choice_is_refused_with_the_reason(
    request_with: Make, fields: dict[str, Any], param: str, words: str
) -> None:
    with pytest.raises(BadRequest, match=words) as refused:
        plan(request_with(**fields), None)
    assert refused.value.param == param


def rules_of(made: Plan, grammar: Callable[[str], Grammar]) -> Grammar:
    assert made.grammar is not None
    return grammar(made.grammar)


def test_a_required_answer_is_calls_and_nothing_else(
    request_with: Make, grammar: Callable[[str], Grammar]
) -> None:
    rules = rules_of(plan(request_with(tool_choice="required"), None), grammar)
    assert rules.admits(TEAL)
    assert rules.admits(f"{TEAL}\n{RING}{TEAL}")
    assert rules.admits(MOST_CALLS * RING)
    assert rules.admits(RING.replace("{", "\n{", 1).replace("</", "\n</"))
    for text in (
        "",
        "Hello",
        " ",
        f"{TEAL} and",
        (MOST_CALLS + 1) * RING,
        TEAL.replace("teal", "blue"),
        TEAL[:-1],
    ):
        assert not rules.admits(text)


def test_a_named_function_is_called_once(request_with: Make, grammar: Callable[[str], Grammar]) -> None:
    rules = rules_of(plan(request_with(tool_choice=NAMED), None), grammar)
    assert rules.admits(RING)
    assert not rules.admits_beginning(TEAL[:30])
    assert not rules.admits_beginning(f"{RING}\n")


def test_no_second_call_comes_where_calls_may_not_be_parallel(
    request_with: Make, grammar: Callable[[str], Grammar]
) -> None:
    for choice in ("required", "auto"):
        made = plan(request_with(tool_choice=choice, parallel_tool_calls=False), None)
        rules = rules_of(made, grammar)
        assert rules.admits(TEAL)
        assert not rules.admits_beginning(f"{TEAL}<")
        assert not rules.admits_beginning(f"{TEAL}\n")


def test_a_free_answer_is_text_until_it_calls(request_with: Make, grammar: Callable[[str], Grammar]) -> None:
    rules = rules_of(plan(request_with(), None), grammar)
    assert all(
        rules.admits(text) for text in ("", "Hello!\n<tool", "a </tool_call> b", f"Yes:\n{TEAL}\n{RING}")
    )
    assert not rules.admits_beginning("<tool_call>Hello")
    assert not rules.admits_beginning("a <tool_call>{}")
    assert not rules.admits_beginning(f"{TEAL} and")


def test_a_free_answer_with_a_response_format_is_json_or_calls(
    request_with: Make, grammar: Callable[[str], Grammar]
) -> None:
    made = plan(request_with(response_format={"type": "json_object"}), None)
    rules = rules_of(made, grammar)
    assert rules.admits('{"a": 1}')
    assert rules.admits(TEAL + RING)
    assert not rules.admits_beginning("Hello")
    assert not rules.admits_beginning('{"a": 1}<')
    assert "JSON object" in made.instruction
    forced = plan(request_with(response_format={"type": "json_object"}, tool_choice="required"), None)
    assert "JSON object" not in forced.instruction


def test_strict_arguments_keep_the_schema_and_others_as_far_as_it_goes(
    request_with: Make, grammar: Callable[[str], Grammar]
) -> None:
    schema = {"properties": {"x": {"type": "integer", "minimum": 3}}, "required": ["x"]}
    loose = {"properties": {"x": {"not": {"type": "null"}}}}
    tools = [function("a", parameters=schema, strict=True), function("b", parameters=loose)]
    rules = rules_of(plan(request_with(tools=tools), None), grammar)
    call = '<tool_call>{{"name": "{}", "arguments": {}}}</tool_call>'
    assert rules.admits(call.format("a", '{"x": 3}'))
    assert not rules.admits_beginning(call.format("a", '{"x": 2}'))
    assert rules.admits(call.format("b", '{"x": null}'))
    assert not rules.admits_beginning(call.format("b", "3"))
    assert not rules.admits_beginning(call.format("c", "{}"))


@pytest.mark.parametrize(
    ("more", "strict", "admitted"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"additionalProperties": True}, False, True),
        ({"anyOf": [{"properties": {"y": {"type": "integer"}}}]}, False, True),
    ],
)
def test_parameters_that_a_function_does_not_name_are_left_out_unless_it_says_otherwise(
    request_with: Make,
    grammar: Callable[[str], Grammar],
    more: dict[str, Any],
    *,
    strict: bool,
    admitted: bool,
) -> None:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, **more}
    tools = [function("f", parameters=schema, strict=strict)]
    rules = rules_of(plan(request_with(tools=tools), None), grammar)
    assert rules.admits('<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>')
    assert rules.admits('<tool_call>{"name": "f", "arguments": {"x": 1, "y": 2}}</tool_call>') is admitted


@pytest.mark.parametrize(
    ("parameters", "admitted"),
    [
        ({"type": "object", "properties": {}}, False),
        ({"type": "object", "properties": {}, "additionalProperties": True}, True),
        ({"type": "object"}, True),
        (None, False),
    ],
    ids=str,
)
def test_a_function_without_parameters_is_called_with_an_empty_object(
    request_with: Make,
    grammar: Callable[[str], Grammar],
    parameters: dict[str, Any] | None,
    *,
    admitted: bool,
) -> None:
    rules = rules_of(plan(request_with(tools=[function("f", parameters=parameters)]), None), grammar)
    assert rules.admits('<tool_call>{"name": "f", "arguments": {}}</tool_call>')
    assert rules.admits('<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>') is admitted


def test_a_model_without_tool_training_gets_tools_as_text(request_with: Make) -> None:
    made = plan(request_with(), None)
    assert (made.tools, made.knows_tools) == ((), False)
    for words in ('"set_colour"', "Sets the colour of the lamp.", '"enum": ["teal", "red"]', "<tool_call>{"):
        assert words in made.instruction
    assert "as many as needed" in made.instruction
    assert "at most one" in plan(request_with(parallel_tool_calls=False), None).instruction
    assert "one or more of them now" in plan(request_with(tool_choice="required"), None).instruction
    assert "Call one now" in plan(request_with(tool_choice=NAMED), None).instruction


def test_whether_a_parser_takes_the_json_form_is_tried() -> None:
    assert reads_json(JSON_STYLE)
    assert not reads_json(OTHER_STYLE)
    assert not reads_json(ToolStyle("a", "b", lambda _text, _tools: {"name": "other", "arguments": {}}))


def test_a_model_whose_form_is_json_is_kept_to_it_between_its_markers(
    request_with: Make, grammar: Callable[[str], Grammar]
) -> None:
    made = plan(request_with(), JSON_STYLE)
    rules = rules_of(made, grammar)
    assert rules.admits('Well: [TOOL]{"name": "ring_bell", "arguments": {}}[/TOOL]')
    assert not rules.admits_beginning("[TOOL]<")
    assert made.instruction == ""
    assert made.knows_tools
    assert [tool["function"]["name"] for tool in made.tools] == ["set_colour", "ring_bell"]
    assert made.tools[1]["function"]["parameters"]["properties"] == {}


def test_a_marker_may_have_no_counterpart(request_with: Make, grammar: Callable[[str], Grammar]) -> None:
    made = plan(request_with(tool_choice="required"), ToolStyle("[/TOOL|]", "", read_json, json=True))
    call = '[/TOOL|]{"name": "ring_bell", "arguments": {}}'
    assert rules_of(made, grammar).admits(call + call)


def test_a_model_with_a_form_of_its_own_is_left_to_it_where_nothing_is_promised(request_with: Make) -> None:
    made = plan(request_with(), OTHER_STYLE)
    assert made.grammar is None
    assert made.knows_tools
    assert made.instruction == ""
    assert made.calls is not None
    assert made.calls[0].parse is read_function


def test_a_model_with_a_form_of_its_own_is_forced_in_the_generic_one(
    request_with: Make, grammar: Callable[[str], Grammar]
) -> None:
    made = plan(request_with(tool_choice="required"), OTHER_STYLE)
    assert rules_of(made, grammar).admits(TEAL)
    assert made.knows_tools
    assert len(made.tools) == 2
    assert made.instruction == ""


def test_a_model_whose_parser_takes_json_as_well_writes_it_only_where_something_is_promised(
    request_with: Make, grammar: Callable[[str], Grammar]
) -> None:
    assert plan(request_with(), EITHER_STYLE).grammar is None
    forced = plan(request_with(tool_choice=NAMED), EITHER_STYLE)
    assert rules_of(forced, grammar).admits('[TOOL]{"name": "ring_bell", "arguments": {}}[/TOOL]')
    strict = plan(request_with(tools=[function(strict=True)]), EITHER_STYLE)
    assert rules_of(strict, grammar).admits('Well. [TOOL]{"name": "f", "arguments": {}}[/TOOL]')
    assert strict.knows_tools


@pytest.mark.parametrize(
    "fields",
    [{"tools": [function(strict=True)]}, {"response_format": {"type": "json_object"}}],
    ids=["strict", "structured"],
)
def test_a_model_with_its_own_call_form_gets_the_generic_one_for_forced_calls(
    request_with: Make, fields: dict[str, Any]
) -> None:
    made = plan(request_with(**fields), OTHER_STYLE)
    assert made.grammar is not None
    assert not made.knows_tools
    assert "<tool_call>" in made.instruction


def test_calls_in_a_conversation_have_the_models_form_even_if_calls_are_forbidden(
    request_with: Make,
) -> None:
    made = plan(request_with(tool_choice="none"), OTHER_STYLE)
    assert (made.knows_tools, made.tools, made.tool_filter()) == (True, (), None)


def test_only_a_choice_by_name_is_named(request_with: Make) -> None:
    assert plan(request_with(tool_choice=NAMED), None).named
    assert not plan(request_with(tool_choice="required"), None).named
    assert not Plan().named
