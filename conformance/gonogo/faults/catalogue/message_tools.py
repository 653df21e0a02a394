"""Faults of tools in messages: missing uses, and uses that cannot be run; and changes that keep the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.faults.editing import answer, answered, both, changed, cut, made, put
from gonogo.faults.fault import Fault, fault
from gonogo.faults.message_edits import ANY, NAMED, RESULTS, message, preceded, refusing, text
from gonogo.faults.named_events import dropped, lost, values, within
from gonogo.faults.picks import either
from gonogo.judge.message_order import ORDERED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.faults.editing import Change, Json

_, BLOCK, DELTA, STOP, END, _ = ORDERED
_BLOCK: Final = "content_block"


def _prose(old: list[Json]) -> list[Json]:
    """A text block replaces the tool use."""
    block = {"type": BLOCK, "index": 0, _BLOCK: text("")}
    said = {
        "type": DELTA,
        "index": 0,
        "delta": {"type": "text_delta", "text": "<set_colour>teal</set_colour>"},
    }
    end = next(value for value in old if value["type"] == END)
    end["delta"]["stop_reason"] = "end_turn"
    return [old[0], block, said, {"type": STOP, "index": 0}, end, old[-1]]


def _twice(old: list[Json]) -> list[Json]:
    """A second tool use follows the first."""
    mine = [value for value in old if "index" in value]
    at = old.index(mine[-1]) + 1
    second = [value | {"index": 1} for value in mine]
    second[0] = second[0] | {_BLOCK: second[0][_BLOCK] | {"id": "toolu_second"}}
    return [*old[:at], *second, *old[at:]]


def _as_text(value: Json) -> None:
    if value["delta"]["type"] == "input_json_delta":
        value["delta"] = {"type": "text_delta", "text": value["delta"]["partial_json"]}


FAULTS: tuple[Fault, ...] = (
    fault(
        "a tool that is named is not used in a message",
        "Ollama, docs: tool_choice is accepted and not applied",
        "messages.tools.named",
        changed(NAMED, answered(message(text("<set_colour>teal</set_colour>")))),
    ),
    fault(
        "a tool other than the named one in a message",
        "any in place of a name",
        "messages.tools.named_one",
        changed(NAMED, answer(put("content.0.name", "ring_bell"), put("content.0.input", {}))),
    ),
    fault(
        "any is treated as auto in a message",
        "Ollama, docs: tool_choice is accepted and not applied",
        "messages.tools.any",
        changed(ANY, values(_prose)),
    ),
    fault(
        "a tool that was not offered is used in a message",
        "a name that was cut",
        "messages.tools.offered",
        changed(ANY, within(BLOCK, edits=[put(f"{_BLOCK}.name", "paint")])),
    ),
    fault(
        "two uses of tools instead of one",
        "disable_parallel_tool_use is not passed on",
        "messages.tools.one",
        changed(ANY, values(_twice)),
    ),
    fault(
        "the use of a tool without an id",
        "a hand-made block",
        "messages.tools.id",
        changed(ANY, within(BLOCK, edits=[cut(f"{_BLOCK}.id")])),
    ),
    fault(
        "an empty id of the use of a tool",
        "a field that is filled in later",
        "messages.tools.id",
        changed(NAMED, answer(put("content.0.id", ""))),
    ),
    fault(
        "every use of a tool has one id",
        "a number within the answer",
        "messages.tools.id_unique",
        both(
            changed(NAMED, answer(put("content.0.id", "call_0"))),
            changed(ANY, within(BLOCK, edits=[put(f"{_BLOCK}.id", "call_0")])),
        ),
    ),
    fault(
        "the use of a tool without its name",
        "a hand-made block",
        "messages.tools.name",
        changed(ANY, within(BLOCK, edits=[cut(f"{_BLOCK}.name")])),
    ),
    fault(
        "a string as the input of a tool",
        "chat's arguments",
        "messages.tools.input",
        changed(NAMED, answer(put("content.0.input", '{"colour": "teal"}'))),
    ),
    fault(
        "the use of a tool begins without an input",
        "a hand-made block",
        "messages.tools.stream_input",
        changed(ANY, within(BLOCK, edits=[cut(f"{_BLOCK}.input")])),
    ),
    fault(
        "the input of a tool is lost in a whole message",
        "BerriAI/litellm#29491",
        "messages.tools.schema",
        changed(NAMED, answer(put("content.0.input", {}))),
    ),
    fault(
        "end_turn beside the use of a tool",
        "chat's finish reason of a call by name",
        "messages.tools.reason",
        changed(NAMED, answer(put("stop_reason", "end_turn"))),
    ),
    fault(
        "end_turn beside the use of a tool in a stream",
        "Blaizzy/mlx-vlm PR#2062",
        "messages.tools.stream_reason",
        changed(ANY, within(END, edits=[put("delta.stop_reason", "end_turn")])),
    ),
    fault(
        "tool_use without the use of a tool",
        "a parser that finds a call and loses it",
        "messages.tools.reason_alone",
        changed(RESULTS, answer(put("stop_reason", "tool_use"))),
    ),
    fault(
        "the first piece of an input is lost",
        "vllm-project/vllm PR#34053",
        "messages.tools.pieces",
        changed(ANY, lost(DELTA, 0)),
    ),
    fault(
        "the last piece of an input is lost",
        "a buffer that is not emptied",
        "messages.tools.pieces",
        changed(ANY, lost(DELTA, -1)),
    ),
    fault(
        "the use of a tool begins and stops without a delta",
        "BerriAI/litellm#25561",
        ("messages.tools.input_kept", "messages.tools.schema"),
        changed(ANY, dropped(DELTA)),
    ),
    fault(
        "text deltas in the use of a tool",
        "sgl-project/sglang#24293",
        ("messages.stream.block_kind", "messages.tools.input_kept", "messages.tools.schema"),
        changed(ANY, within(DELTA, edits=[_as_text])),
    ),
    fault(
        "results of tools are refused",
        "a template that knows no blocks",
        "messages.tools.results",
        changed(RESULTS, refusing(400, "invalid_request_error", "content must be a string")),
    ),
)


def _input_at_once(old: list[Json]) -> list[Json]:
    """The block's start has the whole input."""
    for value in old:
        if value["type"] == BLOCK:
            value[_BLOCK]["input"] = {"colour": "teal"}
    return [value for value in old if value["type"] != DELTA]


