"""Checks on stop sequences from a greedy text: the answer is compared with the text before the sequence.

A server may trim spaces at the ends of a text, so that they are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from itertools import accumulate
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.counts import all_of_it, generated, piece, refuse_reasoning, text
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


LONGEST_TOKEN = 16
"""Characters: more than one token has, and therefore more than can follow a stop sequence within its last token."""


AHEAD = 6
"""The most tokens that may be generated after a stop sequence, by servers that decode several at once."""


class Ending(Enum):
    """The end of a text that should have ended at a stop sequence."""

    EXACT = auto()  # at the sequence
    RAN_ON = auto()  # not near it: the whole greedy text, or a text that continues long after the sequence
    CUT_OUT = auto()  # the sequence was removed, and the text continues
    INCLUDED = auto()  # after the sequence, which is included
    PAST = auto()  # some characters after the sequence, which is included
    PARTIAL = auto()  # within the sequence: its beginning is included
    SHORT = auto()  # within the text before the sequence


ENDED = frozenset({Ending.EXACT, Ending.INCLUDED, Ending.PARTIAL, Ending.SHORT})
"""The ends that show that the sequence ended the text, at the right position or not."""


@dataclass(frozen=True, slots=True)
class _Stopped:
    """The stop sequence that occurs first, the text before it, the returned text, and its end."""

    stop: str
    expected: str
    actual: str
    ending: Ending
    cut: Exchange

    def outcome(self, what: str, *, right: set[Ending], wrong: set[Ending]) -> Outcome:
        """A deviation if the end is one of `wrong`, kept by `what` if it is one of `right`, else undecided.

        Other rules check the other ends.
        """
        if self.ending in wrong:
            if self.ending is Ending.SHORT:
                all_of_it(self.cut)
            return Deviation(
                f"the text up to {self.stop!r}: {self.expected!r}", f"the text is {self.actual!r}"
            )
        if self.ending not in right:
            in_text = self.ending in {Ending.INCLUDED, Ending.PAST}
            raise undecided(Reason.STOP_IN_TEXT if in_text else Reason.NOT_STOPPED, self.cut)
        _complete(self.cut)
        return saw(what, self.cut)

    def expect_ended(self) -> None:
        """Raise Stop if no stop sequence ended the text."""
        if self.ending not in ENDED:
            raise undecided(Reason.NOT_STOPPED, self.cut)


def stopped_text(baseline: Exchange, cut: Exchange) -> _Stopped:
    """The comparison with the greedy text of the baseline. Raises Stop if it is a different text."""
    whole, actual = text(baseline), text(cut).strip()
    if not actual:
        raise undecided(Reason.NO_TEXT, cut)
    given = cut.request.fields.get("stop")
    stops = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    places = {whole.index(stop): stop for stop in stops if stop in whole}
    if not places:
        raise undecided(Reason.STOP_NOT_IN_TEXT, baseline, cut)
    place = min(places)
    expected, stop = whole[:place].strip(), places[place]
    ending = _ending(whole.strip(), expected, stop, actual)
    if ending is None:
        for exchange in (baseline, cut):
            all_of_it(exchange)
        raise undecided(Reason.TEXT_CHANGED, cut)
    return _Stopped(stop, expected, actual, ending, cut)


def _ending(whole: str, expected: str, stop: str, actual: str) -> Ending | None:
    if actual == expected:
        return Ending.EXACT
    if actual == whole:
        return Ending.RAN_ON
    if stop in actual:
        return _with_stop(expected, stop, actual)
    if actual.startswith(expected) and stop.startswith(actual[len(expected) :]):
        return Ending.PARTIAL
    if expected.startswith(actual):
        return Ending.SHORT
    return Ending.CUT_OUT if actual.startswith(whole.replace(stop, "", 1)) else None


def _with_stop(expected: str, stop: str, actual: str) -> Ending:
    """The end of a text that includes the sequence."""
    if len(actual) - actual.index(stop) - len(stop) > LONGEST_TOKEN:
        return Ending.RAN_ON
    return Ending.INCLUDED if actual.startswith(expected) and actual.endswith(stop) else Ending.PAST


@compare("the text does not ignore the stop sequence")
def honoured(*exchanges: Exchange) -> Outcome:
    """An accepted stop sequence ends the text (huggingface/text-generation-inference#1999).

    mlx_lm.server removes a sequence across tokens from the text, and continues to generate.
    """
    return stopped_text(exchanges[0], exchanges[-1]).outcome(
        "text that ends at the stop sequence", right=set(ENDED), wrong={Ending.RAN_ON, Ending.CUT_OUT}
    )


@compare("the text does not contain the stop sequence")
def excluded(*exchanges: Exchange) -> Outcome:
    """The returned text ends before the sequence (jundot/omlx#2386)."""
    return stopped_text(exchanges[0], exchanges[-1]).outcome(
        "text without the stop sequence",
        right={Ending.EXACT, Ending.PARTIAL, Ending.SHORT},
        wrong={Ending.INCLUDED, Ending.PAST},
    )


@compare("the text does not end with the beginning of the stop sequence")
def not_leaked(*exchanges: Exchange) -> Outcome:
    """A stream holds back text that may become the sequence (vllm-project/vllm#3574)."""
    return stopped_text(exchanges[0], exchanges[-1]).outcome(
        "text that ends before the stop sequence",
        right={Ending.EXACT, Ending.SHORT},
        wrong={Ending.PARTIAL},
    )


@compare("nothing is missing before the stop sequence")
def not_short(*exchanges: Exchange) -> Outcome:
    """Only the sequence is removed, not the whole token in which it begins."""
    return stopped_text(exchanges[0], exchanges[-1]).outcome(
        "text up to the stop sequence",
        right={Ending.EXACT, Ending.INCLUDED, Ending.PARTIAL},
        wrong={Ending.SHORT},
    )


@compare("the text is exactly the text before the stop sequence")
def exact(*exchanges: Exchange) -> Outcome:
    """The text ends exactly there, independent of token boundaries (mzau/mlx-knife#68)."""
    return stopped_text(exchanges[0], exchanges[-1]).outcome(
        "text up to the stop sequence", right={Ending.EXACT}, wrong=set(Ending) - {Ending.EXACT}
    )


@compare("the text ends before the stop sequence that comes first")
def earliest(*exchanges: Exchange) -> Outcome:
    """The match is the earliest in the text, not the first in the list.

    Other rules check lists that are ignored, and sequences that stay in the text.
    """
    stopped = stopped_text(exchanges[0], exchanges[-1])
    if stopped.ending is Ending.PAST and not _ends_at_another(exchanges[0], stopped):
        raise undecided(Reason.STOP_IN_TEXT, stopped.cut)
    return stopped.outcome(
        "text up to the stop sequence that comes first", right=set(ENDED), wrong={Ending.PAST}
    )


@compare('the stopped text has the finish reason "stop"')
def stop_reason(*exchanges: Exchange) -> Outcome:
    """The reason is "stop", not "length" (LostRuins/koboldcpp#2481)."""
    baseline, cut = exchanges[0], exchanges[-1]
    stopped = stopped_text(baseline, cut)
    if stopped.ending in (Ending.RAN_ON, Ending.CUT_OUT):
        raise undecided(Reason.NOT_STOPPED, cut)
    reason = _reason(cut)
    if reason == "length":
        return Deviation('finish_reason "stop"', 'finish_reason is "length"')
    stopped.expect_ended()
    if reason != "stop":  # a filter may have ended it, and the schema rule checks unknown reasons
        raise undecided(Reason.FIELD_NOT, cut, field="finish_reason", kind='"stop" or "length"')
    return saw('finish_reason "stop"', cut)


@compare("stopping early takes no more tokens")
def fewer_tokens(*exchanges: Exchange) -> Outcome:
    """Text after the sequence is not generated, or at least not counted."""
    streamed, whole, cut = exchanges
    stopped = stopped_text(streamed, cut)
    if stopped.ending in (Ending.RAN_ON, Ending.CUT_OUT):
        raise undecided(Reason.NOT_STOPPED, cut)
    most, actual = generated(whole), generated(cut)
    if actual > most:
        refuse_reasoning(cut)
        return Deviation(f"at most the {most} tokens of the whole text", f"completion_tokens is {actual}")
    needed = _tokens_before(streamed, stopped, most)
    if needed is not None and actual > needed + AHEAD:
        refuse_reasoning(cut)
        return Deviation(
            f"about the {needed} tokens up to the stop sequence",
            f"completion_tokens is {actual}, the whole is {most}",
        )
    stopped.expect_ended()
    if not actual:
        raise undecided(Reason.NO_COUNT, cut, field="completion_tokens")
    return saw("completion_tokens", whole, cut)


@compare("no text is held back at the end")
def released(*exchanges: Exchange) -> Outcome:
    """Held text that did not become a stop sequence is sent."""
    whole, actual = text(exchanges[0]).strip(), text(exchanges[-1]).strip()
    if actual == whole:
        _complete(exchanges[-1])
        return saw("character of the text", exchanges[0], exchanges[-1], count=len(whole))
    if whole.startswith(actual):
        all_of_it(exchanges[-1])
        return Deviation(f"the whole text, {whole!r}", f"{whole[len(actual) :]!r} is missing at its end")
    raise undecided(Reason.TEXT_CHANGED, exchanges[0], exchanges[-1])


def _tokens_before(streamed: Exchange, stopped: _Stopped, tokens: int) -> int | None:
    """The number of tokens up to the end of the sequence; None if pieces of the stream are not tokens."""
    pieces = [said for _, choice in reading.by_choice(streamed).get(0, []) if (said := piece(choice))]
    if abs(len(pieces) - tokens) > 2:
        return None
    ends = list(accumulate(map(len, pieces)))
    place = "".join(pieces).index(stopped.stop) + len(stopped.stop)
    return sum(end < place for end in ends) + 1


def _ends_at_another(baseline: Exchange, stopped: _Stopped) -> bool:
    """Whether the text ends at or after another sequence of the list in the greedy text."""
    whole, given = text(baseline), stopped.cut.request.fields.get("stop")
    others = [stop for stop in given if isinstance(stop, str)] if isinstance(given, list) else []
    ends = [whole[: whole.index(stop) + more] for stop in others if stop in whole for more in (0, len(stop))]
    return stopped.actual in {end.strip() for end in ends}


def _complete(exchange: Exchange) -> None:
    """Raise Stop if an error ended the stream instead of a stop sequence."""
    if exchange.is_stream:
        reading.unfailed(exchange)


def _reason(exchange: Exchange) -> object:
    """The finish reason of the first choice. Raises Stop if there is none, which other rules check."""
    if exchange.is_stream:
        reading.unfailed(exchange)
        given = [choice.get("finish_reason") for _, choice in reading.by_choice(exchange).get(0, [])]
    else:
        given = [reading.choices(exchange)[0].get("finish_reason")]
    reasons = [reason for reason in given if reason]
    if not reasons:
        all_of_it(exchange)
        raise undecided(Reason.NO_FINISH_REASON, exchange)
    return reasons[-1]
