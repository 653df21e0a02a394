"""Checks when the text of a stream arrives: while it is generated, or all at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.counts import piece, text
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

MANY = 5
"""The minimum number of words: fewer can arrive in one piece from a server that decodes several tokens at once."""
AT_ONCE = 0.005
"""The minimum duration in seconds: shorter than two dozen tokens take at 2,000 tokens a second."""
LONG_WAIT = 2.0
"""The minimum seconds before the first words: a server that sends once a second sends shorter answers in one piece."""


@compare("the text of the last arrives while it is generated", Of.BEGUN)
def as_written(short: Exchange, streamed: Exchange) -> Outcome:
    """The text does not arrive all at once after a wait that a short beginning of the same answer does not have."""
    words = len(text(streamed).split())
    if words < MANY:
        raise undecided(Reason.SHORT_TEXT, streamed, words=words)
    times = _times(streamed)
    if times[-1] - times[0] > AT_ONCE or (len(times) > 1 and times[0] < LONG_WAIT):
        return saw("piece of the text", streamed, count=len(times))
    if times[0] < LONG_WAIT:
        raise undecided(Reason.SOON, streamed, seconds=round(times[0], 3))
    few = _times(short)
    if not few or few[0] > times[0] / 2:
        raise undecided(Reason.SLOW_TO_BEGIN, short, streamed, seconds=round(few[0] if few else 0, 1))
    pieces = "one piece" if len(times) == 1 else f"{len(times)} pieces at once"
    return Deviation(
        f"words from about {few[0]:.1f} s on, as of a short answer",
        f"all {words} words come in {pieces} after {times[0]:.1f} s",
    )


def _times(streamed: Exchange) -> list[float]:
    """The arrival times of the pieces of the text."""
    parts = reading.by_choice(streamed).get(0, [])
    found = (streamed.arrival(chunk.end - 1) for chunk, choice in parts if piece(choice))
    return [at for at in found if at is not None]
