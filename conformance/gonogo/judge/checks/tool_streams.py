"""Calls of tools in streams: fragments that a client can put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import calls, reading
from gonogo.judge.checks.chunks import usage_chunk
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check, compare

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gonogo.exchange import Exchange
    from gonogo.judge.calls import Fragment


@check("a tool is called in the stream", Of.BEGUN)
def called(exchange: Exchange) -> Deviation | None:
    """As in whole answers."""
    if calls.fragments(exchange):
        return None
    calls.uncut(exchange)
    reading.ended(exchange)
    _ = reading.by_choice(exchange)
    return Deviation("a call of a tool", "no delta has a fragment of one")


@check("there is a call in the stream", Of.BEGUN)
def precondition(exchange: Exchange) -> Deviation | None:
    """Of a call that did not come nothing can be said; raises Undecided."""
    if not calls.fragments(exchange):
        raise Undecided(f"the stream of {exchange.id} carries no call of a tool")
    return None


@check("one chunk without choices carries the usage beside the calls", Of.BEGUN)
def usage_chunk_beside(exchange: Exchange) -> Deviation | None:
    """As in every stream; undecided where no tool was called, of which the rule of every stream speaks."""
    precondition(exchange)
    return usage_chunk(exchange)


@check("the first fragment of every call has its id", Of.BEGUN)
def id_first(exchange: Exchange) -> Deviation | None:
    """Clients open the call with it; an empty one opens nothing."""
    return _first(exchange, "an id", lambda part: part.value.get("id"))


@check("the first fragment of every call has the function's name", Of.BEGUN)
def name_first(exchange: Exchange) -> Deviation | None:
    """Clients that have no name yet raise, or drop the call (vercel/ai)."""
    return _first(exchange, "a name", lambda part: calls.function(part.value).get("name"))


@check("the first fragment of every call has its type", Of.BEGUN)
def type_first(exchange: Exchange) -> Deviation | None:
    """The word "function", as in the recorded streams."""
    return _first(exchange, "a type", lambda part: part.value.get("type"))


@check("no later fragment repeats an id or a name", Of.BEGUN)
def once(exchange: Exchange) -> Deviation | None:
    """Helpers that put strings together get "functionfunction" (SillyTavern/SillyTavern PR#5811)."""
    for index, parts in sorted(calls.by_call(exchange).items()):
        if len(calls.ids(parts)) > 1:
            raise Undecided(f"two calls of {exchange.id} share the index {index}")
        for part in parts[1:]:
            if part.value.get("id") or calls.function(part.value).get("name"):
                return _at(exchange, part, "id and name once", f"a later fragment of call {index} has them")
    return None


@check("no two calls share an index", Of.BEGUN)
def one_index_each(exchange: Exchange) -> Deviation | None:
    """Clients glue the arguments of both together (ollama/ollama#15457); undecided where there is one call."""
    found = calls.by_call(exchange)
    for index, parts in sorted(found.items()):
        names = calls.ids(parts)
        if len(names) > 1:
            second = next(part for part in parts if part.value.get("id") == names[1])
            return _at(exchange, second, "an index for each call", f"two calls have the index {index}")
    if len(found) == 1:
        raise Undecided(f"the model called one tool only in {exchange.id}")
    return None


@check("the calls are numbered from 0", Of.BEGUN)
def numbered(exchange: Exchange) -> Deviation | None:
    """The index is a place in a list, which has no first entry without a 0."""
    found = sorted(calls.by_call(exchange))
    expected = list(range(len(found)))
    if found == expected:
        return None
    return Deviation(f"calls numbered {_list(expected)}", f"they are numbered {_list(found)}")


@check('the finish reason "tool_calls" stands after a fragment of a call', Of.BEGUN)
def finishes_a_call(exchange: Exchange) -> Deviation | None:
    """As in whole answers."""
    for _, parts in sorted(reading.by_choice(exchange).items()):
        ends = [chunk for chunk, choice in parts if choice.get("finish_reason") == "tool_calls"]
        if ends and not any(reading.delta(choice).get("tool_calls") for _, choice in parts):
            deviation = Deviation(
                'a call before finish_reason "tool_calls"', "no delta has a fragment of one"
            )
            return deviation.at(exchange, ends[0].offset, ends[0].end)
    return None


@compare("the stream calls what the whole answer calls", Of.BEGUN)
def same_calls(*exchanges: Exchange) -> Deviation | None:
    """The same tools, in the same order. What they are called with may vary with the batch."""
    whole, streamed = exchanges[0], exchanges[-1]
    for exchange in exchanges:
        calls.uncut(exchange)
    reading.ended(streamed)
    first, second = calls.names(whole), calls.names(streamed)
    if first == second:
        return None
    if not all(isinstance(name, str) for name in [*first, *second]):
        raise Undecided("a call has no name")
    return Deviation(f"calls of {_list(first)}", f"the stream calls {_list(second)}")


def _first(exchange: Exchange, what: str, find: Callable[[Fragment], object]) -> Deviation | None:
    for index, parts in sorted(calls.by_call(exchange).items()):
        if not find(parts[0]):
            return _at(
                exchange,
                parts[0],
                f"{what} in the first fragment",
                f"call {index} begins without {what}",
            )
    return None


def _at(exchange: Exchange, part: Fragment, expected: str, actual: str) -> Deviation:
    return Deviation(expected, actual).at(exchange, part.chunk.offset, part.chunk.end)


def _list(names: Sequence[object]) -> str:
    return ", ".join(map(repr, names))
