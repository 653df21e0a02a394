"""Checks on the text of a message: equal in complete and streamed answers, within its limit and its stop sequences, and
in the requested format.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gonogo.judge import kinds, messages, reading
from gonogo.judge.checks.sampling import repeated
from gonogo.judge.checks.structured import BEGINNINGS, admitted
from gonogo.judge.outcome import Deviation, Stop, saw, undecided
from gonogo.judge.steps import Of, admit, check, compare
from gonogo.judge.surfaces import may_have_ended
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


@compare("the joined pieces are the text of the whole message, if greedy text repeats", Of.BEGUN)
def same_text(first: Exchange, again: Exchange, whole: Exchange, streamed: Exchange) -> Outcome:
    """Chat shows whether greedy text is repeatable: if it is not, texts may differ."""
    repeated(first, again)
    expected, found = messages.text(whole).strip(), messages.text(streamed).strip()
    if expected == found:
        return saw("character of the text", whole, streamed, count=len(expected))
    messages.ended(streamed)
    return Deviation(f"the text of the whole message, {expected!r}", f"the pieces are {found!r}")


@compare("the stream has the stop reason and the output tokens of the whole message", Of.BEGUN)
def same_end(whole: Exchange, streamed: Exchange) -> Outcome:
    """The ends are compared if both have the same text."""
    if messages.text(whole).strip() != messages.text(streamed).strip():
        raise undecided(Reason.TEXTS_DIFFER, whole, streamed)
    if not messages.output_tokens(whole) or not messages.output_tokens(streamed):
        raise undecided(Reason.NO_COUNT, whole, streamed, field="output_tokens")
    expected, found = _end(whole), _end(streamed)
    if expected == found:
        return saw("stop_reason beside output_tokens", whole, streamed)
    if messages.thinks(whole) or messages.thinks(streamed):
        raise undecided(Reason.REASONING, whole, streamed)
    messages.ended(streamed)
    return Deviation(f"{expected}, as whole", found)


def _end(exchange: Exchange) -> str:
    return f"{messages.stop_reason(exchange)} after {messages.output_tokens(exchange)} tokens"


@compare("a message that its limit ends has the reason max_tokens", Of.ANY)
def stopped_by_limit(plain: Exchange, limited: Exchange) -> Outcome:
    """The second is asked for a long story; if that leaves it open, the first is looked at, which counts to ten."""
    left_open = []
    for exchange in (limited, plain):
        try:
            admit(exchange, Of.BEGUN)
            return _limit_told(exchange)
        except Stop as stop:
            left_open.append(stop)
    raise left_open[0]


def _limit_told(exchange: Exchange) -> Outcome:
    """A text that ends with a sentence or a count may have ended by itself, with the last token of its limit.

    A smaller context limit is accepted too.
    """
    most = reading.count(exchange.request.fields.get("max_tokens"))
    found = messages.output_tokens(exchange)
    if most is None or found != most:
        reason = Reason.LIMIT_PASSED if most is not None and found > most else Reason.LIMIT_NOT_REACHED
        raise undecided(reason, exchange, found=found, limit=most)
    given = messages.stop_reason(exchange)
    if given in messages.CUT:
        return saw("stop_reason max_tokens", exchange)
    if given == "refusal":
        raise undecided(Reason.CUT_OFF, exchange, finish_reason=given)
    said = messages.text(exchange)
    if may_have_ended(said) or _TEN.search(said):
        raise undecided(Reason.MAY_HAVE_ENDED, exchange, found=found)
    return Deviation('stop_reason "max_tokens"', f"stop_reason is {given!r} after {found} of {most} tokens")


_TEN: Final = re.compile(r"10|ten", re.IGNORECASE)
"""The end of what the plain request asks for."""


# ---- stop sequences ----------------------------------------------------------------------------------------------


AHEAD: Final = 16
"""The most characters that the token with the end of a stop sequence can have after it."""


@compare("the message ends at its stop sequence")
def stopped(longer: Exchange, cut: Exchange) -> Outcome:
    """If the text lacks the sequence, it is not the text from which the sequence was taken."""
    seen = _cut(longer, cut)
    if seen.ran_on:
        return Deviation(f"the text up to {seen.stop!r}: {seen.before!r}", f"the text is {seen.found!r}")
    seen.expect_stopped()
    return saw("text that ends at its stop sequence", cut)


@compare("the stop sequence is not in the message")
def stop_excluded(longer: Exchange, cut: Exchange) -> Outcome:
    """The returned text ends before it; another rule checks text that continues after it."""
    seen = _cut(longer, cut)
    if seen.after is not None and not seen.ran_on:
        return Deviation(f"the text up to {seen.stop!r}: {seen.before!r}", f"the text is {seen.found!r}")
    seen.expect_stopped()
    return saw("text without its stop sequence", cut)


@compare("the reason of the stopped message is stop_sequence")
def stop_told(longer: Exchange, cut: Exchange) -> Outcome:
    """Not end_turn, which clients read as a complete answer."""
    _cut(longer, cut).expect_stopped()
    given = messages.stop_reason(cut)
    if given == "stop_sequence":
        return saw("stop_reason stop_sequence", cut)
    return Deviation('stop_reason "stop_sequence"', f"stop_reason is {given!r}")


@compare("the stop sequence that ended the message is named")
def stop_named(longer: Exchange, cut: Exchange) -> Outcome:
    """The answer names the matching sequence of the list."""
    seen = _cut(longer, cut)
    seen.expect_stopped()
    if messages.stop_reason(cut) != "stop_sequence":
        raise undecided(Reason.FIELD_NOT, cut, field="stop_reason", kind='"stop_sequence"')
    if "stop_sequence" not in (messages.ending(cut) or {}):
        raise undecided(Reason.NOTHING_SEEN, cut, what="stop_sequence")
    if messages.stop_sequence(cut) == seen.stop:
        return saw("stop_sequence", cut)
    given = reading.field(messages.ending(cut) or {}, "stop_sequence")
    return Deviation(f'"stop_sequence": {json.dumps(seen.stop, ensure_ascii=False)}', given)


@dataclass(frozen=True, slots=True)
class _Cut:
    """The stop sequence that occurs first in the longer text, the text before it, and the returned text.

    `found` is the returned text, `after` its part after the sequence, None if it lacks the sequence. `ran_on` is
    whether that part is longer than a token, or the whole longer text.
    """

    stop: str
    before: str
    found: str
    after: str | None
    ran_on: bool
    exchanges: tuple[Exchange, Exchange]

    def expect_stopped(self) -> None:
        """Raise Stop if the sequence did not end the text at all."""
        if self.ran_on:
            raise undecided(Reason.NOT_STOPPED, self.exchanges[1])
        if self.after is None and self.found != self.before:
            raise undecided(Reason.TEXT_CHANGED, *self.exchanges)


def _cut(longer: Exchange, cut: Exchange) -> _Cut:
    whole, found = messages.text(longer), messages.text(cut).strip()
    given = cut.request.fields.get("stop_sequences")
    stops = [stop for stop in given if stop in whole] if isinstance(given, list) else []
    if not stops:
        raise undecided(Reason.STOP_NOT_IN_TEXT, longer, cut)
    stop = min(stops, key=whole.index)
    after = found.partition(stop)[2] if stop in found else None
    ran_on = after is not None and (len(after) > AHEAD or (after != "" and found == whole.strip()))
    return _Cut(stop, whole[: whole.index(stop)].strip(), found, after, ran_on, (longer, cut))


# ---- structured outputs ------------------------------------------------------------------------------------------


@check("the text of the message is JSON that its schema admits", Of.BEGUN)
def schema_kept(exchange: Exchange) -> Outcome:
    """A server that accepts a schema enforces it, or refuses; a constant does not occur by chance."""
    if not kinds.of_its_kind(exchange):
        raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))
    reason, said = messages.stop_reason(exchange), messages.text(exchange)
    if reason == "refusal" or (reason in messages.CUT and said.lstrip().startswith(BEGINNINGS)):
        raise undecided(Reason.CUT_OFF, exchange, finish_reason=reason)
    try:
        value = reading.parse(said)
    except ValueError:
        return Deviation("JSON that the schema admits", f"the text is {said[:80]!r}")
    return admitted(exchange, said, value, exchange.request.fields["output_config"]["format"]["schema"])
