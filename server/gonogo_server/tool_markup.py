"""How calls stand in the text of an answer, and which grammar keeps a model to that. No I/O.

Between two markers stands either `{"name": …, "arguments": …}`, the JSON form, which is read while it is generated
and can be demanded by a grammar; or what only the parser of a trained model reads, as a whole. Where a grammar is
needed (a call is forced, arguments are strict, text has to be JSON) and the model's own form is not JSON, the
generic form of `gonogo_server.tool_text` takes its place.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.structured import grammar
from gonogo_server.tool_text import CALL_END, CALL_START

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gonogo_server.engine.base import ToolStyle
    from gonogo_server.structured import Structure
    from gonogo_server.tools import Function, Offer


@dataclass(frozen=True, slots=True)
class Markup:
    """A call stands between `start` and `end` (perhaps ""); `parse` None: in the JSON form."""

    start: str
    end: str
    parse: Callable[[str, Sequence[Mapping[str, Any]]], Any] | None = None


GENERIC: Final = Markup(CALL_START, CALL_END)

_PROBE: Final = {"name": "probe", "arguments": {"value": 1}}
_PROBE_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "probe",
        "parameters": {"type": "object", "properties": {"value": {"type": "integer"}}},
    },
}


def reads_json(style: ToolStyle) -> bool:
    """Whether the model's own parser takes the JSON form, and makes of it what it says."""
    try:
        return bool(style.parse(json.dumps(_PROBE), [_PROBE_TOOL]) == _PROBE)
    except Exception:  # noqa: BLE001 - a parser of another form raises whatever it likes
        return False


def markup(style: ToolStyle | None, offer: Offer, structure: Structure | None) -> Markup:
    """How the calls of this answer are written."""
    if style is None:
        return GENERIC
    if reads_json(style):
        return Markup(style.start, style.end)
    if offer.forced or offer.strict or structure is not None:
        return GENERIC
    return Markup(style.start, style.end, style.parse)


def call_grammar(marks: Markup, offer: Offer, structure: Structure | None) -> str | None:
    """The grammar of an answer; None where the model writes calls in a form of its own.

    A forced answer is calls and nothing else. Any other is text, or JSON by `structure`, or calls; text may
    come before calls, and nothing after them.
    """
    if marks.parse is not None:
        return None
    more = f'("\\n"? call){{0,{offer.most - 1}}}' if offer.most > 1 else ""
    if offer.forced:
        start = f"start: call {more}"
    elif structure is not None:
        start = f"start: call {more} | answer\nanswer: {structure.rule}"
    else:
        start = f"start: PLAIN | opening body {more}\n{_lazy_text(marks.start)}"
    return grammar("\n".join(["%llguidance {}", start, _calls(marks, offer.functions)]))


def _lazy_text(start: str) -> str:
    """Any text, which is over as soon as a call begins."""
    pattern = re.escape(start).replace("/", r"\/")
    return "\n".join(
        [
            f"opening[lazy]: TEXT {_literal(start)}",
            r"TEXT: /(.|\n)*/",
            rf"PLAIN: /(.|\n)*/ & ~/(.|\n)*{pattern}(.|\n)*/",
        ]
    )


def _calls(marks: Markup, functions: Sequence[Function]) -> str:
    """Models write line breaks inside the markers, or none; they may do as they are used to."""
    ending = _literal(marks.end) if marks.end else ""
    choices = " | ".join(f"call_{index}" for index in range(len(functions)))
    rules = [f"call: {_literal(marks.start)} body", f'body: "\\n"? ({choices}) "\\n"? {ending}']
    for index, function in enumerate(functions):
        head = _literal(f'{{"name": {json.dumps(function.name)}, "arguments": ')
        rules += [f'call_{index}: {head} arguments_{index} "}}"', f"arguments_{index}: {function.rule}"]
    return "\n".join(rules)


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
