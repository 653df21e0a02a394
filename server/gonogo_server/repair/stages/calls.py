"""Joins the fragments of tool calls of one streamed choice."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from gonogo_server.errors import UpstreamError
from gonogo_server.repair.fields import is_same

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document, Noted


class State(Enum):
    """The state of a call."""

    NAMELESS = auto()  # its fragments are held back, because clients open a call by its name
    OPEN = auto()  # its first fragment was sent


@dataclass(slots=True)
class Call:
    """One call: its number, the members of its first fragment, and its arguments so far."""

    number: int
    id: str
    name: str = ""
    state: State = State.NAMELESS
    arguments: list[str] = field(default_factory=list)
    owes_object: bool = False
    """Whether its arguments began with an empty object, which is either all of them or only their type."""

    def is_whole(self) -> bool:
        """Whether its arguments are complete JSON."""
        try:
            json.loads("".join(self.arguments))
        except ValueError:
            return self.owes_object
        return True


class Calls:
    """Reads the fragments of one choice, and writes them in the API's form."""

    def __init__(self, fresh: str, noted: Noted) -> None:
        self._fresh, self._noted = fresh, noted
        self._calls: list[Call] = []
        self._by_index: dict[int, Call] = {}

    @property
    def any(self) -> bool:
        """Whether a call has begun."""
        return bool(self._calls)

    def read(self, delta: Document) -> bool:
        """Repair the fragments of a delta in place; returns whether anything was changed."""
        fragments = delta["tool_calls"]
        if not isinstance(fragments, list):
            raise _unclear("tool calls that are not a list")
        written = [self._written(fragment, alone=len(fragments) == 1) for fragment in fragments]
        if all(new is old for new, old in zip(written, fragments, strict=True)):
            return False
        delta["tool_calls"] = [fragment for fragment in written if fragment is not None]
        if not delta["tool_calls"]:
            del delta["tool_calls"]
        return True

    def end(self) -> list[Document]:
        """Fragments for calls whose arguments are an empty object. Raises UpstreamError for a call without a name."""
        if any(call.state is State.NAMELESS for call in self._calls):
            raise _unclear("a tool call without the name of its function")
        owing = [call for call in self._calls if call.owes_object]
        for call in owing:
            call.owes_object = False
        return [{"index": call.number, "function": {"arguments": "{}"}} for call in owing]

    def _written(self, fragment: Any, *, alone: bool) -> Document | None:  # noqa: ANN401 - JSON
        """The fragment; the same object if it is right, None if it is held back."""
        if not isinstance(fragment, dict):
            raise _unclear("a tool call that is not an object")
        function = fragment.get("function")
        function = function if isinstance(function, dict) else {}
        call = self._whose(fragment, function, alone=alone)
        arguments = self._arguments(call, function)
        call.arguments.append(arguments)
        if call.state is State.NAMELESS:
            call.name = _word(function.get("name"))
            return self._first(call, fragment, function) if call.name else None
        return self._later(call, fragment, function, arguments)

    # ---- the call of a fragment ---------------------------------------------------------------------------------

    def _whose(self, fragment: Document, function: Document, *, alone: bool) -> Call:
        index, id_, name = fragment.get("index"), _word(fragment.get("id")), _word(function.get("name"))
        if type(index) is not int:
            self._noted("tools.stream.index")
            return self._unnumbered(id_, name, alone=alone)
        call = self._by_index.get(index)
        if call is None:
            if index != len(self._calls):
                self._noted("tools.stream.numbered")
            call = self._begin(id_)
        elif id_ and name and call.name and id_ != call.id and (name != call.name or call.is_whole()):
            self._noted("tools.stream.own_index")
            call = self._begin(id_)
        self._by_index[index] = call
        return call

    def _unnumbered(self, id_: str, name: str, *, alone: bool) -> Call:
        last = self._calls[-1] if self._calls else None
        known = next((call for call in self._calls if id_ and call.id == id_), None)
        if known is not None:
            return known
        if id_ or last is None or (name and (not alone or name != last.name or last.is_whole())):
            if not id_ and not name:
                raise _unclear("a fragment of a tool call that has not begun")
            return self._begin(id_)
        return last

    def _begin(self, id_: str) -> Call:
        number = len(self._calls)
        call = Call(number, id_ or f"call_{self._fresh}_{number}")
        self._calls.append(call)
        return call

    # ---- the form of a fragment ---------------------------------------------------------------------------------

    def _arguments(self, call: Call, function: Document) -> str:
        """The arguments of a fragment as text."""
        arguments = function.get("arguments", "")
        if isinstance(arguments, str):
            call.owes_object = call.owes_object and not arguments
            return arguments
        if arguments is None:
            return ""
        if not isinstance(arguments, dict):
            raise _unclear("arguments that are neither a string nor an object")
        if not arguments:
            call.owes_object = not any(call.arguments)
            return ""
        call.owes_object = False
        return json.dumps(arguments, ensure_ascii=False)

    def _first(self, call: Call, fragment: Document, function: Document) -> Document:
        call.state = State.OPEN
        arguments = "".join(call.arguments)
        right = {"index": call.number, "id": call.id, "type": "function"}
        if all(is_same(fragment.get(name), value) for name, value in right.items()) and (
            function.get("arguments", "") == arguments
        ):
            return fragment
        for rule in self._broken_first(call, fragment, function):
            self._noted(rule)
        return {**fragment, **right, "function": {**function, "arguments": arguments}}

    def _broken_first(self, call: Call, fragment: Document, function: Document) -> list[str]:
        broken = []
        if fragment.get("id") != call.id:
            broken.append("tools.stream.id")
        if fragment.get("type") != "function":
            broken.append("tools.stream.schema" if fragment.get("type") else "tools.stream.type")
        return broken + _broken_arguments(function)

    def _later(self, call: Call, fragment: Document, function: Document, arguments: str) -> Document:
        repeated = [name for name in ("id", "type") if name in fragment]
        named = "name" in function
        right = fragment.get("index") == call.number and "function" in fragment
        if right and not repeated and not named and function.get("arguments") == arguments:
            return fragment
        for rule in self._broken_later(fragment, function):
            self._noted(rule)
        kept = {name: value for name, value in fragment.items() if name not in ("id", "type")}
        return {**kept, "index": call.number, "function": {"arguments": arguments}}

    @staticmethod
    def _broken_later(fragment: Document, function: Document) -> list[str]:
        values = [fragment[name] for name in ("id", "type") if name in fragment]
        values += [function["name"]] if "name" in function else []
        broken = ["tools.stream.once"] if any(values) else []
        broken += ["chat.stream.nulls"] if None in values else []
        return broken + _broken_arguments(function)


def _broken_arguments(function: Document) -> list[str]:
    arguments = function.get("arguments", "")
    if isinstance(arguments, str):
        return []
    return ["chat.stream.nulls" if arguments is None else "tools.stream.arguments"]


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _unclear(what: str) -> UpstreamError:
    return UpstreamError(f"The upstream sent {what}: try again.", code="upstream_unreadable")
