"""Checks on tool calls in streams: fragments that a client can join."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonogo.judge import calls, reading
from gonogo.judge.checks.chunks import usage_chunk
from gonogo.judge.checks.sampling import repeated
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gonogo.exchange import Exchange
    from gonogo.judge.calls import Fragment
    from gonogo.judge.outcome import Outcome


@check("a tool is called in the stream", Of.BEGUN)
def called(exchange: Exchange) -> Outcome:
    """As in complete answers."""
    found = calls.fragments(exchange)
    if found:
        named = [part for part in found if calls.function(part.value).get("name")]
        return saw("fragment with the name of a tool", exchange, count=len(named))
    calls.uncut(exchange)
    reading.ended(exchange)
    _ = reading.by_choice(exchange)
    return Deviation("a call of a tool", "no delta has a fragment of one")


@check("there is a call in the stream", Of.BEGUN)
def precondition(exchange: Exchange) -> Outcome:
    """Raise Stop without a call, as nothing can be checked."""
    found = calls.fragments(exchange)
    if not found:
        raise undecided(Reason.NO_CALL, exchange)
    return saw("fragment of a call", exchange, count=len(found))


@check("one chunk without choices carries the usage beside the calls", Of.BEGUN)
def usage_chunk_beside(exchange: Exchange) -> Outcome:
    """As in every stream; undecided if no tool was called, because the rule about all streams checks that."""
    precondition(exchange)
    return usage_chunk(exchange)


@check("the first fragment of every call has its id", Of.BEGUN)
def id_first(exchange: Exchange) -> Outcome:
    """Clients start the call with the id; an empty one does not identify it."""
    return _first(exchange, "an id", lambda part: part.value.get("id"))


@check("the first fragment of every call has the function's name", Of.BEGUN)
def name_first(exchange: Exchange) -> Outcome:
    """Without a name, clients raise or drop the call (vercel/ai)."""
    return _first(exchange, "a name", lambda part: calls.function(part.value).get("name"))


@check("the first fragment of every call has its type", Of.BEGUN)
def type_first(exchange: Exchange) -> Outcome:
    """The type is "function", as in the recorded streams."""
    return _first(exchange, "a type", lambda part: part.value.get("type"))


@check("no later fragment repeats an id or a name", Of.BEGUN)
def once(exchange: Exchange) -> Outcome:
    """Clients that concatenate strings get "functionfunction" (SillyTavern/SillyTavern PR#5811)."""
    later = 0
    for index, parts in sorted(calls.by_call(exchange).items()):
        if len(calls.ids(parts)) > 1:
            raise undecided(Reason.SHARED_INDEX, exchange, index=index)
        for part in parts[1:]:
            if part.value.get("id") or calls.function(part.value).get("name"):
                return _at(exchange, part, "id and name once", f"a later fragment of call {index} has them")
        later += len(parts) - 1
    return saw("later fragment of a call", exchange, count=later)


@check("no two calls share an index", Of.BEGUN)
def one_index_each(exchange: Exchange) -> Outcome:
    """Clients join the arguments of both calls (ollama/ollama#15457); undecided if there is one call."""
    found = calls.by_call(exchange)
    for index, parts in sorted(found.items()):
        names = calls.ids(parts)
        if len(names) > 1:
            second = next(part for part in parts if part.value.get("id") == names[1])
            return _at(exchange, second, "an index for each call", f"two calls have the index {index}")
    if len(found) == 1:
        raise undecided(Reason.ONE_CALL, exchange)
    return saw("call with an index of its own", exchange, count=len(found))


@check("the calls are numbered from 0", Of.BEGUN)
def numbered(exchange: Exchange) -> Outcome:
    """The index is a list position, so that the indexes begin at 0."""
    found = sorted(calls.by_call(exchange))
    expected = list(range(len(found)))
    if found == expected:
        return saw("call with an index", exchange, count=len(found))
    return Deviation(f"calls numbered {_list(expected)}", f"they are numbered {_list(found)}")


@check('a call in the stream finishes with "tool_calls"', Of.BEGUN)
def finishes_a_call(exchange: Exchange) -> Outcome:
    """As in complete answers."""
    seen = finished = 0
    for _, parts in sorted(reading.by_choice(exchange).items()):
        ends = [chunk for chunk, choice in parts if choice.get("finish_reason") == "tool_calls"]
        if ends and not any(reading.delta(choice).get("tool_calls") for _, choice in parts):
            deviation = Deviation(
                'a call before finish_reason "tool_calls"', "no delta has a fragment of one"
            )
            return deviation.located(exchange, ends[0].offset, ends[0].end)
        called = any(reading.objects(reading.delta(choice).get("tool_calls")) for _, choice in parts)
        seen += bool(ends) and called
        finished += bool(ends)
    if not finished:
        raise undecided(Reason.NO_CALL_FINISHED, exchange)
    return saw('choice that finishes with "tool_calls"', exchange, count=seen)


@compare("the stream calls the same tools as the whole answer", Of.BEGUN)
def same_calls(*exchanges: Exchange) -> Outcome:
    """The same tools are called in the same order. Their arguments may vary with the batch."""
    whole, streamed = exchanges[0], exchanges[-1]
    complete = _complete(whole, streamed)
    reading.unfailed(streamed)
    first, second = calls.names(whole)[:complete], calls.names(streamed)[:complete]
    if not all(isinstance(name, str) for name in [*first, *second]):
        raise undecided(Reason.CALL_WITHOUT_NAME, whole, streamed)
    if first == second:
        return saw("call of a tool", whole, streamed, count=len(first))
    reading.ended(streamed)
    return Deviation(f"calls of {_list(first)}", f"the stream calls {_list(second)}")


@compare("no arguments are lost in the stream", Of.BEGUN)
def arguments_kept(*exchanges: Exchange) -> Outcome:
    """A call with arguments in the complete answer has some in the stream, in every call of the same name.

    The values may vary with the batch; an empty string does not count.
    """
    whole, streamed = exchanges[0], exchanges[-1]
    complete = _complete(whole, streamed)
    reading.unfailed(streamed)
    pairs = list(
        zip(
            calls.names(whole),
            calls.arguments(whole),
            calls.names(streamed),
            calls.arguments(streamed),
            strict=False,
        )
    )[:complete]
    full = [(name, given, came) for name, given, other, came in pairs if name == other and _has_some(given)]
    lost = [(name, given, came) for name, given, came in full if not came.strip()]
    if lost:
        reading.ended(streamed)
        name, given, came = lost[0]
        return Deviation(f"{given} for {name!r}, as in the whole answer", f"the stream has {came!r}")
    return saw("call with arguments", whole, streamed, count=len(full))


@compare("the calls of the stream have the arguments of the whole answer, if greedy text repeats", Of.BEGUN)
def same_arguments(first: Exchange, again: Exchange, whole: Exchange, streamed: Exchange) -> Outcome:
    """The arguments are compared as JSON, without spacing.

    If greedy text is not repeatable, arguments may differ. Other rules check different tools, lost arguments, and
    arguments that are not JSON.
    """
    repeated(first, again)
    complete = _complete(whole, streamed)
    reading.ended(streamed)
    made, came = _called(whole, complete), _called(streamed, complete)
    if [name for name, _ in made] != [name for name, _ in came]:
        raise undecided(Reason.OTHER_CALLS, whole, streamed)
    for (name, expected), (_, actual) in zip(made, came, strict=True):
        if expected != actual:
            return Deviation(f"{expected} for {name!r}, as in the whole answer", f"the stream has {actual}")
    return saw("call with arguments", whole, streamed, count=len(made))


def _complete(whole: Exchange, streamed: Exchange) -> int | None:
    """The number of calls that can be compared, from the first; None if all can because neither answer was truncated.

    If the limit truncated both, all calls but the last are complete in both forms. Raises Stop if only one answer was
    truncated, or no call is known to be complete.
    """
    both = (whole, streamed)
    if any(calls.finish_reasons(exchange) != ["length"] for exchange in both):
        for exchange in both:
            calls.uncut(exchange)
        return None
    complete = min(len(calls.names(exchange)) for exchange in both) - 1
    if not complete:
        calls.uncut(whole)
    return complete


def _called(exchange: Exchange, most: int | None) -> list[tuple[object, str]]:
    """The name of each call with its arguments as canonical JSON. Raises Stop if they are not a JSON object.

    At most the first `most` calls; None: all.
    """
    found = list(zip(calls.names(exchange), calls.arguments(exchange), strict=True))[:most]
    return [(name, _spelled(given, exchange)) for name, given in found]


def _spelled(arguments: str, exchange: Exchange) -> str:
    try:
        value = reading.parse(arguments)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise undecided(Reason.FIELD_NOT, exchange, field="arguments", kind="the text of a JSON object")
    return json.dumps(json.loads(arguments, parse_float=_number), sort_keys=True, ensure_ascii=False)


def _number(text: str) -> float:
    """A number without a fraction as an integer: JSON has one kind of number, and 5.0 is 5."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _has_some(arguments: str) -> bool:
    try:
        value = reading.parse(arguments)
    except ValueError:
        return False
    return isinstance(value, dict) and bool(value)


def _first(exchange: Exchange, what: str, find: Callable[[Fragment], object]) -> Outcome:
    by_call = calls.by_call(exchange)
    for index, parts in sorted(by_call.items()):
        if not find(parts[0]):
            return _at(
                exchange,
                parts[0],
                f"{what} in the first fragment",
                f"call {index} begins without {what}",
            )
    return saw(f"first fragment with {what}", exchange, count=len(by_call))


def _at(exchange: Exchange, part: Fragment, expected: str, actual: str) -> Deviation:
    return Deviation(expected, actual).located(exchange, part.chunk.offset, part.chunk.end)


def _list(names: Sequence[object]) -> str:
    return ", ".join(map(repr, names))
