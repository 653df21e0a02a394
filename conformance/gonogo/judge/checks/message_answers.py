"""Checks on a complete or streamed message: its blocks, and its stop reason."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from gonogo.judge import messages, reading, shape
from gonogo.judge.checks.message_events import BLOCKS, OF_OTHER_SURFACES, owned_by_tools
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.messages import Block
    from gonogo.judge.outcome import Outcome

ENDED_AT_ONCE: Final = 3
"""The most tokens of an empty message (guide, Stop reasons, "Empty responses")."""
_PLACES: Final = {"thinking": 0, "redacted_thinking": 0, "text": 1, "tool_use": 2}
"""The order of the kinds of blocks in an answer."""


@check("each block of the message fits its type")
def blocks_fit(exchange: Exchange) -> Outcome:
    """Blocks of unknown types are ignored, unless another surface has them. Another rule checks tool uses."""
    seen = 0
    for number, block in enumerate(_content(exchange)):
        if not block.type or block.type in OF_OTHER_SURFACES:
            expected = f"a type, such as {', '.join(BLOCKS)}"
            return Deviation(expected, f"/content/{number}: {reading.field(block.value, 'type')}")
        known = shape.misfits(BLOCKS[block.type], block.value) if block.type in BLOCKS else []
        misfits = [misfit for misfit in known if not owned_by_tools(block.type, misfit)]
        if misfits:
            where = f"/content/{number}{misfits[0].pointer}"
            return Deviation(
                f"{where} as {BLOCKS[block.type]} describes it", f"{where}: {misfits[0].message}"
            )
        seen += block.type in BLOCKS
    return saw("block that fits its type", exchange, count=seen)


def _content(exchange: Exchange) -> tuple[Block, ...]:
    if not isinstance(reading.answer(exchange).get("content"), list):
        raise undecided(Reason.FIELD_NOT, exchange, field="content", kind="a list")
    return messages.blocks(exchange)


@check("the message has text")
def has_text(exchange: Exchange) -> Outcome:
    """A model that was truncated while thinking may have no text; one that ended has some.

    A model that ends at once may have no text: the official API then counts two or three tokens.
    """
    if any(block.type == "text" and block.text("text").strip() for block in messages.blocks(exchange)):
        return saw("block of text", exchange)
    if messages.stop_reason(exchange) in (*messages.CUT, "stop_sequence", "refusal"):
        raise undecided(Reason.ALL_REASONING if messages.thinks(exchange) else Reason.NO_TEXT, exchange)
    types = ", ".join(block.type or "?" for block in messages.blocks(exchange))
    if not types and messages.output_tokens(exchange) <= ENDED_AT_ONCE:
        raise undecided(Reason.NO_TEXT, exchange)
    return Deviation("a block of text", f"there is none, but {types}" if types else '"content" is empty')


@check("no block of text is empty", Of.BEGUN)
def no_empty_text(exchange: Exchange) -> Outcome:
    """An empty block is refused when it is sent back. A block truncated by the limit may be empty."""
    found = [block for block in messages.blocks(exchange) if block.type == "text"]
    if not all(block.text("text") for block in found):
        messages.ended(exchange)
        if messages.stop_reason(exchange) in messages.CUT:
            raise undecided(Reason.CUT_OFF, exchange, finish_reason=messages.stop_reason(exchange))
        return Deviation("text in each block of text", "a block of text is empty")
    return saw("block of text", exchange, count=len(found))


@check("thinking comes before text, and text before uses of tools", Of.BEGUN)
def in_order(exchange: Exchange) -> Outcome:
    """The blocks have the order of the official API; unknown blocks may be anywhere."""
    known = [block.type for block in messages.blocks(exchange) if block.type in _PLACES]
    for before, after in pairwise(known):
        if _PLACES[before] > _PLACES[after]:
            return Deviation("thinking, then text, then tool_use", f"{after} follows {before}")
    return saw("block", exchange, count=len(known))


@check("the stop reason is one that the contract knows", Of.BEGUN)
def stop_reason_known(exchange: Exchange) -> Outcome:
    """A value in the API's list; null only for a message that has not ended."""
    holder = messages.ending(exchange)
    if holder is None:
        messages.ended(exchange)
        raise undecided(Reason.NOTHING_SEEN, exchange, what="message_delta")
    if holder.get("stop_reason") in messages.STOP_REASONS:
        return saw("stop_reason", exchange)
    if "stop_reason" not in holder or holder["stop_reason"] is None:
        messages.unfailed(exchange)
    return Deviation(
        f'"stop_reason" one of {", ".join(messages.STOP_REASONS)}', reading.field(holder, "stop_reason")
    )


@check("the message has stop_sequence, possibly null", Of.BEGUN)
def stop_sequence_there(exchange: Exchange) -> Outcome:
    """A string or null; another rule checks which one."""
    holder = messages.ending(exchange)
    if holder is None:
        raise undecided(Reason.NOTHING_SEEN, exchange, what="message_delta")
    found = holder.get("stop_sequence", 0)
    if found is None or isinstance(found, str):
        return saw("stop_sequence", exchange)
    return Deviation('"stop_sequence" as a string or null', reading.field(holder, "stop_sequence"))


@check("only a message that a stop sequence ended names one", Of.BEGUN)
def stop_sequence_only_there(exchange: Exchange) -> Outcome:
    """Null with every other reason; if it names a sequence of the request, the reason is wrong instead."""
    reason, found = messages.stop_reason(exchange), messages.stop_sequence(exchange)
    given = exchange.request.fields.get("stop_sequences") or []
    if reason != "stop_sequence" and found in given:
        raise undecided(Reason.FIELD_NOT, exchange, field="stop_reason", kind='"stop_sequence"')
    if reason != "stop_sequence" and found is not None:
        return Deviation(f'"stop_sequence": null beside {reason}', f'"stop_sequence" is {found!r}')
    if reason == "stop_sequence" and not given:
        return Deviation("another stop reason: no stop sequence was given", f"the stop reason is {reason}")
    return saw("stop_reason beside its stop_sequence", exchange)


@check("a message with the stop reason tool_use has a tool use", Of.BEGUN)
def tool_use_has_one(exchange: Exchange) -> Outcome:
    """Without a tool use, tool loops would run nothing, and wait."""
    reason = messages.stop_reason(exchange)
    uses = any(block.type == "tool_use" for block in messages.blocks(exchange))
    if reason == "tool_use" and not uses:
        messages.ended(exchange)
        return Deviation("a tool_use block", "there is none")
    return saw("stop_reason", exchange)
