"""The markup of tool calls in generated text, and the grammar that enforces it. No I/O.

Between two markers stands either `{"name": …, "arguments": …}`, the JSON form, which is parsed while it is generated
and can be enforced by a grammar, or a form that only the parser of the model can read, as a whole. If a grammar is
needed (a forced call, strict arguments, or JSON text) and the model writes another form, it has to write JSON between
its markers if its parser accepts that, otherwise the generic form of `gonogo_server.tools.text`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.filters.reasoning_mode import marker
from gonogo_server.tools.text import CALL_END, CALL_START

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gonogo_server.engine.base import ToolStyle
    from gonogo_server.schemas.structured import Structure
    from gonogo_server.tools.offer import Function, Offer


@dataclass(frozen=True, slots=True)
class Markup:
    """A call stands between `start` and `end`, which may be ""; without `parse` it is in the JSON form."""

    start: str
    end: str
    parse: Callable[[str, Sequence[Mapping[str, Any]]], Any] | None = None
    start_token: int | None = None
    end_token: int | None = None
    """The ids of the markers that are special tokens."""

    def spelled(self) -> Markup:
        """The same markers as text."""
        return Markup(self.start, self.end, self.parse)


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
    """Whether the model's own parser reads the JSON form correctly."""
    try:
        return bool(style.parse(json.dumps(_PROBE), [_PROBE_TOOL]) == _PROBE)
    except Exception:  # noqa: BLE001 - a parser of another form may raise anything
        return False


def markup(style: ToolStyle | None, offer: Offer, structure: Structure | None) -> Markup:
    """The markup of calls in this answer."""
    if style is None:
        return GENERIC
    promised = offer.forced or offer.strict or structure is not None
    if style.json or (promised and reads_json(style)):
        return Markup(style.start, style.end, None, style.start_token, style.end_token)
    return GENERIC if promised else Markup(style.start, style.end, style.parse)


def call_rules(marks: Markup, offer: Offer, structure: Structure | None) -> str | None:
    """The rules of an answer, in Lark, starting with `said`; None if the model writes calls in a form of its own.

    A forced answer consists of calls only. Any other is text, or JSON by `structure`, or calls; text may come before
    calls, and nothing after them.
    """
    if marks.parse is not None:
        return None
    more = f'("\\n"? call){{0,{offer.most - 1}}}' if offer.most > 1 else ""
    if offer.forced:
        said = f"said: call {more}"
    elif structure is not None:
        said = f"said: call {more} | answer\nanswer: {structure.rule}"
    else:
        said = f"said: PLAIN | opening body {more}\n{_text_before(marks)}"
    return f"{said}\n{_calls(marks, offer.functions)}"


def _text_before(marks: Markup) -> str:
    """Any text, up to the start of a call."""
    pattern = re.escape(marks.start).replace("/", r"\/")
    plain = rf"PLAIN: /(.|\n)*/ & ~/(.|\n)*{pattern}(.|\n)*/"
    if marks.start_token is not None:
        return f"opening: PLAIN {marker(marks.start, marks.start_token)}\n{plain}"
    return f"opening[lazy]: TEXT {_literal(marks.start)}\nTEXT: /(.|\\n)*/\n{plain}"


def _calls(marks: Markup, functions: Sequence[Function]) -> str:
    """The rules of calls. Some models write line breaks inside the markers; both ways are allowed."""
    start, end = marker(marks.start, marks.start_token), marker(marks.end, marks.end_token)
    choices = " | ".join(f"call_{index}" for index in range(len(functions)))
    rules = [f"call: {start} body", f'body: "\\n"? ({choices}) "\\n"? {end}']
    for index, function in enumerate(functions):
        head = _literal(f'{{"name": {json.dumps(function.name)}, "arguments": ')
        rules += [f'call_{index}: {head} arguments_{index} "}}"', f"arguments_{index}: {function.rule}"]
    return "\n".join(rules)


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
