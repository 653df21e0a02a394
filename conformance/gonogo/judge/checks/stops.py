"""Stop sequences cut out of a greedy text: what came back, compared with what comes before the sequence.

A server may trim spaces at the ends of a text, so they do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.counts import generated, refuse_reasoning, text
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange


class Ending(Enum):
    """Where a text ends that should have ended before the stop sequence."""

    EXACT = auto()  # there
    RAN_ON = auto()  # nowhere near: it is the whole greedy text
    CUT_OUT = auto()  # the sequence is gone, and what comes after it is there
    INCLUDED = auto()  # the sequence is in it
    PARTIAL = auto()  # the beginning of the sequence is left at its end
    SHORT = auto()  # before that


@dataclass(frozen=True, slots=True)
class _Stopped:
    """The stop sequence that comes first, the text before it, what came back, and how that ends."""

    stop: str
    expected: str
    actual: str
    ending: Ending

    def unless(self, *wrong: Ending) -> Deviation | None:
        """A deviation where the text ends in one of the wrong ways; another rule's matter where in others."""
        if self.ending not in wrong:
            return None
        return Deviation(f"the text up to {self.stop!r}: {self.expected!r}", f"the text is {self.actual!r}")


def _stopped(baseline: Exchange, cut: Exchange) -> _Stopped:
    """Undecided where the text is another one than the greedy text of the baseline."""
    whole, actual = text(baseline), text(cut).strip()
    if not actual:
        raise Undecided(f"{cut.id} carries no text")
    given = cut.request.fields.get("stop")
    stops = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    places = {whole.index(stop): stop for stop in stops if stop in whole}
    if not places:
        raise Undecided(f"no stop sequence of {cut.id} is in the text of {baseline.id}")
    place = min(places)
    expected, stop = whole[:place].strip(), places[place]
    return _Stopped(stop, expected, actual, _ending(whole.strip(), expected, stop, actual, cut))


def _ending(whole: str, expected: str, stop: str, actual: str, cut: Exchange) -> Ending:
    if actual == expected:
        return Ending.EXACT
    if actual == whole:
        return Ending.RAN_ON
    if stop in actual:
        return Ending.INCLUDED
    if actual.startswith(expected) and stop.startswith(actual[len(expected) :]):
        return Ending.PARTIAL
    if expected.startswith(actual):
        return Ending.SHORT
    if actual.startswith(whole.replace(stop, "", 1)):
        return Ending.CUT_OUT
    raise Undecided(f"the greedy text changed in {cut.id}")


@compare("the text does not go on as if there were no stop")
def honoured(*exchanges: Exchange) -> Deviation | None:
    """A stop sequence that is accepted ends the text (huggingface/text-generation-inference#1999).

    mlx_lm.server takes one that lies across tokens out of the text, and generates on.
    """
    return _stopped(exchanges[0], exchanges[-1]).unless(Ending.RAN_ON, Ending.CUT_OUT)


@compare("the text does not contain the stop sequence")
def excluded(*exchanges: Exchange) -> Deviation | None:
    """What is returned ends before the sequence (jundot/omlx#2386)."""
    return _stopped(exchanges[0], exchanges[-1]).unless(Ending.INCLUDED)


@compare("no beginning of the stop sequence is left in the text")
def not_leaked(*exchanges: Exchange) -> Deviation | None:
    """A stream holds back what may become the sequence (vllm-project/vllm#3574)."""
    return _stopped(exchanges[0], exchanges[-1]).unless(Ending.PARTIAL)


@compare("nothing is missing before the stop sequence")
def not_short(*exchanges: Exchange) -> Deviation | None:
    """Only the sequence is cut off, and not the token that it begins in."""
    return _stopped(exchanges[0], exchanges[-1]).unless(Ending.SHORT)


@compare("the text is what comes before the stop sequence")
def exact(*exchanges: Exchange) -> Deviation | None:
    """To the letter, wherever the borders of tokens lie (mzau/mlx-knife#68)."""
    return _stopped(exchanges[0], exchanges[-1]).unless(
        Ending.RAN_ON, Ending.CUT_OUT, Ending.INCLUDED, Ending.PARTIAL, Ending.SHORT
    )


@compare("the text ends before the stop sequence that comes first")
def earliest(*exchanges: Exchange) -> Deviation | None:
    """Not before the one that is listed first; a list that is ignored is another rule's matter."""
    return _stopped(exchanges[0], exchanges[-1]).unless(Ending.INCLUDED, Ending.PARTIAL, Ending.SHORT)


@compare('the stop is given as the reason "stop"')
def stop_reason(*exchanges: Exchange) -> Deviation | None:
    """The sequence ended the text, not the limit (LostRuins/koboldcpp#2481)."""
    baseline, cut = exchanges[0], exchanges[-1]
    if _stopped(baseline, cut).ending in (Ending.RAN_ON, Ending.CUT_OUT):
        raise Undecided(f"the text of {cut.id} was not stopped")
    if _reason(cut) != "length":  # a filter may have ended it, and other words are the schema's rule's matter
        return None
    return Deviation('finish_reason "stop"', 'finish_reason is "length"')


@compare("stopping early takes no more tokens")
def fewer_tokens(*exchanges: Exchange) -> Deviation | None:
    """What comes after the sequence is not generated, or at least not charged."""
    streamed, whole, cut = exchanges
    if _stopped(streamed, cut).ending in (Ending.RAN_ON, Ending.CUT_OUT):
        raise Undecided(f"the text of {cut.id} was not stopped")
    most, actual = generated(whole), generated(cut)
    if actual <= most:
        return None
    refuse_reasoning(cut)
    return Deviation(f"at most the {most} tokens of the whole text", f"completion_tokens is {actual}")


@compare("no text is held back at the end")
def released(*exchanges: Exchange) -> Deviation | None:
    """What might have become a stop sequence, and did not, is text."""
    whole, actual = text(exchanges[0]).strip(), text(exchanges[-1]).strip()
    if actual == whole:
        return None
    if whole.startswith(actual):
        return Deviation(f"the whole text, {whole!r}", f"{whole[len(actual) :]!r} is missing at its end")
    raise Undecided(f"the greedy text changed in {exchanges[-1].id}")


def _reason(exchange: Exchange) -> object:
    """The finish reason of the first choice; Undecided where none is given, which other rules say."""
    if exchange.is_stream:
        reading.ended(exchange)
        given = [choice.get("finish_reason") for _, choice in reading.by_choice(exchange).get(0, [])]
    else:
        given = [reading.choices(exchange)[0].get("finish_reason")]
    reasons = [reason for reason in given if reason]
    if not reasons:
        raise Undecided(f"no finish_reason was given in {exchange.id}")
    return reasons[-1]
