"""Checks on tool uses in a complete or streamed message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jsonschema_rs

from gonogo.judge import messages, reading
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.judge.messages import Block
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Object


@check("a tool is used in the message", Of.BEGUN)
def used(exchange: Exchange) -> Outcome:
    """tool_choice forces a call: text in its place shows that it was ignored."""
    found = [block for block in messages.blocks(exchange) if block.type == "tool_use"]
    if found:
        return saw("tool_use block", exchange, count=len(found))
    uncut(exchange)
    messages.ended(exchange)
    said = "".join(block.text("text") for block in messages.blocks(exchange))
    return Deviation(
        "a tool_use block", f"there is none, but the text {said[:80]!r}" if said else "there is none"
    )


def uncut(exchange: Exchange) -> None:
    """Raise Stop if the limit truncated the answer or the model refused, so that a missing part might have followed."""
    reason = messages.stop_reason(exchange)
    if reason == "refusal":
        raise undecided(Reason.MODEL_REFUSED, exchange)
    if reason in messages.CUT:
        raise undecided(Reason.CUT_OFF, exchange, finish_reason=reason)


@check("every tool use names the forced tool", Of.BEGUN)
def of_the_named(exchange: Exchange) -> Outcome:
    """The tool that tool_choice names; another rule checks uses without a name."""
    name = exchange.request.fields["tool_choice"]["name"]
    return _every(
        exchange,
        lambda block: _name(block) in (name, None),
        f"a tool_use block with the name {name!r}",
        "name",
    )


@check("every tool use names an offered tool", Of.BEGUN)
def of_the_offered(exchange: Exchange) -> Outcome:
    """Callers know no other tools; another rule checks uses without a name."""
    names = [tool["name"] for tool in exchange.request.fields["tools"]]
    expected = f"a tool_use block with one of the names {', '.join(names)}"
    return _every(exchange, lambda block: _name(block) in (*names, None), expected, "name")


@check("no more than one tool is used", Of.BEGUN)
def one_at_a_time(exchange: Exchange) -> Outcome:
    """With disable_parallel_tool_use, callers that run one tool at a time drop the second use."""
    found = messages.uses(exchange)
    if len(found) > 1:
        return Deviation("one tool_use block", f"there are {len(found)}")
    uncut(exchange)
    return saw("tool_use block", exchange)


@check("every tool use has an id", Of.BEGUN)
def has_id(exchange: Exchange) -> Outcome:
    """The id may have any form, because the result is sent back with it. An empty one identifies nothing."""
    return _every(exchange, lambda block: _is_text(block.value.get("id")), "an id", "id")


@check("every tool use has a name", Of.BEGUN)
def has_name(exchange: Exchange) -> Outcome:
    """A tool use without a name cannot be run."""
    return _every(exchange, lambda block: _is_text(block.value.get("name")), "a name", "name")


@check("every tool use has an input that is an object", Of.BEGUN)
def has_input(exchange: Exchange) -> Outcome:
    """In a stream it is empty at first, followed by deltas."""
    return _every(exchange, lambda block: isinstance(block.value.get("input"), dict), '"input": {…}', "input")


@compare("the ids of all tool uses differ", Of.BEGUN)
def ids_differ(*exchanges: Exchange) -> Outcome:
    """Results are matched by ids within one conversation."""
    found: dict[object, Exchange] = {}
    for exchange in exchanges:
        for block in messages.uses(exchange):
            name = block.value.get("id")
            if not _is_text(name):
                raise undecided(Reason.FIELD_NOT, exchange, field="id", kind="a string that is not empty")
            if name in found:
                return Deviation("different ids", f"two tool_use blocks have the id {name!r}")
            found[name] = exchange
    return saw("id of a tool_use block", *dict.fromkeys(found.values()))


@check("the stop reason of a message with a tool use is tool_use", Of.BEGUN)
def reason(exchange: Exchange) -> Outcome:
    """The stop reason is "tool_use" for every tool choice; tool loops end at any other reason."""
    messages.uses(exchange)
    uncut(exchange)
    given = messages.stop_reason(exchange)
    if given != "tool_use":
        return Deviation('stop_reason "tool_use"', f"stop_reason is {given!r}")
    return saw("stop_reason tool_use", exchange)


@check("the input of every tool use matches the schema of its tool", Of.BEGUN)
def keeps_schema(exchange: Exchange) -> Outcome:
    """The only property is required and has one possible value."""
    schemas = {tool["name"]: tool["input_schema"] for tool in exchange.request.fields["tools"]}
    uncut(exchange)
    seen = 0
    for block in messages.uses(exchange):
        schema, value = schemas.get(str(block.value.get("name"))), _input(exchange, block)
        if schema is None or value is None:
            continue
        error = next(jsonschema_rs.validator_for(schema).iter_errors(value), None)
        if error is not None:
            return Deviation("an input that the schema admits", f"the input is {value}: {error.message}")
        seen += 1
    return saw("input that the schema admits", exchange, count=seen)


@check("the joined pieces of every input are a JSON object", Of.BEGUN)
def pieces_parse(exchange: Exchange) -> Outcome:
    """The joined deltas are JSON; without deltas the input is that of the block's start."""
    found = messages.uses(exchange)
    for block in found:
        if _pieces(block) and _input(exchange, block) is None:
            uncut(exchange)
            messages.ended(exchange)
            return Deviation("the text of a JSON object", f"the pieces are {_pieces(block)[:80]!r}")
    return saw("input in pieces", exchange, count=len(found))


@compare("no input is lost in the stream", Of.BEGUN)
def input_kept(whole: Exchange, streamed: Exchange) -> Outcome:
    """A tool use with input in the complete message has input in the stream.

    Its value may vary with the batch.
    """
    for exchange in (whole, streamed):
        uncut(exchange)
    full = {block.value.get("name") for block in messages.uses(whole) if _input(whole, block)}
    seen = 0
    for block in messages.uses(streamed):
        name = block.value.get("name")
        if name in full and _input(streamed, block) == {}:
            messages.ended(streamed)
            return Deviation(f"an input for {name!r}, as in the whole message", "the stream has none")
        seen += name in full
    return saw("tool_use block with its input", streamed, count=seen)


def _every(exchange: Exchange, holds: Callable[[Block], bool], expected: str, field: str) -> Outcome:
    found = messages.uses(exchange)
    for block in found:
        if not holds(block):
            deviation = Deviation(expected, reading.field(block.value, field))
            at = block.at
            return deviation if at is None else deviation.located(exchange, at.offset, at.end)
    return saw("tool_use block", exchange, count=len(found))


def _name(block: Block) -> object:
    """The name of the tool; None if it has none."""
    found = block.value.get("name")
    return found if _is_text(found) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _pieces(block: Block) -> str:
    return "".join(block.pieces.get("partial_json", ()))


def _input(exchange: Exchange, block: Block) -> Object | None:
    """The input of a tool use; None if it cannot be read."""
    if not exchange.is_stream or not _pieces(block):
        found: object = block.value.get("input", {} if exchange.is_stream else None)
    else:
        try:
            found = reading.parse(_pieces(block))
        except ValueError:
            return None
    return found if isinstance(found, dict) else None
