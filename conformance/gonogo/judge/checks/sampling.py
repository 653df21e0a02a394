"""Parameters of sampling: taken or refused by name, and not ignored where that shows in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.acceptance import accepted, said_instead
from gonogo.judge.checks.counts import text
from gonogo.judge.checks.refusals import names_one, not_of_the_model
from gonogo.judge.outcome import Deviation, Refused, Undecided
from gonogo.judge.steps import Of, check, compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange


@check("it is taken, or refused by the name {names}", Of.ANY)
def taken_or_named(exchange: Exchange, names: str) -> Deviation | None:
    """What is not supported is refused so that the caller learns what to leave out; `names` are joined by " or "."""
    if accepted(exchange):
        return None
    status = exchange.status
    if status is None or status in {401, 403, 429} or status >= 500:
        raise Undecided(said_instead(exchange))
    not_of_the_model(exchange)
    deviation = names_one(exchange, tuple(names.split(" or ")))
    if deviation is None:
        raise Refused(f"refused with {status} by its name ({exchange.id})")
    return deviation


@compare("the text is another with the token forced")
def forced(*exchanges: Exchange) -> Deviation | None:
    """Some token again and again is how no text begins; where the text begins as ever, nothing was forced."""
    greedy, biased = map(_said, exchanges)
    if not greedy.startswith(biased):
        return None
    return Deviation(
        "another text than without logit_bias", f"the text {biased!r} is how {greedy!r} begins without it"
    )


@compare("the last text begins like the greedy one", Of.BEGUN)
def greedy_too(first: Exchange, again: Exchange, drawn: Exchange) -> Deviation | None:
    """Where one token is left to draw from, it is the one that greedy sampling takes."""
    expected = _repeated(first, again)
    actual = _said(drawn).strip()
    if expected.strip().startswith(actual):
        return None
    return Deviation(f"a text that begins like {expected!r}", f"the text is {actual!r}")


@compare("the text is the same each time", Of.BEGUN)
def same_each_time(first: Exchange, again: Exchange) -> Deviation | None:
    """The same request at temperature 0."""
    return _same(first, again)


@compare("the seed gives the same text, where greedy text repeats", Of.ANSWERED)
def same_of_seed(first: Exchange, again: Exchange, drawn: Exchange, once_more: Exchange) -> Deviation | None:
    """Whoever cannot repeat greedy text has another reason than the seed."""
    for exchange in (first, again, drawn, once_more):
        if not accepted(exchange):
            raise Undecided(said_instead(exchange))
    _repeated(first, again)
    return _same(drawn, once_more)


def _same(first: Exchange, again: Exchange) -> Deviation | None:
    expected, actual = _said(first), _said(again)
    return None if expected == actual else Deviation(f"the text {expected!r}", f"the text is {actual!r}")


def _repeated(first: Exchange, again: Exchange) -> str:
    """The greedy text; Undecided where it does not repeat."""
    if _same(first, again) is not None:
        raise Undecided(f"the greedy text did not repeat ({first.id} and {again.id})")
    return _said(first)


def _said(exchange: Exchange) -> str:
    """The text to its end; Undecided where there is none, as where all of it went into reasoning."""
    if exchange.is_stream:
        reading.ended(exchange)
    said = text(exchange)
    if not said.strip():
        raise Undecided(f"{exchange.id} carries no text")
    return said