_WORD: Final[tuple[Json, ...]] = (
    {"type": BLOCK, "index": 0, _BLOCK: text("")},
    {"type": DELTA, "index": 0, "delta": {"type": "text_delta", "text": "Well."}},
    {"type": STOP, "index": 0},
)


def _begins_with_nothing(old: list[Json]) -> list[Json]:
    """The first input delta is empty, as is usual."""
    at = next(number for number, value in enumerate(old) if value["type"] == DELTA)
    first = {
        "type": DELTA,
        "index": old[at]["index"],
        "delta": {"type": "input_json_delta", "partial_json": ""},
    }
    return [*old[:at], first, *old[at:]]


HARMLESS: Mapping[str, Change] = {
    "the input of a tool where its block begins": changed(ANY, values(_input_at_once)),
    "an empty first piece of an input": changed(ANY, values(_begins_with_nothing)),
    "text before the use of a tool": both(
        changed(ANY, preceded(*_WORD)),
        changed(NAMED, answer(made("content", lambda old: [text("Well."), *old]))),
    ),
    "ids of uses that begin with call_": changed(NAMED, answer(put("content.0.id", "call_77"))),
    "a use that the limit cuts short": both(
        changed(NAMED, answer(put("stop_reason", "max_tokens"), put("content.0.input", {}))),
        changed(ANY, lost(DELTA, -1), within(END, edits=[put("delta.stop_reason", "max_tokens")])),
    ),
    "tools are refused in messages": changed(
        either(NAMED, ANY, RESULTS), refusing(400, "invalid_request_error", "tools are not supported")
    ),
}
